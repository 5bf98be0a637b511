//! The ledger's writes, as the protocol asks for them.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::error::BuildError;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};
use tracing::Span;

use super::{
    Claim, Claimed, Known, Settled,
    left::{LeftClaim, LeftClaims},
    protocol::{Answer, Claiming, Closing, End, Next, Operation, Reply, Standing, closing, standing},
    record::Record,
    table::{Attempt, InTheWay, Table, Transaction},
    writes::{self, Writes},
};
use crate::{
    budget::{Budget, Lease, WRITE_FIRST_WAIT, WRITE_LONGEST_WAIT, WRITE_RETRY_LEAST},
    clock::Clock,
    config::{Claims, Config},
    metrics,
    unix_time::seconds,
};

/// The table of leads that are being sent, or were.
#[derive(Debug)]
pub struct Ledger {
    /// `None` where the ledger is off: every post is a push.
    table: Option<Table>,
    window: Duration,
    clock: Clock,
    left: LeftClaims,
}

/// The ledger can't be written, or read. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger failed: {0}")]
pub struct LedgerError(String);

impl Ledger {
    /// The configured table in the DynamoDB that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &SdkConfig, clock: Clock) -> Self {
        let table = match &config.claims {
            Claims::Off => None,
            Claims::Table(name) => Some(Table::new(config, aws, name, clock)),
        };
        Self { table, window: config.duplicate_window, clock, left: LeftClaims::default() }
    }

    /// Opens the connection to DynamoDB, where there is a table.
    pub(crate) async fn connect(&self) {
        if let Some(table) = &self.table {
            table.connect().await;
        }
    }

    /// Claims a lead, or says what is known of it. After an error nothing may be sent; a claim that may have been written all
    /// the same is kept, and closed later.
    pub async fn claim(&self, claim: Claim, budget: Budget) -> Result<Claimed, LedgerError> {
        let Some(table) = &self.table else { return Ok(Claimed::Ours(claim)) };
        let writes = Writes::new(table, &claim, self.clock.wall(), self.window);
        let writes = writes.map_err(|error| LedgerError(error.to_string()))?;
        let (end, cause) = self.run(table, &writes, claim.lease, budget).await;
        if !matches!(end, End::NotOurs(Answer::Found(_))) {
            note(&claim.id);
        }
        let answer = match end {
            End::Ours => return Ok(Claimed::Ours(claim)),
            End::NotOurs(answer) => answer,
            End::Left(answer) => {
                let left = LeftClaim { claim: claim.id.clone(), void: Some(writes.void), close: writes.release };
                self.keep(left, cause.as_deref());
                answer
            }
        };
        match answer {
            Answer::Found(items) => Ok(Claimed::Known(self.found(table, &claim, &items, budget).await?)),
            Answer::InProgress => Ok(Claimed::Known(Known::InProgress)),
            Answer::Unavailable => Err(LedgerError(cause.unwrap_or_default())),
        }
    }

    /// Makes the writes that the protocol asks for, until it knows what became of the claim; with the last thing that kept
    /// a write from being done.
    async fn run(
        &self,
        table: &Table,
        writes: &Writes,
        lease: Lease,
        budget: Budget,
    ) -> (End<InTheWay>, Option<String>) {
        let mut claiming = Claiming::default();
        let mut operation = Claiming::<InTheWay>::FIRST;
        let mut until = budget.claim_until(self.clock.now());
        let mut waits = backoff();
        let mut cause = None;
        loop {
            let attempt = table.attempt(writes.of(operation), until).await;
            cause = attempt.cause.or(cause);
            let wait = waits.next().unwrap_or(WRITE_LONGEST_WAIT);
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
                Next::Again(_) => sleep(wait).await,
                Next::End(end) => return (end, cause),
            }
        }
    }

    /// Interprets the items that were in a claim's way.
    async fn found(
        &self,
        table: &Table,
        claim: &Claim,
        items: &InTheWay,
        budget: Budget,
    ) -> Result<Known, LedgerError> {
        match items.as_slice() {
            [Some(lead), ..] => Ok(self.known(table, claim, Record::read(lead), budget).await),
            [None, Some(_)] => Ok(Known::KeyReused),
            _ => Err(LedgerError("a condition did not hold, and no item says why".to_owned())),
        }
    }

    /// Interprets the item of a lead that was claimed before.
    async fn known(&self, table: &Table, claim: &Claim, record: Option<Record>, budget: Budget) -> Known {
        let Some(record) = record else { return Known::Unreadable };
        note(&record.claim);
        match standing(record.state, seconds(self.clock.wall())) {
            Standing::InProgress => Known::InProgress,
            Standing::Interrupted => Known::Interrupted(record.request_id),
            Standing::Settled(settled) => {
                // From now on this key belongs to the lead too, unless it belongs to another. The answer is the lead's in any
                // case, and is not kept back where that can't be written.
                if let Some(key) = claim.pointer.as_ref().filter(|key| record.pointer.as_ref() != Some(key)) {
                    let key = [writes::key(key, &claim.lead, record.expires, self.clock.wall())];
                    if let Ok(transaction) = table.transaction(key, None) {
                        table.attempt(&transaction, budget.settle_until(self.clock.now())).await;
                    }
                }
                Known::Answered(settled)
            }
        }
    }

    /// Writes down what became of a lead, with the response that its sender gets. What can't be written is kept for later.
    pub async fn settle(&self, claim: &Claim, settled: &Settled, budget: Budget) {
        let Some(table) = &self.table else { return };
        let settle = writes::settle(claim, settled, self.clock.wall());
        if self.close(table, claim, table.transaction([settle], None), budget).await == Closing::Superseded {
            tracing::error!(
                "the claim was not settled: its item is gone, has another claim, or was settled by an operator"
            );
        }
    }

    /// Frees the lead and the key for another post, since nobody was called. What can't be written is kept for later.
    pub async fn release(&self, claim: &Claim, budget: Budget) {
        let Some(table) = &self.table else { return };
        // Superseded: there is nothing of it left to free.
        self.close(table, claim, table.transaction(writes::release(claim), None), budget).await;
    }

    async fn close(
        &self,
        table: &Table,
        claim: &Claim,
        transaction: Result<Transaction, BuildError>,
        budget: Budget,
    ) -> Closing {
        let Ok(transaction) = transaction else { return Closing::Left };
        let until = budget.settle_until(self.clock.now());
        let mut waits = backoff();
        loop {
            let wait = waits.next().unwrap_or(WRITE_LONGEST_WAIT);
            let Attempt { reply, cause } = table.attempt(&transaction, until).await;
            match closing(&reply, self.may_retry(wait, until)) {
                Closing::Again => sleep(wait).await,
                Closing::Left => {
                    let left = LeftClaim { claim: claim.id.clone(), void: None, close: transaction };
                    self.keep(left, cause.as_deref());
                    return Closing::Left;
                }
                closed => return closed,
            }
        }
    }

    /// Tries once more to close the claims that earlier requests left. Runs after a request's own claim, so that no claim waits
    /// for it, and may delay the response by `LEFT_CLAIMS_LIMIT`.
    pub async fn close_left(&self, budget: Budget) {
        let Some(table) = &self.table else { return };
        let until = budget.close_left_until(self.clock.now());
        for left in self.left.all() {
            if left.close(table, until).await {
                tracing::info!(left = left.claim, "a claim that was left is closed");
                self.left.remove(&left);
            }
        }
    }

    /// Whether a write may be made again after this wait.
    fn may_retry(&self, wait: Duration, until: Instant) -> bool {
        self.clock.now() + wait + WRITE_RETRY_LEAST <= until
    }

    fn keep(&self, left: LeftClaim, cause: Option<&str>) {
        metrics::claim_left();
        tracing::error!(
            cause,
            left = left.claim,
            "the claim was not closed: it is kept, and tried again after a later claim"
        );
        if let Some(dropped) = self.left.add(left) {
            tracing::error!(left = dropped.claim, "too many claims are kept: this one is tried no more");
        }
    }
}

/// How long to wait before each retry.
fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(WRITE_FIRST_WAIT)
        .with_max_delay(WRITE_LONGEST_WAIT)
        .without_max_times()
        .with_jitter()
        .build()
}

/// Puts the claim of a lead, this request's or an earlier one's, into the request's line of the log.
fn note(id: &str) {
    Span::current().record("claim", id);
}
