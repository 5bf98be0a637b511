//! Read and write units.

use super::*;

/// An item of exactly this many bytes: its names and values, as DynamoDB counts them.
fn sized(pk: &str, bytes: usize) -> Value {
    item(pk, &"x".repeat(bytes - "pk".len() - pk.len() - "who".len()))
}

/// What a call costs, in write and read units.
async fn cost(core: &DynamoCore, operation: &str, body: &Value) -> (f64, f64) {
    let before = core.units("claims");
    ask(core, operation, body).await;
    let after = core.units("claims");
    (after.write - before.write, after.read - before.read)
}

#[tokio::test]
async fn a_plain_write_costs_one_unit_per_kb() {
    let core = claims();
    for (bytes, expected) in [(100, 1.0), (1024, 1.0), (1025, 2.0), (3000, 3.0), (100, 3.0)] {
        assert_eq!(cost(&core, "PutItem", &put(sized("a", bytes))).await, (expected, 0.0), "{bytes} bytes");
    }
    core.put("claims", sized("a", 2000));
    assert_eq!(cost(&core, "DeleteItem", &key("a")).await, (2.0, 0.0));
    assert_eq!(cost(&core, "DeleteItem", &key("a")).await, (1.0, 0.0));
    let mut update = key("a");
    update["UpdateExpression"] = "SET who = :who".into();
    update["ExpressionAttributeValues"] = json!({ ":who": { "S": "x".repeat(2000) } });
    assert_eq!(cost(&core, "UpdateItem", &update).await, (2.0, 0.0));
}

#[tokio::test]
async fn a_transaction_costs_two_units_per_kb_and_reads_if_repeated() {
    let core = claims();
    let puts = [put(sized("a", 4096)), put(sized("b", 4097))].map(|put| json!({ "Put": put }));
    let puts = json!({ "TransactItems": puts, "ClientRequestToken": "t" });
    assert_eq!(cost(&core, TRANSACTION, &puts).await, (18.0, 0.0));
    assert_eq!(cost(&core, TRANSACTION, &puts).await, (0.0, 6.0));
}

#[tokio::test]
async fn a_refused_write_costs_what_it_would_have() {
    let core = claims();
    core.put("claims", sized("a", 1500));
    let mut missing = key("b");
    missing["ConditionExpression"] = "attribute_exists(pk)".into();
    assert_eq!(cost(&core, "PutItem", &claim("a", "first")).await, (2.0, 0.0));
    assert_eq!(cost(&core, "PutItem", &claim("a", &"x".repeat(2500))).await, (3.0, 0.0));
    assert_eq!(cost(&core, "DeleteItem", &missing).await, (1.0, 0.0));
    assert_eq!(cost(&core, TRANSACTION, &transaction("t", ["a", "b"], "first")).await, (6.0, 0.0));
    core.next(TRANSACTION, Behaviour::ConflictingAt(1));
    assert_eq!(cost(&core, TRANSACTION, &transaction("u", ["c", "d"], "first")).await, (4.0, 0.0));
}

#[tokio::test]
async fn a_read_costs_half_a_unit_per_4_kb() {
    let core = claims();
    core.put("claims", sized("a", 4097));
    let mut consistent = key("a");
    consistent["ConsistentRead"] = true.into();
    assert_eq!(cost(&core, "GetItem", &key("a")).await, (0.0, 1.0));
    assert_eq!(cost(&core, "GetItem", &consistent).await, (0.0, 2.0));
    assert_eq!(cost(&core, "Scan", &json!({ "TableName": "claims" })).await, (0.0, 1.0));
}

#[tokio::test]
async fn what_is_not_done_costs_nothing() {
    for behaviour in [Behaviour::Down, Behaviour::Throttled, Behaviour::Denied, Behaviour::Hang, Behaviour::Reset] {
        let core = claims();
        core.call_as(behaviour, "PutItem", claim("a", "first").to_string().as_bytes()).await;
        assert_eq!(core.units("claims"), DynamoUnits::default(), "{behaviour:?}");
    }
}

#[tokio::test]
async fn tables_are_counted_separately() {
    let core = claims();
    core.create_table("others");
    let mut both = transaction("t", ["a", "b"], "first");
    both["TransactItems"][1]["Put"]["TableName"] = "others".into();
    ask(&core, TRANSACTION, &both).await;
    ask(&core, "PutItem", &claim("c", "first")).await;
    assert_eq!(core.units("claims"), DynamoUnits { write: 3.0, read: 0.0 });
    assert_eq!(core.units("others"), DynamoUnits { write: 2.0, read: 0.0 });
}

#[tokio::test]
async fn consumed_capacity_is_returned_on_request() {
    let core = claims();
    let mut asking = put(item("a", "first"));
    asking["ReturnConsumedCapacity"] = "TOTAL".into();
    let consumed = json!({ "ConsumedCapacity": { "TableName": "claims", "CapacityUnits": 1.0 } });
    assert_eq!(ask(&core, "PutItem", &asking).await, (200, consumed));
    assert_eq!(core.units("claims"), DynamoUnits { write: 1.0, read: 0.0 });
    asking["ReturnConsumedCapacity"] = "NONE".into();
    assert_eq!(ask(&core, "PutItem", &asking).await, done());
    asking["ReturnConsumedCapacity"] = "SOME".into();
    assert_eq!(ask(&core, "PutItem", &asking).await.0, 400);
}
