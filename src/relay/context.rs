//! The context of one request.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::budget::Budget;

/// The context of one request: its id, its time budget, and whether a claim may already have been written.
#[derive(Debug)]
pub struct RequestContext {
    request_id: String,
    budget: Budget,
    claiming: AtomicBool,
}

impl RequestContext {
    /// The context of a request that has not claimed anything yet.
    #[must_use]
    pub fn new(request_id: String, budget: Budget) -> Self {
        Self { request_id, budget, claiming: AtomicBool::new(false) }
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

    /// True once a claim may have been written. From then on a panic must be reported as `unknown`, not as `not_sent`.
    #[must_use]
    pub fn may_have_claimed(&self) -> bool {
        self.claiming.load(Ordering::Relaxed)
    }

    /// Call this immediately before the first attempt to write the claim.
    pub(crate) fn mark_claiming(&self) {
        self.claiming.store(true, Ordering::Relaxed);
    }
}
