//! The long half of the fault matrix: processes that crash and are suspended, concurrent requests, and the runbook for
//! `unknown`. The tests run in real time, because processes do not share a clock that a test could move.
//!
//! `cargo test --test chaos -- --nocapture` prints what was counted. `CHAOS_SEED` sets the seed of all random choices.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by failing"
)]

mod concurrency;
mod crash;
mod given_up;
mod reuse;
mod run;
mod runbook;
mod suspend;

/// The relay's binary.
const RELAY: &str = env!("CARGO_BIN_EXE_lendswift-relay");
