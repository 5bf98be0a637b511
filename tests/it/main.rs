//! The real relay, from event to event, with its neighbours on the wire.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test says what it expects by failing"
)]

mod accounts;
mod answers;
mod any_input;
mod area_codes;
mod claims;
mod corpus;
mod emulators;
mod events;
mod faults;
mod front;
mod given_up;
mod leads;
mod log;
mod metrics;
mod numbers;
mod outages;
mod properties;
mod request;
mod secrecy;
mod sending;
mod snapshot;
mod stage;
mod start;
mod tables;
mod template;
mod tidy;
mod tls;
mod token;
mod wire;
