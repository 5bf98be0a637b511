//! Secrets Manager's errors as they are on the wire.

use std::borrow::Cow;

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::MEDIA_TYPE;

pub(super) struct Fault {
    status: StatusCode,
    kind: &'static str,
    pub(super) message: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, kind, message: message.into() }
    }

    pub(super) fn unknown_operation() -> Self {
        Self::bad_request("UnknownOperationException", "This operation is not known here.")
    }

    pub(super) fn marked_for_deletion() -> Self {
        let message = "You can't perform this operation on the secret because it was marked for deletion.";
        Self::bad_request("InvalidRequestException", message)
    }

    pub(super) fn bad_request(kind: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE.as_str(), MEDIA_TYPE), ("x-amzn-errortype", self.kind)];
        let body = json!({ "__type": self.kind, "Message": self.message });
        (self.status, headers, body.to_string()).into_response()
    }
}
