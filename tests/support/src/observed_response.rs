//! A response as the caller reads it.

use std::fmt;

use serde_json::Value;

use crate::fakes::api_gateway::Response;

/// A response of the relay. Equal to another one, whatever their headers, if its caller concludes the same from it; and to
/// the text that [`fmt::Display`] writes, as `"200 accepted"` or `"502 unknown bad_upstream_answer (again)"`.
#[derive(Clone)]
pub struct ObservedResponse {
    /// The HTTP status.
    pub status: u16,
    /// `lead-outcome`.
    pub outcome: String,
    /// The relay's own error name; empty if the body is AI Rudder's.
    pub error: String,
    /// Whether `idempotent-replayed` says so.
    pub replayed: bool,
    /// The body.
    pub body: String,
    /// All of it.
    pub response: Response,
}

impl From<Response> for ObservedResponse {
    /// Fails if an error of the relay contradicts itself: its body repeats what the status and the headers say.
    fn from(response: Response) -> Self {
        let body = String::from_utf8(response.body.clone()).expect("a body is text");
        let header = |name| header(&response, name).unwrap_or_default().to_owned();
        let envelope: Value = serde_json::from_str(&body).unwrap_or_default();
        let error = envelope["body"]["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(header("cache-control"), "no-store");
        let is_fine = response.status == 200;
        assert_eq!(header("lead-error").is_empty(), is_fine, "{body}");
        if !error.is_empty() && header("idempotent-replayed").is_empty() {
            assert_eq!(envelope["code"], response.status, "{body}");
            assert_eq!(envelope["body"]["outcome"], header("lead-outcome"), "{body}");
            assert_eq!(envelope["trace_id"], header("request-id"), "{body}");
            assert_eq!(envelope.as_object().map(serde_json::Map::len), Some(6), "{body}");
        }
        Self {
            status: response.status,
            outcome: header("lead-outcome"),
            error,
            replayed: header("idempotent-replayed") == "true",
            body,
            response,
        }
    }
}

impl ObservedResponse {
    /// A header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        header(&self.response, name).unwrap_or_default()
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// The same response, replayed.
    pub fn again(&self) -> Self {
        Self { replayed: true, ..self.clone() }
    }

    /// Whether it is the response of the request that pushed the lead.
    pub fn is_of_the_sender(&self) -> bool {
        matches!(self.outcome.as_str(), "accepted" | "unknown") && self.error != "interrupted" && !self.replayed
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

impl PartialEq for ObservedResponse {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body && self.to_string() == other.to_string()
    }
}

impl PartialEq<&str> for ObservedResponse {
    fn eq(&self, summary: &&str) -> bool {
        let own = self.to_string();
        own == *summary
    }
}

impl fmt::Display for ObservedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.outcome)?;
        if !self.error.is_empty() {
            write!(f, " {}", self.error)?;
        }
        f.write_str(if self.replayed { " (again)" } else { "" })
    }
}

impl fmt::Debug for ObservedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}: {}", self.body)
    }
}
