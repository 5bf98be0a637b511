//! How calls are treated, and which call is treated how.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Default)]
pub enum DynamoBehaviour {
    /// It is done and answered.
    #[default]
    Normal,
    /// `InternalServerError`, HTTP 500; nothing is done.
    Down,
    /// `ThrottlingException`; nothing is done.
    Throttled,
    /// A transaction is cancelled, with `ThrottlingError` for each item; nothing is done. As [`Self::Throttled`] for
    /// any other operation.
    ThrottledInTransaction,
    /// `AccessDeniedException`; nothing is done.
    Denied,
    /// Each of its items is part of another transaction: `TransactionCanceledException` for a transaction,
    /// `TransactionConflictException` for any other operation; nothing is done.
    Conflicting,
    /// As [`Self::Conflicting`], but only the item at this index (from 0) is part of another transaction; the conditions
    /// of the others are evaluated. As [`Self::Normal`] where a transaction has no such item.
    ConflictingAt(usize),
    /// Nothing is done and nothing answered.
    Silent,
    /// Nothing is done, and the connection is closed without an answer.
    Broken,
    /// The request is on its way for so long, then arrives and is done and answered, even if the caller has given up.
    /// Nothing is locked meanwhile.
    Slow(Duration),
    /// A transaction begins at once, locks its items for so long, and is then evaluated, applied and answered, even if
    /// the caller has given up. Until then its token answers `TransactionInProgressException`, and its items refuse
    /// every other write. As [`Self::Slow`] for any other operation.
    Held(Duration),
    /// It is done and answered, and done again when a duplicate of the request arrives so much later.
    Twice(Duration),
    /// It is done, and answered after so long.
    DoneButSlow(Duration),
    /// It is done and never answered.
    DoneButSilent,
    /// It is done, and the connection is closed without an answer.
    DoneButBroken,
    /// It is done and answered `InternalServerError`, HTTP 500. AWS says of it only that the request may be sent again,
    /// not that nothing was done (Amazon DynamoDB Developer Guide, "Error handling with DynamoDB").
    DoneButDown,
}

/// Which call is treated how. In the order in which they count: [`Self::next`], [`Self::until`], [`Self::random`],
/// [`Self::behaviour`].
#[derive(Default)]
pub(super) struct Orders {
    pub(super) behaviour: DynamoBehaviour,
    pub(super) next: VecDeque<(String, DynamoBehaviour)>,
    pub(super) until: Option<(Instant, DynamoBehaviour)>,
    pub(super) random: Option<Dice>,
}

impl Orders {
    pub(super) fn treatment(&mut self, operation: &str, now: Instant) -> DynamoBehaviour {
        let next = self.next.iter().position(|(named, _)| named == operation);
        if let Some((_, behaviour)) = next.and_then(|next| self.next.remove(next)) {
            return behaviour;
        }
        if let Some((until, behaviour)) = self.until
            && now < until
        {
            return behaviour;
        }
        self.random.as_mut().and_then(Dice::roll).unwrap_or(self.behaviour)
    }
}

/// Picks some of the calls, and one of the behaviours for each: the same ones for the same seed.
pub(super) struct Dice {
    state: u64,
    percent: u8,
    behaviours: Vec<DynamoBehaviour>,
}

impl Dice {
    pub(super) fn new(seed: u64, percent: u8, behaviours: &[DynamoBehaviour]) -> Self {
        Self { state: seed, percent, behaviours: behaviours.to_vec() }
    }

    fn roll(&mut self) -> Option<DynamoBehaviour> {
        let drawn = self.draw();
        if drawn % 100 >= self.percent.into() || self.behaviours.is_empty() {
            return None;
        }
        let choices = self.behaviours.len() as u64;
        let choice = usize::try_from(drawn / 100 % choices).expect("less than the number of behaviours");
        Some(self.behaviours[choice])
    }

    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
