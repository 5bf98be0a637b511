//! Claims that could not be closed, kept in the process until they can.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{
    protocol::is_closed,
    table::{Table, Transaction},
};

/// Claims that could not be closed and are kept, at most.
const MAX_LEFT: usize = 16;

/// A claim that could not be closed, with the finished requests that close it.
pub(super) struct LeftClaim {
    /// Its id.
    pub(super) claim: String,
    /// Where it is in doubt whether it is written: what uses its token up. Nothing was sent for it then.
    pub(super) void: Option<Transaction>,
    /// What settles or releases it.
    pub(super) close: Transaction,
}

/// The claims that could not be closed, the oldest first. Has nothing to print: a request may hold AI Rudder's answer.
#[derive(Default)]
pub(super) struct LeftClaims(Mutex<VecDeque<Arc<LeftClaim>>>);

impl LeftClaim {
    /// Whether it is closed now.
    pub(super) async fn close(&self, table: &Table, until: Instant) -> bool {
        let voided = match &self.void {
            Some(void) => Some(table.attempt(void, until).await.reply),
            None => None,
        };
        is_closed(voided.as_ref(), &table.attempt(&self.close, until).await.reply)
    }
}

impl LeftClaims {
    pub(super) fn all(&self) -> Vec<Arc<LeftClaim>> {
        self.lock(|left| left.iter().cloned().collect())
    }

    /// Keeps a claim, and gives one back that is not kept any more for it: the oldest of those for which nothing was sent,
    /// or else the oldest.
    pub(super) fn add(&self, claim: LeftClaim) -> Option<Arc<LeftClaim>> {
        self.lock(|left| {
            left.push_back(Arc::new(claim));
            let in_doubt = left.iter().position(|claim| claim.void.is_some());
            (left.len() > MAX_LEFT).then(|| left.remove(in_doubt.unwrap_or(0))).flatten()
        })
    }

    pub(super) fn remove(&self, claim: &Arc<LeftClaim>) {
        self.lock(|left| left.retain(|other| !Arc::ptr_eq(other, claim)));
    }

    fn lock<T>(&self, act: impl FnOnce(&mut VecDeque<Arc<LeftClaim>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for LeftClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeftClaims")
    }
}
