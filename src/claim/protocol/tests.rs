use super::{
    Busy::{KeyConflict, LeadConflict, Throttled},
    Operation::{Claim, Release, Void},
    Reply::{Done, Failed, InDoubt, Mismatch},
    *,
};

type Step = (Reply<u8>, bool);

/// Every write that a claim asks for in reply to these, and how it ends.
fn course(steps: &[Step]) -> (Vec<Operation>, Option<End<u8>>) {
    let mut claiming = Claiming::default();
    let mut operations = vec![Claiming::<u8>::FIRST];
    for (index, (reply, in_time)) in steps.iter().enumerate() {
        let (then, next) = claiming.next(reply.clone(), *in_time);
        claiming = then;
        match next {
            Next::Write(operation) | Next::Again(operation) => operations.push(operation),
            Next::End(end) => {
                assert_eq!(index + 1, steps.len(), "it ends early");
                return (operations, Some(end));
            }
        }
    }
    (operations, None)
}

fn ends(steps: &[Step], operations: &[Operation], end: End<u8>) {
    assert_eq!(course(steps), (operations.to_vec(), Some(end)), "{steps:?}");
}

const BUSY: [Busy; 3] = [LeadConflict, KeyConflict, Throttled];

fn refused(found: u8) -> Reply<u8> {
    Reply::Refused(found)
}

#[test]
fn a_claim_that_is_written_is_ours_after_however_many_attempts() {
    ends(&[(Done, true)], &[Claim], End::Ours);
    ends(&[(Done, false)], &[Claim], End::Ours);
    let passing = BUSY.map(Reply::Busy).into_iter().chain([InDoubt]);
    let steps: Vec<Step> = passing.chain([Done]).map(|reply| (reply, true)).collect();
    ends(&steps, &[Claim; 5], End::Ours);
}

#[test]
fn a_refusal_that_leaves_no_doubt_needs_no_other_write() {
    ends(&[(refused(7), true)], &[Claim], End::NotOurs(Answer::Found(7)));
    ends(&[(Reply::Busy(Throttled), true), (refused(7), false)], &[Claim; 2], End::NotOurs(Answer::Found(7)));
    for in_time in [true, false] {
        ends(&[(Failed, in_time)], &[Claim], End::NotOurs(Answer::Unavailable));
        ends(&[(Mismatch, in_time)], &[Claim], End::NotOurs(Answer::Unavailable));
    }
}

#[test]
fn only_a_conflict_at_the_lead_is_in_progress() {
    for (busy, answer) in
        [(LeadConflict, Answer::InProgress), (KeyConflict, Answer::Unavailable), (Throttled, Answer::Unavailable)]
    {
        ends(&[(Reply::Busy(busy), false)], &[Claim], End::NotOurs(answer));
    }
}

#[test]
fn a_claim_in_doubt_is_voided_whatever_is_known_of_the_lead() {
    for (last, answer) in [
        (InDoubt, Answer::Unavailable),
        (Failed, Answer::Unavailable),
        (Mismatch, Answer::Unavailable),
        (refused(7), Answer::Found(7)),
        (Reply::Busy(LeadConflict), Answer::InProgress),
        (Reply::Busy(KeyConflict), Answer::Unavailable),
    ] {
        let steps = [(InDoubt, true), (last, false), (Done, true)];
        ends(&steps, &[Claim, Claim, Void], End::NotOurs(answer));
    }
}

#[test]
fn doubt_stays_through_clear_replies() {
    let steps = [(InDoubt, true), (Reply::Busy(Throttled), true), (refused(7), true), (Done, true)];
    ends(&steps, &[Claim, Claim, Claim, Void], End::NotOurs(Answer::Found(7)));
}

#[test]
fn voiding_is_retried_while_there_is_time_and_then_left() {
    for reply in BUSY.map(Reply::Busy).into_iter().chain([InDoubt]) {
        let steps = [(InDoubt, false), (reply.clone(), true), (Done, true)];
        ends(&steps, &[Claim, Void, Void], End::NotOurs(Answer::Unavailable));
        let steps = [(InDoubt, false), (reply, false), (Done, true)];
        ends(&steps, &[Claim, Void, Release], End::Left(Answer::Unavailable));
    }
    for reply in [Failed, refused(7)] {
        for released in [Done, InDoubt, Failed, refused(8)] {
            let steps = [(InDoubt, false), (reply.clone(), true), (released, true)];
            ends(&steps, &[Claim, Void, Release], End::Left(Answer::Unavailable));
        }
    }
}

#[test]
fn a_void_that_is_done_after_the_lease_proves_nothing() {
    ends(&[(InDoubt, false), (Done, false)], &[Claim, Void], End::Left(Answer::Unavailable));
}

#[test]
fn a_token_in_use_makes_the_claim_be_asked_for_once_more() {
    let asked = [(InDoubt, false), (Mismatch, true)];
    ends(&[&asked[..], &[(Done, true)]].concat(), &[Claim, Void, Claim], End::Ours);
    ends(&[&asked[..], &[(refused(7), true)]].concat(), &[Claim, Void, Claim], End::Left(Answer::Found(7)));
    for unclear in [InDoubt, Mismatch, Failed, Reply::Busy(LeadConflict), Reply::Busy(Throttled)] {
        for released in [Done, InDoubt, Failed, refused(8)] {
            let steps = [&asked[..], &[(unclear.clone(), false), (released, true)]].concat();
            ends(&steps, &[Claim, Void, Claim, Release], End::Left(Answer::Unavailable));
        }
    }
    for passing in [InDoubt, Reply::Busy(LeadConflict), Reply::Busy(Throttled)] {
        let steps = [&asked[..], &[(passing, true), (Done, true)]].concat();
        ends(&steps, &[Claim, Void, Claim, Claim], End::Ours);
    }
    for failed in [Mismatch, Failed] {
        let steps = [&asked[..], &[(failed, true), (Done, true)]].concat();
        ends(&steps, &[Claim, Void, Claim, Release], End::Left(Answer::Unavailable));
    }
}

#[test]
fn closing_goes_on_while_errors_pass_and_there_is_time() {
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
fn a_lead_is_in_progress_until_the_second_in_which_its_lease_ends() {
    let sending = State::<u8>::Sending { lease_until: 100 };
    assert_eq!(standing(sending.clone(), 99), Standing::InProgress);
    assert_eq!(standing(sending.clone(), 100), Standing::InProgress);
    assert_eq!(standing(sending, 101), Standing::Interrupted);
    assert_eq!(standing(State::Settled(7), 101), Standing::Settled(7));
}

#[test]
fn a_left_claim_is_closed_once_its_doubt_is_over_and_its_write_is_done() {
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
