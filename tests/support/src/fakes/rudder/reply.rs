//! AI Rudder's responses: its envelope, or whatever a test scripts.

use axum::{
    body::Body,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// A scripted response: exactly this status, these headers and these bytes.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers; no other is added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A response without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// With one more header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body)).expect("the script is an HTTP response")
    }
}

/// The trace id in AI Rudder's published example, which is that of the first response.
const TRACE_ID: u128 = 0x4a19_86b7_86e9_44dc_b7ce_97f4_55d3_9743;

/// AI Rudder's own response, as it publishes it. The number of the response makes its trace id unique.
pub(super) fn envelope(status: StatusCode, message: &str, number: usize) -> Response {
    // As text, since the order of its fields is part of it.
    let (code, message, show_err) = (status.as_u16(), Value::from(message), status != StatusCode::OK);
    let trace_id = TRACE_ID + number as u128;
    let json = format!(
        r#"{{"code":{code},"message":{message},"show_err":{show_err},"timestamp":1683135757,"body":{{}},"trace_id":"{trace_id:032x}"}}"#
    );
    (status, [(CONTENT_TYPE, "application/json")], json).into_response()
}
