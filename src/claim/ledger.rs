//! The ledger: makes the writes of the protocol.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::Span;

use super::{
    Claim, Claimed, Known,
    backoff::backoff,
    dynamodb::Item,
    left::{LeftClaim, LeftClaims},
    protocol::{ClaimPhase, Claiming, End, Next, NotClaimed, Operation, Reply, State, claim_phase},
    record::{PhoneRecord, Record},
    table::{ConflictingItems, Table},
    writes::{self, Writes},
};
use crate::{
    aws::Aws,
    budget::{Budget, Lease, WRITE_MAX_WAIT, WRITE_RETRY_MIN},
    clock::Clock,
    config::{Claims, Config},
    retry_after::RetryAfter,
    telemetry::log::LogText,
    unix_time::seconds,
};

/// The record of the leads that are being sent or were sent.
#[derive(Debug)]
pub struct Ledger {
    /// `None` if the ledger is off: every request is a push.
    pub(super) table: Option<Table>,
    window: Duration,
    pub(super) clock: Clock,
    pub(super) left: LeftClaims,
}

/// The claim could not be written, so nothing was sent. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerError(pub(crate) LogText);

impl LedgerError {
    pub(super) fn new(cause: &str) -> Self {
        Self(LogText::from(format!("the ledger failed: {cause}")))
    }
}

impl Ledger {
    /// The configured table in the DynamoDB that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &Aws, clock: Clock) -> Self {
        let table = match &config.claims {
            Claims::Off => None,
            Claims::Table(name) => Some(Table::new(aws, name, clock)),
        };
        Self { table, window: config.duplicate_window, clock, left: LeftClaims::default() }
    }

    /// Whether claims are written.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.table.is_some()
    }

    /// Claims a lead, or returns its state if another request claimed it.
    ///
    /// After `Err` nothing may be sent. The claim is then not in the table, or the process keeps it and deletes it later.
    pub async fn claim(&self, claim: Claim, budget: Budget) -> Result<Claimed, LedgerError> {
        let Some(table) = &self.table else { return Ok(Claimed::Ours(claim)) };
        let writes = Writes::new(table, &claim, self.clock.wall(), self.window);
        let (end, cause) = self.run_protocol(table, &writes, claim.lease, budget).await;
        if !matches!(end, End::NotOurs(NotClaimed::ConditionFailed(_))) {
            record_claim(&claim.id);
        }
        let reason = match end {
            End::Ours => return Ok(Claimed::Ours(claim)),
            End::NotOurs(reason) => reason,
            End::Left(reason) => {
                self.keep(LeftClaim::new(&claim, Some(writes.void), writes.release), cause.as_deref());
                reason
            }
        };
        match reason {
            NotClaimed::ConditionFailed(items) => {
                Ok(Claimed::Known(self.known_from_items(table, &claim, &items, budget).await?))
            }
            NotClaimed::InProgress => Ok(Claimed::Known(Known::InProgress { claim: None })),
            NotClaimed::LedgerFailed => Err(LedgerError::new(&cause.unwrap_or_default())),
        }
    }

    /// Makes the protocol's writes until it ends. Returns how it ended, and the cause of the last attempt that failed.
    async fn run_protocol(
        &self,
        table: &Table,
        writes: &Writes,
        lease: Lease,
        budget: Budget,
    ) -> (End<ConflictingItems>, Option<String>) {
        let mut claiming = Claiming::default();
        let mut operation = Claiming::<ConflictingItems>::FIRST;
        let mut until = budget.claim_until(self.clock.now());
        let mut waits = backoff();
        let mut cause = None;
        loop {
            let attempt = table.attempt(writes.for_operation(operation), until).await;
            cause = attempt.cause.or(cause);
            let wait = waits.next().unwrap_or(WRITE_MAX_WAIT);
            let may_retry = matches!(attempt.reply, Reply::Done) || self.may_retry(wait, until);
            let (then, next) = claiming.next(attempt.reply, may_retry && lease.runs(self.clock));
            claiming = then;
            match next {
                Next::Write(next) => {
                    operation = next;
                    until = match operation {
                        Operation::Claim | Operation::Void => budget.void_until(self.clock.now()),
                        Operation::Release => budget.settle_until(self.clock.now()),
                    };
                    waits = backoff();
                }
                Next::Retry(_) => sleep(wait).await,
                Next::End(end) => return (end, cause),
            }
        }
    }

    /// Interprets the items that made the claim's conditions fail: the lead's, the idempotency key's, the phone number's.
    async fn known_from_items(
        &self,
        table: &Table,
        claim: &Claim,
        items: &ConflictingItems,
        budget: Budget,
    ) -> Result<Known, LedgerError> {
        match items.as_slice() {
            [Some(lead), ..] => {
                let Some(record) = Record::parse(lead) else { return Ok(Known::Unreadable) };
                record_claim(&record.claim);
                let (key_item, expires) = (record.key_item.clone(), record.expires);
                let known = known_from_record(record, seconds(self.clock.wall()));
                if matches!(known, Known::Settled { .. }) && claim.key_item != key_item {
                    self.assign_key(table, claim, expires, budget).await;
                }
                Ok(known)
            }
            [None, Some(_), ..] if claim.key_item.is_some() => Ok(Known::KeyReused),
            [None, .., Some(phone)] if claim.phone_item.is_some() => self.recently_called(table, phone, budget).await,
            _ => Err(LedgerError::new("a condition failed without an item that explains it")),
        }
    }

    /// What the item of a phone number says that belongs to another lead. While that lead's lease runs, its own item says
    /// whether it is still being sent.
    async fn recently_called(&self, table: &Table, phone: &Item, budget: Budget) -> Result<Known, LedgerError> {
        let unreadable = || LedgerError::new("the phone number's item can't be read");
        let PhoneRecord { lead, claim, lease_until, expires } = PhoneRecord::parse(phone).ok_or_else(unreadable)?;
        record_claim(&claim);
        let now = seconds(self.clock.wall());
        let mut until = expires;
        if now <= lease_until {
            // If it cannot be read, the lease is the delay too.
            let lead = self.current(table, &lead, budget.claim_until(self.clock.now())).await.ok().flatten();
            let state = lead.map(|lead| Record::parse(&lead).map(|record| record.state));
            if !matches!(state, Some(None | Some(State::Settled(_)))) {
                until = lease_until + 1;
            }
        }
        let retry_after = RetryAfter::Seconds(until.saturating_sub(now).try_into().unwrap_or(u32::MAX));
        Ok(Known::RecentlyCalled { retry_after })
    }

    /// From now on the request's idempotency key belongs to the lead, unless it belongs to another. The response does not depend
    /// on whether this write succeeds.
    async fn assign_key(&self, table: &Table, claim: &Claim, expires: u64, budget: Budget) {
        let Some(key) = &claim.key_item else { return };
        let key = writes::key_write(key, &claim.lead, expires, self.clock.wall());
        table.attempt(&table.transaction([key], None), budget.settle_until(self.clock.now())).await;
    }

    /// Whether enough time is left to retry a write after this wait.
    pub(super) fn may_retry(&self, wait: Duration, until: Instant) -> bool {
        self.clock.now() + wait + WRITE_RETRY_MIN <= until
    }
}

/// What a request at `now`, in Unix seconds, learns about a lead that was claimed before.
pub(super) fn known_from_record(record: Record, now: u64) -> Known {
    let Record { claim, request_id, state, .. } = record;
    match claim_phase(state, now) {
        ClaimPhase::InProgress => Known::InProgress { claim: Some(claim) },
        ClaimPhase::Interrupted => Known::Interrupted { claim, request_id },
        ClaimPhase::Settled(settled) => Known::Settled { claim, settled },
    }
}

/// Records a claim in the request's log line: the lead's, this request's or an earlier one's; or that of the lead that has the
/// phone number.
pub(super) fn record_claim(id: &str) {
    Span::current().record("claim", id);
}
