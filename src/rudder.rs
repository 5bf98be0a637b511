//! AI Rudder's contract. No other module knows it.
//!
//! [`payload()`] renders a lead, [`Rudder`] pushes it, an [`Envelope`] is the body of a valid response ([`UpstreamBody`] that
//! of any response), and [`verdict()`] says what a response means.

mod attempt;
mod body;
mod client;
mod codes;
mod dns;
mod envelope;
mod payload;
mod sandbox;
mod token;
mod verdict;

pub use self::{
    body::{Code, UpstreamBody},
    client::{Push, PushError, Rudder, SendDeadlines, UpstreamConfig},
    codes::{Meaning, UpstreamCodes, UpstreamCodesError},
    envelope::Envelope,
    payload::payload,
    sandbox::Scenario,
    token::{Token, TokenError},
    verdict::{Verdict, verdict},
};
