//! Read and write units.

use super::{
    transactions::{ask, claims, transaction},
    *,
};
use crate::dynamodb::{DynamoBehaviour as Behaviour, DynamoCore};

/// An item of exactly so many bytes: its names and values, as DynamoDB counts them.
fn sized(pk: &str, bytes: usize) -> Value {
    item(pk, &"x".repeat(bytes - "pk".len() - pk.len() - "who".len()))
}

fn put(item: &Value) -> Value {
    json!({ "TableName": "claims", "Item": item })
}

/// What the calls in `act` cost.
async fn cost(core: &DynamoCore, act: impl Future<Output = (u16, Value)>) -> (f64, f64) {
    let before = core.units("claims");
    act.await;
    let after = core.units("claims");
    (after.write - before.write, after.read - before.read)
}

#[tokio::test]
async fn plain_write_costs_one_unit_per_kb() {
    let core = claims();
    let key = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } } });

    for (bytes, expected) in [(100, 1.0), (1024, 1.0), (1025, 2.0), (3000, 3.0), (100, 3.0)] {
        let spent = cost(&core, ask(&core, "PutItem", &put(&sized("a", bytes)))).await;
        assert_eq!(spent, (expected, 0.0), "{bytes} bytes");
    }
    core.put("claims", sized("a", 2000));
    assert_eq!(cost(&core, ask(&core, "DeleteItem", &key)).await, (2.0, 0.0));
    assert_eq!(cost(&core, ask(&core, "DeleteItem", &key)).await, (1.0, 0.0));
    let update = json!({
        "TableName": "claims",
        "Key": key["Key"],
        "UpdateExpression": "SET who = :who",
        "ExpressionAttributeValues": { ":who": { "S": "x".repeat(2000) } },
    });
    assert_eq!(cost(&core, ask(&core, "UpdateItem", &update)).await, (2.0, 0.0));
}

#[tokio::test]
async fn transaction_costs_two_units_per_kb_of_each_item() {
    let core = claims();
    let puts = json!({ "TransactItems": [{ "Put": put(&sized("a", 1024)) }, { "Put": put(&sized("b", 1025)) }] });

    assert_eq!(cost(&core, ask(&core, "TransactWriteItems", &puts)).await, (6.0, 0.0));
}

#[tokio::test]
async fn repeated_transaction_costs_reads() {
    let core = claims();
    let mut puts = json!({ "TransactItems": [{ "Put": put(&sized("a", 4096)) }, { "Put": put(&sized("b", 4097)) }] });
    puts["ClientRequestToken"] = "t".into();
    ask(&core, "TransactWriteItems", &puts).await;

    assert_eq!(cost(&core, ask(&core, "TransactWriteItems", &puts)).await, (0.0, 6.0));
}

#[tokio::test]
async fn refused_write_costs_what_it_would_have() {
    let core = claims();
    core.put("claims", sized("a", 1500));
    let nobody = json!({
        "TableName": "claims",
        "Key": { "pk": { "S": "b" } },
        "ConditionExpression": "attribute_exists(pk)",
    });

    assert_eq!(cost(&core, ask(&core, "PutItem", &claim("a", "first"))).await, (2.0, 0.0));
    assert_eq!(cost(&core, ask(&core, "PutItem", &claim("a", &"x".repeat(2500)))).await, (3.0, 0.0));
    assert_eq!(cost(&core, ask(&core, "DeleteItem", &nobody)).await, (1.0, 0.0));
}

#[tokio::test]
async fn cancelled_transaction_costs_what_it_would_have() {
    let core = claims();
    core.put("claims", sized("a", 1500));

    let refused = transaction("t", ["a", "b"], "first");
    assert_eq!(cost(&core, ask(&core, "TransactWriteItems", &refused)).await, (6.0, 0.0));
    core.next("TransactWriteItems", Behaviour::ConflictingAt(1));
    let conflicting = transaction("u", ["c", "d"], "first");
    assert_eq!(cost(&core, ask(&core, "TransactWriteItems", &conflicting)).await, (4.0, 0.0));
}

#[tokio::test]
async fn read_costs_half_a_unit_per_4_kb() {
    let core = claims();
    core.put("claims", sized("a", 4097));
    let key = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } } });
    let consistent = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } }, "ConsistentRead": true });

    assert_eq!(cost(&core, ask(&core, "GetItem", &key)).await, (0.0, 1.0));
    assert_eq!(cost(&core, ask(&core, "GetItem", &consistent)).await, (0.0, 2.0));
    assert_eq!(cost(&core, ask(&core, "Scan", &json!({ "TableName": "claims" }))).await, (0.0, 1.0));
}

#[tokio::test]
async fn what_is_not_done_costs_nothing() {
    for behaviour in [Behaviour::Down, Behaviour::Throttled, Behaviour::Denied, Behaviour::Silent, Behaviour::Broken] {
        let core = claims();
        let put = claim("a", "first").to_string();
        core.call_as(behaviour, "PutItem", put.as_bytes()).await;
        assert_eq!(core.units("claims"), DynamoUnits::default(), "{behaviour:?}");
    }
}

#[tokio::test]
async fn tables_are_counted_apart() {
    let core = claims();
    core.create_table("others");
    let mut both = transaction("t", ["a", "b"], "first");
    both["TransactItems"][1]["Put"]["TableName"] = "others".into();
    ask(&core, "TransactWriteItems", &both).await;
    ask(&core, "PutItem", &claim("c", "first")).await;

    assert_eq!(core.units("claims"), DynamoUnits { write: 3.0, read: 0.0 });
    assert_eq!(core.units("others"), DynamoUnits { write: 2.0, read: 0.0 });
}

#[tokio::test]
async fn consumed_capacity_is_returned_to_those_who_ask() {
    let core = claims();
    let mut asking = put(&item("a", "first"));
    asking["ReturnConsumedCapacity"] = "TOTAL".into();

    let consumed = json!({ "ConsumedCapacity": { "TableName": "claims", "CapacityUnits": 1.0 } });
    assert_eq!(ask(&core, "PutItem", &asking).await, (200, consumed));
    assert_eq!(core.units("claims"), DynamoUnits { write: 1.0, read: 0.0 });
    asking["ReturnConsumedCapacity"] = "NONE".into();
    assert_eq!(ask(&core, "PutItem", &asking).await, (200, json!({})));
    asking["ReturnConsumedCapacity"] = "SOME".into();
    assert_eq!(ask(&core, "PutItem", &asking).await.0, 400);
}
