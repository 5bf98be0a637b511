//! What the sender is told: an outcome, a status and an envelope.
//!
//! [`Problem`] is the table of the relay's own answers as code; AI Rudder's answers become [`Answer`]s by their verdict.

mod problem;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

pub use self::problem::Problem;
use crate::{
    lead::{Fault, Ignored},
    rudder::{Envelope, Push, Verdict},
};

/// What became of a lead, as the header `lead-outcome` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// AI Rudder has it: the consumer will be called.
    Accepted,
    /// AI Rudder does not want it: nobody is called.
    Refused,
    /// It did not go to AI Rudder, or nothing came of it: nobody is called.
    NotSent,
    /// The consumer may have been called, or may be called yet.
    Unknown,
}

impl Outcome {
    /// The word for it on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }
}

const LEAD_OUTCOME: HeaderName = HeaderName::from_static("lead-outcome");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const LEAD_IGNORED_FIELDS: HeaderName = HeaderName::from_static("lead-ignored-fields");

/// An answer to a request, before it knows the request's id and the time.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// What became of the lead.
    pub outcome: Outcome,
    /// The name of what went wrong, for programs.
    pub error: Option<&'static str>,
    /// What went wrong behind the scenes, for the log alone.
    pub cause: Option<String>,
    /// Whether an operator has to act or to know.
    pub alarming: bool,
    headers: HeaderMap,
    body: Body,
}

/// An answer's body.
#[derive(Debug)]
enum Body {
    /// AI Rudder's envelope as it came.
    Theirs(Envelope),
    /// The relay's own.
    Ours { message: String, sender_can_mend: bool, faults: Vec<Fault> },
}

/// A whole HTTP response. Has no `Debug`, since its body may be AI Rudder's, with anything in it.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The envelope, JSON.
    pub body: String,
}

impl Answer {
    /// Names the fields that were not forwarded.
    #[must_use]
    pub fn ignoring(mut self, ignored: &Ignored) -> Self {
        if ignored.count() > 0
            && let Ok(names) = HeaderValue::try_from(ignored.to_string())
        {
            self.headers.insert(LEAD_IGNORED_FIELDS, names);
        }
        self
    }

    /// The answer to one request, at a time in Unix seconds.
    #[must_use]
    pub fn into_response(self, request_id: &str, timestamp: u64) -> Response {
        let mut headers = self.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(LEAD_OUTCOME, HeaderValue::from_static(self.outcome.as_str()));
        if let Ok(request_id) = HeaderValue::try_from(request_id) {
            headers.insert(REQUEST_ID, request_id);
        }
        let body = match self.body {
            Body::Theirs(envelope) => envelope.into_text(),
            Body::Ours { message, sender_can_mend, faults } => {
                let envelope = OwnEnvelope {
                    code: self.status.as_u16(),
                    message: &message,
                    show_err: sender_can_mend,
                    timestamp,
                    body: Details {
                        error: self.error.unwrap_or_default(),
                        outcome: self.outcome.as_str(),
                        fields: &faults,
                    },
                    trace_id: request_id,
                };
                // Writing strings and integers into memory has no way to fail.
                serde_json::to_string(&envelope).unwrap_or_default()
            }
        };
        Response { status: self.status, headers, body }
    }
}

/// The relay's own envelope: AI Rudder's six fields.
#[derive(Serialize)]
struct OwnEnvelope<'a> {
    code: u16,
    message: &'a str,
    show_err: bool,
    timestamp: u64,
    body: Details<'a>,
    trace_id: &'a str,
}

/// What the relay puts into its envelope's `body`.
#[derive(Serialize)]
struct Details<'a> {
    error: &'a str,
    outcome: &'a str,
    fields: &'a [Fault],
}

/// AI Rudder's answer to a push, under the status that its verdict has. Its envelope goes on as it came, except where it
/// speaks of the token: that is between AI Rudder and whoever set the account up.
impl From<Push> for Answer {
    fn from(push: Push) -> Self {
        let Push { verdict, envelope, retry_after, status } = push;
        let cause = format!("AI Rudder answered {status}");
        let problem = match verdict {
            Verdict::Accepted => None,
            Verdict::Refused => Some(Problem::RefusedUpstream),
            Verdict::RateLimited => Some(Problem::RateLimited(retry_after)),
            Verdict::TokenRefused => return Problem::TokenRefused(cause).into(),
            Verdict::Unknown => Some(Problem::BadUpstreamAnswer(cause)),
        };
        let mut answer = problem.map_or_else(Self::accepted, Self::from);
        if let Some(envelope) = envelope {
            answer.body = Body::Theirs(envelope);
        }
        answer
    }
}

impl Answer {
    fn accepted() -> Self {
        Self {
            status: StatusCode::OK,
            outcome: Outcome::Accepted,
            error: None,
            cause: None,
            alarming: false,
            headers: HeaderMap::new(),
            body: Body::Ours { message: "success".to_owned(), sender_can_mend: false, faults: Vec::new() },
        }
    }
}
