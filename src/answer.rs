//! The relay's answer to a request: an outcome, an HTTP status and an envelope.
//!
//! [`Kind`] is the table of the relay's own responses as code. AI Rudder's responses become [`Answer`]s by their verdict.

mod kind;
mod outcome;
mod problem;
mod upstream;

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

pub use self::{
    kind::{Advice, Kind, Row},
    outcome::Outcome,
    problem::Problem,
};
use crate::{
    claim::Settled,
    lead::{Fault, Faults, Ignored},
    telemetry::log::LogText,
};

const LEAD_OUTCOME: HeaderName = HeaderName::from_static("lead-outcome");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
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
    headers: HeaderMap,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// AI Rudder's envelope, or the body of an earlier response.
    Verbatim(Text),
    /// The relay's own envelope.
    Generated { message: String, is_client_fixable: bool, faults: Faults },
}

/// A body as the caller receives it. `Debug` omits the text: AI Rudder's may contain personal data.
struct Text(String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text")
    }
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

    /// Renders the body (`timestamp` in Unix seconds). Returns the answer, and the result to store; `None` if nobody was called.
    #[must_use]
    pub fn finalize(self, request_id: &str, timestamp: u64) -> (Self, Option<Settled>) {
        let body = self.text(request_id, timestamp).into_owned();
        let settled = match self.outcome {
            Outcome::Accepted => Some(Settled::Accepted { body: body.clone() }),
            Outcome::Unknown => Some(Settled::Unknown { status: self.status, body: body.clone() }),
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
        if let Ok(request_id) = HeaderValue::try_from(request_id) {
            headers.insert(REQUEST_ID, request_id);
        }
        Response { status: self.status, headers, body }
    }

    fn text(&self, request_id: &str, timestamp: u64) -> Cow<'_, str> {
        match &self.body {
            Body::Verbatim(Text(text)) => Cow::Borrowed(text),
            Body::Generated { message, is_client_fixable, faults } => {
                let envelope = OwnEnvelope {
                    code: self.status.as_u16(),
                    message,
                    show_err: *is_client_fixable,
                    timestamp,
                    body: Details { error: self.error, outcome: self.outcome.as_str(), fields: faults },
                    trace_id: request_id,
                };
                // Serializing strings and integers into memory cannot fail.
                Cow::Owned(serde_json::to_string(&envelope).unwrap_or_default())
            }
        }
    }
}

/// The relay's own envelope, with the six fields of AI Rudder's.
#[derive(Serialize)]
struct OwnEnvelope<'a> {
    code: u16,
    message: &'a str,
    show_err: bool,
    timestamp: u64,
    body: Details<'a>,
    trace_id: &'a str,
}

/// The `body` of the relay's own envelope.
#[derive(Serialize)]
struct Details<'a> {
    /// `None` if the lead was accepted and AI Rudder's envelope is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    outcome: &'a str,
    fields: &'a [Fault],
}

/// The response that the lead's first sender received.
impl From<Settled> for Answer {
    fn from(settled: Settled) -> Self {
        let (status, outcome, body) = match settled {
            Settled::Accepted { body } => (StatusCode::OK, Outcome::Accepted, body),
            Settled::Unknown { status, body } => (status, Outcome::Unknown, body),
        };
        let mut answer = Self::forwarded(status, outcome, body);
        answer.needs_operator = outcome == Outcome::Unknown;
        answer.replayed = true;
        answer.headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        answer
    }
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
            metric: Some(kind.metric()),
            cause,
            needs_operator: kind.needs_operator(),
            replayed: false,
            headers,
            body: Body::Generated { message, is_client_fixable: kind.is_client_fixable(), faults },
        }
    }
}

impl Answer {
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
            headers: HeaderMap::new(),
            body,
        }
    }
}

#[cfg(test)]
mod tests;
