//! AI Rudder's contract. No other module knows it.
//!
//! [`payload()`] renders a lead, [`Rudder`] pushes it, an [`Envelope`] is the body of a valid response ([`UpstreamBody`] that
//! of any response), and [`verdict()`] says what a response means.

mod attempt;
mod body;
mod client;
mod codes;
mod connections;
mod dns;
mod envelope;
mod http_client;
mod keep_alive;
mod payload;
mod permit;
mod push;
mod sandbox;
mod token;
mod verdict;

pub use self::{
    body::{Code, UpstreamBody},
    client::{Rudder, UpstreamConfig},
    codes::{Meaning, UpstreamCodes, UpstreamCodesError},
    envelope::Envelope,
    payload::payload,
    permit::Permit,
    push::{Push, PushError},
    sandbox::Scenario,
    token::{Token, TokenError},
    verdict::{Verdict, verdict},
};
