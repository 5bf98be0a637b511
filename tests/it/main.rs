//! The real relay, from event to response, with fakes of its dependencies.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test reports by failing"
)]

mod accounts;
mod area_codes;
mod claims;
mod connections;
mod corpus;
mod emulators;
mod events;
mod faults;
mod forms;
mod given_up;
mod lead_cases;
mod log;
mod metrics;
mod once_per_phone;
mod openapi;
mod outages;
mod policy;
mod properties;
mod reference;
mod renewed_token;
mod requests;
mod responses;
mod sandbox;
mod secrecy;
mod sending;
mod stale_clocks;
mod start;
mod status;
mod template;
mod tidy;
mod tls;
mod token;
mod validate;

/// The relay's binary.
const RELAY: &str = env!("CARGO_BIN_EXE_lendswift-relay");
