//! Requests that write.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::{
        delete_item::builders::DeleteItemFluentBuilder,
        transact_write_items::builders::TransactWriteItemsFluentBuilder,
        update_item::builders::UpdateItemFluentBuilder,
    },
    types::{AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem},
};

use super::{Item, Table};

/// One write of a transaction: an action on one item, and its condition.
pub(in crate::claim) struct Write {
    pub(in crate::claim) action: Action,
    pub(in crate::claim) condition: Option<&'static str>,
    /// The values of the placeholders (`:name`) in the condition.
    pub(in crate::claim) values: Values,
}

/// An action on an item.
pub(in crate::claim) enum Action {
    /// Writes the item, and replaces an existing one.
    Put(Item),
    /// Deletes the item with this `pk`.
    Delete(String),
}

/// The values of placeholders (`:name`).
pub(in crate::claim) type Values = Vec<(&'static str, AttributeValue)>;

/// A request that writes. It is built once, so that each attempt is the same. The builders are boxed, because they are large. No
/// `Debug`: an item may contain AI Rudder's response.
pub(in crate::claim) enum WriteRequest {
    /// Writes that succeed or fail together.
    Transaction(Box<TransactWriteItemsFluentBuilder>),
    /// Changes one item.
    Update(Box<UpdateItemFluentBuilder>),
    /// Deletes one item.
    Delete(Box<DeleteItemFluentBuilder>),
}

impl Table {
    /// A transaction of these writes. With a `token` it takes effect once in ten minutes, however many copies arrive
    /// (TransactWriteItems, `ClientRequestToken`). Without one, each attempt is a transaction of its own.
    pub(in crate::claim) fn transaction(
        &self,
        writes: impl IntoIterator<Item = Write>,
        token: Option<&str>,
    ) -> Result<WriteRequest, BuildError> {
        let items = writes.into_iter().map(|write| self.transact_item(write)).collect::<Result<_, _>>()?;
        let request = self.client.transact_write_items().set_transact_items(Some(items));
        Ok(WriteRequest::Transaction(request.set_client_request_token(token.map(str::to_owned)).into()))
    }

    /// Changes one item.
    pub(in crate::claim) fn update(&self, pk: &str, expression: &str, condition: &str, values: Values) -> WriteRequest {
        let request = self.client.update_item().table_name(&self.name).set_key(Some(key(pk.to_owned())));
        let request = request.update_expression(expression).condition_expression(condition);
        WriteRequest::Update(request.set_expression_attribute_values(attribute_values(values)).into())
    }

    /// Deletes one item.
    pub(in crate::claim) fn delete(&self, pk: &str, condition: &str, values: Values) -> WriteRequest {
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key(pk.to_owned())));
        let request = request.condition_expression(condition);
        WriteRequest::Delete(request.set_expression_attribute_values(attribute_values(values)).into())
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
            Action::Delete(pk) => item.delete(
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
fn attribute_values(values: Values) -> Option<Item> {
    (!values.is_empty()).then(|| values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
