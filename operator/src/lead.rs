//! `lendswift lead …`: one lead.

mod place;

use serde_json::json;

use self::place::Place;
use crate::{
    aws::Aws,
    cli::{Global, LeadCommand},
    decision::{Decision, LeadState, Reason, Resolution},
    deployment::{Deployment, Need},
    failure::{ExitStatus, Failure},
    ledger::{Entry, Ledger, PhoneNumber, Resolved},
    output::{Output, members, time, with},
    prompt,
};

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
    let found = place.find(&ledger).await?;
    let Some(entry) = found else { return Err(not_found(&ledger)) };
    match command {
        LeadCommand::Show { .. } => show(&ledger, &entry, output).await,
        LeadCommand::Settle { dry_run, .. } => {
            resolve(&ledger, &entry, Resolution::Settle, dry_run.dry_run, output).await
        }
        LeadCommand::Reopen { ask, dry_run, .. } => {
            let Resolved { decision, .. } = ledger.resolve(&entry.pk, &entry.claim, Resolution::Reopen, true).await?;
            if decision == Decision::Allowed && !dry_run.dry_run {
                let question = format!(
                    "Reopen the lead that {} posted at {}? If AI Rudder has it after all, the consumer is called twice",
                    entry.account(),
                    entry.claimed_at.map(time).unwrap_or_default()
                );
                prompt::confirm(&question, ask)?;
            }
            resolve(&ledger, &entry, Resolution::Reopen, dry_run.dry_run, output).await
        }
    }
}

/// That a lead was not found proves nothing about AI Rudder.
fn not_found(ledger: &Ledger) -> Failure {
    Failure::refused(
        format!("the table {} has no such lead", ledger.table()),
        concat!(
            "Perhaps an operator reopened it, its duplicate window is over, or the relay released or never made the \
             claim. Or the command looks in another place than the relay: check --account, --sandbox, --stack, \
             --table, --region and --profile. --file finds a lead only if the relay computes the same fingerprint as this \
             command, version ",
            env!("CARGO_PKG_VERSION"),
            ", and --request-id only by the request that claimed the lead. Ask AI Rudder before the sender posts it \
             again."
        ),
    )
}

async fn show(ledger: &Ledger, entry: &Entry, output: Output) -> Result<ExitStatus, Failure> {
    let now = ledger.now()?;
    if !entry.is_current(now) {
        return Err(not_found(ledger));
    }
    let phone = ledger.phone_kept_until(entry, now).await?;
    let document = with(entry.json(now), "phone_kept_until", phone.map(time));
    output.print(&document, members(&document, &Entry::MEMBERS))?;
    output.hint(next_step(entry, now));
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

async fn resolve(
    ledger: &Ledger,
    entry: &Entry,
    resolution: Resolution,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let Resolved { decision, phone } = ledger.resolve(&entry.pk, &entry.claim, resolution, dry_run).await?;
    if let Decision::Refused(reason) = decision {
        let fix = match reason {
            Reason::SenderAtWork { .. } => "Wait until then, and run the command again.",
            Reason::Gone => {
                "The relay no longer has it. Ask AI Rudder before the sender posts it again: that post is a push."
            }
            Reason::Accepted => "It must not be pushed again.",
            Reason::AnotherClaim | Reason::Unreadable => "Look at it again: lendswift lead show.",
        };
        return Err(Failure::refused(format!("refused: {reason}"), fix));
    }
    let result = result(resolution, &decision, dry_run);
    let document = json!({
        "result": result,
        "lead": entry.pk,
        "claim": entry.claim,
        "phone_number": phone,
    });
    let gone = if result == "already_gone" {
        ": the lead expired, or another operator reopened it. Nothing was changed"
    } else {
        ""
    };
    output.print(&document, format!("{}{gone}", result.replace('_', " ")))?;
    if decision == Decision::Allowed && !dry_run {
        output.hint(match resolution {
            Resolution::Settle => "Every post of the lead now returns accepted.",
            Resolution::Reopen if phone == Some(PhoneNumber::OfAnotherLead) => {
                "Another lead has its phone number by now. Until that lead's period ends, a post of this one gets 409 \
                 recently_called."
            }
            Resolution::Reopen if phone == Some(PhoneNumber::Freed) => {
                "Its phone number is free again. Ask the sender to post the lead again: that post is a new push."
            }
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
