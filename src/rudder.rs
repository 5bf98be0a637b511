//! AI Rudder: the one place that knows its contract.
//!
//! [`payload()`] is what it gets, [`Rudder`] brings it there, an [`Envelope`] is what it answers ([`UpstreamBody`] where it
//! does not), and [`verdict()`] says what an answer means.

mod attempt;
mod body;
mod client;
mod codes;
mod envelope;
mod names;
mod payload;
mod token;
mod verdict;

pub use self::{
    body::{Code, UpstreamBody},
    client::{Push, PushError, Rudder, SendDeadlines},
    codes::{UpstreamCodes, UpstreamCodesError},
    envelope::Envelope,
    payload::payload,
    token::{Token, TokenError},
    verdict::{Verdict, verdict},
};
