//! The ledger's table in DynamoDB. Every write is one `TransactWriteItems`: one way to be refused, one way to fail.

use std::{collections::HashMap, time::Duration};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::ReconnectMode},
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld,
        TransactWriteItem, Update,
    },
};
use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, timeout_at};

use crate::log;

/// An item as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// What one attempt gets, so that a lost packet leaves time for another.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(1);

/// The table, whose key is the string `pk` alone.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: Client,
    name: String,
}

/// One write of a transaction: what is done to one item, under which condition.
pub(super) struct Write<'a> {
    pub(super) what: What,
    pub(super) condition: &'static str,
    /// What the names in the condition, and in an update, stand for.
    pub(super) values: Vec<(&'a str, AttributeValue)>,
}

/// What is done to an item.
pub(super) enum What {
    /// It is written, in place of the one that was there.
    Put(Item),
    /// It is changed.
    Update {
        /// Its key.
        pk: String,
        /// How.
        expression: &'static str,
    },
    /// It is deleted.
    Delete {
        /// Its key.
        pk: String,
    },
}

/// Why a transaction wrote nothing, or nobody knows whether it did.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Conditions did not hold. For each write the item that was in its way, if one was.
    Refused(Vec<Option<Item>>),
    /// Another transaction was at one of the items.
    Conflict,
    /// DynamoDB did not do it, or did not say. The text is for the log.
    Failed(String),
}

impl Table {
    pub(super) fn new(aws: &SdkConfig, name: &str) -> Self {
        let config = Builder::from(aws)
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_LIMIT).build())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(3)
                    .with_initial_backoff(Duration::from_millis(50))
                    // The SDK can't close a connection of the relay's own client, and would log an error for trying.
                    .with_reconnect_mode(ReconnectMode::ReuseAllConnections),
            )
            .build();
        Self { client: Client::from_conf(config), name: name.to_owned() }
    }

    /// Does all of the writes or none, before `until`. Where another transaction is at the same items, it waits its turn.
    pub(super) async fn write(
        &self,
        writes: impl IntoIterator<Item = Write<'_>>,
        until: Instant,
    ) -> Result<(), WriteError> {
        let items: Result<Vec<_>, _> = writes.into_iter().map(|write| self.item(write)).collect();
        let items = items.map_err(|error| WriteError::Failed(error.to_string()))?;
        let patience = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_millis(200))
            .without_max_times()
            .with_jitter();
        let written = async || {
            (|| self.transact(items.clone())).retry(patience).when(|error| matches!(error, WriteError::Conflict)).await
        };
        let in_time = timeout_at(until, written()).await;
        in_time.unwrap_or_else(|_| Err(WriteError::Failed("no answer in time".to_owned())))
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<(), WriteError> {
        let request = self.client.transact_write_items().set_transact_items(Some(items));
        // Boxed: the SDK's future is large, and would be part of every future from here up to `main`.
        Box::pin(request.send()).await?;
        Ok(())
    }

    fn item(&self, write: Write<'_>) -> Result<TransactWriteItem, BuildError> {
        let Write { what, condition, values } = write;
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<_, _>>();
        let key = |pk| HashMap::from([("pk".to_owned(), AttributeValue::S(pk))]);
        let item = TransactWriteItem::builder();
        let item = match what {
            What::Put(new) => item.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(new))
                    .condition_expression(condition)
                    .set_expression_attribute_values(Some(values))
                    .return_values_on_condition_check_failure(AllOld)
                    .build()?,
            ),
            What::Update { pk, expression } => item.update(
                Update::builder()
                    .table_name(&self.name)
                    .set_key(Some(key(pk)))
                    .update_expression(expression)
                    .condition_expression(condition)
                    .set_expression_attribute_values(Some(values))
                    .build()?,
            ),
            What::Delete { pk } => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(key(pk)))
                    .condition_expression(condition)
                    .set_expression_attribute_values(Some(values))
                    .build()?,
            ),
        };
        Ok(item.build())
    }
}

impl From<SdkError<TransactWriteItemsError>> for WriteError {
    fn from(error: SdkError<TransactWriteItemsError>) -> Self {
        let SdkError::ServiceError(answer) = &error else {
            return Self::Failed(log::chain(&error));
        };
        match answer.err() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                Self::cancelled(cancelled.cancellation_reasons())
            }
            other => Self::failed(other.code().unwrap_or("no error code")),
        }
    }
}

impl WriteError {
    /// What came of a transaction that was cancelled, by the reason for each of its writes.
    fn cancelled(reasons: &[CancellationReason]) -> Self {
        let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
        let unexpected =
            reasons.iter().map(code).find(|code| !matches!(code.as_str(), "None" | "ConditionalCheckFailed"));
        match unexpected.as_deref() {
            None => Self::Refused(reasons.iter().map(|reason| reason.item().cloned()).collect()),
            Some("TransactionConflict") => Self::Conflict,
            Some(code) => Self::failed(code),
        }
    }

    fn failed(code: &str) -> Self {
        Self::Failed(match code {
            "ValidationException" | "ValidationError" => format!("{code}: is the table's key the string pk alone?"),
            _ => code.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cancelled(codes: &[&str]) -> WriteError {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        WriteError::cancelled(&codes.iter().map(reason).collect::<Vec<_>>())
    }

    #[test]
    fn a_transaction_is_refused_where_conditions_alone_forbid_it() {
        for codes in
            [&["ConditionalCheckFailed"][..], &["None", "ConditionalCheckFailed"], &["ConditionalCheckFailed"; 2]]
        {
            assert!(matches!(cancelled(codes), WriteError::Refused(items) if items.len() == codes.len()), "{codes:?}");
        }
    }

    #[test]
    fn a_transaction_that_met_another_one_waits_for_its_turn_whatever_the_conditions() {
        for codes in [
            &["TransactionConflict"][..],
            &["ConditionalCheckFailed", "TransactionConflict"],
            &["TransactionConflict", "None"],
        ] {
            assert!(matches!(cancelled(codes), WriteError::Conflict), "{codes:?}");
        }
    }

    #[test]
    fn a_transaction_that_failed_says_so_and_a_table_of_another_shape_is_named() {
        for (code, cause) in [
            ("ThrottlingError", "ThrottlingError"),
            ("ValidationError", "ValidationError: is the table's key the string pk alone?"),
        ] {
            assert!(matches!(cancelled(&["None", code]), WriteError::Failed(text) if text == cause), "{code}");
        }
    }
}
