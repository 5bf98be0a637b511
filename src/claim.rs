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
//! | `{account}#key#{SHA-256 of the Idempotency-Key}` | the **pointer** of a key: `lead_pk` (the lead that it stands for), `expires` |
//!
//! Times are Unix seconds. So the same lead is one lead under any key or none, and a key stands for one lead: the one that
//! was claimed under it, or whose answer was given again under it.
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
//! 3. A claim that failed may have been written all the same: it is deleted by its id, and nothing is sent. Where that
//!    fails too, or the write arrives later still, a claim is left that nobody answers for.
//! 4. The lease ends five seconds after the time that Lambda gives the request. It is looked at again for every connection
//!    to AI Rudder, when the connection is there and nothing has been written into it (`rudder::client`): a process that
//!    was frozen after its claim sends nothing when it wakes up too late, but for the instant between that look and the
//!    first byte.
//! 5. Settling and releasing are conditional on the id, not on the lease: a sender that was slow may still do either. But
//!    what an operator has settled meanwhile stands.
//! 6. `expires` and `lease_until` are compared here, since DynamoDB deletes expired items days late.
//!
//! A sender that dies leaves a claim behind, and after its lease everyone is told "interrupted": the consumer may have
//! been called. No process ever sends that lead again; README tells an operator how to free it.

mod ledger;
mod record;
mod table;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::StatusCode;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use self::ledger::{Ledger, LedgerError};
use crate::{account::AccountId, door::IdempotencyKey};

/// What DynamoDB gets for one request in all.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// A request's right to send one lead, while its lease runs.
#[derive(Debug)]
pub struct Claim {
    id: String,
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
    InProgress,
    /// The request of this id claimed the lead, and was not heard of again.
    Interrupted(String),
    /// The lead was sent, and this is what became of it.
    Answered(Settled),
    /// The sender's key stands for another lead.
    KeyReused,
    /// There is an item, and this version can't read it. The lead may have been sent.
    Unreadable,
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
            id: Uuid::new_v4().to_string(),
            lead: format!("{account}#lead#{}", hex::encode(Sha256::digest(payload))),
            pointer: key.map(|key| format!("{account}#key#{}", hex::encode(Sha256::digest(key.as_bytes())))),
            request_id: request_id.to_owned(),
            lease_until,
            time_left: TIME_LIMIT,
        }
    }

    /// From when on others may think its sender dead.
    #[must_use]
    pub fn lease_until(&self) -> SystemTime {
        self.lease_until
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
        f.debug_struct("Settled")
            .field("outcome", &self.outcome())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
