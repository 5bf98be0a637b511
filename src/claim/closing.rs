//! How a claim is closed: settled or released, now or later.

use tokio::time::sleep;

use super::{
    Claim, Ledger, Settled,
    backoff::backoff,
    left::LeftClaim,
    protocol::{CloseStep, close_step},
    table::{Attempt, Table, WriteRequest},
    writes,
};
use crate::{
    budget::{Budget, WRITE_MAX_WAIT},
    telemetry::metrics,
};

impl Ledger {
    /// Records the result of a push, together with the response. If this still fails when the response is due, the process
    /// keeps the claim and retries later.
    pub async fn settle(&self, claim: &Claim, settled: &Settled, budget: Budget) {
        let Some(table) = &self.table else { return };
        let settle = writes::settle(table, claim, settled, self.clock.wall());
        if self.close(table, claim, settle, budget).await == CloseStep::Superseded {
            const NOT_SETTLED: &str =
                "the claim was not settled: its item is gone, has another claim, or was settled by an operator";
            if claim.is_sandbox {
                tracing::info!("{NOT_SETTLED}");
            } else {
                tracing::error!("{NOT_SETTLED}");
            }
        }
    }

    /// Frees the lead and its idempotency key, because nobody was called. If this still fails when the response is due,
    /// the process keeps the claim and retries later.
    pub async fn release(&self, claim: &Claim, budget: Budget) {
        let Some(table) = &self.table else { return };
        // If it is superseded, there is nothing to free.
        self.close(table, claim, writes::release(table, claim), budget).await;
    }

    /// Makes the write that settles or releases a claim, with retries while time is left. Never returns [`CloseStep::Retry`].
    async fn close(&self, table: &Table, claim: &Claim, request: WriteRequest, budget: Budget) -> CloseStep {
        let until = budget.settle_until(self.clock.now());
        let mut waits = backoff();
        loop {
            let wait = waits.next().unwrap_or(WRITE_MAX_WAIT);
            let Attempt { reply, cause } = table.close(&request, until).await;
            match close_step(&reply, self.may_retry(wait, until)) {
                CloseStep::Retry => sleep(wait).await,
                CloseStep::Left => {
                    self.keep(LeftClaim::new(claim, None, request), cause.as_deref());
                    return CloseStep::Left;
                }
                closed => return closed,
            }
        }
    }

    /// Makes one attempt to close each claim that earlier requests left open. Call it after the request's own claim, which
    /// must not wait for it. It delays the response by at most `LEFT_CLAIMS_LIMIT`.
    pub async fn close_left_claims(&self, budget: Budget) {
        let Some(table) = &self.table else { return };
        let until = budget.close_left_until(self.clock.now());
        for left in self.left.all() {
            if left.close(table, until).await {
                tracing::info!(left = left.claim, "a claim that was left is closed");
                self.left.remove(&left);
            }
        }
    }

    /// Keeps a claim to close it later, and logs an error: until then, its lead may get a wrong response. Nobody must act for
    /// a sandbox.
    pub(super) fn keep(&self, left: LeftClaim, cause: Option<&str>) {
        const KEPT: &str = "the claim was not closed: the process keeps it, and retries after a later post";
        const DROPPED: &str = "too many claims are kept: this one is dropped and not retried";
        if left.is_sandbox {
            tracing::info!(cause, left = left.claim, "{KEPT}");
        } else {
            metrics::count_left_claim();
            tracing::error!(cause, left = left.claim, "{KEPT}");
        }
        match self.left.add(left) {
            Some(dropped) if dropped.is_sandbox => tracing::info!(left = dropped.claim, "{DROPPED}"),
            Some(dropped) => tracing::error!(left = dropped.claim, "{DROPPED}"),
            None => {}
        }
    }
}
