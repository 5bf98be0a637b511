//! The long run of the model that `model.rs` documents: `cargo test -p ledger-model --test model_long`.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "posts are numbered below POSTS, and each run prints its size"
)]

mod actions;
#[expect(dead_code, reason = "only the ordinary run checks mutants")]
mod check;
mod dynamodb;
#[expect(dead_code, reason = "only the ordinary run checks mutants")]
mod mutant;
mod properties;
#[expect(dead_code, reason = "only the ordinary run ends the duplicate window")]
mod scenario;
mod sender;
mod state;
mod transitions;

use check::AWS;
use properties::NO_OPEN_CLAIM;
use scenario::Scenario;

#[test]
fn three_senders_push_once() {
    for aws in [AWS[0], AWS[3]] {
        Scenario::new(&[0, 1, 2], aws).violates_only(&[]);
    }
}

#[test]
fn two_posts_in_one_process_and_another_sender_push_once() {
    for aws in [AWS[0], AWS[3]] {
        Scenario { crashes: true, operator_moves: 1, ..Scenario::new(&[0, 0, 1], aws) }.violates_only(&[NO_OPEN_CLAIM]);
    }
}

#[test]
fn two_senders_with_late_requests_push_once() {
    for aws in AWS {
        Scenario { late_copies: 1, operator_moves: 1, ..Scenario::new(&[0, 1], aws) }.violates_only(&[]);
    }
}
