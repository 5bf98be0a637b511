//! AI Rudder: the one place that knows its contract.
//!
//! [`payload()`] is what it gets, [`Rudder`] brings it there, an [`Envelope`] is what it answers, and [`verdict()`] says
//! what an answer means.

mod attempt;
mod client;
mod envelope;
mod names;
mod payload;
mod token;
mod verdict;

pub use self::{
    client::{Push, PushError, Rudder, SendDeadlines},
    envelope::Envelope,
    payload::payload,
    token::{Token, TokenError},
    verdict::{Verdict, verdict},
};
