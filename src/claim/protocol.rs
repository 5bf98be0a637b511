//! The protocol of the ledger as decisions: no I/O and no clock.
//!
//! [`Claiming`] decides which write a claim needs next; the ledger makes it and reports the [`Reply`]. [`closing`] does the
//! same for settling and releasing, and [`standing`] decides what another request learns about a claimed lead.
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
    /// It succeeded.
    Done,
    /// A condition failed. This attempt writes nothing.
    Refused(F),
    /// The token was already used with other parameters. This attempt writes nothing.
    Mismatch,
    /// This attempt writes nothing. A retry may succeed.
    Busy(Busy),
    /// It may have succeeded, or may succeed later.
    InDoubt,
    /// This attempt writes nothing, and a retry would fail too.
    Failed,
}

/// Why a write must be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Busy {
    /// Another transaction is writing the lead's item: it is about the same lead.
    LeadConflict,
    /// Another transaction is writing the idempotency key's item: it may be about a different lead.
    KeyConflict,
    /// DynamoDB does not accept the request now, or cannot be reached.
    Throttled,
}

/// The next step for a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Next<F> {
    /// Make this write.
    Write(Operation),
    /// Retry the same write after a delay.
    Again(Operation),
    /// The claim has ended.
    End(End<F>),
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum End<F> {
    /// It is written: this request may send the lead, and no other request may.
    Ours,
    /// It is not written, and will not be written.
    NotOurs(Answer<F>),
    /// It is not ours, but it may be written: it must be voided and released later.
    Left(Answer<F>),
}

/// What a request learns about a lead that it may not send.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer<F> {
    /// What made the claim's condition fail.
    Found(F),
    /// Another request is writing the lead's item.
    InProgress,
    /// Nothing: the ledger failed.
    Unavailable,
}

/// The state of a claim that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claiming<F>(Stage<F>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage<F> {
    /// It is being written. `in_doubt`: whether an attempt may have succeeded unnoticed.
    Claim { in_doubt: bool },
    /// It may be written, and is being voided.
    Void(Answer<F>),
    /// The token was already used with other parameters than the void's. That proves nothing: AWS does not document what a
    /// cancelled or running transaction does to its token. So the claim's own request is made again.
    Confirm(Answer<F>),
    /// It is being deleted by its id, in case it is written. It may still be written afterwards: only a successful void, or
    /// the claim's own success, ends the doubt.
    Release(Answer<F>),
}

/// The result of an attempt to settle or release a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// The same write must be retried after a delay.
    Again,
    /// The claim is closed.
    Closed,
    /// Its item is gone, has another claim, or was settled by an operator. The item is kept as it is.
    Superseded,
    /// The claim is still open, and must be closed later.
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

/// What another request learns about a lead that was claimed before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Standing<S> {
    /// Its sender's lease runs, so it may still send the lead.
    InProgress,
    /// Its sender's lease ended before the lead was settled. It is never sent again without an operator.
    Interrupted,
    /// It was sent, with this result.
    Settled(S),
}

/// What a request at `now`, in Unix seconds, learns about a lead in this state.
#[must_use]
pub fn standing<S>(state: State<S>, now: u64) -> Standing<S> {
    match state {
        State::Sending { lease_until } if now <= lease_until => Standing::InProgress,
        State::Sending { .. } => Standing::Interrupted,
        State::Settled(settled) => Standing::Settled(settled),
    }
}

/// What to do after a reply to a write that settles or releases a claim. `in_time`: whether time is left to retry it.
#[must_use]
pub fn closing<F>(reply: &Reply<F>, in_time: bool) -> Closing {
    match reply {
        Reply::Done => Closing::Closed,
        Reply::Refused(_) => Closing::Superseded,
        Reply::Busy(_) | Reply::InDoubt if in_time => Closing::Again,
        Reply::Busy(_) | Reply::InDoubt | Reply::Mismatch | Reply::Failed => Closing::Left,
    }
}

/// Whether a claim that was left open is closed, by the replies to its void (if it was in doubt) and to the write that settles
/// or releases it. Only a successful void ends the doubt. The claim is released in any case, because it may be written.
#[must_use]
pub fn is_closed<F>(void: Option<&Reply<F>>, close: &Reply<F>) -> bool {
    let is_clear = void.is_none_or(|void| matches!(void, Reply::Done));
    is_clear && matches!(closing(close, false), Closing::Closed | Closing::Superseded)
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
            Stage::Claim { in_doubt } => Self::claim(in_doubt, reply, in_time),
            Stage::Void(answer) => Self::void(answer, &reply, in_time),
            Stage::Confirm(answer) => Self::confirm(answer, reply, in_time),
            Stage::Release(answer) => Self::end(End::Left(answer)),
        }
    }

    fn claim(in_doubt: bool, reply: Reply<F>, in_time: bool) -> (Self, Next<F>) {
        let in_doubt = in_doubt || matches!(reply, Reply::InDoubt);
        let answer = match reply {
            Reply::Done => return Self::end(End::Ours),
            Reply::Busy(_) | Reply::InDoubt if in_time => {
                return Self(Stage::Claim { in_doubt }).again(Operation::Claim);
            }
            Reply::Refused(found) => Answer::Found(found),
            // In doubt, the other transaction may be an earlier attempt of this claim.
            Reply::Busy(Busy::LeadConflict) if !in_doubt => Answer::InProgress,
            _ => Answer::Unavailable,
        };
        // An earlier attempt may still arrive, and succeed once the conflicting item is gone.
        if in_doubt { Self(Stage::Void(answer)).write(Operation::Void) } else { Self::end(End::NotOurs(answer)) }
    }

    fn void(answer: Answer<F>, reply: &Reply<F>, in_time: bool) -> (Self, Next<F>) {
        match reply {
            Reply::Done if in_time => Self::end(End::NotOurs(answer)),
            // DynamoDB remembers a token for ten minutes: in a process that was suspended for longer, this proves nothing.
            Reply::Done => Self::end(End::Left(answer)),
            Reply::Mismatch => Self(Stage::Confirm(answer)).write(Operation::Claim),
            Reply::Busy(_) | Reply::InDoubt if in_time => Self(Stage::Void(answer)).again(Operation::Void),
            _ => Self(Stage::Release(answer)).write(Operation::Release),
        }
    }

    fn confirm(answer: Answer<F>, reply: Reply<F>, in_time: bool) -> (Self, Next<F>) {
        match reply {
            Reply::Done => Self::end(End::Ours),
            Reply::Busy(_) | Reply::InDoubt if in_time => Self(Stage::Confirm(answer)).again(Operation::Claim),
            // An earlier attempt may succeed once the conflicting item is gone.
            Reply::Refused(found) => Self::end(End::Left(Answer::Found(found))),
            _ => Self(Stage::Release(answer)).write(Operation::Release),
        }
    }

    fn write(self, operation: Operation) -> (Self, Next<F>) {
        (self, Next::Write(operation))
    }

    fn again(self, operation: Operation) -> (Self, Next<F>) {
        (self, Next::Again(operation))
    }

    fn end(end: End<F>) -> (Self, Next<F>) {
        (Self::default(), Next::End(end))
    }
}

#[cfg(test)]
mod tests;
