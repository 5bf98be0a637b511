//! Claims that could not be closed, kept in the process to be retried.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{
    Claim,
    protocol::{Reply, is_closed},
    table::{Table, WriteRequest},
};

/// The maximum number of claims that are kept. A response's body is at most 64 KiB, so together they use about 1 MiB.
const MAX_LEFT: usize = 16;

/// A claim that could not be closed, with the requests that close it.
pub(super) struct LeftClaim {
    /// The claim's id.
    pub(super) claim: String,
    /// Whether it is a sandbox account's, so that nothing was really sent and nobody must act.
    pub(super) is_sandbox: bool,
    /// The request that voids it, if it is unclear whether it was written. Nothing was sent under such a claim.
    pub(super) void: Option<WriteRequest>,
    /// The request that settles or releases it.
    pub(super) close: WriteRequest,
}

/// The claims that could not be closed, oldest first. They are not printed: a request may contain AI Rudder's response.
#[derive(Default)]
pub(super) struct LeftClaims(Mutex<VecDeque<Arc<LeftClaim>>>);

impl LeftClaim {
    pub(super) fn new(claim: &Claim, void: Option<WriteRequest>, close: WriteRequest) -> Self {
        Self { claim: claim.id.clone(), is_sandbox: claim.is_sandbox, void, close }
    }

    /// Makes one attempt to close the claim. Returns whether it is now closed.
    pub(super) async fn close(&self, table: &Table, until: Instant) -> bool {
        let voided = match &self.void {
            Some(void) => Some(table.attempt(void, until).await.reply),
            None => None,
        };
        let closing = if voided.as_ref().is_none_or(|void| matches!(void, Reply::Done)) {
            table.close(&self.close, until).await
        } else {
            table.attempt(&self.close, until).await
        };
        is_closed(voided.as_ref(), &closing.reply)
    }
}

impl LeftClaims {
    pub(super) fn all(&self) -> Vec<Arc<LeftClaim>> {
        self.lock(|left| left.iter().cloned().collect())
    }

    /// Keeps a claim. If there are too many, drops and returns one: the oldest under which nothing was really sent, or else
    /// the oldest.
    pub(super) fn add(&self, claim: LeftClaim) -> Option<Arc<LeftClaim>> {
        self.lock(|left| {
            left.push_back(Arc::new(claim));
            let nothing_sent = left.iter().position(|claim| claim.is_sandbox || claim.void.is_some());
            (left.len() > MAX_LEFT).then(|| left.remove(nothing_sent.unwrap_or(0))).flatten()
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

#[cfg(test)]
mod tests {
    use super::{super::table::tests::table_at, *};

    /// The name of the claim that is dropped when the claims of these names are kept. Under `d…` it is in doubt whether it was
    /// written; `s…` is a sandbox's.
    fn dropped<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let table = table_at("http://127.0.0.1:1");
        let write = || table.delete("acme#lead#1", "", Vec::new());
        let left = LeftClaims::default();
        let added: Vec<_> = names
            .into_iter()
            .filter_map(|name| {
                let void = name.starts_with('d').then(write);
                let is_sandbox = name.starts_with('s');
                left.add(LeftClaim { claim: name.to_owned(), is_sandbox, void, close: write() })
            })
            .collect();
        assert!(added.len() <= 1 && left.all().len() <= MAX_LEFT);
        added.first().map(|claim| claim.claim.clone())
    }

    #[test]
    fn of_too_many_claims_one_is_dropped_under_which_nothing_was_sent() {
        let live = || ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"].into_iter();
        assert_eq!(dropped(live().chain(["16"])), None);
        assert_eq!(dropped(live().chain(["16", "17"])).as_deref(), Some("1"));
        for other in ["d", "s"] {
            assert_eq!(dropped(live().chain([other, "17"])).as_deref(), Some(other));
            assert_eq!(dropped(live().chain(["16", other])).as_deref(), Some(other));
            assert_eq!(dropped([other].into_iter().chain(live()).chain(["d2"])).as_deref(), Some(other), "the oldest");
        }
    }
}
