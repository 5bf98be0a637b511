//! Conversion of AI Rudder's responses to the relay's answers.

use http::StatusCode;

use super::{
    Answer, Outcome, Problem,
    envelope::{Body, Text},
};
use crate::{
    rudder::{Push, Token, UpstreamBody, Verdict},
    telemetry::log::LogText,
};

/// The cause in the log if an envelope was withheld.
const WITHHELD: &str = "AI Rudder's envelope quotes the token and was withheld";

/// The answer after a push: the HTTP status of the verdict, with AI Rudder's envelope unchanged. An envelope that quotes or
/// refuses the token is not forwarded: it concerns the operator and not the caller.
impl From<Push> for Answer {
    fn from(push: Push) -> Self {
        let Push { verdict, body, retry_after, status } = push;
        let cause = LogText::from(format!("AI Rudder responded with HTTP {status}"));
        let answer = match (verdict, &body) {
            (Verdict::Accepted, UpstreamBody::Envelope(_) | UpstreamBody::Withheld(_)) => Self::accepted(),
            (Verdict::Refused, _) => Problem::RefusedUpstream.into(),
            (Verdict::RateLimited, _) => Problem::RateLimited(retry_after).into(),
            (Verdict::TokenRefused, _) => Problem::TokenRefused(cause).into(),
            // Without an envelope, nothing shows that the lead was accepted.
            (Verdict::Unknown | Verdict::Accepted, _) => Problem::AmbiguousUpstreamResponse(cause).into(),
        };
        match body {
            UpstreamBody::Envelope(envelope) if verdict != Verdict::TokenRefused => {
                Self { body: Body::Verbatim(Text(envelope.into_text())), ..answer }
            }
            UpstreamBody::Withheld(_) => answer.with_cause(WITHHELD),
            UpstreamBody::Envelope(_) | UpstreamBody::UnreadableCode | UpstreamBody::NoCode => answer,
        }
    }
}

impl Answer {
    /// Replaces a stored or forwarded body that quotes the token with the relay's own.
    #[must_use]
    pub(crate) fn without_token(self, token: Option<&Token>) -> Self {
        let (Body::Verbatim(Text(text)), Some(token)) = (&self.body, token) else { return self };
        if !token.is_quoted_in(text) {
            return self;
        }
        let own = match self.outcome {
            Outcome::Accepted => Self::accepted(),
            _ => Problem::AmbiguousUpstreamResponse(LogText::from("")).into(),
        };
        Self { body: own.body, error: own.error, ..self }.with_cause(WITHHELD)
    }

    /// The relay's own envelope for an accepted lead.
    fn accepted() -> Self {
        let message = "AI Rudder accepted the lead and should call the consumer.".to_owned();
        let body = Body::Generated { message, is_client_fixable: false, faults: Vec::new() };
        Self { body, ..Self::forwarded(StatusCode::OK, Outcome::Accepted, String::new()) }
    }

    /// Adds a cause for the log.
    fn with_cause(self, cause: &str) -> Self {
        let cause = self.cause.iter().map(LogText::as_str).chain([cause]).collect::<Vec<_>>().join("; ");
        Self { cause: Some(LogText::from(cause)), ..self }
    }
}
