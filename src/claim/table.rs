//! The ledger's table in DynamoDB. Every write is one `TransactWriteItems`: one way to be refused, one way to fail.

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

use super::protocol::{Busy, Reply};
use crate::{aws, budget::WRITE_ATTEMPT_LIMIT, clock::Clock, config::Config, telemetry::log::LogText};

/// An item as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// For each write of a transaction the item that was in its way, if one was.
pub(super) type InTheWay = Vec<Option<Item>>;

/// The table, whose key is the string `pk` alone.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: Client,
    name: String,
    clock: Clock,
}

/// One write of a transaction: what is done to one item, under which condition.
pub(super) struct Write {
    pub(super) what: What,
    pub(super) condition: Option<&'static str>,
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

/// Writes that are done all or none, built once: each attempt is the same request. Has no `Debug`, since an item may hold AI
/// Rudder's answer.
#[derive(Clone)]
pub(super) struct Transaction {
    items: Vec<TransactWriteItem>,
    token: Option<String>,
}

/// One attempt of a transaction. Has no `Debug` either.
pub(super) struct Attempt {
    pub(super) reply: Reply<InTheWay>,
    /// Why it is not done, for the log.
    pub(super) cause: Option<String>,
}

impl Table {
    pub(super) fn new(config: &Config, aws: &SdkConfig, name: &str, clock: Clock) -> Self {
        let aws = aws::service(aws, config.aws.dynamodb.as_ref());
        Self { client: Client::new(&aws), name: name.to_owned(), clock }
    }

    /// A transaction of these writes. One with a `token` is done once in ten minutes, however often it arrives
    /// (TransactWriteItems, `ClientRequestToken`). Without one, each attempt is a transaction of its own.
    pub(super) fn transaction(
        &self,
        writes: impl IntoIterator<Item = Write>,
        token: Option<&str>,
    ) -> Result<Transaction, BuildError> {
        let items = writes.into_iter().map(|write| self.item(write)).collect::<Result<_, _>>()?;
        Ok(Transaction { items, token: token.map(str::to_owned) })
    }

    /// Tries to do a transaction, for a second at most and not beyond `until`.
    pub(super) async fn attempt(&self, transaction: &Transaction, until: Instant) -> Attempt {
        let Transaction { items, token } = transaction.clone();
        let request = self.client.transact_write_items().set_transact_items(Some(items));
        // Boxed: the SDK's future is large, and would be part of every future from here up to `main`.
        let sent = Box::pin(request.set_client_request_token(token).send());
        let until = until.min(self.clock.now() + WRITE_ATTEMPT_LIMIT);
        match timeout_at(until, sent).await {
            Ok(Ok(_)) => Attempt { reply: Reply::Done, cause: None },
            Ok(Err(error)) => error.into(),
            Err(_) => Attempt::because(Reply::InDoubt, "no answer in time"),
        }
    }

    fn item(&self, write: Write) -> Result<TransactWriteItem, BuildError> {
        let Write { what, condition, values } = write;
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<_, _>>();
        // DynamoDB takes no values for no names.
        let values = Some(values).filter(|values| !values.is_empty());
        let condition = condition.map(str::to_owned);
        let key = |pk| Some(HashMap::from([("pk".to_owned(), AttributeValue::S(pk))]));
        let item = TransactWriteItem::builder();
        let item = match what {
            What::Put(new) => item.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(new))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(AllOld)
                    .build()?,
            ),
            What::Update { pk, expression } => item.update(
                Update::builder()
                    .table_name(&self.name)
                    .set_key(key(pk))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            What::Delete { pk } => item.delete(
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
    fn because(reply: Reply<InTheWay>, cause: impl Into<String>) -> Self {
        Self { reply, cause: Some(cause.into()) }
    }

    /// What came of a transaction that was cancelled, by the reason for each of its writes: the lead's item comes first.
    fn cancelled(reasons: &[CancellationReason]) -> Self {
        let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or(NONE)).collect();
        let passes = |code: &&str| [NONE, CONDITION, CONFLICT].contains(code) || THROTTLING.contains(code);
        if let Some(code) = codes.iter().find(|code| !passes(code)) {
            return Self::failed(code);
        }
        let throttled = codes.iter().find(|code| THROTTLING.contains(code));
        match (codes.iter().position(|code| *code == CONFLICT), throttled) {
            (Some(0), _) => Self::because(Reply::Busy(Busy::LeadConflict), CONFLICT),
            (Some(_), _) => Self::because(Reply::Busy(Busy::KeyConflict), CONFLICT),
            // The SDK does not take this for throttling.
            (None, Some(code)) => Self::because(Reply::Busy(Busy::Throttled), *code),
            // AWS names a reason; without one nobody knows.
            (None, None) if !codes.contains(&CONDITION) => Self::because(Reply::InDoubt, "cancelled without a reason"),
            (None, None) => {
                let in_the_way = reasons.iter().map(|reason| reason.item().cloned()).collect();
                Self::because(Reply::Refused(in_the_way), CONDITION)
            }
        }
    }

    fn failed(code: &str) -> Self {
        let cause = match code {
            "ValidationException" | "ValidationError" => format!("{code}: is the table's key the string pk alone?"),
            _ => code.to_owned(),
        };
        Self::because(Reply::Failed, cause)
    }
}

const NONE: &str = "None";
const CONDITION: &str = "ConditionalCheckFailed";
const CONFLICT: &str = "TransactionConflict";
const THROTTLING: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

impl From<SdkError<TransactWriteItemsError>> for Attempt {
    fn from(error: SdkError<TransactWriteItemsError>) -> Self {
        let answer = match &error {
            SdkError::ServiceError(answer) => answer,
            // Nothing was sent.
            SdkError::DispatchFailure(failure) if aws::is_unconnected(failure) => {
                return Self::because(Reply::Busy(Busy::Throttled), LogText::chain(&error).as_str());
            }
            _ => return Self::because(Reply::InDoubt, LogText::chain(&error).as_str()),
        };
        let (status, code) = (answer.raw().status(), answer.err().code());
        let cause = code.unwrap_or("no error code");
        match answer.err() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                Self::cancelled(cancelled.cancellation_reasons())
            }
            TransactWriteItemsError::IdempotentParameterMismatchException(_) => Self::because(Reply::Mismatch, cause),
            // An earlier attempt under the same token is being done.
            TransactWriteItemsError::TransactionInProgressException(_) => Self::because(Reply::InDoubt, cause),
            // The write may have been done (DynamoDB's developer guide, "Error handling", HTTP 500).
            _ if status.is_server_error() => Self::because(Reply::InDoubt, cause),
            _ if aws::is_transient(status.as_u16(), code) => Self::because(Reply::Busy(Busy::Throttled), cause),
            _ => Self::failed(cause),
        }
    }
}

#[cfg(test)]
mod tests;
