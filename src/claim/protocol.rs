//! The protocol of the ledger as decisions: no I/O and no clock.
//!
//! [`Claiming`] decides which write a claim needs next; the ledger makes it and reports the [`Reply`]. [`close_step`] does the
//! same for settling and releasing, and [`claim_phase`] decides what another request learns about a claimed lead.
//! `tests/model` runs all three, with the conditions of the writes (`conditions`), through every interleaving.

/// A write that a claim needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The claim's transaction, under its token.
    Claim,
    /// Another transaction under the claim's token, which changes nothing. Once it succeeds, DynamoDB does not write the
    /// claim's own transaction for ten minutes (TransactWriteItems, `ClientRequestToken`).
    Void,
    /// Deletes the claim by its id.
    Release,
}

/// The result of one attempt to write. `F` is what made its condition fail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reply<F> {
    /// The write succeeded.
    Done,
    /// A condition failed. This attempt writes nothing.
    ConditionFailed(F),
    /// The token was already used with other parameters. This attempt writes nothing.
    TokenMismatch,
    /// This attempt writes nothing. A retry may succeed.
    Transient(TransientError),
    /// The write may have succeeded, or may succeed later.
    InDoubt,
    /// This attempt writes nothing, and a retry would fail too.
    Failed,
}

/// Why an attempt wrote nothing although a retry may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransientError {
    /// Another transaction is writing the lead's item: it is about the same lead.
    LeadConflict,
    /// Another transaction is writing the item of the idempotency key or the phone number: it may be about a different lead.
    KeyConflict,
    /// DynamoDB throttles the request, rejects its expired signature, or cannot be reached.
    Unavailable,
}

/// The next step for a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Next<F> {
    /// Make this write.
    Write(Operation),
    /// Retry the same write after a delay.
    Retry(Operation),
    /// The claim has ended.
    End(End<F>),
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum End<F> {
    /// The claim is written: this request may send the lead, and no other request may.
    Ours,
    /// The claim is not written, and will not be written.
    NotOurs(NotClaimed<F>),
    /// The claim is not ours, but may be written: it must be voided and released later.
    Left(NotClaimed<F>),
}

/// Why a request could not claim a lead.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NotClaimed<F> {
    /// A condition failed: the lead was claimed before, or the idempotency key or the phone number belongs to a different lead.
    ConditionFailed(F),
    /// Another request is writing the lead's item.
    InProgress,
    /// The ledger failed, so the lead's state is not known.
    LedgerFailed,
}

/// The state of a claim that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claiming<F>(Stage<F>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage<F> {
    /// The claim is being written. `in_doubt`: whether an attempt may have succeeded unnoticed.
    Claim { in_doubt: bool },
    /// The claim may be written, and is being voided.
    Void(NotClaimed<F>),
    /// The token was already used with parameters other than the void's. That proves nothing: AWS does not document what a
    /// cancelled or running transaction does to its token. So the claim's own request is being repeated.
    Confirm(NotClaimed<F>),
    /// The claim is being deleted by its id, in case it is written. It may still be written afterwards: only a successful void, or
    /// the claim's own success, ends the doubt.
    Release(NotClaimed<F>),
}

/// The next step after an attempt to settle or release a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseStep {
    /// Retry the same write after a delay.
    Retry,
    /// The claim is closed.
    Closed,
    /// The item is gone, has another claim, or was settled by an operator. It is not changed.
    Superseded,
    /// The claim is still open. Keep it, and close it later.
    Left,
}

/// The state of a lead according to its item. `S` is the settled result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum State<S> {
    /// The lead is claimed; its sender's lease ends at this time in Unix seconds.
    Sending {
        /// The end of the lease.
        lease_until: u64,
    },
    /// The lead was sent.
    Settled(S),
}

/// The phase of a lead's earlier claim, as another request sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClaimPhase<S> {
    /// The sender's lease has not ended, so the sender may still send the lead.
    InProgress,
    /// The sender's lease ended before the lead was settled. The lead is never sent again unless an operator reopens it.
    Interrupted,
    /// The lead was sent, with this result.
    Settled(S),
}

/// The phase of a claim in this state at `now`, in Unix seconds.
#[must_use]
pub fn claim_phase<S>(state: State<S>, now: u64) -> ClaimPhase<S> {
    match state {
        State::Sending { lease_until } if now <= lease_until => ClaimPhase::InProgress,
        State::Sending { .. } => ClaimPhase::Interrupted,
        State::Settled(settled) => ClaimPhase::Settled(settled),
    }
}

/// Decides the next step after a reply to a write that settles or releases a claim. `in_time`: whether time is left to retry.
#[must_use]
pub fn close_step<F>(reply: &Reply<F>, in_time: bool) -> CloseStep {
    match reply {
        Reply::Done => CloseStep::Closed,
        Reply::ConditionFailed(_) => CloseStep::Superseded,
        Reply::Transient(_) | Reply::InDoubt if in_time => CloseStep::Retry,
        Reply::Transient(_) | Reply::InDoubt | Reply::TokenMismatch | Reply::Failed => CloseStep::Left,
    }
}

/// Whether a claim that was left open is now closed, given the replies to its void (`None` if it was not in doubt) and to the
/// write that settles or releases it. Only a successful void ends the doubt. The claim is released in any case, because it
/// may be written.
#[must_use]
pub fn is_closed<F>(void: Option<&Reply<F>>, close: &Reply<F>) -> bool {
    let is_clear = void.is_none_or(|void| matches!(void, Reply::Done));
    is_clear && matches!(close_step(close, false), CloseStep::Closed | CloseStep::Superseded)
}

impl<F> Default for Claiming<F> {
    fn default() -> Self {
        Self(Stage::Claim { in_doubt: false })
    }
}

impl<F> Claiming<F> {
    /// The first write.
    pub const FIRST: Operation = Operation::Claim;

    /// Takes the reply to the last write, and returns the next step. `in_time`: whether the claim's lease still runs and, unless
    /// the write succeeded, time is left to retry it.
    #[must_use]
    pub fn next(self, reply: Reply<F>, in_time: bool) -> (Self, Next<F>) {
        match self.0 {
            Stage::Claim { in_doubt } => Self::after_claim(in_doubt, reply, in_time),
            Stage::Void(reason) => Self::after_void(reason, &reply, in_time),
            Stage::Confirm(reason) => Self::after_confirm(reason, reply, in_time),
            Stage::Release(reason) => Self::end(End::Left(reason)),
        }
    }

    fn after_claim(in_doubt: bool, reply: Reply<F>, in_time: bool) -> (Self, Next<F>) {
        let in_doubt = in_doubt || matches!(reply, Reply::InDoubt);
        let reason = match reply {
            Reply::Done => return Self::end(End::Ours),
            Reply::Transient(_) | Reply::InDoubt if in_time => {
                return Self(Stage::Claim { in_doubt }).retry(Operation::Claim);
            }
            Reply::ConditionFailed(found) => NotClaimed::ConditionFailed(found),
            // In doubt, the other transaction may be an earlier attempt of this claim.
            Reply::Transient(TransientError::LeadConflict) if !in_doubt => NotClaimed::InProgress,
            _ => NotClaimed::LedgerFailed,
        };
        // An earlier attempt may still arrive, and succeed once the conflicting item is gone.
        if in_doubt { Self(Stage::Void(reason)).write(Operation::Void) } else { Self::end(End::NotOurs(reason)) }
    }

    fn after_void(reason: NotClaimed<F>, reply: &Reply<F>, in_time: bool) -> (Self, Next<F>) {
        match reply {
            Reply::Done if in_time => Self::end(End::NotOurs(reason)),
            // DynamoDB remembers a token for ten minutes: in a process that was suspended for longer, this proves nothing.
            Reply::Done => Self::end(End::Left(reason)),
            Reply::TokenMismatch => Self(Stage::Confirm(reason)).write(Operation::Claim),
            Reply::Transient(_) | Reply::InDoubt if in_time => Self(Stage::Void(reason)).retry(Operation::Void),
            _ => Self(Stage::Release(reason)).write(Operation::Release),
        }
    }

    fn after_confirm(reason: NotClaimed<F>, reply: Reply<F>, in_time: bool) -> (Self, Next<F>) {
        match reply {
            Reply::Done => Self::end(End::Ours),
            Reply::Transient(_) | Reply::InDoubt if in_time => Self(Stage::Confirm(reason)).retry(Operation::Claim),
            // An earlier attempt may succeed once the conflicting item is gone.
            Reply::ConditionFailed(found) => Self::end(End::Left(NotClaimed::ConditionFailed(found))),
            _ => Self(Stage::Release(reason)).write(Operation::Release),
        }
    }

    fn write(self, operation: Operation) -> (Self, Next<F>) {
        (self, Next::Write(operation))
    }

    fn retry(self, operation: Operation) -> (Self, Next<F>) {
        (self, Next::Retry(operation))
    }

    fn end(end: End<F>) -> (Self, Next<F>) {
        (Self::default(), Next::End(end))
    }
}

#[cfg(test)]
mod tests;
