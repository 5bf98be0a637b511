//! One line about a request: no personal data, no key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{Method, Uri};
use serde_json::Value;
use support::fakes::api_gateway::Response;

/// `12:03:45  POST /v1/accounts/acme/leads  200 accepted  3 ms  AI Rudder got 1 push so far`
pub fn of(method: &Method, uri: &Uri, answer: &Response, took: Duration, pushes: usize) -> String {
    // Without the query, which may hold anything, and with nothing in it that a terminal would act upon.
    let path = uri.path().escape_default();
    let outcome = header(answer, "lead-outcome").map(str::to_owned);
    let again = header(answer, "idempotent-replayed").map(|_| "(the same answer again)".to_owned());
    let said = [Some(answer.status.to_string()), outcome, error(answer), again];
    let said = said.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let pushes = match pushes {
        0 => "no push".to_owned(),
        1 => "1 push".to_owned(),
        more => format!("{more} pushes"),
    };
    format!("{}  {method} {path}  {said}  {} ms  AI Rudder got {pushes} so far", clock(), took.as_millis())
}

/// A header of an answer.
pub fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

/// The error code, where the answer is one of the relay's own.
fn error(answer: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    body.pointer("/body/error")?.as_str().map(str::to_owned)
}

/// The time of day in UTC.
fn clock() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}
