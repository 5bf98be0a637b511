//! `lendswift lead …`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, builder::NonEmptyStringValueParser};
use lendswift_relay::account::AccountId;
use uuid::Uuid;

use super::{Ask, DryRun, account::account};

/// The commands for one lead.
#[derive(Debug, Subcommand)]
pub enum LeadCommand {
    /// Shows what the ledger knows of a lead
    #[command(after_help = SHOW)]
    Show {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        selector: LeadSelector,
    },
    /// Records that AI Rudder has the lead
    ///
    /// From then on every post of the lead returns `accepted`, and it is never pushed again. Ask AI Rudder first. It is
    /// refused while a sender may still be at work, and if the lead is no longer in the ledger. A lead that is accepted
    /// already stays as it is.
    #[command(after_help = SETTLE)]
    Settle {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        selector: LeadSelector,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
    /// Frees a lead that AI Rudder does not have, so that its next post is a new push
    ///
    /// Ask AI Rudder first, and how long a lead can wait in its queues: if it has the lead after all, the consumer is
    /// called twice. It is refused while a sender may still be at work, if AI Rudder accepted the lead, and if the
    /// table does not have it.
    ///
    /// With `once_per_phone_hours`, other leads can use its phone number again, unless one of them has it by now.
    #[command(after_help = REOPEN)]
    Reopen {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        selector: LeadSelector,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        ask: Ask,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
}

/// How a command names its lead.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("lead").required(true).args(["claim", "request_id", "file", "idempotency_key"]))]
pub struct LeadSelector {
    /// The claim's id: `span.claim` in the log, and the header `lead-id`. Reads the whole table
    #[arg(long, value_name = "ID", value_parser = claim)]
    pub claim: Option<String>,

    /// The id of the request that claimed the lead: the header `request-id`. Reads the whole table
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub request_id: Option<String>,

    /// A file with the lead as the sender posts it, in JSON; `-` for stdin. With --account
    #[arg(long, value_name = "FILE", requires = "account")]
    pub file: Option<PathBuf>,

    /// The Idempotency-Key under which the lead was posted. With --account
    #[arg(long, value_name = "KEY", requires = "account")]
    pub idempotency_key: Option<String>,

    /// The lead's account. A lead of another one is refused
    #[arg(long, value_name = "NAME", value_parser = account)]
    pub account: Option<AccountId>,

    /// With --account: it is a sandbox
    #[arg(long, requires = "account")]
    pub sandbox: bool,
}

const SHOW: &str = "\
Examples:
  lendswift lead show --claim aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
  lendswift lead show --request-id JKJaXmPLvHcESHA=
  lendswift lead show --account acme --file lead.json
  lendswift lead show --account acme --idempotency-key crm-4711";

const SETTLE: &str = "\
Examples:
  lendswift lead settle --claim aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
  lendswift lead settle --account acme --file lead.json --dry-run";

const REOPEN: &str = "\
Examples:
  lendswift lead reopen --claim aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
  lendswift lead reopen --account acme --file lead.json --yes";

/// A claim's id in the form in which the relay writes it.
pub(crate) fn claim(id: &str) -> Result<String, String> {
    let id = Uuid::try_parse(id).map_err(|_| "a claim's id is a UUID".to_owned())?;
    Ok(id.hyphenated().to_string())
}
