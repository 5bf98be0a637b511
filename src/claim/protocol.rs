//! The protocol of the ledger as decisions: no I/O and no clock.
//!
//! [`Claiming`] says which write a claim needs next; the ledger makes it and reports the [`Reply`]. [`closing`] does the same
//! for settling and releasing, and [`standing`] says what a lead that was claimed before is to another request.
//! `tests/model` runs all three, with the conditions of the writes (`conditions`), through every interleaving.

/// A write that a claim needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The claim's transaction, under its token.
    Claim,
    /// Another transaction under the claim's token, which changes nothing. Once it is done, the claim's own transaction is
    /// not written any more for ten minutes (TransactWriteItems, `ClientRequestToken`).
    Void,
    /// The claim is deleted by its id.
    Release,
}

/// What one attempt of a write came to. `F` is what was found in its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reply<F> {
    /// It is written.
    Done,
    /// A condition failed: nothing is written by this attempt.
    Refused(F),
    /// The token belongs to other parameters: nothing is written by this attempt.
    Mismatch,
    /// Nothing is written by this attempt, and the next one may be.
    Busy(Busy),
    /// It may be written, now or later.
    InDoubt,
    /// Nothing is written by this attempt, and another one is no use.
    Failed,
}

/// What a write waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Busy {
    /// Another transaction is at the lead's item: it has the same lead.
    LeadConflict,
    /// Another transaction is at the key's item: it may have another lead.
    KeyConflict,
    /// DynamoDB does not take the request now.
    Throttled,
}

/// What to do next about a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Next<F> {
    /// Make this write.
    Write(Operation),
    /// Make the same write again, after a wait.
    Again(Operation),
    /// Nothing more.
    End(End<F>),
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum End<F> {
    /// It is written: this request may send the lead, and no other.
    Ours,
    /// It is not written, and will not be.
    NotOurs(Answer<F>),
    /// It is not ours, and it may be written all the same: it has to be voided and released later.
    Left(Answer<F>),
}

/// What is known of the lead of a request that may not send it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer<F> {
    /// Its items say so.
    Found(F),
    /// Another request is at it.
    InProgress,
    /// Nothing.
    Unavailable,
}

/// A claim on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claiming<F>(Stage<F>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage<F> {
    /// Its transaction is being written.
    Claim { in_doubt: bool },
    /// It may be written, and is being voided.
    Void(Answer<F>),
    /// The token is known with other parameters than the void's. That proves nothing: AWS does not say what a transaction
    /// that was cancelled, or is running, does to its token. So the claim's own request is made again.
    Confirm(Answer<F>),
    /// It is being deleted by its id, so that it is not in the way if it is written already. It may be written after that all
    /// the same: only a void that is done, or the claim itself, ends the doubt.
    Release(Answer<F>),
}

/// What became of settling or releasing a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// The same write is made again, after a wait.
    Again,
    /// The claim is closed.
    Closed,
    /// Its item is gone, has another claim, or was settled by an operator: what is written stands.
    Superseded,
    /// It is still open, and has to be closed later.
    Left,
}

/// How far the sender of a lead has come, as its item says. `S` is what became of it.
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

/// What a lead that was claimed before is to another request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Standing<S> {
    /// Its sender may be at work.
    InProgress,
    /// Its sender did not settle it, and its lease is over. It is never sent again without an operator.
    Interrupted,
    /// It was sent, and this became of it.
    Settled(S),
}

/// What a lead in this state is to a request at `now`, in Unix seconds.
#[must_use]
pub fn standing<S>(state: State<S>, now: u64) -> Standing<S> {
    match state {
        State::Sending { lease_until } if now <= lease_until => Standing::InProgress,
        State::Sending { .. } => Standing::Interrupted,
        State::Settled(settled) => Standing::Settled(settled),
    }
}

/// What to do after a reply to a write that settles or releases a claim. `in_time`: whether it may be made again.
#[must_use]
pub fn closing<F>(reply: &Reply<F>, in_time: bool) -> Closing {
    match reply {
        Reply::Done => Closing::Closed,
        Reply::Refused(_) => Closing::Superseded,
        Reply::Busy(_) | Reply::InDoubt if in_time => Closing::Again,
        Reply::Busy(_) | Reply::InDoubt | Reply::Mismatch | Reply::Failed => Closing::Left,
    }
}

/// Whether a claim that was left is closed, by the replies to its void, where it was in doubt, and to what settles or releases
/// it. Only a void that is done ends a doubt; the claim is released in any case, since it may be written already.
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

    /// Takes the reply to the write that was asked for last, and says what is next. `in_time`: whether that write may be
    /// made again; of one that is done, whether the claim's lease still runs.
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
        // An earlier attempt may still be on its way, and be written when what stands in its way now is gone.
        if in_doubt { Self(Stage::Void(answer)).write(Operation::Void) } else { Self::end(End::NotOurs(answer)) }
    }

    fn void(answer: Answer<F>, reply: &Reply<F>, in_time: bool) -> (Self, Next<F>) {
        match reply {
            Reply::Done if in_time => Self::end(End::NotOurs(answer)),
            // A token is remembered for ten minutes: to a process that was frozen for longer, this proves nothing.
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
            // An earlier attempt may be written when what stands in its way now is gone.
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
