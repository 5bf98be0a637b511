//! How DynamoDB can behave, and which call gets which behaviour.

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;
use tokio::time::Instant;

use super::core::is;

/// What happens to a call.
#[derive(Clone, Copy, Debug, Default)]
pub enum DynamoBehaviour {
    /// It is done and answered.
    #[default]
    Normal,
    /// `InternalServerError`, HTTP 500; nothing is done.
    Down,
    /// `ThrottlingException`; nothing is done.
    Throttled,
    /// A transaction is cancelled, with `ThrottlingError` for each item; a single write is [`Self::Throttled`].
    ThrottledInTransaction,
    /// `AccessDeniedException`; nothing is done.
    Denied,
    /// A transaction is cancelled, since each of its items is part of another transaction; a single write is refused with
    /// `TransactionConflictException`.
    Conflicting,
    /// As [`Self::Conflicting`], but only the item at this index (from 0) is part of another transaction; the conditions
    /// of the others are evaluated. As [`Self::Normal`] where there is no such item.
    ConflictingAt(usize),
    /// Nothing is done, and no response comes.
    Hang,
    /// Nothing is done, and the connection is closed without a response.
    Reset,
    /// The request arrives after this time, and is done and answered even if the caller has given up. Nothing is locked
    /// meanwhile.
    Slow(Duration),
    /// For transactions alone: it begins at once, locks its items for this time, and is then evaluated, applied and
    /// answered even if the caller has given up. Until then its token answers `TransactionInProgressException`, and its
    /// items refuse every other write.
    Held(Duration),
    /// It is done and answered, and done again when a duplicate of the request arrives after this time.
    Twice(Duration),
    /// It is done at once, and answered after this time.
    AppliedSlow(Duration),
    /// It is done and never answered.
    AppliedNoResponse,
    /// It is done, and the connection is closed without a response.
    AppliedReset,
    /// It is done and answered `InternalServerError`, HTTP 500. AWS says of it only that the request may be sent again,
    /// not that nothing was done (Amazon DynamoDB Developer Guide, "Error handling with DynamoDB").
    AppliedDown,
}

impl DynamoBehaviour {
    /// The behaviour of a read. It never waits for a transaction and never conflicts with one (DynamoDB's developer guide,
    /// "Amazon DynamoDB Transactions", isolation levels).
    pub(super) fn of_a_read(self) -> Self {
        match self {
            Self::ThrottledInTransaction | Self::Conflicting | Self::ConflictingAt(_) | Self::Held(_) => Self::Normal,
            behaviour => behaviour,
        }
    }

    /// The behaviour of a write that is no transaction.
    pub(super) fn of_a_single_write(self) -> Self {
        match self {
            Self::ThrottledInTransaction => Self::Throttled,
            Self::ConflictingAt(0) => Self::Conflicting,
            Self::ConflictingAt(_) | Self::Held(_) => Self::Normal,
            behaviour => behaviour,
        }
    }
}

/// Which call gets which behaviour. In order of precedence: [`Self::next`], [`Self::down_until`],
/// [`Self::random`], [`Self::behaviour`].
#[derive(Default)]
pub(super) struct Script {
    pub(super) behaviour: DynamoBehaviour,
    pub(super) next: VecDeque<(String, DynamoBehaviour)>,
    /// Until when every call fails.
    pub(super) down_until: Option<Instant>,
    pub(super) random: Option<Random>,
}

impl Script {
    pub(super) fn behaviour(&mut self, operation: &str, now: Instant) -> DynamoBehaviour {
        let next = self.next.iter().position(|(named, _)| is(operation, named));
        if let Some((_, behaviour)) = next.and_then(|next| self.next.remove(next)) {
            return behaviour;
        }
        if self.down_until.is_some_and(|until| now < until) {
            return DynamoBehaviour::Down;
        }
        self.random.as_mut().and_then(Random::pick).unwrap_or(self.behaviour)
    }
}

/// Picks some of the calls, and one of the behaviours for each: the same ones for the same seed.
pub(super) struct Random {
    pub(super) rng: Rng,
    pub(super) percent: u8,
    pub(super) behaviours: Vec<DynamoBehaviour>,
}

impl Random {
    fn pick(&mut self) -> Option<DynamoBehaviour> {
        let is_picked = self.rng.u8(0..100) < self.percent;
        self.rng.choice(&self.behaviours).copied().filter(|_| is_picked)
    }
}
