//! Requests that write.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Serialize;

use super::Table;
use crate::claim::dynamodb::{AttributeValue, Item};

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

/// A request that writes. It is rendered once, so that each attempt is the same. No `Debug`: an item may contain AI Rudder's
/// response.
pub(in crate::claim) struct WriteRequest {
    pub(super) operation: &'static str,
    pub(super) body: Bytes,
    /// The request that [`Table::close`] makes instead if a condition of this one fails.
    pub(super) otherwise: Option<Box<Self>>,
}

impl WriteRequest {
    /// This request, and another one for [`Table::close`].
    pub(in crate::claim) fn otherwise(self, other: Self) -> Self {
        Self { otherwise: Some(Box::new(other)), ..self }
    }
}

/// A write in DynamoDB's JSON: a request of its own, or part of a transaction.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WriteJson<'a> {
    table_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_expression: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition_expression: Option<&'a str>,
    /// DynamoDB rejects an empty map.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    expression_attribute_values: HashMap<&'a str, AttributeValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_values_on_condition_check_failure: Option<&'a str>,
}

/// A write of a transaction in DynamoDB's JSON.
#[derive(Serialize)]
enum TransactItem<'a> {
    Put(WriteJson<'a>),
    Delete(WriteJson<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TransactionJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_token: Option<&'a str>,
    transact_items: Vec<TransactItem<'a>>,
}

impl Table {
    /// A transaction of these writes. With a `token` it takes effect once in ten minutes, however many copies arrive
    /// (TransactWriteItems, `ClientRequestToken`). Without one, each attempt is a transaction of its own.
    pub(in crate::claim) fn transaction(
        &self,
        writes: impl IntoIterator<Item = Write>,
        token: Option<&str>,
    ) -> WriteRequest {
        let transact_items = writes.into_iter().map(|write| self.transact_item(write)).collect();
        request("TransactWriteItems", &TransactionJson { client_request_token: token, transact_items })
    }

    /// Changes one item.
    pub(in crate::claim) fn update(&self, pk: &str, expression: &str, condition: &str, values: Values) -> WriteRequest {
        let write = self.write(Some(condition), values);
        request("UpdateItem", &WriteJson { key: Some(key(pk)), update_expression: Some(expression), ..write })
    }

    /// Deletes one item.
    pub(in crate::claim) fn delete(&self, pk: &str, condition: &str, values: Values) -> WriteRequest {
        request("DeleteItem", &WriteJson { key: Some(key(pk)), ..self.write(Some(condition), values) })
    }

    fn transact_item(&self, Write { action, condition, values }: Write) -> TransactItem<'_> {
        let write = self.write(condition, values);
        match action {
            Action::Put(item) => TransactItem::Put(WriteJson {
                item: Some(item),
                return_values_on_condition_check_failure: Some("ALL_OLD"),
                ..write
            }),
            Action::Delete(pk) => TransactItem::Delete(WriteJson { key: Some(key(&pk)), ..write }),
        }
    }

    fn write<'a>(&'a self, condition: Option<&'a str>, values: Values) -> WriteJson<'a> {
        WriteJson {
            table_name: &self.name,
            item: None,
            key: None,
            update_expression: None,
            condition_expression: condition,
            expression_attribute_values: values.into_iter().collect(),
            return_values_on_condition_check_failure: None,
        }
    }
}

/// The key of an item.
pub(super) fn key(pk: &str) -> Item {
    HashMap::from([("pk".to_owned(), AttributeValue::S(pk.to_owned()))])
}

fn request(operation: &'static str, json: &impl Serialize) -> WriteRequest {
    // Rendering strings and maps with string keys cannot fail; DynamoDB would refuse an empty body.
    WriteRequest { operation, body: serde_json::to_vec(json).unwrap_or_default().into(), otherwise: None }
}
