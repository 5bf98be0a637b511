//! Where a lead is looked up.

use std::path::Path;

use lendswift_relay::{
    account::AccountId,
    claim::{IdempotencyKey, Lookup, Namespace},
    lead::ParsedLead,
    rudder::payload,
};

use crate::{
    cli::LeadSelector,
    failure::Failure,
    input,
    ledger::{Entry, Ledger, Query},
};

/// The relay's own limit for a body.
const MAX_LEAD: u64 = 64 * 1024;

/// A lead, as the operator names it.
pub(super) struct Place {
    selector: Selector,
    /// The account that the operator named, and whether they named it as a sandbox.
    account: Option<(AccountId, bool)>,
}

/// By what a lead is looked up.
enum Selector {
    /// At this `pk`.
    Item(String),
    /// At the lead of the idempotency key whose item has this `pk`.
    KeyItem(String),
    /// Anywhere in the table, by its claim.
    Claim(String),
    /// Anywhere in the table, by its request.
    Request(String),
}

impl Place {
    /// The place that the options name.
    pub(super) fn parse(selector: &LeadSelector) -> Result<Self, Failure> {
        let account = selector.account.clone().map(|account| (account, selector.sandbox));
        Ok(Self { selector: Selector::parse(selector)?, account })
    }

    /// Finds the lead. `Err` if it belongs to another account than the one that the operator named.
    pub(super) async fn find(&self, ledger: &Ledger) -> Result<Option<Entry>, Failure> {
        let Some(entry) = self.selector.find(ledger).await? else { return Ok(None) };
        match &self.account {
            Some((account, is_sandbox))
                if account.to_string() != entry.account() || (*is_sandbox && !entry.is_sandbox()) =>
            {
                let kind = if *is_sandbox { "the sandbox" } else { "the account" };
                Err(Failure::refused(
                    format!("the lead does not belong to {kind} {account}"),
                    "Nothing was changed. Check the id, --account and --sandbox.",
                ))
            }
            _ => Ok(Some(entry)),
        }
    }
}

impl Selector {
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

    async fn find(&self, ledger: &Ledger) -> Result<Option<Entry>, Failure> {
        let query = match self {
            Self::Item(pk) => return ledger.lead(pk).await,
            Self::KeyItem(pk) => {
                return match ledger.lead_of_key(pk).await? {
                    Some(lead) => ledger.lead(&lead).await,
                    None => Ok(None),
                };
            }
            Self::Claim(claim) => Query::Claim(claim),
            Self::Request(request_id) => Query::Request(request_id),
        };
        Ok(ledger.scan(&query).await?.into_iter().next())
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
        let fix = "This version of the relay refuses this lead. docs/reference/fields.md has each field's forms.";
        Failure::usage(format!("the lead in {path} is invalid"), fix).with_faults(faults)
    })?;
    Ok(namespace.items(&payload(&lead), None).lead().to_owned())
}
