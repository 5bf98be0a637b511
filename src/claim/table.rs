//! The ledger's table in DynamoDB. Every write is one `TransactWriteItems`: one way to be refused, one way to fail.

use std::{collections::HashMap, future::pending, time::Duration};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld,
        TransactWriteItem, Update,
    },
};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{aws, config::Config, log};

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
pub(super) struct Write {
    pub(super) what: What,
    pub(super) condition: &'static str,
    /// What the names in the condition, and in an update, stand for.
    pub(super) values: Vec<(&'static str, AttributeValue)>,
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

/// Why a transaction wrote nothing, or nobody knows whether it did. Has no `Debug`, since an item may hold AI Rudder's
/// answer.
pub(super) enum WriteError {
    /// Conditions did not hold. For each write the item that was in its way, if one was.
    Refused(Vec<Option<Item>>),
    /// It was not done yet.
    Busy(Busy),
    /// DynamoDB did not do it, or did not say. The text is for the log.
    Failed(String),
}

/// What a transaction waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// Another transaction is at one of the items.
    Conflict,
    /// DynamoDB wants less at a time.
    Throttled,
}

/// How long to wait before each try but the first.
fn patience() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_millis(200))
        .without_max_times()
        .with_jitter()
        .build()
}

impl Table {
    pub(super) fn new(config: &Config, aws: &SdkConfig, name: &str) -> Self {
        let limits = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_LIMIT).build();
        let aws = aws::service(aws, config.aws.dynamodb.as_ref(), limits, 3);
        Self { client: Client::new(&aws), name: name.to_owned() }
    }

    /// Opens the connection that transactions go over.
    pub(super) async fn connect(&self) {
        aws::connect(self.client.transact_write_items().set_transact_items(Some(Vec::new())).send()).await;
    }

    /// Does all of the writes or none, before `until`. Where another transaction is at the same items, or DynamoDB wants
    /// less at a time, it waits its turn.
    ///
    /// A transaction with a `token` is done once in ten minutes, however often and late it arrives (TransactWriteItems,
    /// `ClientRequestToken`). Without one, each try is a transaction of its own.
    pub(super) async fn write(
        &self,
        writes: impl IntoIterator<Item = Write>,
        token: Option<&str>,
        until: Instant,
    ) -> Result<(), WriteError> {
        let items: Result<Vec<_>, _> = writes.into_iter().map(|write| self.item(write)).collect();
        let items = items.map_err(|error| WriteError::Failed(error.to_string()))?;
        let transaction = self.client.transact_write_items().set_transact_items(Some(items));
        let transaction = transaction.set_client_request_token(token.map(str::to_owned));
        let mut waits_for = None;
        let written = async {
            for wait in patience() {
                // Boxed: the SDK's future is large, and would be part of every future from here up to `main`.
                match Box::pin(transaction.clone().send()).await.map_err(WriteError::from) {
                    Err(WriteError::Busy(with)) => waits_for = Some(with),
                    done => return done.map(|_| ()),
                }
                sleep(wait).await;
            }
            pending().await
        };
        let in_time = timeout_at(until, written).await;
        let late = || waits_for.map_or_else(|| WriteError::Failed("no answer in time".to_owned()), WriteError::Busy);
        in_time.unwrap_or_else(|_| Err(late()))
    }

    fn item(&self, write: Write) -> Result<TransactWriteItem, BuildError> {
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
            Some("TransactionConflict") => Self::Busy(Busy::Conflict),
            // The SDK tries a throttled call again, and not a transaction that was cancelled for it.
            Some("ThrottlingError" | "ProvisionedThroughputExceeded") => Self::Busy(Busy::Throttled),
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
            assert!(matches!(cancelled(codes), WriteError::Busy(Busy::Conflict)), "{codes:?}");
        }
    }

    #[test]
    fn a_transaction_that_is_throttled_waits_too() {
        for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert!(matches!(cancelled(&["None", code]), WriteError::Busy(Busy::Throttled)), "{code}");
        }
    }

    #[test]
    fn a_transaction_that_failed_says_so_and_a_table_of_another_shape_is_named() {
        for (code, cause) in [
            ("ItemCollectionSizeLimitExceeded", "ItemCollectionSizeLimitExceeded"),
            ("ValidationError", "ValidationError: is the table's key the string pk alone?"),
        ] {
            assert!(matches!(cancelled(&["None", code]), WriteError::Failed(text) if text == cause), "{code}");
        }
    }
}
