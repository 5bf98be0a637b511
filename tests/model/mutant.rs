//! Mutants: protocols that are wrong in one place. The model must find a violation in each.

use lendswift_relay::claim::protocol::{
    Claiming, CloseStep, End, Next, NotClaimed, Operation, Reply, close_step, is_closed as closes,
};

use super::state::{Found, Request};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A late attempt of a claim overwrites an outcome that was settled since. The token prevents that too, so this
    /// mutant has no tokens.
    ClaimOverwritesOutcome,
    /// Settling does not check the claim's id.
    SettleIgnoresClaimId,
    /// Releasing does not check the claim's id.
    ReleaseIgnoresClaimId,
    /// Releasing does not check the outcome.
    ReleaseIgnoresOutcome,
    /// Each attempt has a token of its own.
    RetryUnderNewToken,
    /// The kernel still delivers a push after its lease ended.
    PushOutlivesLease,
    /// The sender never checks its lease.
    NoLeaseCheck,
    /// The sender checks its lease once it has a connection, and not before the first byte.
    SingleLeaseCheck,
    /// After a reused connection broke, the sender tries again on a new one.
    SecondTryAfterReuse,
    /// A response to an earlier lead, which arrives once more on a reused connection, counts as the response to this one.
    EarlierResponseCounts,
    /// The sender pushes although its claim was not written.
    PushAfterNotOurs,
    /// A void's mismatch counts as a claim that was written.
    MismatchCountsAsOurs,
    /// A void's mismatch counts as a void that is done.
    MismatchCountsAsVoided,
    /// A refused claim is not voided although an earlier attempt may still be written.
    DoubtfulRefusalNotVoided,
    /// The process does not keep the claims that it could not close.
    LeftClaimDropped,
    /// An attempt to close a claim that got no reply counts as closed.
    TimeoutCountsAsClosed,
    /// A claim neither checks nor writes the phone number's item.
    PhoneNotClaimed,
    /// The phone number's item is written in a transaction of its own before the claim's.
    PhoneClaimedBefore,
    /// The phone number's item is written in a transaction of its own after the claim's. If that fails, the claim is
    /// released.
    PhoneClaimedAfter,
    /// A conflict at the phone number's item counts as one at the lead's.
    PhoneConflictIsInProgress,
    /// If the conditions of both items fail, the response is about the phone number's.
    PhoneBeforeLead,
    /// Releasing keeps the phone number's item.
    ReleaseKeepsPhone,
    /// Releasing deletes the phone number's item even if it belongs to another lead.
    ReleaseIgnoresPhoneLead,
    /// A lead is not released if its phone number belongs to another lead by now.
    ReleaseNeedsPhone,
    /// A claim in doubt is released without its phone number if that belongs to another lead.
    DoubtfulReleaseLeavesPhone,
    /// Reopening keeps the phone number's item.
    ReopeningKeepsPhone,
}

/// The next step of a claim: the protocol's, unless a mutant changes it.
pub fn next(
    mutant: Option<Mutant>,
    machine: Claiming<Found>,
    request: Request,
    reply: Reply<Found>,
    in_time: bool,
) -> (Claiming<Found>, Next<Found>) {
    let is_mismatch = request == Request::Void && reply == Reply::TokenMismatch;
    let refused =
        if let (Request::Claim, Reply::ConditionFailed(found)) = (request, &reply) { Some(*found) } else { None };
    let (machine, next) = machine.next(reply, in_time);
    let next = match (mutant, next) {
        (Some(Mutant::PushAfterNotOurs), Next::End(End::NotOurs(NotClaimed::LedgerFailed))) => Next::End(End::Ours),
        (Some(Mutant::MismatchCountsAsOurs), _) if is_mismatch => Next::End(End::Ours),
        (Some(Mutant::MismatchCountsAsVoided), _) if is_mismatch => Next::End(End::NotOurs(NotClaimed::LedgerFailed)),
        (Some(Mutant::DoubtfulRefusalNotVoided), Next::Write(Operation::Void)) if refused.is_some() => {
            Next::End(End::NotOurs(refused.map_or(NotClaimed::LedgerFailed, NotClaimed::ConditionFailed)))
        }
        (_, next) => next,
    };
    (machine, next)
}

/// The next step after a reply to a write that closes a claim: the protocol's decision, unless a mutant changes it.
pub fn close(mutant: Option<Mutant>, reply: &Reply<Found>, in_time: bool) -> CloseStep {
    if mutant == Some(Mutant::TimeoutCountsAsClosed) && *reply == Reply::InDoubt {
        return CloseStep::Closed;
    }
    close_step(reply, in_time)
}

/// Whether a left claim is closed: the protocol's decision, unless a mutant changes it.
pub fn is_closed(mutant: Option<Mutant>, is_voided: bool, reply: &Reply<Found>) -> bool {
    let void = if is_voided { Reply::Done } else { Reply::InDoubt };
    match mutant {
        Some(Mutant::TimeoutCountsAsClosed) if *reply == Reply::InDoubt => true,
        _ => closes(Some(&void), reply),
    }
}
