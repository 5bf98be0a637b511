//! Compares each function with its expression, as the in-process DynamoDB evaluates it.

use std::cell::Cell;

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Map, Value, json};
use support::fakes::{DynamoCore, DynamoOutcome};

use super::*;

const TABLE: &str = "claims";
const NOW: i64 = 1_790_000_000;

/// A strategy for an attribute: absent, one of these strings or numbers, or of a type that no condition uses.
fn attribute(texts: &'static [&'static str], numbers: &'static [i64]) -> impl Strategy<Value = Option<Value>> {
    let text = proptest::sample::select(texts).prop_map(|text| json!({ "S": text }));
    let number = proptest::sample::select(numbers).prop_map(|number| json!({ "N": number.to_string() }));
    let other = proptest::sample::select(vec![
        json!({"BOOL": true}),
        json!({"NULL": true}),
        json!({"B": "b3Vycw=="}),
        json!({"L": []}),
        json!({"M": {}}),
        json!({"SS": ["ours"]}),
        json!({"NS": ["1"]}),
    ]);
    prop_oneof![2 => Just(None), 4 => text.prop_map(Some), 3 => number.prop_map(Some), 1 => other.prop_map(Some)]
}

const TIMES: &[i64] = &[-1, 0, NOW - 1, NOW, NOW + 1, i64::MAX / 1024];

/// A strategy for an item of a lead or an idempotency key in DynamoDB's JSON, or `None`.
fn item() -> impl Strategy<Value = Option<Value>> {
    let attributes = (
        attribute(&["ours", "theirs", ""], TIMES),
        attribute(&["accepted", "unknown", "refused", "Accepted", ""], TIMES),
        attribute(&["1790000000", "ours"], TIMES),
        attribute(&["our lead", "their lead", ""], TIMES),
    );
    let item = attributes.prop_map(|(claim, outcome, expires, lead)| {
        let named = [("claim", claim), ("outcome", outcome), ("expires", expires), ("lead_pk", lead)];
        let attributes = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let pk = ("pk".to_owned(), json!({"S": "an item"}));
        Value::Object(attributes.chain([pk]).collect::<Map<_, _>>())
    });
    prop_oneof![1 => Just(None), 9 => item.prop_map(Some)]
}

fn text(item: &Value, name: &str) -> Option<String> {
    item[name]["S"].as_str().map(str::to_owned)
}

fn number(item: &Value, name: &str) -> Option<i64> {
    item[name]["N"].as_str()?.parse().ok()
}

fn as_lead(item: &Value) -> LeadItem<String> {
    let outcome = match text(item, "outcome").as_deref() {
        Some("accepted") => RecordedOutcome::Accepted,
        Some("unknown") => RecordedOutcome::Unknown,
        _ if item.get("outcome").is_none() => RecordedOutcome::Absent,
        _ => RecordedOutcome::Unreadable,
    };
    LeadItem { claim: text(item, "claim"), outcome, expires: number(item, "expires") }
}

fn as_key(item: &Value) -> KeyItem<String> {
    KeyItem { lead: text(item, "lead_pk"), expires: number(item, "expires") }
}

/// Whether DynamoDB writes to this item under this condition, in a transaction like the ledger's.
async fn is_written(dynamodb: &DynamoCore, item: Option<&Value>, condition: &str, write: &str) -> bool {
    if let Some(item) = item {
        dynamodb.put(TABLE, item.clone());
    }
    let all = json!({
        ":now": {"N": NOW.to_string()}, ":claim": {"S": "ours"}, ":lead": {"S": "our lead"},
        ":unknown": {"S": "unknown"}, ":outcome": {"S": "accepted"},
    });
    let used = all.as_object().unwrap().iter().filter(|(name, _)| condition.contains(*name) || write.contains(*name));
    let used: Map<_, _> = used.map(|(name, value)| (name.clone(), value.clone())).collect();
    let key = json!({"pk": {"S": "an item"}});
    let mut request = json!({
        "TableName": TABLE, "ConditionExpression": condition, "ExpressionAttributeValues": used,
    });
    let (kind, name, value) = match write {
        "put" => ("Put", "Item", key),
        "delete" => ("Delete", "Key", key),
        update => {
            request["UpdateExpression"] = json!(update);
            ("Update", "Key", key)
        }
    };
    request[name] = value;
    let body = json!({"TransactItems": [{ kind: request }]}).to_string();
    let DynamoOutcome::Answered(response) = dynamodb.call("TransactWriteItems", body.as_bytes()).await else {
        panic!("no response")
    };
    let refused = response.body.contains("ConditionalCheckFailed");
    assert!(response.status == 200 || refused, "{}", response.body);
    // The next case starts with an empty table.
    let delete = json!({"TransactItems": [{"Delete": {"TableName": TABLE, "Key": {"pk": {"S": "an item"}}}}]});
    dynamodb.call("TransactWriteItems", delete.to_string().as_bytes()).await;
    response.status == 200
}

/// Compares a function with its expression on 400 random items.
fn agree(condition: &str, write: &str, function: impl Fn(Option<&Value>) -> bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dynamodb = DynamoCore::new().unwrap();
    dynamodb.create_table(TABLE);
    let results = [const { Cell::new(0) }; 2];
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    let result = runner.run(&item(), |item| {
        let function = function(item.as_ref());
        results[usize::from(function)].update(|times| times + 1);
        prop_assert_eq!(runtime.block_on(is_written(&dynamodb, item.as_ref(), condition, write)), function);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{condition}: {error}"));
    assert!(results.iter().all(|times| times.get() > 2), "both results occur: {results:?}");
}

#[test]
fn claim_lead_matches_its_function() {
    agree(CLAIM_LEAD, "put", |item| may_claim_lead(item.map(as_lead).as_ref(), &"ours".to_owned(), NOW));
}

#[test]
fn claim_key_matches_its_function() {
    agree(CLAIM_KEY, "put", |item| may_claim_key(item.map(as_key).as_ref(), &"our lead".to_owned(), NOW));
}

#[test]
fn settle_lead_matches_its_function() {
    let update = "SET outcome = :outcome";
    agree(SETTLE_LEAD, update, |item| {
        may_settle_lead(item.map(as_lead).as_ref(), &"ours".to_owned(), RecordedOutcome::Accepted)
    });
    let unknown = SETTLE_LEAD.replace(":outcome)", ":unknown)");
    agree(&unknown, "SET outcome = :unknown", |item| {
        may_settle_lead(item.map(as_lead).as_ref(), &"ours".to_owned(), RecordedOutcome::Unknown)
    });
}

#[test]
fn release_lead_matches_its_function() {
    agree(RELEASE_LEAD, "delete", |item| may_release_lead(item.map(as_lead).as_ref(), &"ours".to_owned()));
}

#[test]
fn release_key_matches_its_function() {
    agree(RELEASE_KEY, "delete", |item| may_release_key(item.map(as_key).as_ref(), &"our lead".to_owned()));
}
