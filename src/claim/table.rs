//! The ledger's table in DynamoDB. Several writes, and a claim's, are a `TransactWriteItems`; a single one is a request of its
//! own, which costs half as much. Only a status request reads, with `GetItem`.

mod read;
mod write;

use std::{collections::HashMap, error::Error};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, CancellationReason},
};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

pub(super) use self::write::{Action, Write, WriteRequest};
use super::protocol::{Reply, TransientError};
use crate::{aws, budget::WRITE_ATTEMPT_LIMIT, clock::Clock, config::Config, telemetry::log::LogText};

/// An item in DynamoDB's types.
pub(super) type Item = HashMap<String, AttributeValue>;

/// For each write of a transaction, the item that made its condition fail; `None` if there was none.
pub(super) type ConflictingItems = Vec<Option<Item>>;

/// The table. Its only key attribute is the string `pk`.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: Client,
    name: String,
    clock: Clock,
}

/// The result of one attempt to write. No `Debug`, for the same reason.
pub(super) struct Attempt {
    pub(super) reply: Reply<ConflictingItems>,
    /// Why it did not succeed, for the log.
    pub(super) cause: Option<String>,
}

impl Table {
    pub(super) fn new(config: &Config, aws: &SdkConfig, name: &str, clock: Clock) -> Self {
        let aws = aws::service_config(aws, config.aws.dynamodb.as_ref());
        Self { client: Client::new(&aws), name: name.to_owned(), clock }
    }

    /// Makes one attempt of a request, for at most [`WRITE_ATTEMPT_LIMIT`] and not beyond `until`.
    pub(super) async fn attempt(&self, request: &WriteRequest, until: Instant) -> Attempt {
        let until = until.min(self.clock.now() + WRITE_ATTEMPT_LIMIT);
        match request {
            WriteRequest::Transaction(request) => {
                finish(Box::pin(request.as_ref().clone().send()), until, Attempt::from_transaction_error).await
            }
            WriteRequest::Update(request) => {
                finish(Box::pin(request.as_ref().clone().send()), until, Attempt::from_error).await
            }
            WriteRequest::Delete(request) => {
                finish(Box::pin(request.as_ref().clone().send()), until, Attempt::from_error).await
            }
        }
    }
}

/// Waits for a response. The SDK's future is boxed: it is large, and would be part of every future from here up to `main`.
async fn finish<T, E>(
    sent: BoxFuture<'_, Result<T, SdkError<E>>>,
    until: Instant,
    from_error: fn(&SdkError<E>) -> Attempt,
) -> Attempt {
    match timeout_at(until, sent).await {
        Ok(Ok(_)) => Attempt { reply: Reply::Done, cause: None },
        Ok(Err(error)) => from_error(&error),
        Err(_) => Attempt::unsuccessful(Reply::InDoubt, "no response in time"),
    }
}

impl Attempt {
    fn unsuccessful(reply: Reply<ConflictingItems>, cause: impl Into<String>) -> Self {
        Self { reply, cause: Some(cause.into()) }
    }

    /// The result of a cancelled transaction, by the reason for each of its writes. The lead's item is the first.
    fn from_cancellation(reasons: &[CancellationReason]) -> Self {
        let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or(NONE)).collect();
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
                let items = reasons.iter().map(|reason| reason.item().cloned()).collect();
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

    fn from_transaction_error(error: &SdkError<TransactWriteItemsError>) -> Self {
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                Self::from_cancellation(cancelled.cancellation_reasons())
            }
            _ => Self::from_error(error),
        }
    }

    fn from_error<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> Self {
        let reply = match error {
            SdkError::ServiceError(response) => {
                return Self::from_error_response(response.raw().status().as_u16(), response.err().code());
            }
            // Nothing was sent.
            SdkError::DispatchFailure(failure) if aws::is_unconnected(failure) => {
                Reply::Transient(TransientError::Unavailable)
            }
            _ => Reply::InDoubt,
        };
        Self::unsuccessful(reply, LogText::from_error(error).as_str())
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

#[cfg(test)]
pub(super) mod tests;
