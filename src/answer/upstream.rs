//! AI Rudder's answers, as the sender gets them.

use http::StatusCode;

use super::{Answer, Body, Outcome, Problem, Text};
use crate::rudder::{Push, Token, UpstreamBody, Verdict};

/// What the log says of it.
const WITHHELD: &str = "AI Rudder's envelope quoted the token, and was withheld";

/// AI Rudder's answer to a push, under the status that its verdict has. Its envelope goes on as it came, except where it
/// quotes or refuses the token: that is between AI Rudder and the operator.
impl From<Push> for Answer {
    fn from(push: Push) -> Self {
        let Push { verdict, body, retry_after, status } = push;
        let cause = format!("AI Rudder answered {status}");
        let answer = match (verdict, &body) {
            (Verdict::Accepted, UpstreamBody::Envelope(_) | UpstreamBody::Withheld(_)) => Self::accepted(),
            (Verdict::Refused, _) => Problem::RefusedUpstream.into(),
            (Verdict::RateLimited, _) => Problem::RateLimited(retry_after).into(),
            (Verdict::TokenRefused, _) => Problem::TokenRefused(cause).into(),
            // Nothing is accepted without an envelope that says so.
            (Verdict::Unknown | Verdict::Accepted, _) => Problem::BadUpstreamAnswer(cause).into(),
        };
        match body {
            UpstreamBody::Envelope(theirs) if verdict != Verdict::TokenRefused => {
                Self { body: Body::Written(Text(theirs.into_text())), ..answer }
            }
            UpstreamBody::Withheld(_) => answer.because(WITHHELD),
            UpstreamBody::Envelope(_) | UpstreamBody::UnreadableCode | UpstreamBody::NoCode => answer,
        }
    }
}

impl Answer {
    /// The same with the relay's own body, where its body is written already and quotes the token.
    #[must_use]
    pub(crate) fn withholding(self, token: &Token) -> Self {
        let Body::Written(Text(text)) = &self.body else { return self };
        if !token.is_quoted_in(text) {
            return self;
        }
        let own = match self.outcome {
            Outcome::Accepted => Self::accepted(),
            _ => Problem::BadUpstreamAnswer(String::new()).into(),
        };
        Self { body: own.body, error: own.error, ..self }.because(WITHHELD)
    }

    /// The answer for a lead that AI Rudder has, in the relay's own words.
    fn accepted() -> Self {
        let message = "AI Rudder has the lead, and will call the consumer.".to_owned();
        let body = Body::Ours { message, sender_can_mend: false, faults: Vec::new() };
        Self { body, ..Self::passed_on(StatusCode::OK, Outcome::Accepted, String::new()) }
    }

    /// The same with one more cause for the log.
    fn because(self, cause: &str) -> Self {
        let cause = self.cause.iter().map(String::as_str).chain([cause]).collect::<Vec<_>>().join("; ");
        Self { cause: Some(cause), ..self }
    }
}
