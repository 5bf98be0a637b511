//! The long half of the fault matrix: processes that die and freeze, crowds, and the way out of `unknown`.
//!
//! `cargo test --test storms -- --nocapture` prints what was counted. What is random comes from a seed: `STORMS_SEED`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

mod crowds;
mod deadlines;
mod deaths;
mod freezes;
mod gate;
mod given_up;
mod house;
#[path = "../it/request.rs"]
#[expect(dead_code, reason = "the requests of the other tests: some of it is theirs alone")]
mod request;
#[path = "../it/stage.rs"]
#[expect(dead_code, reason = "the stage of the other tests: some of it is theirs alone")]
mod stage;
mod told;
mod way_out;
