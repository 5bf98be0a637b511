//! What has reached AI Rudder.

use std::sync::{Mutex, PoisonError};

use support::fakes::{Received, Rudder};

/// Counts the pushes and keeps the last one. In all, not by request: a push does not say whose it is.
pub struct Pushes {
    rudder: Rudder,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    count: usize,
    last: Option<Received>,
}

impl Pushes {
    pub fn to(rudder: Rudder) -> Self {
        Self { rudder, seen: Mutex::default() }
    }

    pub fn so_far(&self) -> usize {
        self.look(|seen| seen.count)
    }

    pub fn last(&self) -> Option<Received> {
        self.look(|seen| seen.last.clone())
    }

    /// Takes what came, so that the fake does not keep it for ever.
    fn look<T>(&self, answer: impl FnOnce(&Seen) -> T) -> T {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = self.rudder.take_received();
        seen.count += new.len();
        seen.last = new.pop().or_else(|| seen.last.take());
        answer(&seen)
    }
}
