//! `lendswift unknown …`: many leads.

mod list;
mod report;

use std::{cell::Cell, collections::HashMap, future::ready, pin::pin};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use self::{
    list::Listed,
    report::{Outcome, Report},
};
use crate::{
    aws::Aws,
    cli::{Filter, Global, Since, UnknownCommand},
    decision::{Decision, LeadState, Resolution},
    deployment::{Deployment, Need},
    failure::{ExitStatus, Failure},
    ledger::{Entry, Ledger, PhoneNumber, Query, Resolved},
    output::{self, Output, count, time, unix},
    prompt,
};

/// How many leads are resolved at the same time.
const IN_FLIGHT: usize = 32;

pub(crate) async fn run(command: UnknownCommand, global: &Global, output: Output) -> Result<ExitStatus, Failure> {
    match command {
        UnknownCommand::List { filter } => show(&filter, global, output).await,
        UnknownCommand::Settle { list, ask, dry_run } => {
            let leads = list::read(&list.file)?;
            if !dry_run.dry_run {
                let leads = count(leads.len(), "lead");
                let question = format!(
                    "Settle {leads}? Settling cannot be undone: a lead that AI Rudder does not have is never sent again"
                );
                prompt::confirm(&question, ask)?;
            }
            resolve_all(leads, Resolution::Settle, dry_run.dry_run, global, output).await
        }
        UnknownCommand::Reopen { list, ask, dry_run } => {
            let leads = list::read(&list.file)?;
            if !dry_run.dry_run {
                let leads = count(leads.len(), "lead");
                let question = format!(
                    "Reopen {leads}? Each can then be pushed again. Every consumer whose lead AI Rudder has after all \
                     is called twice"
                );
                prompt::confirm(&question, ask)?;
            }
            resolve_all(leads, Resolution::Reopen, dry_run.dry_run, global, output).await
        }
    }
}

async fn ledger(global: &Global) -> Result<Ledger, Failure> {
    let aws = Aws::load(global).await?;
    let deployment = Deployment::find(&aws, global, Need::Table).await?;
    Ok(Ledger::new(&aws, deployment.table()?))
}

async fn show(filter: &Filter, global: &Global, output: Output) -> Result<ExitStatus, Failure> {
    let ledger = ledger(global).await?;
    let entries = ledger.scan(&Query::Open).await?;
    let now = ledger.now()?;
    let since = match filter.since {
        None => 0,
        Some(Since::Ago(duration)) => ledger.ago(duration)?,
        Some(Since::At(time)) => unix(time),
    };
    let account = filter.account.as_ref().map(ToString::to_string);
    let is_listed = |entry: &Entry| {
        entry.is_sandbox() == filter.sandbox
            && entry.is_current(now)
            && account.as_deref().is_none_or(|account| account == entry.account())
            && entry.claimed_at.is_none_or(|claimed_at| claimed_at >= since)
            && matches!(entry.state(now), LeadState::Unknown | LeadState::Interrupted | LeadState::Unreadable)
    };
    let mut entries: Vec<Entry> = entries.into_iter().filter(is_listed).collect();
    entries.sort_by(|a, b| (a.claimed_at, &a.pk).cmp(&(b.claimed_at, &b.pk)));
    let leads: Vec<_> = entries.iter().map(|entry| exported(entry, ledger.table(), now)).collect();
    let rows = entries.iter().map(|entry| {
        [
            entry.claimed_at.map(time).unwrap_or_default(),
            entry.account().to_owned(),
            entry.state(now).to_string(),
            entry.error(now).to_owned(),
            entry.claim.clone(),
            entry.request_id.clone(),
        ]
    });
    let table = output::table(["claimed", "account", "state", "error", "claim", "request id"], rows, false);
    if entries.is_empty() && !global.json {
        output.hint("No lead waits for the operator.");
        return Ok(ExitStatus::Done);
    }
    output.print(&json!({ "time": time(now), "leads": leads }), table)?;
    output.hint(format!(
        "\n{} in the table {}. Ask AI Rudder about each. To resolve many, export the list and split it:\n\
         lendswift unknown list --json > unknown.json\n\
         lendswift unknown settle FILE    AI Rudder has these\n\
         lendswift unknown reopen FILE    AI Rudder does not have these",
        count(entries.len(), "lead"),
        ledger.table()
    ));
    Ok(ExitStatus::Done)
}

/// A lead with the table that has it, so that its list is not used for another one.
fn exported(entry: &Entry, table: &str, now: u64) -> Value {
    output::with(entry.json(now), "table", table)
}

async fn resolve_all(
    leads: Vec<Listed>,
    resolution: Resolution,
    dry_run: bool,
    global: &Global,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let ledger = ledger(global).await?;
    list::refuse_other_table(&leads, ledger.table())?;
    let leads = with_keys(&ledger, leads).await?;
    let mut report = Report::new(resolution, dry_run, leads.len(), ledger.table());
    let verb = if resolution == Resolution::Settle { "Settling" } else { "Reopening" };
    let progress = output::progress(verb, Some(leads.len()));
    let has_failed = Cell::new(false);
    let begun = stream::iter(leads).take_while(|_| ready(!has_failed.get()));
    let resolved = begun.map(|listed| resolve_one(&ledger, listed, resolution, dry_run));
    let mut resolved = pin!(resolved.buffer_unordered(IN_FLIGHT));
    // After a failure of AWS no further lead is begun. Those that were begun are finished, so that the report is
    // complete.
    while let Some((listed, outcome)) = resolved.next().await {
        progress.inc(1);
        has_failed.set(has_failed.get() || matches!(outcome, Outcome::Failed(_)));
        report.add(listed, outcome);
    }
    progress.finish_and_clear();
    report.print(output)
}

/// The leads with their items' `pk`. The table is read if one of them lacks it.
async fn with_keys(ledger: &Ledger, mut leads: Vec<Listed>) -> Result<Vec<Listed>, Failure> {
    if leads.iter().all(|listed| listed.lead.is_some()) {
        return Ok(leads);
    }
    let entries = ledger.scan(&Query::Claims).await?;
    let keys: HashMap<String, String> = entries.into_iter().map(|entry| (entry.claim, entry.pk)).collect();
    for listed in leads.iter_mut().filter(|listed| listed.lead.is_none()) {
        listed.lead = keys.get(&listed.claim).cloned();
        listed.was_found = listed.lead.is_some();
    }
    Ok(leads)
}

async fn resolve_one(ledger: &Ledger, listed: Listed, resolution: Resolution, dry_run: bool) -> (Listed, Outcome) {
    let Some(lead) = &listed.lead else { return (listed, Outcome::NotFound) };
    let outcome = match ledger.resolve(lead, &listed.claim, resolution, dry_run).await {
        Err(failure) => Outcome::Failed(failure),
        // Only a list that was exported from this table shows that the table had the lead.
        Ok(Resolved { decision: Decision::Done, .. })
            if resolution == Resolution::Reopen && listed.table.is_none() && !listed.was_found =>
        {
            Outcome::NotFound
        }
        Ok(Resolved { phone: Some(PhoneNumber::OfAnotherLead), .. }) => Outcome::ReopenedWithoutNumber,
        Ok(Resolved { decision, .. }) => Outcome::Decided(decision),
    };
    (listed, outcome)
}
