//! The simulated pushes of a sandbox account: every outcome, and no call.

use std::time::Duration;

use serde::Serialize;
use strum::VariantArray;
use tokio::time::{sleep, sleep_until};

use super::{
    UpstreamBody, UpstreamCodes,
    permit::Granted,
    push::{Push, PushError},
    verdict::verdict,
};
use crate::{clock::Clock, lead::Amount, retry_after::RetryAfter, unix_time};

/// What a simulated AI Rudder does with a lead. The last four digits of the amount choose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Scenario {
    /// It takes the lead.
    Accepted,
    /// It refuses the lead.
    Refused,
    /// It rate-limits the request.
    RateLimited,
    /// It refuses the account's token.
    TokenRefused,
    /// It does not respond in time.
    TimedOut,
    /// Its response does not say whether it took the lead.
    Ambiguous,
    /// It cannot be reached.
    Unreachable,
    /// It takes the lead after five seconds, so that a second request finds it in progress.
    Slow,
}

/// The simulated delay of [`Scenario::TimedOut`].
const TIMED_OUT: Duration = Duration::from_secs(2);
/// The simulated delay of [`Scenario::Slow`].
const SLOW: Duration = Duration::from_secs(5);

impl Scenario {
    /// The scenario of a lead with this amount.
    #[must_use]
    pub fn for_amount(amount: &Amount) -> Self {
        let digits = amount.dollars() % 10_000;
        Self::VARIANTS.iter().copied().find(|scenario| scenario.digits() == Some(digits)).unwrap_or(Self::Accepted)
    }

    /// The last four digits of the amount that chooses it; `None` for all other amounts.
    #[must_use]
    pub fn digits(self) -> Option<u32> {
        match self {
            Self::Accepted => None,
            Self::Refused => Some(9001),
            Self::RateLimited => Some(9002),
            Self::TokenRefused => Some(9003),
            Self::TimedOut => Some(9004),
            Self::Ambiguous => Some(9005),
            Self::Unreachable => Some(9006),
            Self::Slow => Some(9007),
        }
    }

    /// What the simulated AI Rudder does, for the documentation.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Accepted => "AI Rudder takes the lead.",
            Self::Refused => "AI Rudder refuses the lead.",
            Self::RateLimited => "AI Rudder rate-limits the request, with `retry-after: 1`.",
            Self::TokenRefused => "AI Rudder refuses the account's token.",
            Self::TimedOut => {
                "AI Rudder does not respond; the relay gives up after two seconds, or earlier if a push may take less."
            }
            Self::Ambiguous => "AI Rudder's response does not say whether it took the lead.",
            Self::Unreachable => "AI Rudder cannot be reached.",
            Self::Slow => {
                "AI Rudder takes the lead after five seconds, or times out if a push may take less. A second request in \
                           that time gets `in_progress`."
            }
        }
    }

    /// Simulates a push: the same verdict and the same answer follow as after a real one. The errors are those of
    /// [`Rudder::push`](super::Rudder::push).
    pub(crate) async fn push(self, granted: Granted, clock: Clock) -> Result<Push, PushError> {
        match self {
            Self::Slow if granted.until < clock.now() + SLOW => {
                sleep_until(granted.until).await;
                return Err(PushError::TimedOut);
            }
            Self::Slow => sleep(SLOW).await,
            Self::TimedOut => {
                sleep_until(granted.until.min(clock.now() + TIMED_OUT)).await;
                return Err(PushError::TimedOut);
            }
            Self::Unreachable => return Err(PushError::Unreachable(None)),
            Self::Accepted | Self::Refused | Self::RateLimited | Self::TokenRefused | Self::Ambiguous => {}
        }
        let (status, message) = match self {
            Self::Refused => (400, "refused by the sandbox"),
            Self::RateLimited => (429, "rate-limited by the sandbox"),
            Self::TokenRefused => (401, "token refused by the sandbox"),
            Self::Ambiguous => (500, "failed in the sandbox"),
            Self::Accepted | Self::Slow | Self::TimedOut | Self::Unreachable => (200, "success"),
        };
        let retry_after = (self == Self::RateLimited).then_some(RetryAfter::Seconds(1));
        let body = UpstreamBody::parse(envelope(status, message, unix_time::seconds(clock.wall())));
        let verdict = verdict(status, body.code(), &UpstreamCodes::default());
        Ok(Push { verdict, status, body, retry_after })
    }
}

/// An envelope with AI Rudder's six fields.
fn envelope(code: u16, message: &str, timestamp: u64) -> Vec<u8> {
    #[derive(Serialize)]
    struct Simulated<'a> {
        code: u16,
        message: &'a str,
        show_err: bool,
        timestamp: u64,
        body: Empty,
        trace_id: &'a str,
    }
    #[derive(Serialize)]
    struct Empty {}
    let envelope = Simulated { code, message, show_err: code != 200, timestamp, body: Empty {}, trace_id: "sandbox" };
    // Serializing strings and integers into memory cannot fail.
    serde_json::to_vec(&envelope).unwrap_or_default()
}
