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
//! | `{account}#void#{the claim's id}` | never written: what the transaction that voids a claim deletes |
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
//! 1. A claim's id is drawn before its first attempt, and is the `ClientRequestToken` of its transaction. Its writes are
//!    built once, so that each attempt is the same request.
//! 2. Claim and key are written in one transaction, and released in one; [`conditions`] has the condition of each write.
//! 3. Errors that pass are retried: for a claim at most 8 s, and never into the time that a push needs; to settle and to
//!    release until the response has to go out.
//! 4. A claim that may have been written although it failed is voided: another transaction under the same token, which
//!    deletes an item that nobody writes. Once that is done, DynamoDB refuses a late copy of the claim for ten minutes. Where
//!    the token is in use already, the claim's own request is made again; once that is done, the claim is ours.
//!    Otherwise nothing is sent, and the claim is kept until it is voided and deleted ([`protocol`]).
//! 5. The lease ends five seconds after Lambda's deadline. It is looked at with the connection to AI Rudder in hand, and
//!    again when the first byte of the lead is asked for (`rudder::attempt`): a process that was frozen after its claim
//!    sends nothing when it wakes up too late, but for the instant between the last look and the first byte.
//! 6. Settling and releasing are conditional on the id, not on the lease: a sender that was slow may still do either. But
//!    an outcome that an operator has settled stands.
//! 7. What could not be closed is kept in the process, 16 claims at most, and tried again after the own claim of each later
//!    event that has one.
//! 8. `expires` is compared in the conditions, since DynamoDB deletes expired items days late.
//!
//! A sender that dies leaves a claim behind, and after its lease everyone is answered "interrupted": the consumer may have
//! been called. No process ever sends that lead again; README says how an operator frees it.

pub mod conditions;
mod idempotency_key;
mod ledger;
mod left;
pub mod protocol;
mod record;
mod table;
mod writes;

use std::fmt;

use http::StatusCode;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use self::{
    idempotency_key::{IdempotencyKey, InvalidIdempotencyKey},
    ledger::{Ledger, LedgerError},
};
use crate::{account::AccountId, budget::Lease};

/// A request's right to send one lead, while its lease runs.
#[derive(Debug)]
pub struct Claim {
    id: String,
    lead: String,
    pointer: Option<String>,
    void: String,
    request_id: String,
    lease: Lease,
}

/// What the ledger says to a claim.
#[derive(Debug)]
pub enum Claimed {
    /// This request may send the lead, and no other.
    Ours(Claim),
    /// It may not.
    Known(Known),
}

/// What is known of a lead that may not be sent.
#[derive(Debug)]
pub enum Known {
    /// Another request claimed the lead, and its lease runs.
    InProgress,
    /// The request of this id claimed the lead, and did not settle it before its lease was over.
    Interrupted(String),
    /// The lead was sent, and this is what became of it.
    Answered(Settled),
    /// The sender's key belongs to another lead.
    KeyReused,
    /// There is an item, and this version can't read it. The lead may have been sent.
    Unreadable,
}

/// What became of a lead that was sent, with the response that its sender got.
#[derive(Clone, PartialEq, Eq)]
pub enum Settled {
    /// AI Rudder has it: HTTP 200.
    Accepted {
        /// The response's body.
        body: String,
    },
    /// Nobody knows.
    Unknown {
        /// The response's HTTP status, a server error.
        status: StatusCode,
        /// The response's body.
        body: String,
    },
}

impl Claim {
    /// A new claim of a lead as it will be sent, which is not written yet.
    #[must_use]
    pub fn new(
        account: &AccountId,
        payload: &[u8],
        key: Option<&IdempotencyKey>,
        request_id: &str,
        lease: Lease,
    ) -> Self {
        let id = Uuid::new_v4().to_string();
        Self {
            lead: format!("{account}#lead#{}", hex::encode(Sha256::digest(payload))),
            pointer: key.map(|key| format!("{account}#key#{}", hex::encode(Sha256::digest(key.as_bytes())))),
            void: format!("{account}#void#{id}"),
            id,
            request_id: request_id.to_owned(),
            lease,
        }
    }

    /// Until when it may be sent.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.lease
    }
}

impl Settled {
    /// What became of the lead, as the item says it.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The response's HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Accepted { .. } => StatusCode::OK,
            Self::Unknown { status, .. } => *status,
        }
    }

    /// The response's body.
    #[must_use]
    pub fn body(&self) -> &str {
        let (Self::Accepted { body } | Self::Unknown { body, .. }) = self;
        body
    }
}

/// The body may be AI Rudder's, with anything in it.
impl fmt::Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled")
            .field("outcome", &self.outcome())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
