//! The decisions of the protocol, for each sequence of replies.

use super::{
    Operation::{Claim, Release, Void},
    Reply::{Done, Failed, InDoubt, TokenMismatch},
    TransientError::{KeyConflict, LeadConflict, Unavailable},
    *,
};

type Step = (Reply<u8>, bool);

/// All writes that a claim makes after these replies, and how it ends.
fn run(steps: &[Step]) -> (Vec<Operation>, Option<End<u8>>) {
    let mut claiming = Claiming::default();
    let mut operations = vec![Claiming::<u8>::FIRST];
    for (index, (reply, in_time)) in steps.iter().enumerate() {
        let (then, next) = claiming.next(reply.clone(), *in_time);
        claiming = then;
        match next {
            Next::Write(operation) | Next::Retry(operation) => operations.push(operation),
            Next::End(end) => {
                assert_eq!(index + 1, steps.len(), "the claim ended early");
                return (operations, Some(end));
            }
        }
    }
    (operations, None)
}

fn assert_ends(steps: &[Step], operations: &[Operation], end: End<u8>) {
    assert_eq!(run(steps), (operations.to_vec(), Some(end)), "{steps:?}");
}

const TRANSIENT: [TransientError; 3] = [LeadConflict, KeyConflict, Unavailable];

fn condition_failed(found: u8) -> Reply<u8> {
    Reply::ConditionFailed(found)
}

#[test]
fn a_written_claim_is_ours_after_any_number_of_attempts() {
    assert_ends(&[(Done, true)], &[Claim], End::Ours);
    assert_ends(&[(Done, false)], &[Claim], End::Ours);
    let transient = TRANSIENT.map(Reply::Transient).into_iter().chain([InDoubt]);
    let steps: Vec<Step> = transient.chain([Done]).map(|reply| (reply, true)).collect();
    assert_ends(&steps, &[Claim; 5], End::Ours);
}

#[test]
fn a_claim_that_was_never_in_doubt_is_not_voided() {
    assert_ends(&[(condition_failed(7), true)], &[Claim], End::NotOurs(NotClaimed::ConditionFailed(7)));
    assert_ends(
        &[(Reply::Transient(Unavailable), true), (condition_failed(7), false)],
        &[Claim; 2],
        End::NotOurs(NotClaimed::ConditionFailed(7)),
    );
    for in_time in [true, false] {
        assert_ends(&[(Failed, in_time)], &[Claim], End::NotOurs(NotClaimed::LedgerFailed));
        assert_ends(&[(TokenMismatch, in_time)], &[Claim], End::NotOurs(NotClaimed::LedgerFailed));
    }
}

#[test]
fn only_a_conflict_at_the_lead_is_in_progress() {
    for (error, reason) in [
        (LeadConflict, NotClaimed::InProgress),
        (KeyConflict, NotClaimed::LedgerFailed),
        (Unavailable, NotClaimed::LedgerFailed),
    ] {
        assert_ends(&[(Reply::Transient(error), false)], &[Claim], End::NotOurs(reason));
    }
}

#[test]
fn a_claim_in_doubt_is_voided_after_every_reply() {
    for (last, reason) in [
        (InDoubt, NotClaimed::LedgerFailed),
        (Failed, NotClaimed::LedgerFailed),
        (TokenMismatch, NotClaimed::LedgerFailed),
        (condition_failed(7), NotClaimed::ConditionFailed(7)),
        (Reply::Transient(LeadConflict), NotClaimed::LedgerFailed),
        (Reply::Transient(KeyConflict), NotClaimed::LedgerFailed),
    ] {
        let steps = [(InDoubt, true), (last, false), (Done, true)];
        assert_ends(&steps, &[Claim, Claim, Void], End::NotOurs(reason));
    }
}

#[test]
fn a_clear_reply_does_not_end_the_doubt() {
    let steps = [(InDoubt, true), (Reply::Transient(Unavailable), true), (condition_failed(7), true), (Done, true)];
    assert_ends(&steps, &[Claim, Claim, Claim, Void], End::NotOurs(NotClaimed::ConditionFailed(7)));
}

#[test]
fn voiding_is_retried_until_time_runs_out() {
    for reply in TRANSIENT.map(Reply::Transient).into_iter().chain([InDoubt]) {
        let steps = [(InDoubt, false), (reply.clone(), true), (Done, true)];
        assert_ends(&steps, &[Claim, Void, Void], End::NotOurs(NotClaimed::LedgerFailed));
        let steps = [(InDoubt, false), (reply, false), (Done, true)];
        assert_ends(&steps, &[Claim, Void, Release], End::Left(NotClaimed::LedgerFailed));
    }
    for reply in [Failed, condition_failed(7)] {
        for released in [Done, InDoubt, Failed, condition_failed(8)] {
            let steps = [(InDoubt, false), (reply.clone(), true), (released, true)];
            assert_ends(&steps, &[Claim, Void, Release], End::Left(NotClaimed::LedgerFailed));
        }
    }
}

#[test]
fn a_void_after_the_lease_does_not_end_the_doubt() {
    assert_ends(&[(InDoubt, false), (Done, false)], &[Claim, Void], End::Left(NotClaimed::LedgerFailed));
}

#[test]
fn a_used_token_repeats_the_claims_own_request() {
    let mismatch = [(InDoubt, false), (TokenMismatch, true)];
    assert_ends(&[&mismatch[..], &[(Done, true)]].concat(), &[Claim, Void, Claim], End::Ours);
    assert_ends(
        &[&mismatch[..], &[(condition_failed(7), true)]].concat(),
        &[Claim, Void, Claim],
        End::Left(NotClaimed::ConditionFailed(7)),
    );
    for unclear in [InDoubt, TokenMismatch, Failed, Reply::Transient(LeadConflict), Reply::Transient(Unavailable)] {
        for released in [Done, InDoubt, Failed, condition_failed(8)] {
            let steps = [&mismatch[..], &[(unclear.clone(), false), (released, true)]].concat();
            assert_ends(&steps, &[Claim, Void, Claim, Release], End::Left(NotClaimed::LedgerFailed));
        }
    }
    for transient in [InDoubt, Reply::Transient(LeadConflict), Reply::Transient(Unavailable)] {
        let steps = [&mismatch[..], &[(transient, true), (Done, true)]].concat();
        assert_ends(&steps, &[Claim, Void, Claim, Claim], End::Ours);
    }
    for failed in [TokenMismatch, Failed] {
        let steps = [&mismatch[..], &[(failed, true), (Done, true)]].concat();
        assert_ends(&steps, &[Claim, Void, Claim, Release], End::Left(NotClaimed::LedgerFailed));
    }
}

#[test]
fn closing_retries_transient_errors_until_time_runs_out() {
    for reply in TRANSIENT.map(Reply::Transient).into_iter().chain([InDoubt]) {
        assert_eq!(close_step::<u8>(&reply, true), CloseStep::Retry);
        assert_eq!(close_step::<u8>(&reply, false), CloseStep::Left);
    }
    for in_time in [true, false] {
        assert_eq!(close_step::<u8>(&Done, in_time), CloseStep::Closed);
        assert_eq!(close_step(&condition_failed(7), in_time), CloseStep::Superseded);
        assert_eq!(close_step::<u8>(&Failed, in_time), CloseStep::Left);
        assert_eq!(close_step::<u8>(&TokenMismatch, in_time), CloseStep::Left);
    }
}

#[test]
fn a_lead_is_in_progress_through_its_leases_last_second() {
    let sending = State::<u8>::Sending { lease_until: 100 };
    assert_eq!(claim_phase(sending.clone(), 99), ClaimPhase::InProgress);
    assert_eq!(claim_phase(sending.clone(), 100), ClaimPhase::InProgress);
    assert_eq!(claim_phase(sending, 101), ClaimPhase::Interrupted);
    assert_eq!(claim_phase(State::Settled(7), 101), ClaimPhase::Settled(7));
}

#[test]
fn a_left_claim_is_closed_after_its_void_and_its_write() {
    for close in [Done, condition_failed(7)] {
        assert!(is_closed(None, &close) && is_closed(Some(&Done), &close));
        for void in [TokenMismatch, InDoubt, Failed, Reply::Transient(Unavailable)] {
            assert!(!is_closed(Some(&void), &close));
        }
    }
    for close in [InDoubt::<u8>, Failed, TokenMismatch, Reply::Transient(LeadConflict)] {
        assert!(!is_closed(None, &close) && !is_closed(Some(&Done), &close));
    }
}
