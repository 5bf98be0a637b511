//! The relay's answer to a request: an outcome, an HTTP status and an envelope.
//!
//! [`Kind`] is the table of the relay's own responses as code. AI Rudder's responses become [`Answer`]s by their verdict.

mod envelope;
mod kind;
mod outcome;
mod problem;
mod row;
mod upstream;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;

use self::envelope::{Body, Text};
pub use self::{
    kind::Kind,
    outcome::Outcome,
    problem::Problem,
    row::{Advice, Row},
};
use crate::{
    claim::Settled,
    lead::{Fault, Faults, Ignored, Personal},
    telemetry::log::LogText,
};

const LEAD_OUTCOME: HeaderName = HeaderName::from_static("lead-outcome");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const LEAD_ERROR: HeaderName = HeaderName::from_static("lead-error");
const LEAD_ID: HeaderName = HeaderName::from_static("lead-id");
const LEAD_SANDBOX: HeaderName = HeaderName::from_static("lead-sandbox");
const LEAD_IGNORED_FIELDS: HeaderName = HeaderName::from_static("lead-ignored-fields");

/// A response that still lacks the request's id and the time.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The lead's outcome.
    pub outcome: Outcome,
    /// The name of the error, for programs.
    pub error: Option<&'static str>,
    /// The value of the metrics' dimension `error`.
    pub metric: Option<&'static str>,
    /// The cause, for the log alone.
    pub cause: Option<LogText>,
    /// Whether an operator must act or be informed.
    pub needs_operator: bool,
    /// Whether this answer repeats the response to an earlier request.
    pub replayed: bool,
    /// What it is about, for the metrics.
    pub subject: Subject,
    headers: HeaderMap,
    body: Body,
}

/// What a response is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Subject {
    /// A request that was refused before or while its caller was authenticated.
    #[default]
    Unauthenticated,
    /// A lead for AI Rudder.
    Lead,
    /// The validity or the state of a lead: the request can send nothing.
    Inquiry,
    /// A request to a sandbox account.
    Sandbox,
}

/// A whole HTTP response. No `Debug`: the body may be AI Rudder's and contain personal data.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The envelope, JSON.
    pub body: String,
}

impl Answer {
    /// The faults of an invalid lead.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        if let Body::Generated { faults, .. } = &self.body { faults } else { &[] }
    }

    /// Adds the header that names the fields that were not forwarded.
    #[must_use]
    pub fn with_ignored_fields(mut self, ignored: &Ignored) -> Self {
        if ignored.count() > 0
            && let Ok(names) = HeaderValue::try_from(ignored.to_string())
        {
            self.headers.insert(LEAD_IGNORED_FIELDS, names);
        }
        self
    }

    /// Adds the header with the id of the lead's claim, if there is one.
    #[must_use]
    pub fn with_lead_id(mut self, claim: Option<&str>) -> Self {
        if let Some(Ok(id)) = claim.map(HeaderValue::try_from) {
            self.headers.insert(LEAD_ID, id);
        }
        self
    }

    /// Adds what the request was about. A sandbox account needs no operator, and neither does the outcome of a lead that was sent before.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        if subject == Subject::Sandbox {
            self.headers.insert(LEAD_SANDBOX, HeaderValue::from_static("true"));
        }
        let needs_operator = self.needs_operator
            && match subject {
                Subject::Unauthenticated | Subject::Lead => true,
                // An unreadable item needs one in any case.
                Subject::Inquiry => {
                    self.outcome == Outcome::NotSent || self.error == Some(Kind::FailedAfterClaim.row().error)
                }
                Subject::Sandbox => false,
            };
        Self { needs_operator, subject, ..self }
    }

    /// Renders the body (`timestamp` in Unix seconds). Returns the answer with the result to store, `None` if nobody was called.
    #[must_use]
    pub fn finalize(self, request_id: &str, timestamp: u64) -> (Self, Option<Settled>) {
        let body = self.text(request_id, timestamp).into_owned();
        let settled = match self.outcome {
            Outcome::Accepted => Some(Settled::Accepted { body: body.clone() }),
            Outcome::Unknown => {
                let error = self.error.map(str::to_owned);
                Some(Settled::Unknown { status: self.status, error, body: body.clone() })
            }
            Outcome::Refused | Outcome::NotSent | Outcome::Pending => None,
        };
        (Self { body: Body::Verbatim(Text(body)), ..self }, settled)
    }

    /// The HTTP response to one request (`timestamp` in Unix seconds).
    #[must_use]
    pub fn into_response(self, request_id: &str, timestamp: u64) -> Response {
        let body = self.text(request_id, timestamp).into_owned();
        let mut headers = self.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(LEAD_OUTCOME, HeaderValue::from_static(self.outcome.as_str()));
        if let Some(error) = self.error {
            headers.insert(LEAD_ERROR, HeaderValue::from_static(error));
        }
        if let Ok(request_id) = HeaderValue::try_from(request_id) {
            headers.insert(REQUEST_ID, request_id);
        }
        Response { status: self.status, headers, body }
    }
}

/// The response that the lead's first sender received.
impl From<Settled> for Answer {
    fn from(settled: Settled) -> Self {
        let (status, outcome, error, body) = match settled {
            Settled::Accepted { body } => (StatusCode::OK, Outcome::Accepted, None, body),
            Settled::Unknown { status, error, body } => (status, Outcome::Unknown, error, body),
        };
        let error = error.as_deref().and_then(Kind::error_named);
        let error = error.or_else(|| (outcome == Outcome::Unknown).then(|| stored_error(status, &body)));
        let mut answer = Self::forwarded(status, outcome, body);
        answer.error = error;
        answer.needs_operator = outcome == Outcome::Unknown;
        answer.replayed = true;
        answer.headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        answer
    }
}

/// The error of a response that a version before 0.2.0 stored: that in its body, or else AI Rudder's envelope was the body.
fn stored_error(status: StatusCode, body: &str) -> &'static str {
    #[derive(Deserialize)]
    struct Stored {
        body: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        error: String,
    }
    let stored: Option<Stored> = serde_json::from_str(body).ok();
    let fallback = if status == StatusCode::BAD_GATEWAY { Kind::AmbiguousUpstreamResponse } else { Kind::Interrupted };
    stored.and_then(|stored| Kind::error_named(&stored.body.error)).unwrap_or(fallback.row().error)
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let kind = problem.kind();
        let row = kind.row();
        let (headers, cause, message) = (problem.headers(), problem.cause(), problem.message());
        let faults = if let Problem::InvalidLead(faults) = problem { faults } else { Faults::new() };
        Self {
            status: row.status,
            outcome: row.outcome,
            error: Some(row.error),
            metric: kind.metric(),
            cause,
            needs_operator: kind.needs_operator(),
            replayed: false,
            subject: Subject::default(),
            headers,
            body: Body::Generated { message, is_client_fixable: kind.is_client_fixable(), faults },
        }
    }
}

impl Answer {
    /// The answer to a validate request for a valid lead, whose payload is JSON.
    pub(crate) fn valid(payload: &[u8]) -> Self {
        // A payload is UTF-8 JSON, because the relay has rendered it.
        let lead = Personal(serde_json::from_slice(payload).unwrap_or_default());
        Self { body: Body::Valid { lead }, ..Self::forwarded(StatusCode::OK, Outcome::NotSent, String::new()) }
    }

    /// AI Rudder's envelope, or a stored response, under this status.
    fn forwarded(status: StatusCode, outcome: Outcome, text: String) -> Self {
        let body = Body::Verbatim(Text(text));
        Self {
            status,
            outcome,
            error: None,
            metric: None,
            cause: None,
            needs_operator: false,
            replayed: false,
            subject: Subject::default(),
            headers: HeaderMap::new(),
            body,
        }
    }
}

#[cfg(test)]
mod tests;
