//! The decisions of the protocol, for each sequence of replies.

use super::{
    Busy::{KeyConflict, LeadConflict, Throttled},
    Operation::{Claim, Release, Void},
    Reply::{Done, Failed, InDoubt, Mismatch},
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
            Next::Write(operation) | Next::Again(operation) => operations.push(operation),
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

const BUSY: [Busy; 3] = [LeadConflict, KeyConflict, Throttled];

fn refused(found: u8) -> Reply<u8> {
    Reply::Refused(found)
}

#[test]
fn a_written_claim_is_ours_after_any_number_of_attempts() {
    assert_ends(&[(Done, true)], &[Claim], End::Ours);
    assert_ends(&[(Done, false)], &[Claim], End::Ours);
    let transient = BUSY.map(Reply::Busy).into_iter().chain([InDoubt]);
    let steps: Vec<Step> = transient.chain([Done]).map(|reply| (reply, true)).collect();
    assert_ends(&steps, &[Claim; 5], End::Ours);
}

#[test]
fn a_claim_that_was_never_in_doubt_is_not_voided() {
    assert_ends(&[(refused(7), true)], &[Claim], End::NotOurs(Answer::Found(7)));
    assert_ends(&[(Reply::Busy(Throttled), true), (refused(7), false)], &[Claim; 2], End::NotOurs(Answer::Found(7)));
    for in_time in [true, false] {
        assert_ends(&[(Failed, in_time)], &[Claim], End::NotOurs(Answer::Unavailable));
        assert_ends(&[(Mismatch, in_time)], &[Claim], End::NotOurs(Answer::Unavailable));
    }
}

#[test]
fn only_a_conflict_at_the_lead_is_in_progress() {
    for (busy, answer) in
        [(LeadConflict, Answer::InProgress), (KeyConflict, Answer::Unavailable), (Throttled, Answer::Unavailable)]
    {
        assert_ends(&[(Reply::Busy(busy), false)], &[Claim], End::NotOurs(answer));
    }
}

#[test]
fn a_claim_in_doubt_is_voided_after_every_reply() {
    for (last, answer) in [
        (InDoubt, Answer::Unavailable),
        (Failed, Answer::Unavailable),
        (Mismatch, Answer::Unavailable),
        (refused(7), Answer::Found(7)),
        (Reply::Busy(LeadConflict), Answer::Unavailable),
        (Reply::Busy(KeyConflict), Answer::Unavailable),
    ] {
        let steps = [(InDoubt, true), (last, false), (Done, true)];
        assert_ends(&steps, &[Claim, Claim, Void], End::NotOurs(answer));
    }
}

#[test]
fn a_clear_reply_does_not_end_the_doubt() {
    let steps = [(InDoubt, true), (Reply::Busy(Throttled), true), (refused(7), true), (Done, true)];
    assert_ends(&steps, &[Claim, Claim, Claim, Void], End::NotOurs(Answer::Found(7)));
}

#[test]
fn voiding_is_retried_until_time_runs_out() {
    for reply in BUSY.map(Reply::Busy).into_iter().chain([InDoubt]) {
        let steps = [(InDoubt, false), (reply.clone(), true), (Done, true)];
        assert_ends(&steps, &[Claim, Void, Void], End::NotOurs(Answer::Unavailable));
        let steps = [(InDoubt, false), (reply, false), (Done, true)];
        assert_ends(&steps, &[Claim, Void, Release], End::Left(Answer::Unavailable));
    }
    for reply in [Failed, refused(7)] {
        for released in [Done, InDoubt, Failed, refused(8)] {
            let steps = [(InDoubt, false), (reply.clone(), true), (released, true)];
            assert_ends(&steps, &[Claim, Void, Release], End::Left(Answer::Unavailable));
        }
    }
}

#[test]
fn a_void_after_the_lease_does_not_end_the_doubt() {
    assert_ends(&[(InDoubt, false), (Done, false)], &[Claim, Void], End::Left(Answer::Unavailable));
}

#[test]
fn a_used_token_repeats_the_claims_own_request() {
    let mismatch = [(InDoubt, false), (Mismatch, true)];
    assert_ends(&[&mismatch[..], &[(Done, true)]].concat(), &[Claim, Void, Claim], End::Ours);
    assert_ends(&[&mismatch[..], &[(refused(7), true)]].concat(), &[Claim, Void, Claim], End::Left(Answer::Found(7)));
    for unclear in [InDoubt, Mismatch, Failed, Reply::Busy(LeadConflict), Reply::Busy(Throttled)] {
        for released in [Done, InDoubt, Failed, refused(8)] {
            let steps = [&mismatch[..], &[(unclear.clone(), false), (released, true)]].concat();
            assert_ends(&steps, &[Claim, Void, Claim, Release], End::Left(Answer::Unavailable));
        }
    }
    for transient in [InDoubt, Reply::Busy(LeadConflict), Reply::Busy(Throttled)] {
        let steps = [&mismatch[..], &[(transient, true), (Done, true)]].concat();
        assert_ends(&steps, &[Claim, Void, Claim, Claim], End::Ours);
    }
    for failed in [Mismatch, Failed] {
        let steps = [&mismatch[..], &[(failed, true), (Done, true)]].concat();
        assert_ends(&steps, &[Claim, Void, Claim, Release], End::Left(Answer::Unavailable));
    }
}

#[test]
fn closing_retries_transient_errors_until_time_runs_out() {
    for reply in BUSY.map(Reply::Busy).into_iter().chain([InDoubt]) {
        assert_eq!(closing::<u8>(&reply, true), Closing::Again);
        assert_eq!(closing::<u8>(&reply, false), Closing::Left);
    }
    for in_time in [true, false] {
        assert_eq!(closing::<u8>(&Done, in_time), Closing::Closed);
        assert_eq!(closing(&refused(7), in_time), Closing::Superseded);
        assert_eq!(closing::<u8>(&Failed, in_time), Closing::Left);
        assert_eq!(closing::<u8>(&Mismatch, in_time), Closing::Left);
    }
}

#[test]
fn a_lead_is_in_progress_through_its_leases_last_second() {
    let sending = State::<u8>::Sending { lease_until: 100 };
    assert_eq!(standing(sending.clone(), 99), Standing::InProgress);
    assert_eq!(standing(sending.clone(), 100), Standing::InProgress);
    assert_eq!(standing(sending, 101), Standing::Interrupted);
    assert_eq!(standing(State::Settled(7), 101), Standing::Settled(7));
}

#[test]
fn a_left_claim_is_closed_after_its_void_and_its_write() {
    for close in [Done, refused(7)] {
        assert!(is_closed(None, &close) && is_closed(Some(&Done), &close));
        for void in [Mismatch, InDoubt, Failed, Reply::Busy(Throttled)] {
            assert!(!is_closed(Some(&void), &close));
        }
    }
    for close in [InDoubt::<u8>, Failed, Mismatch, Reply::Busy(LeadConflict)] {
        assert!(!is_closed(None, &close) && !is_closed(Some(&Done), &close));
    }
}
