//! The emulator, called with DynamoDB's own JSON.

use dynoxide::{Database, DynoxideError, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

pub(super) struct Tables {
    database: Database,
    /// What the writes consumed so far.
    pub(super) write_units: f64,
}

/// Which item of which table, among those with the relay's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ItemKey {
    table: String,
    pk: Value,
}

impl Tables {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { database: Database::memory()?, write_units: 0.0 })
    }

    /// The emulator's response to a request; `None` for an unknown operation.
    pub(super) fn run(&self, operation: &str, body: &[u8]) -> Option<Result<String>> {
        let Self { database, .. } = self;
        Some(match operation {
            "CreateTable" => call(body, |request| database.create_table(request)),
            "DeleteItem" => call(body, |request| database.delete_item(request)),
            "DescribeTable" => call(body, |request| database.describe_table(request)),
            "GetItem" => call(body, |request| database.get_item(request)),
            "PutItem" => call(body, |request| database.put_item(request)),
            "Scan" => call(body, |request| database.scan(request)),
            "TransactWriteItems" => call(body, |request| database.transact_write_items(request)),
            "DescribeTimeToLive" => call(body, |request| database.describe_time_to_live(request)),
            "UpdateTimeToLive" => call(body, |request| database.update_time_to_live(request)),
            "UpdateItem" => call(body, |request| database.update_item(request)),
            _ => return None,
        })
    }

    /// As [`Self::run`], for a known operation.
    pub(super) fn run_parsed(&self, operation: &str, request: &Map<String, Value>) -> Result<String> {
        let body = serde_json::to_vec(request).expect("a JSON object can be written");
        self.run(operation, &body).unwrap_or_else(|| panic!("{operation} is not among the emulator's operations"))
    }

    /// As [`Self::run_parsed`], for a write, whose units are counted.
    pub(super) fn write(&mut self, operation: &str, request: &Map<String, Value>) -> Result<String> {
        let mut request = request.clone();
        request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
        let answer = self.run_parsed(operation, &request)?;
        let mut answer: Value = serde_json::from_str(&answer).expect("the emulator answers with JSON");
        let consumed = answer.as_object_mut().and_then(|answer| answer.remove("ConsumedCapacity")).unwrap_or_default();
        // Of one table, or a list with each table of a transaction.
        let tables = consumed.as_array().cloned().unwrap_or_else(|| vec![consumed]);
        self.write_units += tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum::<f64>();
        Ok(answer.to_string())
    }

    /// For requests of the tests themselves, which must succeed.
    pub(super) fn ask(&self, operation: &str, request: &Value) -> Value {
        let request = request.as_object().expect("a request is an object");
        let answer = self.run_parsed(operation, request);
        let answer = answer.unwrap_or_else(|fault| panic!("{operation} of {request:?}: {fault}"));
        serde_json::from_str(&answer).expect("the emulator answers with JSON")
    }

    pub(super) fn create(&self, name: &str, key: &str) {
        self.ask(
            "CreateTable",
            &json!({
                "TableName": name,
                "AttributeDefinitions": [{ "AttributeName": key, "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
            }),
        );
    }

    /// In the order in which the emulator scans.
    pub(super) fn items(&self, table: &str) -> Vec<Value> {
        let mut request = json!({ "TableName": table });
        let mut items = Vec::new();
        loop {
            let mut page = self.ask("Scan", &request);
            if let Value::Array(found) = page["Items"].take() {
                items.extend(found);
            }
            match page.get_mut("LastEvaluatedKey") {
                Some(last) => request["ExclusiveStartKey"] = last.take(),
                None => break,
            }
        }
        items
    }
}

impl ItemKey {
    /// The item of a write or of a transaction's action; `None` if its table or key is missing.
    pub(super) fn of(action: &Map<String, Value>) -> Option<Self> {
        let table = action.get("TableName")?.as_str()?.to_owned();
        let pk = action.get("Key").or_else(|| action.get("Item"))?.get("pk")?.clone();
        Some(Self { table, pk })
    }

    /// A `ConditionCheck` that fails whether the item exists or not.
    pub(super) fn impossible(&self) -> Value {
        json!({
            "TableName": self.table,
            "Key": { "pk": self.pk },
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(pk)",
        })
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(body: &[u8], act: impl FnOnce(Q) -> Result<A>) -> Result<String> {
    let request =
        serde_json::from_slice(body).map_err(|fault| DynoxideError::SerializationException(fault.to_string()))?;
    let answer = act(request)?;
    serde_json::to_string(&answer).map_err(|fault| DynoxideError::InternalServerError(fault.to_string()))
}
