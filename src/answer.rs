//! What the sender is told: an outcome, a status and an envelope.
//!
//! [`Problem`] is the table of the relay's own answers as code; AI Rudder's answers become [`Answer`]s by their verdict.

mod problem;
mod upstream;

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

pub use self::problem::Problem;
use crate::{
    claim::Settled,
    lead::{Fault, Ignored},
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
    /// Another request is sending it right now.
    Pending,
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
            Self::Pending => "pending",
        }
    }
}

const LEAD_OUTCOME: HeaderName = HeaderName::from_static("lead-outcome");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
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
    /// The name that it is counted by: the sender's, unless only the operator may know better.
    pub counted_as: Option<&'static str>,
    /// What went wrong behind the scenes, for the log alone.
    pub cause: Option<String>,
    /// Whether an operator has to act or to know.
    pub alarming: bool,
    /// Whether an earlier request got it already.
    pub replayed: bool,
    headers: HeaderMap,
    body: Body,
}

/// An answer's body.
#[derive(Debug)]
enum Body {
    /// Bytes that are decided already: AI Rudder's envelope, or an answer that was given before.
    Written(Text),
    /// The relay's own.
    Ours { message: String, sender_can_mend: bool, faults: Vec<Fault> },
}

/// A body as it goes out. AI Rudder may put anything into its own, so it is not printed.
struct Text(String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text")
    }
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
    /// What is wrong with the lead, where that is the answer.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        if let Body::Ours { faults, .. } = &self.body { faults } else { &[] }
    }

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

    /// The answer, decided to the byte for one request and a time in Unix seconds, and what the ledger keeps of it:
    /// nothing where nobody was called.
    #[must_use]
    pub fn settled(self, request_id: &str, timestamp: u64) -> (Self, Option<Settled>) {
        let body = self.text(request_id, timestamp).into_owned();
        let settled = match self.outcome {
            Outcome::Accepted => Some(Settled::Accepted { body: body.clone() }),
            Outcome::Unknown => Some(Settled::Unknown { status: self.status, body: body.clone() }),
            Outcome::Refused | Outcome::NotSent | Outcome::Pending => None,
        };
        (Self { body: Body::Written(Text(body)), ..self }, settled)
    }

    /// The answer to one request, at a time in Unix seconds.
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
            Body::Written(Text(text)) => Cow::Borrowed(text),
            Body::Ours { message, sender_can_mend, faults } => {
                let envelope = OwnEnvelope {
                    code: self.status.as_u16(),
                    message,
                    show_err: *sender_can_mend,
                    timestamp,
                    body: Details { error: self.error, outcome: self.outcome.as_str(), fields: faults },
                    trace_id: request_id,
                };
                // Writing strings and integers into memory has no way to fail.
                Cow::Owned(serde_json::to_string(&envelope).unwrap_or_default())
            }
        }
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
    /// Nothing went wrong where a lead was accepted and AI Rudder's envelope is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    outcome: &'a str,
    fields: &'a [Fault],
}

/// The answer that the lead's first sender got, again.
impl From<Settled> for Answer {
    fn from(settled: Settled) -> Self {
        let (status, outcome, body) = match settled {
            Settled::Accepted { body } => (StatusCode::OK, Outcome::Accepted, body),
            Settled::Unknown { status, body } => (status, Outcome::Unknown, body),
        };
        let mut answer = Self::passed_on(status, outcome, body);
        answer.alarming = outcome == Outcome::Unknown;
        answer.replayed = true;
        answer.headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        answer
    }
}

impl Answer {
    fn passed_on(status: StatusCode, outcome: Outcome, text: String) -> Self {
        let body = Body::Written(Text(text));
        Self {
            status,
            outcome,
            error: None,
            counted_as: None,
            cause: None,
            alarming: false,
            replayed: false,
            headers: HeaderMap::new(),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_settled_goes_out_byte_for_byte_as_it_was_written_down_whenever_that_is() {
        let (answer, settled) = Answer::from(Problem::UpstreamTimeout).settled("first", 1_790_000_000);
        let settled = settled.unwrap();
        let body = answer.into_response("first", 1_790_000_007).body;
        assert_eq!(settled, Settled::Unknown { status: StatusCode::GATEWAY_TIMEOUT, body: body.clone() });
        assert_eq!(Answer::from(settled).into_response("second", 1_790_000_099).body, body);
    }

    #[test]
    fn what_called_nobody_leaves_nothing_to_settle() {
        for problem in [Problem::RefusedUpstream, Problem::RateLimited(None), Problem::InProgress] {
            assert_eq!(Answer::from(problem).settled("id", 0).1, None);
        }
    }
}
