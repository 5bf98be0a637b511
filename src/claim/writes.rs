//! The writes of a claim, each with its condition.

use std::time::{Duration, SystemTime};

use super::{
    Claim, PhoneItem, Settled,
    conditions::{CLAIM_KEY, CLAIM_LEAD, RELEASE_KEY, RELEASE_LEAD, SETTLE_LEAD},
    protocol::Operation,
    record::{self, number, text},
    table::{Action, Table, Write, WriteRequest},
};
use crate::unix_time::seconds;

/// The writes of one claim, built once.
pub(super) struct Writes {
    claim: WriteRequest,
    pub(super) void: WriteRequest,
    pub(super) release: WriteRequest,
}

impl Writes {
    /// The writes of a claim that is made at `now` and expires after `window`.
    pub(super) fn new(table: &Table, claim: &Claim, now: SystemTime, window: Duration) -> Self {
        Self {
            claim: table.transaction(claim_writes(claim, now, window), Some(&claim.id)),
            void: table.transaction([void_write(claim)], Some(&claim.id)),
            release: release(table, claim),
        }
    }

    /// The request of an operation.
    pub(super) fn for_operation(&self, operation: Operation) -> &WriteRequest {
        match operation {
            Operation::Claim => &self.claim,
            Operation::Void => &self.void,
            Operation::Release => &self.release,
        }
    }
}

/// The writes of the items of the lead, the idempotency key and the phone number, if all are free.
fn claim_writes(claim: &Claim, now: SystemTime, window: Duration) -> Vec<Write> {
    // The periods start at the end of the lease at the earliest: otherwise, with a slow local clock, another request could
    // claim the lead or its phone number while this one may still send it.
    let start = now.max(claim.lease.until());
    // As long as the lead has its phone number, it is not sent again either.
    let expires = seconds(start + claim.phone_item.as_ref().map_or(window, |phone| phone.period.max(window)));
    let lead = Write {
        action: Action::Put(record::claim_item(claim, now, expires)),
        condition: Some(CLAIM_LEAD),
        values: vec![(":now", number(seconds(now))), (":claim", text(&claim.id))],
    };
    let key = claim.key_item.as_ref().map(|pk| key_write(pk, &claim.lead, expires, now));
    let phone = claim.phone_item.as_ref().map(|phone| phone_write(phone, claim, start, now));
    [Some(lead), key, phone].into_iter().flatten().collect()
}

/// The write of an idempotency key's item, unless the key belongs to a different lead.
pub(super) fn key_write(pk: &str, lead: &str, expires: u64, now: SystemTime) -> Write {
    Write {
        action: Action::Put(record::key_item(pk, lead, expires)),
        condition: Some(CLAIM_KEY),
        values: vec![(":now", number(seconds(now))), (":lead", text(lead))],
    }
}

/// The write of a phone number's item, unless the number belongs to a different lead.
fn phone_write(phone: &PhoneItem, claim: &Claim, start: SystemTime, now: SystemTime) -> Write {
    Write {
        action: Action::Put(record::phone_item(&phone.pk, claim, seconds(start + phone.period))),
        condition: Some(CLAIM_KEY),
        values: vec![(":now", number(seconds(now))), (":lead", text(&claim.lead))],
    }
}

/// Records the result of a push with the response.
pub(super) fn settle(table: &Table, claim: &Claim, settled: &Settled, now: SystemTime) -> WriteRequest {
    let error = settled.error().map(|error| (":error", text(error)));
    let expression = match error {
        // `unknown` may have become `accepted`.
        None => "SET outcome = :outcome, http_status = :status, body = :body, settled_at = :now REMOVE lead_error",
        Some(_) => {
            "SET outcome = :outcome, http_status = :status, body = :body, settled_at = :now, lead_error = :error"
        }
    };
    let values = [
        (":claim", text(&claim.id)),
        (":unknown", text("unknown")),
        (":outcome", text(settled.outcome())),
        (":status", number(settled.status().as_u16().into())),
        (":body", text(settled.body())),
        (":now", number(seconds(now))),
    ];
    table.update(&claim.lead, expression, SETTLE_LEAD, values.into_iter().chain(error).collect())
}

/// The write that uses up the claim's token and has no other effect: the relay never writes this item.
fn void_write(claim: &Claim) -> Write {
    Write { action: Action::Delete(claim.void.clone()), condition: None, values: Vec::new() }
}

/// Deletes the items of the lead, the idempotency key and the phone number.
pub(super) fn release(table: &Table, claim: &Claim) -> WriteRequest {
    let values = || vec![(":claim", text(&claim.id))];
    let lead = || Write { action: Action::Delete(claim.lead.clone()), condition: Some(RELEASE_LEAD), values: values() };
    let delete = |pk: &String| Write {
        action: Action::Delete(pk.clone()),
        condition: Some(RELEASE_KEY),
        values: vec![(":lead", text(&claim.lead))],
    };
    let key = || claim.key_item.as_ref().map(delete);
    let without_phone = match key() {
        None => table.delete(&claim.lead, RELEASE_LEAD, values()),
        Some(key) => table.transaction([lead(), key], None),
    };
    let Some(phone) = &claim.phone_item else { return without_phone };
    let all = [Some(lead()), key(), Some(delete(&phone.pk))];
    // Another lead may have the phone number by now.
    table.transaction(all.into_iter().flatten(), None).otherwise(without_phone)
}
