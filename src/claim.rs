//! The ledger: nobody is called twice for one lead.
//!
//! AI Rudder can't be asked whether it got a lead, so the relay writes down what it is about to send before it sends it,
//! in a DynamoDB table that all its processes share. Who can't write does not send.
//!
//! # The items
//!
//! | `pk` | what it is |
//! | --- | --- |
//! | `{account}#lead#{SHA-256 of the lead as it is sent}` | the **claim** of a lead: `claim` (its id), `request_id`, `claimed_at`, `lease_until`, `expires`, with a key `pointer`; and once it is answered `outcome`, `http_status`, `body`, `settled_at` |
//! | `{account}#key#{SHA-256 of the Idempotency-Key}` | the **pointer** of a key: `lead` (the `pk` that it stands for), `claim`, `expires` |
//!
//! Times are Unix seconds. So the same lead is one lead under any key or none, and a key stands for one lead.
//!
//! # The states of a lead
//!
//! ```text
//!                 claim                       AI Rudder accepted, or nobody knows
//!   (no item) ------------> sending -------------------------------------------------> answered
//!       ^                   |    |                                                        |
//!       |  nobody was called|    | lease over: read as "interrupted",                     |
//!       +-------------------+    | never written                                          |
//!       |                        v                                                        |
//!       +-- an operator, by id, once the lease is over; or `expires` has passed ----------+
//! ```
//!
//! # The protocol
//!
//! 1. An id is drawn before the first attempt to claim. The write goes through where there is no item, an expired one, or
//!    one that bears the same id and has no answer: so an attempt whose answer was lost does not refuse the next one.
//! 2. Claim and pointer are written in one transaction, and released in one.
//! 3. A claim that failed may have been written all the same: it is deleted by its id, and nothing is sent.
//! 4. The lease ends five seconds after the time that Lambda gives the request. It is looked at again for every connection
//!    to AI Rudder, when the connection is there and nothing has been written into it (`rudder::client`): a process that
//!    was frozen after its claim sends nothing when it wakes up too late.
//! 5. Settling and releasing are conditional on the id alone. A sender that was slow may do either after its lease.
//! 6. `expires` and `lease_until` are compared here, since DynamoDB deletes expired items days late.
//!
//! A sender that dies leaves a claim behind, and after its lease everyone is told "interrupted": the consumer may have
//! been called. No process ever sends that lead again; README tells an operator how to free it.

mod record;
mod table;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use http::StatusCode;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use self::{
    record::{Record, State, number, seconds, text},
    table::{Table, What, Write, WriteError},
};
use crate::{
    account::AccountId,
    config::{Claims, Config},
    door::IdempotencyKey,
};

/// What DynamoDB gets for one request in all.
const TIME_LIMIT: Duration = Duration::from_secs(2);
/// What of it the claim gets, so that some is left to settle it, or to take it back.
const CLAIM_LIMIT: Duration = Duration::from_millis(1500);
/// The condition of every write to a claim that was made.
const OURS: &str = "claim = :claim";

/// The table of leads that are being sent, or were.
#[derive(Debug)]
pub struct Ledger {
    /// `None` where the ledger is off: every post is a push.
    table: Option<Table>,
    window: Duration,
}

/// A request's right to send one lead, while its lease runs.
#[derive(Debug)]
pub struct Claim {
    id: Uuid,
    lead: String,
    pointer: Option<String>,
    request_id: String,
    lease_until: SystemTime,
    time_left: Duration,
}

/// What the ledger says to a claim.
#[derive(Debug)]
pub enum Claimed {
    /// This request may send the lead, and no other.
    Ours(Claim),
    /// Another request claimed the lead, and its lease runs.
    InProgress(Earlier),
    /// Another request claimed the lead, and was not heard of again.
    Interrupted(Earlier),
    /// The lead was sent, and this is what became of it.
    Answered(Earlier, Settled),
    /// The sender's key stands for another lead.
    KeyReused,
}

/// Whose claim stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The claim's id.
    pub claim: String,
    /// The id of the request that made it.
    pub request_id: String,
}

/// What became of a lead that was sent, and the answer that its sender got.
#[derive(Clone, PartialEq, Eq)]
pub struct Settled {
    /// Whether AI Rudder has the lead, or nobody knows.
    pub accepted: bool,
    /// The answer's HTTP status.
    pub status: StatusCode,
    /// The answer's body.
    pub body: String,
}

/// The ledger can't be written, or read. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger failed: {0}")]
pub struct LedgerError(String);

impl Claim {
    /// A claim of a lead, as it will be sent, that nobody has heard of yet.
    pub(crate) fn draw(
        account: &AccountId,
        payload: &[u8],
        key: Option<&IdempotencyKey>,
        request_id: &str,
        lease_until: SystemTime,
    ) -> Self {
        Self {
            id: Uuid::new_v4(),
            lead: format!("{account}#lead#{}", hex::encode(Sha256::digest(payload))),
            pointer: key.map(|key| format!("{account}#key#{}", hex::encode(Sha256::digest(key.as_bytes())))),
            request_id: request_id.to_owned(),
            lease_until,
            time_left: TIME_LIMIT,
        }
    }

    /// Its id, by which an operator finds it.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When it has to be given up, sent or not.
    #[must_use]
    pub fn lease_until(&self) -> SystemTime {
        self.lease_until
    }
}

impl Ledger {
    /// The configured table in the DynamoDB that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &SdkConfig) -> Self {
        let table = match &config.claims {
            Claims::Off => None,
            Claims::Table(name) => Some(Table::new(aws, name)),
        };
        Self { table, window: config.duplicate_window }
    }

    /// Writes a claim down, or says what is known of the lead, before `until`.
    pub async fn claim(&self, mut claim: Claim, until: Instant) -> Result<Claimed, LedgerError> {
        let Some(table) = &self.table else { return Ok(Claimed::Ours(claim)) };
        let begun = Instant::now();
        let written = table.write(self.writes(&claim), until.min(begun + CLAIM_LIMIT)).await;
        claim.time_left = TIME_LIMIT.saturating_sub(begun.elapsed());
        match written {
            Ok(()) => Ok(Claimed::Ours(claim)),
            Err(WriteError::Refused(items)) => match items.as_slice() {
                [Some(lead), ..] => Ok(known(table, &claim, Record::read(lead)?, until).await),
                _ => Ok(Claimed::KeyReused),
            },
            Err(error) => {
                // It may have been written all the same. If this fails too, the claim is one that nobody answers for.
                let _ = self.release(&claim, Instant::now() + TIME_LIMIT).await;
                Err(error.into())
            }
        }
    }

    /// Writes down what became of a lead, with the answer that its sender gets, before `until`.
    pub async fn settle(&self, claim: &Claim, settled: &Settled, until: Instant) -> Result<(), LedgerError> {
        let Some(table) = &self.table else { return Ok(()) };
        let update = Write {
            what: What::Update {
                pk: claim.lead.clone(),
                expression: "SET outcome = :outcome, http_status = :status, body = :body, settled_at = :now",
            },
            condition: OURS,
            values: vec![
                (":claim", text(claim.id)),
                (":outcome", text(settled.outcome())),
                (":status", number(settled.status.as_u16())),
                (":body", text(&settled.body)),
                (":now", number(seconds(SystemTime::now()))),
            ],
        };
        Ok(table.write([update], until.min(Instant::now() + claim.time_left)).await?)
    }

    /// Frees the lead and the key for another post, since nobody was called, before `until`.
    pub async fn release(&self, claim: &Claim, until: Instant) -> Result<(), LedgerError> {
        let Some(table) = &self.table else { return Ok(()) };
        let delete = |pk: &String| Write {
            what: What::Delete { pk: pk.clone() },
            condition: OURS,
            values: vec![(":claim", text(claim.id))],
        };
        let deletes = [Some(&claim.lead), claim.pointer.as_ref()].into_iter().flatten().map(delete);
        Ok(table.write(deletes, until.min(Instant::now() + claim.time_left)).await?)
    }

    /// The two items of a claim, where neither the lead nor the key is taken.
    fn writes(&self, claim: &Claim) -> Vec<Write<'static>> {
        let now = SystemTime::now();
        let expires = seconds(now + self.window);
        let lead = Write {
            what: What::Put(record::claim(claim, now, expires)),
            // Not over an answer: a late attempt of our own must not undo what was settled meanwhile.
            condition: "attribute_not_exists(pk) OR expires <= :now \
                        OR (claim = :claim AND attribute_not_exists(outcome))",
            values: vec![(":now", number(seconds(now))), (":claim", text(claim.id))],
        };
        let pointer = claim.pointer.as_ref();
        let pointer = pointer.map(|key| point(key, &claim.lead, &claim.id.to_string(), expires, now));
        [Some(lead), pointer].into_iter().flatten().collect()
    }
}

/// What to make of a lead that was claimed before.
async fn known(table: &Table, claim: &Claim, record: Record, until: Instant) -> Claimed {
    let now = SystemTime::now();
    match record.state {
        State::Sending { lease_until } if seconds(now) <= lease_until => Claimed::InProgress(record.earlier),
        State::Sending { .. } => Claimed::Interrupted(record.earlier),
        State::Answered(settled) => {
            // From now on this key stands for the lead too, unless it stands for another. The answer is the lead's in any
            // case, and is not kept back where that can't be written.
            if let Some(key) = claim.pointer.as_ref().filter(|key| record.pointer.as_ref() != Some(key)) {
                let pointer = point(key, &claim.lead, &record.earlier.claim, record.expires, now);
                let _ = table.write([pointer], until.min(Instant::now() + claim.time_left)).await;
            }
            Claimed::Answered(record.earlier, settled)
        }
    }
}

/// Lets a key stand for a lead, unless it stands for another.
fn point(key: &str, lead: &str, claim: &str, expires: u64, now: SystemTime) -> Write<'static> {
    Write {
        what: What::Put(record::pointer(key, lead, claim, expires)),
        condition: "attribute_not_exists(pk) OR expires <= :now OR lead = :lead",
        values: vec![(":now", number(seconds(now))), (":lead", text(lead))],
    }
}

impl Settled {
    /// What became of the lead, as the item says it.
    fn outcome(&self) -> &'static str {
        if self.accepted { "accepted" } else { "unknown" }
    }
}

/// The body may be AI Rudder's, with anything in it.
impl fmt::Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled").field("outcome", &self.outcome()).field("status", &self.status).finish_non_exhaustive()
    }
}

impl From<WriteError> for LedgerError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(_) => Self("the claim is no longer there".to_owned()),
            WriteError::Conflict => Self("other transactions were at the claim all the time".to_owned()),
            WriteError::Failed(cause) => Self(cause),
        }
    }
}
