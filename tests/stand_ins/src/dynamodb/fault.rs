//! DynamoDB's errors as they are on the wire.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use dynoxide::DynoxideError;
use serde_json::{Value, json};

use super::MEDIA_TYPE;

#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    body: String,
}

impl Fault {
    pub(super) fn unknown_operation() -> Self {
        Self::bad_request(&json!({ "__type": "com.amazon.coral.service#UnknownOperationException" }))
    }

    pub(super) fn down() -> Self {
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError",
            "message": "Internal server error",
        });
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body: body.to_string() }
    }

    pub(super) fn throttled() -> Self {
        Self::bad_request(&json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException",
            "message": "Throughput exceeds the current capacity of your table or index.",
        }))
    }

    pub(super) fn denied(operation: &str) -> Self {
        let message = format!("User: relay is not authorized to perform: dynamodb:{operation}");
        Self::bad_request(&json!({
            "__type": "com.amazon.coral.service#AccessDeniedException",
            "Message": message,
        }))
    }

    /// What throttles a transaction where it meets the table's capacity, and not the account's.
    pub(super) fn throttled_in_transaction(body: &[u8]) -> Self {
        let message = "Throughput exceeds the current capacity of your table or index.";
        Self::cancelled(body, "ThrottlingError", message)
    }

    pub(super) fn conflicting(operation: &str, body: &[u8]) -> Self {
        let message = "Transaction is ongoing for the item";
        if operation != "TransactWriteItems" {
            return Self::bad_request(&json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                "message": message,
            }));
        }
        Self::cancelled(body, "TransactionConflict", message)
    }

    /// A transaction that was cancelled for the same reason in each of its items.
    fn cancelled(body: &[u8], code: &str, message: &str) -> Self {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let items = request["TransactItems"].as_array().map_or(0, Vec::len);
        let codes = vec![code; items];
        let reasons = vec![json!({ "Code": code, "Message": message }); items];
        Self::bad_request(&json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": format!(
                "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                codes.join(", "),
            ),
            "CancellationReasons": reasons,
        }))
    }

    fn bad_request(body: &Value) -> Self {
        Self { status: StatusCode::BAD_REQUEST, body: body.to_string() }
    }
}

impl From<DynoxideError> for Fault {
    fn from(error: DynoxideError) -> Self {
        let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, body: error.to_json() }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.status, [(CONTENT_TYPE, MEDIA_TYPE)], self.body).into_response()
    }
}
