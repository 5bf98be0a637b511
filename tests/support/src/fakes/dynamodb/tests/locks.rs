//! Items that are locked by a running transaction, on a paused clock.

use tokio::{task::JoinHandle, time::Instant};

use super::*;

fn conflict() -> (u16, Value) {
    error("TransactionConflictException", "Transaction is ongoing for the item")
}

/// Starts a call with this behaviour, and returns once it has begun.
async fn start(core: &DynamoCore, how: Behaviour, operation: &'static str, body: Value) -> JoinHandle<DynamoOutcome> {
    let (core, watched, begun) = (core.clone(), core.clone(), core.calls().len());
    let call = tokio::spawn(async move { core.call_as(how, operation, body.to_string().as_bytes()).await });
    while watched.calls().len() == begun {
        tokio::task::yield_now().await;
    }
    call
}

/// Starts a transaction that takes a second.
async fn hold_items<const N: usize>(core: &DynamoCore, token: &str, pks: [&str; N]) -> JoinHandle<DynamoOutcome> {
    start(core, Behaviour::Held(SECOND), TRANSACTION, transaction(token, pks, "held")).await
}

async fn end(call: JoinHandle<DynamoOutcome>) -> (u16, Value) {
    seen(call.await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_late_call_is_done_though_its_caller_is_gone() {
    for how in [Behaviour::Held(SECOND), Behaviour::Slow(SECOND)] {
        let core = claims();
        let begun = Instant::now();
        start(&core, how, TRANSACTION, transaction("t", ["a"], "late")).await.abort();
        assert_eq!((begun.elapsed(), core.items("claims")), (Duration::ZERO, vec![]), "{how:?}");
        core.done(TRANSACTION, 1).await;
        assert_eq!((begun.elapsed(), core.items("claims")), (SECOND, vec![item("a", "late")]), "{how:?}");
        assert_eq!(transact(&core, "t", ["a"], "late").await, done());
    }
}

#[tokio::test(start_paused = true)]
async fn a_locked_item_cancels_other_transactions() {
    let core = claims();
    core.put("claims", item("c", "other"));
    let held = hold_items(&core, "t", ["a"]).await;
    assert_eq!(transact(&core, "u", ["b", "a"], "second").await, cancelled([no_reason(), conflicting()]));
    assert_eq!(
        transact(&core, "v", ["a", "b", "c"], "second").await,
        cancelled([conflicting(), no_reason(), taken("c", "other")])
    );
    assert_eq!(transact(&core, "w", ["b"], "second").await, done());
    assert_eq!(end(held).await, done());
    assert_eq!(core.items("claims"), [item("a", "held"), item("b", "second"), item("c", "other")]);
}

#[tokio::test(start_paused = true)]
async fn a_locked_item_cancels_every_kind_of_action() {
    let core = claims();
    let _held = hold_items(&core, "t", ["a"]).await;
    let key = json!({ "pk": { "S": "a" } });
    let condition = "attribute_exists(pk)";
    for action in [
        json!({ "Put": put(item("a", "second")) }),
        json!({ "Delete": { "TableName": "claims", "Key": key } }),
        json!({ "ConditionCheck": { "TableName": "claims", "Key": key, "ConditionExpression": condition } }),
        json!({ "Update": { "TableName": "claims", "Key": key, "UpdateExpression": "REMOVE who" } }),
    ] {
        let request = json!({ "TransactItems": [action] });
        assert_eq!(ask(&core, TRANSACTION, &request).await, cancelled([conflicting()]), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_locked_item_refuses_plain_writes_and_can_be_read() {
    let core = claims();
    core.create_table("others");
    let mut update = key("a");
    update["UpdateExpression"] = "REMOVE who".into();
    let elsewhere = json!({ "TableName": "others", "Item": item("a", "second") });
    let held = hold_items(&core, "t", ["a"]).await;
    assert_eq!(ask(&core, "PutItem", &claim("a", "second")).await, conflict());
    assert_eq!(ask(&core, "UpdateItem", &update).await, conflict());
    assert_eq!(ask(&core, "DeleteItem", &key("a")).await, conflict());
    assert_eq!(ask(&core, "GetItem", &key("a")).await, done());
    assert_eq!(ask(&core, "PutItem", &claim("b", "second")).await, done());
    assert_eq!(ask(&core, "PutItem", &elsewhere).await, done());
    assert_eq!(end(held).await, done());
    assert_eq!(ask(&core, "UpdateItem", &update).await, done());
    assert_eq!(ask(&core, "DeleteItem", &key("a")).await, done());
}

#[tokio::test(start_paused = true)]
async fn a_held_transaction_is_evaluated_at_its_end() {
    let core = claims();
    let begun = Instant::now();
    let held = hold_items(&core, "t", ["a", "b"]).await;
    core.put("claims", item("b", "operator"));
    assert_eq!(end(held).await, cancelled([no_reason(), taken("b", "operator")]));
    assert_eq!(begun.elapsed(), SECOND);
    assert_eq!(core.items("claims"), [item("b", "operator")]);
    assert_eq!(transact(&core, "u", ["a"], "second").await, done());
}

#[tokio::test(start_paused = true)]
async fn a_second_held_transaction_is_cancelled_at_once() {
    let core = claims();
    let first = hold_items(&core, "t", ["a"]).await;
    let begun = Instant::now();
    let second = hold_items(&core, "u", ["a", "b"]).await;
    assert_eq!(end(second).await, cancelled([conflicting(), no_reason()]));
    core.done(TRANSACTION, 1).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(transact(&core, "v", ["b"], "third").await, done(), "it has locked nothing");
    assert_eq!(end(first).await, done());
}

#[tokio::test(start_paused = true)]
async fn a_conflict_at_one_item_evaluates_the_others() {
    let core = claims();
    core.put("claims", item("c", "other"));
    let next = |index| core.next(TRANSACTION, Behaviour::ConflictingAt(index));
    next(1);
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, cancelled([no_reason(), conflicting()]));
    next(0);
    assert_eq!(transact(&core, "u", ["a", "c"], "first").await, cancelled([conflicting(), taken("c", "other")]));
    next(1);
    assert_eq!(transact(&core, "v", ["a", "c"], "first").await, cancelled([no_reason(), conflicting()]));
    assert_eq!(core.items("claims"), [item("c", "other")]);
    next(2);
    assert_eq!(transact(&core, "w", ["a", "b"], "first").await, done());
    core.done(TRANSACTION, 1).await;
}
