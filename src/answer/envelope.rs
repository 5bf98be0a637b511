//! The body of an answer: the relay's own envelope, or a text that is passed on.

use std::{borrow::Cow, fmt};

use serde::Serialize;
use serde_json::value::RawValue;

use super::Answer;
use crate::lead::{Fault, Faults, Personal};

#[derive(Debug)]
pub(super) enum Body {
    /// AI Rudder's envelope, or the body of an earlier response.
    Verbatim(Text),
    /// The relay's own envelope.
    Generated { message: String, is_client_fixable: bool, faults: Faults },
    /// The relay's own envelope with a valid lead, as AI Rudder would receive it.
    Valid { lead: Personal<Box<RawValue>> },
}

/// A body as the caller receives it. It is not printed: AI Rudder's may contain personal data.
pub(super) struct Text(pub(super) String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text")
    }
}

impl Answer {
    /// The body's text.
    pub(super) fn text(&self, request_id: &str, timestamp: u64) -> Cow<'_, str> {
        match &self.body {
            Body::Verbatim(Text(text)) => Cow::Borrowed(text),
            Body::Generated { message, is_client_fixable, faults } => {
                let details = Details { fields: faults, ..self.details() };
                Cow::Owned(self.envelope(message, *is_client_fixable, details, request_id, timestamp))
            }
            Body::Valid { lead } => {
                let details = Details { lead: Some(&lead.0), ..self.details() };
                Cow::Owned(self.envelope(VALID, false, details, request_id, timestamp))
            }
        }
    }

    fn details(&self) -> Details<'_> {
        Details { error: self.error, outcome: self.outcome.as_str(), fields: &[], lead: None }
    }

    fn envelope(&self, message: &str, show_err: bool, body: Details<'_>, trace_id: &str, timestamp: u64) -> String {
        let envelope = OwnEnvelope { code: self.status.as_u16(), message, show_err, timestamp, body, trace_id };
        // Serializing strings, integers and valid JSON into memory cannot fail.
        serde_json::to_string(&envelope).unwrap_or_default()
    }
}

/// The message of a validate request's success.
const VALID: &str = "The lead is valid. Nothing was sent. Post it to …/leads to send it.";

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
    /// `None` if the lead was accepted and AI Rudder's envelope is withheld, or if it is valid and was not to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    outcome: &'a str,
    fields: &'a [Fault],
    /// The lead as AI Rudder would receive it, in the response to a validate request.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<&'a RawValue>,
}
