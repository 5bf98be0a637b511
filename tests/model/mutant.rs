//! Protocols that are wrong in one place: the model has to see each.

use lendswift_relay::claim::protocol::{
    Answer, Claiming, Closing, End, Next, Operation, Reply, closing, is_closed as closes,
};

use super::state::Found;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A late attempt of a claim undoes what was settled since. The token prevents that too, so this has no tokens either.
    ClaimIgnoresOutcomeOfOwn,
    /// Settling does not look at the claim's id.
    SettleByLead,
    /// Releasing does not look at the claim's id.
    ReleaseByLead,
    /// Releasing does not look at the outcome.
    ReleaseIgnoresOutcome,
    /// Each attempt is a transaction of its own.
    RetryUnderNewToken,
    /// The kernel still delivers a push when its lease is over.
    PushOutlivesLease,
    /// The lease is looked at by nobody.
    NoLookAtTheLease,
    /// The lease is looked at before there is a connection, and not when the first byte is asked for.
    OneLookAtTheLease,
    /// A claim that is not written is taken for ours.
    PushAfterNotOurs,
    /// A token in use is taken for a claim that was written.
    MismatchIsOurs,
    /// A token in use is taken for a void that is done.
    MismatchIsVoided,
    /// A refusal is believed although an earlier attempt may still be written.
    RefusalInDoubtNotVoided,
    /// Nothing is kept in the process.
    LeftDropped,
    /// An attempt to close without an answer is taken for closed.
    TimeOutIsClosed,
}

/// The next step of a claim: the protocol's own, but for the mutants.
pub fn next(
    mutant: Option<Mutant>,
    machine: Claiming<Found>,
    operation: Operation,
    reply: Reply<Found>,
    in_time: bool,
) -> (Claiming<Found>, Next<Found>) {
    let is_mismatch = operation == Operation::Void && reply == Reply::Mismatch;
    let refused = if let (Operation::Claim, Reply::Refused(found)) = (operation, &reply) { Some(*found) } else { None };
    let (machine, next) = machine.next(reply, in_time);
    let next = match (mutant, next) {
        (Some(Mutant::PushAfterNotOurs), Next::End(End::NotOurs(Answer::Unavailable))) => Next::End(End::Ours),
        (Some(Mutant::MismatchIsOurs), _) if is_mismatch => Next::End(End::Ours),
        (Some(Mutant::MismatchIsVoided), _) if is_mismatch => Next::End(End::NotOurs(Answer::Unavailable)),
        (Some(Mutant::RefusalInDoubtNotVoided), Next::Write(Operation::Void)) if refused.is_some() => {
            Next::End(End::NotOurs(refused.map_or(Answer::Unavailable, Answer::Found)))
        }
        (_, next) => next,
    };
    (machine, next)
}

/// What becomes of closing a claim: the protocol's own, but for the mutants.
pub fn close(mutant: Option<Mutant>, reply: &Reply<Found>, in_time: bool) -> Closing {
    if mutant == Some(Mutant::TimeOutIsClosed) && *reply == Reply::InDoubt {
        return Closing::Closed;
    }
    closing(reply, in_time)
}

/// Whether a claim that was left is closed: the protocol's own word, but for the mutants.
pub fn is_closed(mutant: Option<Mutant>, is_voided: bool, reply: &Reply<Found>) -> bool {
    let void = if is_voided { Reply::Done } else { Reply::InDoubt };
    match mutant {
        Some(Mutant::TimeOutIsClosed) if *reply == Reply::InDoubt => true,
        _ => closes(Some(&void), reply),
    }
}
