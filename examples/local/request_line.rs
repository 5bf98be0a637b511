//! The line that is printed for each request. It contains no personal data and no key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{Method, Uri};
use serde_json::Value;
use support::fakes::api_gateway::Response;

/// `12:03:45  POST /v1/accounts/acme/leads  200 accepted  3 ms  pushes to AI Rudder so far: 1`
pub fn format(method: &Method, uri: &Uri, response: &Response, duration: Duration, pushes: usize) -> String {
    // Without the query, which may contain anything, and without control characters for the terminal.
    let path = uri.path().escape_default();
    let outcome = header(response, "lead-outcome").map(str::to_owned);
    let replayed = header(response, "idempotent-replayed").map(|_| "(replayed)".to_owned());
    let result = [Some(response.status.to_string()), outcome, error(response), replayed];
    let result = result.into_iter().flatten().collect::<Vec<_>>().join(" ");
    format!("{}  {method} {path}  {result}  {} ms  pushes to AI Rudder so far: {pushes}", clock(), duration.as_millis())
}

/// The value of a response's header.
pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

/// The error's name, if the relay generated the body.
fn error(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    body.pointer("/body/error")?.as_str().map(str::to_owned)
}

/// The time of day in UTC.
pub fn clock() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}
