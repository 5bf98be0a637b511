//! The result of a push.

use std::time::Duration;

use super::{
    body::UpstreamBody,
    token::Token,
    verdict::{Verdict, own_code},
};
use crate::retry_after::RetryAfter;

/// AI Rudder's response to a push.
#[derive(Debug)]
pub struct Push {
    /// What the response means for the consumer.
    pub verdict: Verdict,
    /// The HTTP status.
    pub status: u16,
    /// The body. An envelope that quotes a token with which the lead was pushed is already withheld.
    pub body: UpstreamBody,
    /// The `retry-after`, if it is valid.
    pub retry_after: Option<RetryAfter>,
}

/// A response to one attempt, and what it says about its connection.
pub(super) struct Responded {
    pub(super) push: Push,
    /// How long the connection may be idle before it is used again; `None` if it may not be.
    pub(super) limit: Option<Duration>,
    /// The `trace_id` in any form, which must not be logged. It is kept even if the envelope is withheld.
    pub(super) trace_id: Option<String>,
}

impl Push {
    /// Removes the envelope if it quotes this token.
    pub(crate) fn without_token(self, token: &Token) -> Self {
        Self { body: self.body.without_token(token), ..self }
    }

    /// Withdraws what the response says, because it is not the response to this push.
    pub(super) fn into_ambiguous(self) -> Self {
        Self { verdict: Verdict::Unknown, body: UpstreamBody::NoCode, retry_after: None, ..self }
    }

    /// The `code`, if HTTP does not explain it ([`own_code`]).
    pub(crate) fn own_code(&self) -> Option<i64> {
        own_code(self.status, self.body.code())
    }
}

/// A push without a response. The sources are for the log; none contains the URL, which contains the token.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No connection could be opened. **Nothing was sent.**
    #[error("no connection to AI Rudder")]
    Unreachable(#[source] Option<reqwest::Error>),
    /// The lease ended before the first byte. **Nothing was sent.**
    #[error("the lease was over before the lead could be sent")]
    LeaseOver,
    /// A connection was open, and no complete response came in time. The lead may have arrived.
    #[error("AI Rudder did not respond in time")]
    TimedOut,
    /// The connection broke before the response was complete. The lead may have arrived.
    #[error("the connection to AI Rudder broke")]
    ConnectionBroke(#[source] reqwest::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_has_the_own_code_of_its_response() {
        let push = |status, body: &[u8]| {
            let body = UpstreamBody::parse(body.to_vec());
            Push { verdict: Verdict::Unknown, status, body, retry_after: None }.own_code()
        };
        assert_eq!(push(200, br#"{"code":10510}"#), Some(10510));
        assert_eq!(push(200, br#"{"code":200}"#), None);
        assert_eq!(push(400, br#"{"code":10510}"#), None);
    }
}
