//! `lendswift unknown …`.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::{Args, Subcommand};
use lendswift_relay::account::AccountId;

use super::{Ask, DryRun, account::account};

/// The commands for many leads.
#[derive(Debug, Subcommand)]
pub enum UnknownCommand {
    /// Lists the leads whose outcome is unknown
    ///
    /// These are the leads that wait for the operator: AI Rudder may have them, and the relay never sends them again.
    /// Reads the whole table.
    #[command(after_help = LIST)]
    List {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        filter: Filter,
    },
    /// Records for each lead of a list that AI Rudder has it
    ///
    /// Ask AI Rudder about each lead first: settling cannot be undone. Each lead is settled under the same conditions
    /// as by `lead settle`. The report names each lead that was refused, and why. A run that was stopped can be
    /// repeated.
    #[command(after_help = SETTLE)]
    Settle {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        list: LeadList,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        ask: Ask,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
    /// Frees each lead of a list that AI Rudder does not have
    ///
    /// Each lead is reopened under the same conditions as by `lead reopen`. The report names each lead that was
    /// refused, and why. A run that was stopped can be repeated. A lead of an exported list that the table no longer
    /// has counts as reopened before; of a list of claims, as not found, and then the exit code is 1.
    #[command(after_help = REOPEN)]
    Reopen {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        list: LeadList,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        ask: Ask,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
}

/// Which leads are listed.
#[derive(Debug, Clone, Args)]
pub struct Filter {
    /// Only this account's leads
    #[arg(long, value_name = "NAME", value_parser = account)]
    pub account: Option<AccountId>,

    /// Only leads that were claimed since: a duration before now, such as 2h or 7d, or a time in RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<Since>,

    /// Sandbox leads in place of real ones
    #[arg(long)]
    pub sandbox: bool,
}

/// Where a list of leads comes from.
#[derive(Debug, Args)]
pub struct LeadList {
    /// The list, as `unknown list --json` prints it, or one claim's id per line; `-` for stdin
    ///
    /// Lines that are empty or begin with # are ignored. With lines, the whole table is read once to find the leads. A
    /// list that was exported from another table is refused.
    pub file: PathBuf,
}

/// The start of the period in which leads were claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// This long before AWS's present time.
    Ago(Duration),
    /// At this time.
    At(SystemTime),
}

const LIST: &str = "\
Examples:
  lendswift unknown list
  lendswift unknown list --account acme --since 24h
  lendswift unknown list --json > unknown.json";

const SETTLE: &str = "\
Examples:
  lendswift unknown settle taken.json --dry-run
  lendswift unknown settle taken.json";

const REOPEN: &str = "\
Examples:
  lendswift unknown reopen unknown.json --dry-run
  lendswift unknown reopen unknown.json
  printf '%s\\n' CLAIM CLAIM | lendswift unknown reopen - --yes";

fn since(text: &str) -> Result<Since, String> {
    let ago = humantime::parse_duration(text).map(Since::Ago);
    let at = |_| humantime::parse_rfc3339_weak(text).map(Since::At);
    ago.or_else(at).map_err(|_| "a duration, such as 2h or 7d, or a time, such as 2026-11-26T09:00:00Z".to_owned())
}
