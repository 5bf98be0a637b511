//! The emulator, asked in DynamoDB's own JSON.

use dynoxide::{Database, DynoxideError, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::fault::Fault;

pub(super) struct Tables(Database);

impl Tables {
    pub(super) fn new() -> Result<Self> {
        Database::memory().map(Self)
    }

    /// What the emulator answers to what came over the wire.
    pub(super) fn run(&self, operation: &str, body: &[u8]) -> std::result::Result<String, Fault> {
        let Self(database) = self;
        match operation {
            "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
            "BatchWriteItem" => call(body, |request| database.batch_write_item(request)),
            "CreateTable" => call(body, |request| database.create_table(request)),
            "DeleteItem" => call(body, |request| database.delete_item(request)),
            "DescribeTable" => call(body, |request| database.describe_table(request)),
            "GetItem" => call(body, |request| database.get_item(request)),
            "PutItem" => call(body, |request| database.put_item(request)),
            "Query" => call(body, |request| database.query(request)),
            "Scan" => call(body, |request| database.scan(request)),
            "TransactGetItems" => call(body, |request| database.transact_get_items(request)),
            "TransactWriteItems" => call(body, |request| database.transact_write_items(request)),
            "DescribeTimeToLive" => call(body, |request| database.describe_time_to_live(request)),
            "UpdateTimeToLive" => call(body, |request| database.update_time_to_live(request)),
            "UpdateItem" => call(body, |request| database.update_item(request)),
            _ => return Err(Fault::unknown_operation()),
        }
        .map_err(Fault::from)
    }

    /// For what the tests themselves ask, which has to succeed.
    pub(super) fn ask(&self, operation: &str, request: &Value) -> Value {
        let answer = self.run(operation, request.to_string().as_bytes());
        let answer = answer.unwrap_or_else(|fault| panic!("{operation} of {request}: {fault:?}"));
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

fn call<Q: DeserializeOwned, A: Serialize>(body: &[u8], act: impl FnOnce(Q) -> Result<A>) -> Result<String> {
    let request =
        serde_json::from_slice(body).map_err(|fault| DynoxideError::SerializationException(fault.to_string()))?;
    let answer = act(request)?;
    serde_json::to_string(&answer).map_err(|fault| DynoxideError::InternalServerError(fault.to_string()))
}
