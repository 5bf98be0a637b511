//! A claim, and its result.

use std::fmt;

use http::StatusCode;
use uuid::Uuid;

use super::{ItemKeys, Namespace, PhoneItem};
use crate::{budget::Lease, retry_after::RetryAfter};

/// A request's exclusive right to send one lead, while its lease runs.
#[derive(Debug)]
pub struct Claim {
    pub(super) id: String,
    /// The `pk` of the lead's item.
    pub(super) lead: String,
    /// The `pk` of the idempotency key's item.
    pub(super) key_item: Option<String>,
    /// The phone number's item, if the account's policy requires one.
    pub(super) phone_item: Option<PhoneItem>,
    /// The `pk` of the item that voiding deletes.
    pub(super) void: String,
    pub(super) request_id: String,
    pub(super) lease: Lease,
    pub(super) is_sandbox: bool,
}

/// The result of claiming a lead.
#[derive(Debug)]
pub enum Claimed {
    /// This request may send the lead, and no other request may.
    Ours(Claim),
    /// This request may not send the lead, for this reason.
    Known(Known),
}

/// Why this request may not send the lead: the lead's state, or a conflict of its idempotency key or phone number.
#[derive(Debug)]
pub enum Known {
    /// Another request is sending the lead, and its lease runs.
    InProgress {
        /// The other request's claim, if it is known.
        claim: Option<String>,
    },
    /// A request claimed the lead, and its lease ended before the claim was settled.
    Interrupted {
        /// That claim.
        claim: String,
        /// That request's id.
        request_id: String,
    },
    /// The lead was sent.
    Settled {
        /// The claim under which it was sent.
        claim: String,
        /// The result.
        settled: Settled,
    },
    /// The caller's `Idempotency-Key` belongs to a different lead.
    KeyReused,
    /// Another lead with the same phone number was sent, or is being sent.
    RecentlyCalled {
        /// When a post can succeed at the earliest, unless that lead is released before.
        retry_after: RetryAfter,
    },
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
        /// The response's error. `None` in an item of a version before 0.2.0.
        error: Option<String>,
        /// The response's body.
        body: String,
    },
}

impl Claim {
    /// A new claim of a lead, with a random id. Nothing is written yet.
    #[must_use]
    pub fn new(
        namespace: &Namespace,
        keys: ItemKeys,
        phone_item: Option<PhoneItem>,
        request_id: &str,
        lease: Lease,
    ) -> Self {
        let id = Uuid::new_v4().to_string();
        let ItemKeys { lead, key_item } = keys;
        let void = format!("{namespace}#void#{id}");
        let (request_id, is_sandbox) = (request_id.to_owned(), namespace.is_sandbox);
        Self { id, lead, key_item, phone_item, void, request_id, lease, is_sandbox }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The period in which the lead may be sent.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.lease
    }
}

impl Settled {
    /// The value of the item's attribute `outcome`.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
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

    /// The response's error, if it has one.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        if let Self::Unknown { error, .. } = self { error.as_deref() } else { None }
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
