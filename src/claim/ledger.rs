//! The protocol of the ledger, as the docs above say it.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use tokio::time::Instant;
use tracing::Span;

use super::{
    Claim, Claimed, Settled, TIME_LIMIT,
    record::{self, Record, State, number, text},
    table::{Busy, Table, What, Write, WriteError},
};
use crate::{
    budget::Budget,
    config::{Claims, Config},
    unix_time::seconds,
};

/// What of it the claim gets, so that some is left to settle it, or to take it back.
const CLAIM_LIMIT: Duration = Duration::from_millis(1500);

/// The table of leads that are being sent, or were.
#[derive(Debug)]
pub struct Ledger {
    /// `None` where the ledger is off: every post is a push.
    table: Option<Table>,
    window: Duration,
}

/// The ledger can't be written, or read. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger failed: {0}")]
pub struct LedgerError(String);

impl Ledger {
    /// The configured table in the DynamoDB that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &SdkConfig) -> Self {
        let table = match &config.claims {
            Claims::Off => None,
            Claims::Table(name) => Some(Table::new(config, aws, name)),
        };
        Self { table, window: config.duplicate_window }
    }

    /// Opens the connection to DynamoDB, where there is a table.
    pub(crate) async fn connect(&self) {
        if let Some(table) = &self.table {
            table.connect().await;
        }
    }

    /// Writes a claim down, or says what is known of the lead.
    pub async fn claim(&self, mut claim: Claim, budget: Budget) -> Result<Claimed, LedgerError> {
        let Some(table) = &self.table else { return Ok(Claimed::Ours(claim)) };
        let begun = Instant::now();
        let until = budget.answer_from().min(begun + CLAIM_LIMIT);
        let written = table.write(self.writes(&claim), Some(&claim.id), until).await;
        // A process that was frozen meanwhile still has the rest: that time was not DynamoDB's.
        claim.time_left = TIME_LIMIT.saturating_sub(begun.elapsed().min(CLAIM_LIMIT));
        match written {
            Ok(()) => {
                note(&claim.id);
                Ok(Claimed::Ours(claim))
            }
            Err(WriteError::Refused(items)) => match items.as_slice() {
                [Some(lead), ..] => Ok(known(table, &claim, Record::read(lead), budget).await),
                [None, Some(_)] => Ok(Claimed::KeyReused),
                _ => Err(LedgerError("a condition did not hold, and no item says why".to_owned())),
            },
            Err(error) => {
                note(&claim.id);
                self.take_back(&claim, budget).await;
                // Whoever is at the item all the time has the same lead.
                if let WriteError::Busy(Busy::Conflict) = error { Ok(Claimed::InProgress) } else { Err(error.into()) }
            }
        }
    }

    /// Releases a claim that may have been written although it failed. If this fails too, nobody answers for the claim.
    async fn take_back(&self, claim: &Claim, budget: Budget) {
        match self.free(claim, budget).await {
            // Refused: the lead is another's, so that it never was ours.
            Ok(()) | Err(WriteError::Refused(_)) => {}
            Err(error) => {
                let error = LedgerError::from(error);
                tracing::error!(cause = %error, "a claim that failed could not be taken back");
            }
        }
    }

    /// Writes down what became of a lead, with the answer that its sender gets.
    pub async fn settle(&self, claim: &Claim, settled: &Settled, budget: Budget) -> Result<(), LedgerError> {
        let Some(table) = &self.table else { return Ok(()) };
        let update = Write {
            what: What::Update {
                pk: claim.lead.clone(),
                expression: "SET outcome = :outcome, http_status = :status, body = :body, settled_at = :now",
            },
            // An operator may have asked AI Rudder meanwhile, and knows better than a sender who does not.
            condition: "claim = :claim AND (attribute_not_exists(outcome) OR outcome IN (:unknown, :outcome))",
            values: vec![
                (":claim", text(&claim.id)),
                (":unknown", text("unknown")),
                (":outcome", text(settled.outcome())),
                (":status", number(settled.status.as_u16().into())),
                (":body", text(&settled.body)),
                (":now", number(seconds(SystemTime::now()))),
            ],
        };
        Ok(table.write([update], None, claim.time_is_up(budget)).await?)
    }

    /// Frees the lead and the key for another post, since nobody was called.
    pub async fn release(&self, claim: &Claim, budget: Budget) -> Result<(), LedgerError> {
        Ok(self.free(claim, budget).await?)
    }

    async fn free(&self, claim: &Claim, budget: Budget) -> Result<(), WriteError> {
        let Some(table) = &self.table else { return Ok(()) };
        // What is gone already is free, and what is settled stays.
        let lead = Write {
            what: What::Delete { pk: claim.lead.clone() },
            condition: "attribute_not_exists(pk) OR (claim = :claim AND attribute_not_exists(outcome))",
            values: vec![(":claim", text(&claim.id))],
        };
        let pointer = claim.pointer.as_ref().map(|pk| Write {
            what: What::Delete { pk: pk.clone() },
            condition: "attribute_not_exists(pk) OR lead_pk = :lead",
            values: vec![(":lead", text(&claim.lead))],
        });
        table.write([Some(lead), pointer].into_iter().flatten(), None, claim.time_is_up(budget)).await
    }

    /// The two items of a claim, where neither the lead nor the key is taken.
    fn writes(&self, claim: &Claim) -> Vec<Write> {
        let now = SystemTime::now();
        let expires = seconds(now + self.window);
        let lead = Write {
            what: What::Put(record::claim(claim, now, expires)),
            // Not over an answer: a late attempt of our own must not undo what was settled meanwhile.
            condition: "attribute_not_exists(pk) OR expires <= :now \
                        OR (claim = :claim AND attribute_not_exists(outcome))",
            values: vec![(":now", number(seconds(now))), (":claim", text(&claim.id))],
        };
        let pointer = claim.pointer.as_ref();
        let pointer = pointer.map(|key| point(key, &claim.lead, expires, now));
        [Some(lead), pointer].into_iter().flatten().collect()
    }
}

impl Claim {
    /// When DynamoDB has had its time for this request, or the answer has to get out.
    fn time_is_up(&self, budget: Budget) -> Instant {
        budget.settle_until().min(Instant::now() + self.time_left)
    }
}

/// What to make of a lead that was claimed before.
async fn known(table: &Table, claim: &Claim, record: Option<Record>, budget: Budget) -> Claimed {
    let now = SystemTime::now();
    let Some(record) = record else { return Claimed::Unreadable };
    note(&record.claim);
    match record.state {
        State::Sending { lease_until } if seconds(now) <= lease_until => Claimed::InProgress,
        State::Sending { .. } => Claimed::Interrupted(record.request_id),
        State::Answered(settled) => {
            // From now on this key stands for the lead too, unless it stands for another. The answer is the lead's in any
            // case, and is not kept back where that can't be written.
            if let Some(key) = claim.pointer.as_ref().filter(|key| record.pointer.as_ref() != Some(key)) {
                let pointer = point(key, &claim.lead, record.expires, now);
                let _ = table.write([pointer], None, claim.time_is_up(budget)).await;
            }
            Claimed::Answered(settled)
        }
    }
}

/// Lets a key stand for a lead, unless it stands for another.
fn point(key: &str, lead: &str, expires: u64, now: SystemTime) -> Write {
    Write {
        what: What::Put(record::pointer(key, lead, expires)),
        condition: "attribute_not_exists(pk) OR expires <= :now OR lead_pk = :lead",
        values: vec![(":now", number(seconds(now))), (":lead", text(lead))],
    }
}

/// Puts the claim of a lead, this request's or an earlier one's, into the request's line of the log.
fn note(id: &str) {
    Span::current().record("claim", id);
}

impl From<WriteError> for LedgerError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(_) => Self("the claim is another's by now, or settled".to_owned()),
            WriteError::Busy(Busy::Conflict) => Self("other transactions were at the claim all the time".to_owned()),
            WriteError::Busy(Busy::Throttled) => Self("throttled all the time".to_owned()),
            WriteError::Failed(cause) => Self(cause),
        }
    }
}
