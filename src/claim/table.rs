//! The ledger's table in DynamoDB. Several writes, and a claim's, are a `TransactWriteItems`; a single one is a request of its
//! own, which costs half as much. What is recorded about a lead is read with `GetItem`.

mod read;
mod write;

use tokio::time::{Instant, timeout_at};

pub(super) use self::write::{Action, Write, WriteRequest};
use super::{
    dynamodb::{CallError, CancellationReason, DynamoDb, Item, Refusal},
    protocol::{Reply, TransientError},
};
use crate::{
    aws::{self, Aws},
    budget::WRITE_ATTEMPT_LIMIT,
    clock::Clock,
};

/// For each write of a transaction, the item that made its condition fail; `None` if there was none.
pub(super) type ConflictingItems = Vec<Option<Item>>;

/// The table. Its only key attribute is the string `pk`.
#[derive(Debug, Clone)]
pub(super) struct Table {
    dynamodb: DynamoDb,
    name: String,
    clock: Clock,
}

/// The result of one attempt to write. No `Debug`: an item may contain AI Rudder's response.
pub(super) struct Attempt {
    pub(super) reply: Reply<ConflictingItems>,
    /// Why it did not succeed, for the log.
    pub(super) cause: Option<String>,
}

impl Table {
    pub(super) fn new(aws: &Aws, name: &str, clock: Clock) -> Self {
        Self { dynamodb: DynamoDb::new(aws), name: name.to_owned(), clock }
    }

    /// Makes one attempt to close a claim that was certainly written or can no longer be written: with its request, and if
    /// a condition of that fails, with the other one that it may have.
    ///
    /// The two are no transaction. If a late copy of the claim were written between them, the second would delete the lead
    /// and leave its phone number.
    pub(super) async fn close(&self, request: &WriteRequest, until: Instant) -> Attempt {
        let attempt = self.attempt(request, until).await;
        match (&request.otherwise, &attempt.reply) {
            (Some(other), Reply::ConditionFailed(_)) => self.attempt(other, until).await,
            _ => attempt,
        }
    }

    /// Makes one attempt of a request, for at most [`WRITE_ATTEMPT_LIMIT`] and not beyond `until`.
    pub(super) async fn attempt(&self, request: &WriteRequest, until: Instant) -> Attempt {
        // Boxed: it is large, and would be part of every future from here up to `main`.
        let sent = Box::pin(self.dynamodb.call(request.operation, request.body.clone(), self.clock.wall()));
        match timeout_at(until.min(self.clock.now() + WRITE_ATTEMPT_LIMIT), sent).await {
            Ok(Ok(_)) => Attempt { reply: Reply::Done, cause: None },
            Ok(Err(error)) => error.into(),
            Err(_) => Attempt::unsuccessful(Reply::InDoubt, "no response in time"),
        }
    }
}

impl Attempt {
    fn unsuccessful(reply: Reply<ConflictingItems>, cause: impl Into<String>) -> Self {
        Self { reply, cause: Some(cause.into()) }
    }

    /// The result of a cancelled transaction, by the reason for each of its writes. The lead's item is the first.
    fn from_cancellation(reasons: Vec<CancellationReason>) -> Self {
        let codes: Vec<_> = reasons.iter().map(|reason| reason.code.as_deref().unwrap_or(NONE)).collect();
        let is_expected = |code: &&str| [NONE, CONDITION, CONFLICT].contains(code) || THROTTLING.contains(code);
        if let Some(code) = codes.iter().find(|code| !is_expected(code)) {
            return Self::failed(code);
        }
        let throttled = codes.iter().find(|code| THROTTLING.contains(code));
        match (codes.iter().position(|code| *code == CONFLICT), throttled) {
            (Some(0), _) => Self::unsuccessful(Reply::Transient(TransientError::LeadConflict), CONFLICT),
            (Some(_), _) => Self::unsuccessful(Reply::Transient(TransientError::KeyConflict), CONFLICT),
            // The SDK does not classify a cancellation as throttling.
            (None, Some(code)) => Self::unsuccessful(Reply::Transient(TransientError::Unavailable), *code),
            // AWS always gives a reason. Without one, nothing is certain.
            (None, None) if !codes.contains(&CONDITION) => {
                Self::unsuccessful(Reply::InDoubt, "cancelled without a reason")
            }
            (None, None) => {
                let items = reasons.into_iter().map(|reason| reason.item).collect();
                Self::unsuccessful(Reply::ConditionFailed(items), CONDITION)
            }
        }
    }

    /// The result of an error response with this HTTP status and code, other than a cancellation.
    fn from_error_response(status: u16, code: Option<&str>) -> Self {
        let cause = code.unwrap_or("no error code");
        match code {
            // Of a single write. No claim is one, so the item is not asked for.
            Some("ConditionalCheckFailedException") => Self::unsuccessful(Reply::ConditionFailed(Vec::new()), cause),
            Some("TransactionConflictException") => {
                Self::unsuccessful(Reply::Transient(TransientError::LeadConflict), cause)
            }
            Some("IdempotentParameterMismatchException") => Self::unsuccessful(Reply::TokenMismatch, cause),
            // An earlier attempt under the same token is in progress.
            Some("TransactionInProgressException") => Self::unsuccessful(Reply::InDoubt, cause),
            // The write may have succeeded (DynamoDB's developer guide, "Error handling", HTTP 500).
            _ if status >= 500 => Self::unsuccessful(Reply::InDoubt, cause),
            _ if aws::is_transient(status, code) => {
                Self::unsuccessful(Reply::Transient(TransientError::Unavailable), cause)
            }
            _ => Self::failed(cause),
        }
    }

    fn failed(code: &str) -> Self {
        let cause = match code {
            "ValidationException" | "ValidationError" => format!("{code}: is the table's key the string pk alone?"),
            _ => code.to_owned(),
        };
        Self::unsuccessful(Reply::Failed, cause)
    }
}

const NONE: &str = "None";
const CONDITION: &str = "ConditionalCheckFailed";
const CONFLICT: &str = "TransactionConflict";
const THROTTLING: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

impl From<CallError> for Attempt {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(cause) => {
                Self::unsuccessful(Reply::Transient(TransientError::Unavailable), cause.as_str())
            }
            CallError::NoResponse(cause) => Self::unsuccessful(Reply::InDoubt, cause.as_str()),
            CallError::Refused(Refusal { code: Some(code), reasons, .. }) if code == "TransactionCanceledException" => {
                Self::from_cancellation(reasons)
            }
            CallError::Refused(Refusal { status, code, .. }) => Self::from_error_response(status, code.as_deref()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
