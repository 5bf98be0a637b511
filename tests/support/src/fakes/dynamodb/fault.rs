//! DynamoDB's errors as they are on the wire.

use axum::http::StatusCode;
use dynoxide::{DynoxideError, errors::CancellationReason};
use serde_json::{Value, json};

/// An error is a response like any other.
pub(super) use super::core::DynamoAnswer as Fault;

const THROTTLED: &str = "Throughput exceeds the current capacity of your table or index.";
const CONFLICT: &str = "Transaction is ongoing for the item";

impl Fault {
    pub(super) fn unknown_operation() -> Self {
        Self::bad_request(&json!({ "__type": "com.amazon.coral.service#UnknownOperationException" }))
    }

    pub(super) fn down() -> Self {
        let body = typed("InternalServerError", "Internal server error").to_string();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body }
    }

    pub(super) fn throttled() -> Self {
        Self::bad_request(&typed("ThrottlingException", THROTTLED))
    }

    pub(super) fn denied(operation: &str) -> Self {
        let message = format!("User: relay is not authorized to perform: dynamodb:{operation}");
        Self::bad_request(&json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "Message": message }))
    }

    /// What a write outside of a transaction gets at an item that a transaction is running for.
    pub(super) fn conflict() -> Self {
        Self::bad_request(&typed("TransactionConflictException", CONFLICT))
    }

    pub(super) fn in_progress() -> Self {
        let message = "The transaction with the given request token is already in progress.";
        Self::bad_request(&typed("TransactionInProgressException", message))
    }

    pub(super) fn parameter_mismatch() -> Self {
        let message = "DynamoDB rejected the request because you retried a request with a different payload but with \
                       an idempotent token that was already used.";
        Self::bad_request(&typed("IdempotentParameterMismatchException", message))
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

fn typed(kind: &str, message: &str) -> Value {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message })
}

/// An item's reason to cancel a transaction: another one is running for it.
pub(super) fn conflict() -> CancellationReason {
    reason("TransactionConflict", CONFLICT)
}

/// An item's reason to cancel a transaction: the table's capacity, and not the account's.
pub(super) fn throttled() -> CancellationReason {
    reason("ThrottlingError", THROTTLED)
}

fn reason(code: &str, message: &str) -> CancellationReason {
    CancellationReason { code: code.to_owned(), message: Some(message.to_owned()), item: None }
}

/// A transaction that was cancelled, with a reason for each of its items in their order.
pub(super) fn cancelled(reasons: Vec<CancellationReason>) -> Fault {
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    let codes = codes.join(", ");
    let message = format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]");
    DynoxideError::TransactionCanceledException(message, reasons).into()
}
