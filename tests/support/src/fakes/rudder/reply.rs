//! What AI Rudder answers: its envelope, or whatever a test has scripted.

use axum::{
    body::Body,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A scripted answer: exactly this status, these headers and these bytes.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, none of which is added by itself.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// The same answer with one header more.
    #[must_use]
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
        response.body(Body::from(self.body)).unwrap_or_else(|fault| {
            let told = format!("the script is no HTTP answer: {fault}");
            (StatusCode::INTERNAL_SERVER_ERROR, told).into_response()
        })
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    code: u16,
    message: &'a str,
    show_err: bool,
    timestamp: u64,
    body: Nothing,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct Nothing {}

/// The published answer, byte for byte.
pub(super) fn accepted() -> Response {
    envelope(StatusCode::OK, "success")
}

/// Why AI Rudder doesn't take a request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    pub(super) fn bad_request(fault: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, fault)
    }

    pub(super) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid token")
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no such path")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "only POST is allowed")
    }

    pub(super) fn unsupported_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type must be application/json")
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        envelope(self.status, &self.message)
    }
}

fn envelope(status: StatusCode, message: &str) -> Response {
    let envelope = Envelope {
        code: status.as_u16(),
        message,
        show_err: status != StatusCode::OK,
        timestamp: 1_683_135_757,
        body: Nothing {},
        trace_id: "4a1986b786e944dcb7ce97f455d39743",
    };
    let json = serde_json::to_vec(&envelope).expect("plain fields always become JSON");
    (status, [(CONTENT_TYPE, "application/json")], json).into_response()
}
