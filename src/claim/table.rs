//! The ledger's table in DynamoDB. Every write is a `TransactWriteItems`, so all writes are refused and fail in the same way.
//! Only a status request reads, with `GetItem`.

mod read;

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld,
        TransactWriteItem, Update,
    },
};
use tokio::time::{Instant, timeout_at};

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

/// One write of a transaction: an action on one item, and its condition.
pub(super) struct Write {
    pub(super) action: Action,
    pub(super) condition: Option<&'static str>,
    /// The values of the placeholders (`:name`) in the condition and in an update's expression.
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

/// An action on an item.
pub(super) enum Action {
    /// Writes the item, and replaces an existing one.
    Put(Item),
    /// Changes attributes of the item.
    Update {
        /// The item's `pk`.
        pk: String,
        /// The update expression.
        expression: &'static str,
    },
    /// Deletes the item.
    Delete {
        /// The item's `pk`.
        pk: String,
    },
}

/// Writes that succeed or fail together. They are built once, so that each attempt is the same request. No `Debug`: an item
/// may contain AI Rudder's response.
#[derive(Clone)]
pub(super) struct Transaction {
    items: Vec<TransactWriteItem>,
    token: Option<String>,
}

/// The result of one attempt of a transaction. No `Debug`, for the same reason.
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

    /// A transaction of these writes. With a `token` it takes effect once in ten minutes, however many copies arrive
    /// (TransactWriteItems, `ClientRequestToken`). Without one, each attempt is a transaction of its own.
    pub(super) fn transaction(
        &self,
        writes: impl IntoIterator<Item = Write>,
        token: Option<&str>,
    ) -> Result<Transaction, BuildError> {
        let items = writes.into_iter().map(|write| self.transact_item(write)).collect::<Result<_, _>>()?;
        Ok(Transaction { items, token: token.map(str::to_owned) })
    }

    /// Makes one attempt of a transaction, for at most [`WRITE_ATTEMPT_LIMIT`] and not beyond `until`.
    pub(super) async fn attempt(&self, transaction: &Transaction, until: Instant) -> Attempt {
        let Transaction { items, token } = transaction.clone();
        let request = self.client.transact_write_items().set_transact_items(Some(items));
        // Boxed: the SDK's future is large, and would be part of every future from here up to `main`.
        let sent = Box::pin(request.set_client_request_token(token).send());
        let until = until.min(self.clock.now() + WRITE_ATTEMPT_LIMIT);
        match timeout_at(until, sent).await {
            Ok(Ok(_)) => Attempt { reply: Reply::Done, cause: None },
            Ok(Err(error)) => error.into(),
            Err(_) => Attempt::unsuccessful(Reply::InDoubt, "no response in time"),
        }
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, BuildError> {
        let Write { action, condition, values } = write;
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<_, _>>();
        // DynamoDB rejects an empty map.
        let values = Some(values).filter(|values| !values.is_empty());
        let condition = condition.map(str::to_owned);
        let key = |pk| Some(HashMap::from([("pk".to_owned(), AttributeValue::S(pk))]));
        let item = TransactWriteItem::builder();
        let item = match action {
            Action::Put(new) => item.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(new))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(AllOld)
                    .build()?,
            ),
            Action::Update { pk, expression } => item.update(
                Update::builder()
                    .table_name(&self.name)
                    .set_key(key(pk))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            Action::Delete { pk } => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(key(pk))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
        };
        Ok(item.build())
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

impl From<SdkError<TransactWriteItemsError>> for Attempt {
    fn from(error: SdkError<TransactWriteItemsError>) -> Self {
        let response = match &error {
            SdkError::ServiceError(response) => response,
            // Nothing was sent.
            SdkError::DispatchFailure(failure) if aws::is_unconnected(failure) => {
                return Self::unsuccessful(
                    Reply::Transient(TransientError::Unavailable),
                    LogText::from_error(&error).as_str(),
                );
            }
            _ => return Self::unsuccessful(Reply::InDoubt, LogText::from_error(&error).as_str()),
        };
        if let TransactWriteItemsError::TransactionCanceledException(cancelled) = response.err() {
            return Self::from_cancellation(cancelled.cancellation_reasons());
        }
        Self::from_error_response(response.raw().status().as_u16(), response.err().code())
    }
}

#[cfg(test)]
mod tests;
