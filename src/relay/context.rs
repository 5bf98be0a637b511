//! The context of one request.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use crate::{answer::Subject, budget::Budget};

/// The context of one request: its id, its time budget, and the facts that its response needs even after a panic.
#[derive(Debug)]
pub struct RequestContext {
    request_id: String,
    budget: Budget,
    is_inquiry: AtomicBool,
    is_authenticated: AtomicBool,
    is_sandbox: AtomicBool,
    claiming: OnceLock<Option<String>>,
}

impl RequestContext {
    /// The context of a request that has not claimed anything yet.
    #[must_use]
    pub fn new(request_id: String, budget: Budget) -> Self {
        let (is_inquiry, is_authenticated, is_sandbox, claiming) = Default::default();
        Self { request_id, budget, is_inquiry, is_authenticated, is_sandbox, claiming }
    }

    /// The request's id: API Gateway's, or Lambda's if the event has none.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The request's time budget.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// What the request is about, as far as it was read.
    #[must_use]
    pub fn subject(&self) -> Subject {
        if self.is_sandbox.load(Relaxed) {
            Subject::Sandbox
        } else if self.is_inquiry.load(Relaxed) {
            Subject::Inquiry
        } else if self.is_authenticated.load(Relaxed) {
            Subject::Lead
        } else {
            Subject::Unauthenticated
        }
    }

    /// Call this once the route is one that sends nothing.
    pub(crate) fn mark_inquiry(&self) {
        self.is_inquiry.store(true, Relaxed);
    }

    /// Call this once the caller is known to be the account's.
    pub(crate) fn mark_authenticated(&self) {
        self.is_authenticated.store(true, Relaxed);
    }

    /// Call this once the account is a sandbox.
    pub(crate) fn mark_sandbox(&self) {
        self.is_sandbox.store(true, Relaxed);
    }

    /// True once a claim may have been written. From then on a panic must be reported as `unknown`, not as `not_sent`.
    #[must_use]
    pub fn may_have_claimed(&self) -> bool {
        self.claiming.get().is_some()
    }

    /// The id of the claim that may have been written; `None` without a ledger.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        self.claiming.get()?.as_deref()
    }

    /// Call this immediately before the first attempt to write the claim, with its id if there is a ledger.
    pub(crate) fn mark_claiming(&self, claim: Option<&str>) {
        self.claiming.get_or_init(|| claim.map(str::to_owned));
    }
}
