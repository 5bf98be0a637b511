//! `lendswift lead …`: one lead.

use std::path::Path;

use lendswift_relay::{
    account::AccountId,
    claim::{IdempotencyKey, Lookup, Namespace},
    lead::ParsedLead,
    rudder::payload,
};
use serde_json::json;

use crate::{
    aws::Aws,
    cli::{Global, LeadCommand, LeadSelector},
    decision::{Decision, LeadState, Reason, Resolution},
    deployment::{Deployment, Need},
    failure::{ExitStatus, Failure},
    input,
    ledger::{Entry, Ledger, Query},
    output::{Output, members, time},
    prompt,
};

/// The relay's own limit for a body.
const MAX_LEAD: u64 = 64 * 1024;

/// Where a lead is looked up.
enum Place {
    /// At this `pk`.
    Item(String),
    /// At the lead of the idempotency key whose item has this `pk`.
    KeyItem(String),
    /// Anywhere in the table, by its claim.
    Claim(String),
    /// Anywhere in the table, by its request.
    Request(String),
}

pub(crate) async fn run(command: LeadCommand, global: &Global, output: Output) -> Result<ExitStatus, Failure> {
    let selector = match &command {
        LeadCommand::Show { selector }
        | LeadCommand::Settle { selector, .. }
        | LeadCommand::Reopen { selector, .. } => selector,
    };
    // A fault of the lead is found before AWS is asked anything.
    let place = Place::parse(selector)?;
    let aws = Aws::load(global).await?;
    let deployment = Deployment::find(&aws, global, Need::Table).await?;
    let ledger = Ledger::new(&aws, deployment.table()?);
    let entry = find(&ledger, &place).await?;
    match command {
        LeadCommand::Show { .. } => show(&ledger, entry, output),
        LeadCommand::Settle { dry_run, .. } => {
            resolve(&ledger, entry, Resolution::Settle, dry_run.dry_run, output).await
        }
        LeadCommand::Reopen { ask, dry_run, .. } => {
            let may_be_reopened = decide(&ledger, entry.as_ref(), Resolution::Reopen, true).await? == Decision::Allowed;
            if let Some(entry) = entry.as_ref().filter(|_| may_be_reopened && !dry_run.dry_run) {
                let question = format!(
                    "Reopen the lead that {} posted at {}? If AI Rudder has it after all, the consumer is called twice",
                    entry.account(),
                    entry.claimed_at.map(time).unwrap_or_default()
                );
                prompt::confirm(&question, ask)?;
            }
            resolve(&ledger, entry, Resolution::Reopen, dry_run.dry_run, output).await
        }
    }
}

impl Place {
    fn parse(selector: &LeadSelector) -> Result<Self, Failure> {
        let LeadSelector { claim, request_id, file, idempotency_key, account, sandbox } = selector;
        if let Some(claim) = claim {
            return Ok(Self::Claim(claim.clone()));
        }
        if let Some(request_id) = request_id {
            return Ok(Self::Request(request_id.clone()));
        }
        let no_account = || Failure::usage("no account", "Add --account.");
        let account = account.as_ref().ok_or_else(no_account)?;
        let namespace = namespace(account, *sandbox);
        if let Some(file) = file {
            return Ok(Self::Item(lead_pk(&namespace, file)?));
        }
        let key: Result<IdempotencyKey, _> = idempotency_key.as_deref().unwrap_or_default().parse();
        let key = key.map_err(|fault| {
            Failure::usage(format!("--idempotency-key is {fault}"), "Give the header's value as the sender posts it.")
        })?;
        Ok(match namespace.lookup(&key) {
            Lookup::IdempotencyKey(pk) => Self::KeyItem(pk),
            Lookup::Lead(keys) => Self::Item(keys.lead().to_owned()),
        })
    }
}

fn namespace(account: &AccountId, sandbox: bool) -> Namespace {
    if sandbox { Namespace::sandbox(account) } else { Namespace::live(account) }
}

/// The `pk` of a lead by its content, as the relay reads it. `Err` lists the lead's faults, without its values.
fn lead_pk(namespace: &Namespace, file: &Path) -> Result<String, Failure> {
    let body = input::read(file, MAX_LEAD)?;
    let path = input::name(file);
    let fix = "Give the lead as the sender posts it, as a JSON object.";
    let parsed = ParsedLead::parse(&body).map_err(|fault| Failure::usage(format!("{path} {fault}"), fix))?;
    let lead = parsed.lead.map_err(|faults| {
        let fix = "The relay refuses this lead, so it was never sent. docs/reference/fields.md has each field's forms.";
        Failure::usage(format!("the lead in {path} is invalid"), fix).with_faults(faults)
    })?;
    Ok(namespace.items(&payload(&lead), None).lead().to_owned())
}

async fn find(ledger: &Ledger, place: &Place) -> Result<Option<Entry>, Failure> {
    let query = match place {
        Place::Item(pk) => return ledger.lead(pk).await,
        Place::KeyItem(pk) => {
            return match ledger.lead_of_key(pk).await? {
                Some(lead) => ledger.lead(&lead).await,
                None => Ok(None),
            };
        }
        Place::Claim(claim) => Query::Claim(claim),
        Place::Request(request_id) => Query::Request(request_id),
    };
    Ok(ledger.scan(&query).await?.into_iter().next())
}

fn show(ledger: &Ledger, entry: Option<Entry>, output: Output) -> Result<ExitStatus, Failure> {
    let now = ledger.now()?;
    let Some(entry) = entry.filter(|entry| entry.is_current(now)) else {
        return Err(Failure::refused(
            format!("the table {} has no such lead", ledger.table()),
            "Nobody was called for it, an operator reopened it, or its duplicate window is over: its next post is a \
             new push. A post that was replayed has another request id than the one that claimed the lead. A sandbox's \
             lead needs --sandbox.",
        ));
    };
    let document = entry.json(now);
    output.print(&document, members(&document, &Entry::MEMBERS));
    output.hint(next_step(&entry, now));
    Ok(ExitStatus::Done)
}

fn next_step(entry: &Entry, now: u64) -> String {
    let claim = &entry.claim;
    match entry.state(now) {
        LeadState::Accepted => "\nAI Rudder has it. Every post of it returns this outcome.".to_owned(),
        LeadState::Sending => {
            let lease_until = entry.found.lease_until.unwrap_or_default();
            format!("\nWait: {}.", Reason::SenderAtWork { lease_until, now })
        }
        LeadState::Unreadable => format!("\nThis item needs repair: {}.", Reason::Unreadable),
        LeadState::Unknown | LeadState::Interrupted => format!(
            "\nAsk AI Rudder whether they have it, by account and time. The number is only with the sender.\n\
             They have it:          lendswift lead settle --claim {claim}\n\
             They do not have it:   lendswift lead reopen --claim {claim}"
        ),
    }
}

/// Resolves a lead, unless it is a dry run, and returns the decision about it.
async fn decide(
    ledger: &Ledger,
    entry: Option<&Entry>,
    resolution: Resolution,
    dry_run: bool,
) -> Result<Decision, Failure> {
    match entry {
        Some(entry) => ledger.resolve(&entry.pk, &entry.claim, resolution, dry_run).await,
        None if resolution == Resolution::Settle => Ok(Decision::Refused(Reason::Gone)),
        None => Ok(Decision::Done),
    }
}

async fn resolve(
    ledger: &Ledger,
    entry: Option<Entry>,
    resolution: Resolution,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let decision = decide(ledger, entry.as_ref(), resolution, dry_run).await?;
    if let Decision::Refused(reason) = decision {
        let fix = match reason {
            Reason::SenderAtWork { .. } => "Wait until then, and run the command again.",
            Reason::Gone => "Its next post is a new push. Ask AI Rudder before the sender posts it again.",
            Reason::Accepted => "It must not be pushed again.",
            Reason::AnotherClaim | Reason::Unreadable => "Look at it again: lendswift lead show.",
        };
        return Err(Failure::refused(format!("refused: {reason}"), fix));
    }
    let result = result(resolution, &decision, dry_run);
    let document = json!({
        "result": result,
        "lead": entry.as_ref().map(|entry| &entry.pk),
        "claim": entry.as_ref().map(|entry| &entry.claim),
    });
    let gone =
        if result == "already_gone" { ": the ledger does not have this lead, and nothing was changed" } else { "" };
    output.print(&document, format!("{}{gone}", result.replace('_', " ")));
    if decision == Decision::Allowed && !dry_run {
        output.hint(match resolution {
            Resolution::Settle => "Every post of the lead now returns accepted.",
            Resolution::Reopen => "Ask the sender to post the lead again: that post is a new push.",
        });
    }
    Ok(ExitStatus::Done)
}

/// The name of a result, in JSON and for people.
pub(crate) fn result(resolution: Resolution, decision: &Decision, dry_run: bool) -> &'static str {
    match (resolution, decision) {
        (Resolution::Settle, Decision::Allowed) if dry_run => "would_be_settled",
        (Resolution::Settle, Decision::Allowed) => "settled",
        (Resolution::Settle, _) => "already_settled",
        (Resolution::Reopen, Decision::Allowed) if dry_run => "would_be_reopened",
        (Resolution::Reopen, Decision::Allowed) => "reopened",
        (Resolution::Reopen, _) => "already_gone",
    }
}
