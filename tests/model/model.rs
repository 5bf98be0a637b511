//! The at-most-once ledger as an exhaustive model: every order in which things may happen, for a few posts of one lead.
//!
//! `cargo test --test model` is the ordinary run, with two posts; `cargo test --test model_long` the long one, with three. With
//! `-- --nocapture` both print their states, steps, depth and seconds, and each mutant's shortest way to harm.
//!
//! # What is the relay's own code
//!
//! The decisions: `claim::protocol` (`Claiming`, `closing`, `standing`) and the conditions of the writes (`claim::conditions`).
//! What the ledger and the relay do around them is repeated in [`sender`]: the order of claim, push, settling or releasing
//! and response; the claims that are left and closed after the next event's own claim (`LeftClaim::close`).
//!
//! # What may happen
//!
//! - A request arrives, is cancelled, throttled or fails; has no answer, and is lost, or arrives at any time later, once per
//!   attempt. A transaction may run: it keeps others away from the lead's item while its own token is in progress, and
//!   is done or cancelled in the end, with or without its sender waiting.
//! - A push meets no connection; its bytes leave, and AI Rudder accepts it, refuses it, or never gets it; the answer comes back
//!   or not. A push that its sender gave up may arrive until the lease is over, when the kernel drops it.
//! - Every step may be the last of a process: it dies, and with it what it kept. A process that stands still is one that
//!   does nothing while everything else goes on.
//! - A lease ends; the duplicate window ends; DynamoDB forgets a token whose requests have all arrived or are lost.
//! - An operator asks AI Rudder about a lead whose lease is over, and later settles it as accepted or reopens it, by its id.
//!
//! # What is left out
//!
//! Durations: time is whose lease is over, and which side of the window's end it is. Budgets: a retry may or may not be in time,
//! but never after the lease. Bodies, the item of an idempotency key, and more than [`POSTS`](state::POSTS) posts. Each
//! attempt arrives at most once, and at most [`late_copies`](rules::Rules::late_copies) of one request are late at a time.
//!
//! # What is assumed of AWS
//!
//! A transaction under a token that was done is not done again, and one with other parameters is a mismatch. AWS does
//! not say what becomes of the token of a transaction that was cancelled, nor what other parameters meet under the token
//! of one that runs. Both ways of both are explored ([`Aws`](rules::Aws)); the same parameters after a cancellation are always
//! tried again. DynamoDB's transactions are serializable.
//!
//! # What it finds
//!
//! Each expected counter-example is found where its cause is allowed, and nothing is found where it is not: a stall between the last
//! look at the clock and the first byte, and then a reopening; the end of the window while a sender is at work; the claim of a
//! process that died.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "posts are numbered below POSTS, and a run prints its size"
)]

mod dynamodb;
mod mutant;
mod possible;
mod properties;
mod rules;
mod runs;
mod sender;
mod state;
mod steps;

use mutant::Mutant;
use properties::{
    NO_ORPHAN, NOTHING_OPEN, ONE_ACCEPTED_PUSH, ONE_SENDER, OPERATOR_STANDS, SAME_ANSWER, SENDER_HOLDS_LEAD,
};
use rules::{Rules, Window};
use runs::AWS;

/// Two posts, in a process each.
const TWO: &[u8] = &[0, 1];
/// Two posts, one after the other in one process, which keeps what it could not close.
const TWICE: &[u8] = &[0, 0];

fn two() -> Rules {
    Rules::new(TWO, AWS[0])
}

fn two_and_an_operator() -> Rules {
    Rules { operator_moves: 1, ..two() }
}

fn two_and_late_copies() -> Rules {
    Rules { late_copies: 1, ..two() }
}

#[test]
fn two_senders_deaths_and_an_operator_push_once() {
    for aws in AWS {
        // A process that died may leave a claim that nobody answers for. It is the only one.
        let rules = Rules { transactions_run: true, deaths: true, operator_moves: 1, ..Rules::new(TWO, aws) };
        rules.finds(&[NOTHING_OPEN]);
    }
}

#[test]
fn without_deaths_no_claim_is_left_open() {
    for aws in AWS {
        Rules { transactions_run: true, ..Rules::new(TWO, aws) }.finds(&[]);
    }
}

#[test]
fn what_a_process_left_is_closed_however_late_requests_are() {
    for aws in AWS {
        Rules { late_copies: 1, ..Rules::new(TWICE, aws) }.finds(&[]);
    }
}

#[test]
fn a_sender_that_stands_still_until_its_token_is_forgotten() {
    for aws in [AWS[0], AWS[3]] {
        Rules { late_copies: 1, tokens_end: true, ..Rules::new(TWICE, aws) }.finds(&[]);
    }
}

#[test]
fn a_stall_before_the_first_byte_and_a_reopening_push_twice() {
    let stalls = |rules| Rules { stalls: true, ..rules };
    stalls(two_and_an_operator()).finds(&[ONE_ACCEPTED_PUSH]);
    stalls(two()).finds(&[]);
    two_and_an_operator().finds(&[]);
}

#[test]
fn the_end_of_the_window_while_a_sender_is_at_work_pushes_twice() {
    let ends = |window| Rules { window, ..two() };
    ends(Window::AnyTime).finds(&[ONE_ACCEPTED_PUSH, ONE_SENDER, SENDER_HOLDS_LEAD]);
    ends(Window::AfterLeases).finds(&[]);
}

#[test]
fn mutants_are_caught() {
    let late_and_an_operator = Rules { late_copies: 1, ..two_and_an_operator() };
    let stalls_and_an_operator = Rules { stalls: true, operator_moves: 2, ..two() };
    for (mutant, rules, property) in [
        (Mutant::PushAfterNotOurs, two(), ONE_ACCEPTED_PUSH),
        (Mutant::MismatchIsOurs, Rules::new(TWO, AWS[2]), ONE_ACCEPTED_PUSH),
        (Mutant::NoLookAtTheLease, two_and_an_operator(), ONE_ACCEPTED_PUSH),
        (Mutant::OneLookAtTheLease, two_and_an_operator(), ONE_ACCEPTED_PUSH),
        (Mutant::PushOutlivesLease, two_and_an_operator(), ONE_ACCEPTED_PUSH),
        // With three posts it ends in a second push, in 18 steps and after 13 million states.
        (Mutant::ReleaseByLead, two_and_late_copies(), SENDER_HOLDS_LEAD),
        (Mutant::SettleByLead, late_and_an_operator.clone(), SAME_ANSWER),
        (Mutant::ClaimIgnoresOutcomeOfOwn, late_and_an_operator, OPERATOR_STANDS),
        (Mutant::ReleaseIgnoresOutcome, stalls_and_an_operator, OPERATOR_STANDS),
        (Mutant::RetryUnderNewToken, two_and_late_copies(), NO_ORPHAN),
        (Mutant::RefusalInDoubtNotVoided, two_and_late_copies(), NO_ORPHAN),
        (Mutant::MismatchIsVoided, two_and_late_copies(), NO_ORPHAN),
        (Mutant::LeftDropped, two(), NO_ORPHAN),
        (Mutant::TimeOutIsClosed, two(), NO_ORPHAN),
    ] {
        Rules { mutant: Some(mutant), ..rules }.breaks(property);
    }
}
