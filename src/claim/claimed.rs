//! A claim, and its result.

use std::fmt;

use http::StatusCode;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::IdempotencyKey;
use crate::{account::AccountId, budget::Lease};

/// A request's exclusive right to send one lead, while its lease runs.
#[derive(Debug)]
pub struct Claim {
    pub(super) id: String,
    /// The `pk` of the lead's item.
    pub(super) lead: String,
    /// The `pk` of the idempotency key's item.
    pub(super) key_item: Option<String>,
    /// The `pk` of the item that voiding deletes.
    pub(super) void: String,
    pub(super) request_id: String,
    pub(super) lease: Lease,
}

/// The result of claiming a lead.
#[derive(Debug)]
pub enum Claimed {
    /// This request may send the lead, and no other request may.
    Ours(Claim),
    /// This request may not send the lead, for this reason.
    Known(Known),
}

/// Why this request may not send the lead: the lead's state, or a conflict of its idempotency key.
#[derive(Debug)]
pub enum Known {
    /// Another request is sending the lead, and that request's lease has not ended.
    InProgress,
    /// The request with this id claimed the lead, and its lease ended before the claim was settled.
    Interrupted(String),
    /// The lead was sent, with this result.
    Settled(Settled),
    /// The caller's `Idempotency-Key` belongs to a different lead.
    KeyReused,
    /// The lead's item exists, but this version cannot read it. The lead may have been sent.
    Unreadable,
}

/// The result of a push, with the response that the caller received.
#[derive(Clone, PartialEq, Eq)]
pub enum Settled {
    /// AI Rudder took the lead: HTTP 200.
    Accepted {
        /// The response's body.
        body: String,
    },
    /// AI Rudder may have taken the lead.
    Unknown {
        /// The response's HTTP status, a server error.
        status: StatusCode,
        /// The response's body.
        body: String,
    },
}

impl Claim {
    /// A new claim with a random id, for a lead's payload. Nothing is written yet.
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
            key_item: key.map(|key| format!("{account}#key#{}", hex::encode(Sha256::digest(key.as_bytes())))),
            void: format!("{account}#void#{id}"),
            id,
            request_id: request_id.to_owned(),
            lease,
        }
    }

    /// The period in which the lead may be sent.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.lease
    }
}

impl Settled {
    /// The value of the item's attribute `outcome`.
    pub(super) fn outcome(&self) -> &'static str {
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

/// Without the body, which may be AI Rudder's and contain personal data.
impl fmt::Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled")
            .field("outcome", &self.outcome())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
