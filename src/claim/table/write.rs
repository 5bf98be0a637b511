//! Requests that write.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::{
        delete_item::builders::DeleteItemFluentBuilder, put_item::builders::PutItemFluentBuilder,
        transact_write_items::builders::TransactWriteItemsFluentBuilder,
        update_item::builders::UpdateItemFluentBuilder,
    },
    types::{AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update},
};

use super::{Item, Table};

/// One write: an action on one item, and its condition.
pub(in crate::claim) struct Write {
    pub(in crate::claim) action: Action,
    pub(in crate::claim) condition: Option<&'static str>,
    /// The values of the placeholders (`:name`) in the condition and in an update's expression.
    pub(in crate::claim) values: Vec<(&'static str, AttributeValue)>,
}

/// An action on an item.
pub(in crate::claim) enum Action {
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

/// A request that writes. It is built once, so that each attempt is the same. The builders are boxed, because they are large. No
/// `Debug`: an item may contain AI Rudder's response.
pub(in crate::claim) enum WriteRequest {
    /// Writes that succeed or fail together.
    Transaction(Box<TransactWriteItemsFluentBuilder>),
    /// Writes one item.
    Put(Box<PutItemFluentBuilder>),
    /// Changes one item.
    Update(Box<UpdateItemFluentBuilder>),
    /// Deletes one item.
    Delete(Box<DeleteItemFluentBuilder>),
}

impl Table {
    /// A transaction of these writes under a `token`: it takes effect once in ten minutes, however many copies arrive
    /// (TransactWriteItems, `ClientRequestToken`).
    pub(in crate::claim) fn transaction(
        &self,
        writes: impl IntoIterator<Item = Write>,
        token: &str,
    ) -> Result<WriteRequest, BuildError> {
        Ok(WriteRequest::Transaction(self.transact(writes)?.client_request_token(token).into()))
    }

    /// Two writes in one transaction. Each attempt is a transaction of its own.
    pub(in crate::claim) fn both(&self, first: Write, second: Write) -> Result<WriteRequest, BuildError> {
        Ok(WriteRequest::Transaction(self.transact([first, second])?.into()))
    }

    /// A single write.
    pub(in crate::claim) fn single(&self, write: Write) -> WriteRequest {
        let Write { action, condition, values } = write;
        let (condition, values) = (condition.map(str::to_owned), attribute_values(values));
        match action {
            Action::Put(new) => WriteRequest::Put(
                self.client
                    .put_item()
                    .table_name(&self.name)
                    .set_item(Some(new))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .into(),
            ),
            Action::Update { pk, expression } => WriteRequest::Update(
                self.client
                    .update_item()
                    .table_name(&self.name)
                    .set_key(Some(key(pk)))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .into(),
            ),
            Action::Delete { pk } => WriteRequest::Delete(
                self.client
                    .delete_item()
                    .table_name(&self.name)
                    .set_key(Some(key(pk)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .into(),
            ),
        }
    }

    fn transact(&self, writes: impl IntoIterator<Item = Write>) -> Result<TransactWriteItemsFluentBuilder, BuildError> {
        let items = writes.into_iter().map(|write| self.transact_item(write)).collect::<Result<_, _>>()?;
        Ok(self.client.transact_write_items().set_transact_items(Some(items)))
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, BuildError> {
        let Write { action, condition, values } = write;
        let (condition, values) = (condition.map(str::to_owned), attribute_values(values));
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
                    .set_key(Some(key(pk)))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            Action::Delete { pk } => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(key(pk)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
        };
        Ok(item.build())
    }
}

fn key(pk: String) -> Item {
    HashMap::from([("pk".to_owned(), AttributeValue::S(pk))])
}

/// The values of placeholders as a map; DynamoDB rejects an empty one.
fn attribute_values(values: Vec<(&'static str, AttributeValue)>) -> Option<Item> {
    (!values.is_empty()).then(|| values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
