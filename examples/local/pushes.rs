//! The pushes that AI Rudder received.

use std::sync::{Mutex, PoisonError};

use support::fakes::{Received, Rudder};

/// Counts all pushes and keeps the last one. It does not count by request: a push does not name its request.
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
    pub fn new(rudder: Rudder) -> Self {
        Self { rudder, seen: Mutex::default() }
    }

    pub fn count(&self) -> usize {
        self.update(|seen| seen.count)
    }

    pub fn last(&self) -> Option<Received> {
        self.update(|seen| seen.last.clone())
    }

    /// Takes the new pushes from the fake, so that it does not keep all of them in memory.
    fn update<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = self.rudder.take_received();
        seen.count += new.len();
        seen.last = new.pop().or_else(|| seen.last.take());
        read(&seen)
    }
}
