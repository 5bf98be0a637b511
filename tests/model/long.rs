//! The long run of the model (`model.rs` says what it is): `cargo test --test model_long`.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "posts are numbered below POSTS, and a run prints its size"
)]

mod dynamodb;
#[expect(dead_code, reason = "they are the ordinary run's")]
mod mutant;
mod possible;
mod properties;
#[expect(dead_code, reason = "the window's end is the ordinary run's")]
mod rules;
#[expect(dead_code, reason = "its mutants are the ordinary run's")]
mod runs;
mod sender;
mod state;
mod steps;

use properties::NOTHING_OPEN;
use rules::Rules;
use runs::AWS;

#[test]
fn three_senders_push_once() {
    for aws in [AWS[0], AWS[3]] {
        Rules::new(&[0, 1, 2], aws).finds(&[]);
    }
}

#[test]
fn a_retry_under_the_same_process_and_another_sender_push_once() {
    for aws in [AWS[0], AWS[3]] {
        Rules { deaths: true, operator_moves: 1, ..Rules::new(&[0, 0, 1], aws) }.finds(&[NOTHING_OPEN]);
    }
}

#[test]
fn two_senders_and_late_requests_push_once() {
    for aws in AWS {
        Rules { late_copies: 1, operator_moves: 1, ..Rules::new(&[0, 1], aws) }.finds(&[]);
    }
}
