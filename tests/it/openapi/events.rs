//! The sample events and the snapshots of their responses.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use lendswift_relay::lead::ParsedLead;
use serde_json::Value;
use support::snapshot::{self, files};

use super::{responses::sentence, routes::Route};

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// An event with its response.
pub struct Sample {
    pub name: String,
    /// `None` if it is no request to a route that is described.
    pub route: Option<Route>,
    pub request_headers: Value,
    /// The request's body, `None` if it is not base64.
    pub body: Option<Vec<u8>>,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// The response's body. Its `timestamp` may be `"now"`.
    pub response: String,
    pub error: Option<String>,
}

impl Sample {
    pub fn title(&self) -> String {
        sentence(&self.name)
    }

    /// The media type of the request.
    pub fn media_type(&self) -> &str {
        self.request_headers["content-type"].as_str().unwrap_or_default()
    }

    /// Whether the body is a valid lead.
    pub fn has_valid_lead(&self) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        let parsed = if self.media_type() == FORM { ParsedLead::parse_form(body) } else { ParsedLead::parse(body) };
        parsed.is_ok_and(|parsed| parsed.lead.is_ok())
    }

    /// The request's body as JSON, also if it is a form.
    pub fn json(&self) -> Option<Value> {
        let body = self.body.as_deref()?;
        if self.media_type() == FORM {
            let fields: BTreeMap<_, _> = form_urlencoded(body);
            return serde_json::to_value(fields).ok();
        }
        serde_json::from_slice(body).ok()
    }

    /// The text of [`Self::json`], in its order.
    pub fn text(&self) -> Option<String> {
        if self.media_type() == FORM {
            Some(self.json()?.to_string())
        } else {
            String::from_utf8(self.body.clone()?).ok()
        }
    }
}

fn form_urlencoded(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body).replace('+', " ");
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// All sample events.
pub fn samples() -> Vec<Sample> {
    files("events").iter().map(|file| sample(file)).collect()
}

fn sample(file: &Path) -> Sample {
    let event: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let snapshot = fs::read_to_string(snapshot::path_for(file)).unwrap();
    let (head, rest) = snapshot.split_once("\n\n").unwrap();
    let (status, headers) = head.split_once('\n').unwrap();
    let headers: BTreeMap<_, _> = headers
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let method = event["requestContext"]["http"]["method"].as_str().unwrap();
    let body = event["body"].as_str().unwrap_or_default();
    Sample {
        name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
        route: Route::of(event["rawPath"].as_str().unwrap()).filter(|_| method == "POST"),
        request_headers: event["headers"].clone(),
        body: if event["isBase64Encoded"] == true {
            BASE64_STANDARD.decode(body).ok()
        } else {
            Some(body.as_bytes().to_vec())
        },
        status: status.strip_prefix("HTTP ").unwrap().parse().unwrap(),
        error: headers.get("lead-error").cloned(),
        headers,
        response: rest.split_once("\n\nAI Rudder received").unwrap().0.to_owned(),
    }
}
