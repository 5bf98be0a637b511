//! The real relay, from event to event, with its neighbours on the wire.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

mod accounts;
mod answers;
mod events;
mod leads;
mod log;
mod request;
mod sending;
mod snapshot;
mod stage;
mod start;
mod tidy;
mod tls;
mod wire;
