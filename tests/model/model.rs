//! A model checker for the at-most-once ledger: it explores every interleaving of a few posts of one lead, or of two
//! leads with the same phone number.
//!
//! `cargo test -p ledger-model --test model` is the ordinary run, with two posts; with `-- --ignored` it is the long run,
//! with three, or with two and more faults. With `-- --nocapture` both print the number of states and transitions, the depth and the time of each
//! scenario, and the shortest path to a violation for each mutant.
//!
//! # Code under test
//!
//! The decisions are the relay's own code: `claim::protocol` (`Claiming`, `close_step`, `claim_phase`, `is_closed`) and the
//! conditions of the writes (`claim::conditions`). [`sender`] repeats what the ledger and the relay do around them: the
//! order of claim, push, settling or releasing, and response; the second request of a release whose phone number belongs
//! to another lead (`WriteRequest::otherwise`); and closing left claims after the next event's own claim
//! (`LeftClaim::close`).
//!
//! # What may happen
//!
//! - A request arrives, is cancelled, throttled or fails; or it gets no reply, and is lost or arrives at any later
//!   time, once per attempt. A transaction may take time: it locks the items that it writes while its token is in
//!   progress, and ends as done or cancelled, whether or not its sender waits.
//! - With [`OncePerPhone`](scenario::OncePerPhone), a claim also writes the phone number's item. A post finds the number
//!   taken by the other lead, or its item locked; another lead's claim, release or reopening may come between any two
//!   requests of a post.
//! - A push cannot connect, opens a connection, or reuses one; nothing is sent on it before the claim is written, so when
//!   it was opened does not matter. Its bytes are sent, and AI Rudder accepts it, refuses it or never receives it; the
//!   response arrives or not, or that of an earlier lead arrives once more on a reused connection. A push that its sender gave up may arrive until the lease ends, when the kernel drops it.
//! - A process may crash after any action, and loses the claims that it kept. A suspended process is one that takes no
//!   action while others do.
//! - A lease ends; the duplicate window ends, with the phone number's period or after it; DynamoDB forgets a token once all
//!   its requests have arrived or are lost.
//! - An operator asks AI Rudder about a lead whose lease has ended, and later settles it as accepted or reopens it, by
//!   its claim's id. Reopening frees the lead's phone number.
//!
//! # What the model leaves out
//!
//! - Durations: time is only whether a lease, and the duplicate window or the phone number's period, have ended.
//! - Budgets: a retry may be in time or not, but never after the lease.
//! - Response bodies, and more than [`POSTS`](state::POSTS) posts or [`LEADS`](state::LEADS) leads.
//! - The item of an idempotency key. It is written and deleted in the same transactions as the phone number's item and
//!   under the same conditions (`CLAIM_KEY`, `RELEASE_KEY`), and it expires with the lead's item. Not covered: it can also
//!   be written after a replay, and a release always includes it.
//! - The read of the other lead's item for the `Retry-After` of "recently called".
//! - More than one arrival per attempt, and more than [`late_copies`](scenario::Scenario::late_copies) late copies of
//!   one request at a time.
//!
//! # What the model assumes of AWS
//!
//! A transaction under a token that was done is not done again, and one with other parameters is a mismatch. AWS does
//! not document what a cancelled transaction does to its token, nor how other parameters fail under the token of a
//! running transaction. The model explores both behaviors of each ([`Aws`](scenario::Aws)); the same parameters after a
//! cancellation are always executed again. DynamoDB's transactions are serializable. If the conditions of both items
//! fail, DynamoDB returns both items; if one of the items is locked, the transaction is a conflict.
//!
//! # What it finds
//!
//! It finds each known limit where its cause is allowed, and no violation elsewhere. The limits are: a suspension
//! between the last lease check and the first byte, followed by a reopening; the end of the duplicate window, or of
//! a phone number's period, while a sender is active; and the open claim of a crashed process.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "posts are numbered below POSTS, and each run prints its size"
)]

mod actions;
mod check;
mod dynamodb;
mod mutant;
mod phone;
mod properties;
mod scenario;
mod sender;
mod state;
mod transitions;

use check::{AWS, AWS_WITHOUT_RUNNING};
use mutant::Mutant;
use properties::{
    ACCEPTED_IS_TRUE, NO_OPEN_CLAIM, NO_ORPHANED_CLAIM, ONE_ACCEPTED_PUSH, ONE_SENDER, OPERATOR_DECISION_STANDS,
    SAME_RESPONSE, SENDER_HOLDS_LEAD,
};
use scenario::{Scenario, Window};

/// Two posts in two processes.
const TWO_PROCESSES: &[u8] = &[0, 1];
/// Two posts in one process, one after the other. It keeps the claims that it could not close.
const SAME_PROCESS: &[u8] = &[0, 0];

fn two() -> Scenario {
    Scenario::new(TWO_PROCESSES, AWS[0])
}

fn two_with_operator() -> Scenario {
    Scenario { operator_moves: 1, ..two() }
}

fn two_with_late_copies() -> Scenario {
    Scenario { late_copies: 1, ..two() }
}

#[test]
fn two_senders_with_crashes_and_an_operator_push_once() {
    for aws in AWS {
        // The only exception: a crashed process may leave an open claim.
        let scenario =
            Scenario { transactions_run: true, crashes: true, operator_moves: 1, ..Scenario::new(TWO_PROCESSES, aws) };
        scenario.violates_only(&[NO_OPEN_CLAIM]);
    }
}

#[test]
fn without_crashes_no_claim_stays_open() {
    for aws in AWS {
        Scenario { transactions_run: true, ..Scenario::new(TWO_PROCESSES, aws) }.violates_only(&[]);
    }
}

#[test]
fn left_claims_are_closed_despite_late_requests() {
    for aws in AWS_WITHOUT_RUNNING {
        Scenario { late_copies: 1, ..Scenario::new(SAME_PROCESS, aws) }.violates_only(&[]);
    }
}

#[test]
fn a_suspended_sender_is_safe_after_its_token_expired() {
    for aws in [AWS[0], AWS[3]] {
        Scenario { late_copies: 1, tokens_expire: true, ..Scenario::new(SAME_PROCESS, aws) }.violates_only(&[]);
    }
}

#[test]
fn suspension_before_first_byte_then_reopening_pushes_twice() {
    let with_suspensions = |scenario| Scenario { suspensions: true, ..scenario };
    with_suspensions(two_with_operator()).violates_only(&[ONE_ACCEPTED_PUSH]);
    with_suspensions(two()).violates_only(&[]);
    two_with_operator().violates_only(&[]);
}

#[test]
fn window_that_ends_while_a_sender_is_active_pushes_twice() {
    let with_window_end = |window| Scenario { window, ..two() };
    with_window_end(Window::AnyTime).violates_only(&[ONE_ACCEPTED_PUSH, ONE_SENDER, SENDER_HOLDS_LEAD]);
    with_window_end(Window::AfterLeases).violates_only(&[]);
}

#[test]
#[ignore = "part of the long run"]
fn three_senders_push_once() {
    for aws in [AWS[0], AWS[3]] {
        Scenario::new(&[0, 1, 2], aws).violates_only(&[]);
    }
}

#[test]
#[ignore = "part of the long run"]
fn two_posts_in_one_process_and_another_sender_push_once() {
    for aws in [AWS[0], AWS[3]] {
        Scenario { crashes: true, operator_moves: 1, ..Scenario::new(&[0, 0, 1], aws) }.violates_only(&[NO_OPEN_CLAIM]);
    }
}

#[test]
#[ignore = "part of the long run"]
fn two_senders_with_late_requests_push_once() {
    for aws in AWS_WITHOUT_RUNNING {
        Scenario { late_copies: 1, operator_moves: 1, ..Scenario::new(TWO_PROCESSES, aws) }.violates_only(&[]);
    }
}

#[test]
fn each_mutant_breaks_a_property() {
    let late_copies_with_operator = Scenario { late_copies: 1, ..two_with_operator() };
    let suspensions_with_operator = Scenario { suspensions: true, operator_moves: 2, ..two() };
    let about_leads = [
        (Mutant::PushAfterNotOurs, two(), ONE_ACCEPTED_PUSH),
        (Mutant::MismatchCountsAsOurs, Scenario::new(TWO_PROCESSES, AWS[2]), ONE_ACCEPTED_PUSH),
        (Mutant::NoLeaseCheck, two_with_operator(), ONE_ACCEPTED_PUSH),
        (Mutant::SingleLeaseCheck, two_with_operator(), ONE_ACCEPTED_PUSH),
        (Mutant::SecondTryAfterReuse, two(), ONE_ACCEPTED_PUSH),
        (Mutant::EarlierResponseCounts, two(), ACCEPTED_IS_TRUE),
        (Mutant::PushOutlivesLease, two_with_operator(), ONE_ACCEPTED_PUSH),
        // With three posts it leads to a second push: 18 actions, found after 13 million states.
        (Mutant::ReleaseIgnoresClaimId, two_with_late_copies(), SENDER_HOLDS_LEAD),
        (Mutant::SettleIgnoresClaimId, late_copies_with_operator, SAME_RESPONSE),
        (Mutant::ClaimOverwritesOutcome, late_copies_with_operator, OPERATOR_DECISION_STANDS),
        (Mutant::ReleaseIgnoresOutcome, suspensions_with_operator, OPERATOR_DECISION_STANDS),
        (Mutant::RetryUnderNewToken, two_with_late_copies(), NO_ORPHANED_CLAIM),
        (Mutant::DoubtfulRefusalNotVoided, two_with_late_copies(), NO_ORPHANED_CLAIM),
        (Mutant::MismatchCountsAsVoided, two_with_late_copies(), NO_ORPHANED_CLAIM),
        (Mutant::LeftClaimDropped, two(), NO_ORPHANED_CLAIM),
        (Mutant::TimeoutCountsAsClosed, two(), NO_ORPHANED_CLAIM),
    ];
    for (mutant, scenario, property) in about_leads.into_iter().chain(phone::mutants()) {
        Scenario { mutant: Some(mutant), ..scenario }.violates(property);
    }
}
