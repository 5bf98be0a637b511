//! Tokens, locks and reasons to cancel, without a socket and on a paused clock.

use super::*;
use crate::dynamodb::{CancelledTokens, DynamoAnswer, DynamoBehaviour as Behaviour, DynamoCore, DynamoOutcome};

const TEN_MINUTES: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

pub fn claims() -> DynamoCore {
    let core = DynamoCore::new().unwrap();
    core.create_table("claims");
    core
}

pub fn seen(outcome: DynamoOutcome) -> (u16, Value) {
    let DynamoOutcome::Answered(DynamoAnswer { status, body }) = outcome else { panic!("{outcome:?}") };
    (status.as_u16(), serde_json::from_str(&body).unwrap())
}

pub async fn ask(core: &DynamoCore, operation: &str, body: &Value) -> (u16, Value) {
    seen(core.call(operation, body.to_string().as_bytes()).await)
}

/// A transaction that claims these items for `who`.
pub fn transaction<const N: usize>(token: &str, pks: [&str; N], who: &str) -> Value {
    json!({ "ClientRequestToken": token, "TransactItems": pks.map(|pk| json!({ "Put": claim(pk, who) })).to_vec() })
}

async fn transact<const N: usize>(core: &DynamoCore, token: &str, pks: [&str; N], who: &str) -> (u16, Value) {
    ask(core, "TransactWriteItems", &transaction(token, pks, who)).await
}

/// Starts a transaction that takes so long, and returns when it has begun.
async fn hold<const N: usize>(core: &DynamoCore, token: &str, pks: [&str; N], wait: Duration) -> Held {
    let (core, body) = (core.clone(), transaction(token, pks, "held").to_string());
    let begun = core.calls().len() + 1;
    let watched = core.clone();
    let call =
        tokio::spawn(async move { core.call_as(Behaviour::Held(wait), "TransactWriteItems", body.as_bytes()).await });
    watched.called("TransactWriteItems", begun).await;
    Held(call)
}

/// Until it has been done so often, or nothing is left that could do it.
async fn wait_for(core: &DynamoCore, operation: &str, times: usize) {
    tokio::time::timeout(TEN_MINUTES, core.done(operation, times)).await.unwrap();
}

struct Held(tokio::task::JoinHandle<DynamoOutcome>);

impl Held {
    async fn answer(self) -> (u16, Value) {
        seen(self.0.await.unwrap())
    }
}

fn done() -> (u16, Value) {
    (200, json!({}))
}

fn error(kind: &str, message: &str) -> (u16, Value) {
    (400, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message }))
}

fn in_progress() -> (u16, Value) {
    error("TransactionInProgressException", "The transaction with the given request token is already in progress.")
}

fn mismatch() -> (u16, Value) {
    let message = "DynamoDB rejected the request because you retried a request with a different payload but with an \
                   idempotent token that was already used.";
    error("IdempotentParameterMismatchException", message)
}

fn conflict() -> (u16, Value) {
    error("TransactionConflictException", "Transaction is ongoing for the item")
}

fn cancelled<const N: usize>(reasons: [Value; N]) -> (u16, Value) {
    let codes = reasons.each_ref().map(|reason| reason["Code"].as_str().unwrap()).join(", ");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        ),
        "CancellationReasons": reasons.to_vec(),
    });
    (400, body)
}

fn no_reason() -> Value {
    json!({ "Code": "None" })
}

fn conflicting() -> Value {
    json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" })
}

fn taken(pk: &str, who: &str) -> Value {
    let message = "The conditional request failed";
    json!({ "Code": "ConditionalCheckFailed", "Message": message, "Item": item(pk, who) })
}

#[tokio::test(start_paused = true)]
async fn repeated_token_succeeds_without_effect() {
    let core = claims();
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, done());
    let delete = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } } });
    assert_eq!(ask(&core, "DeleteItem", &delete).await, done());

    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, done());

    assert_eq!(core.items("claims"), [item("b", "first")]);
}

#[tokio::test(start_paused = true)]
async fn used_token_refuses_other_parameters() {
    let core = claims();
    assert_eq!(transact(&core, "t", ["a"], "first").await, done());

    for (pk, who) in [("b", "first"), ("a", "second")] {
        assert_eq!(transact(&core, "t", [pk], who).await, mismatch());
    }
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, mismatch());

    assert_eq!(core.items("claims"), [item("a", "first")]);
}

#[tokio::test(start_paused = true)]
async fn parameters_are_compared_as_json() {
    let core = claims();
    let put = r#"{"Put":{"TableName":"claims","Item":{"pk":{"S":"a"},"who":{"S":"x"}}}}"#;
    let same = r#"{"Put":{"Item":{"who":{"S":"x"},"pk":{"S":"\u0061"}},  "TableName":"claims"}}"#;
    let first = format!(r#"{{"ClientRequestToken":"t","TransactItems":[{put}]}}"#);
    let second = format!(r#"{{"TransactItems":[{same}],"ClientRequestToken":"t"}}"#);

    for body in [first, second] {
        assert_eq!(seen(core.call("TransactWriteItems", body.as_bytes()).await), done());
    }
}

#[tokio::test(start_paused = true)]
async fn token_is_valid_for_ten_minutes_from_its_success() {
    let core = claims();
    assert_eq!(transact(&core, "t", ["a"], "first").await, done());

    // A repetition does not prolong it.
    tokio::time::advance(TEN_MINUTES - SECOND).await;
    assert_eq!(transact(&core, "t", ["a"], "first").await, done());
    assert_eq!(transact(&core, "t", ["b"], "first").await, mismatch());
    tokio::time::advance(SECOND).await;

    assert_eq!(transact(&core, "t", ["a"], "first").await, cancelled([taken("a", "first")]));
    assert_eq!(transact(&core, "t", ["b"], "first").await, done());
}

#[tokio::test(start_paused = true)]
async fn held_token_is_valid_from_its_end() {
    let core = claims();
    let held = hold(&core, "t", ["a"], TEN_MINUTES).await;
    assert_eq!(held.answer().await, done());

    tokio::time::advance(TEN_MINUTES - SECOND).await;

    assert_eq!(transact(&core, "t", ["a"], "held").await, done());
}

#[tokio::test(start_paused = true)]
async fn transactions_without_a_token_are_never_repetitions() {
    let core = claims();
    let put = json!({ "TransactItems": [{ "Put": claim("a", "first") }] });

    assert_eq!(ask(&core, "TransactWriteItems", &put).await, done());
    assert_eq!(ask(&core, "TransactWriteItems", &put).await, cancelled([taken("a", "first")]));
}

#[tokio::test(start_paused = true)]
async fn cancelled_token_is_remembered_or_forgotten() {
    for rules in TokenRules::ALL {
        let core = claims();
        core.set_token_rules(rules);
        core.put("claims", item("a", "other"));
        assert_eq!(transact(&core, "t", ["a", "b"], "first").await, cancelled([taken("a", "other"), no_reason()]));

        let expected = match rules.cancelled {
            CancelledTokens::Remembered => (mismatch(), vec![item("a", "other")]),
            CancelledTokens::Forgotten => (done(), vec![item("a", "other"), item("c", "void")]),
        };
        assert_eq!((transact(&core, "t", ["c"], "void").await, core.items("claims")), expected, "{rules:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_transaction_is_evaluated_anew() {
    for rules in TokenRules::ALL {
        let core = claims();
        core.set_token_rules(rules);
        core.put("claims", item("a", "other"));
        for _ in 0..2 {
            assert_eq!(transact(&core, "t", ["a"], "first").await, cancelled([taken("a", "other")]));
        }
        let delete = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } } });
        assert_eq!(ask(&core, "DeleteItem", &delete).await, done());

        // From its success on, it is a repetition.
        for _ in 0..2 {
            assert_eq!(transact(&core, "t", ["a"], "first").await, done(), "{rules:?}");
        }
        assert_eq!(transact(&core, "t", ["b"], "first").await, mismatch(), "{rules:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_token_is_remembered_for_ten_minutes() {
    let core = claims();
    core.set_token_rules(TokenRules { cancelled: CancelledTokens::Remembered, ..TokenRules::default() });
    core.next("TransactWriteItems", Behaviour::Conflicting);
    assert_eq!(transact(&core, "t", ["a"], "first").await, cancelled([conflicting()]));

    tokio::time::advance(TEN_MINUTES - SECOND).await;
    assert_eq!(transact(&core, "t", ["b"], "first").await, mismatch());
    tokio::time::advance(SECOND).await;

    assert_eq!(transact(&core, "t", ["b"], "first").await, done());
}

#[tokio::test(start_paused = true)]
async fn every_reason_to_cancel_counts_for_the_token() {
    for behaviour in [Behaviour::Conflicting, Behaviour::ConflictingAt(0), Behaviour::ThrottledInTransaction] {
        for rules in TokenRules::ALL {
            let core = claims();
            core.set_token_rules(rules);
            core.next("TransactWriteItems", behaviour);
            assert_eq!(transact(&core, "t", ["a"], "first").await.0, 400);

            let other = transact(&core, "t", ["b"], "first").await;

            let remembered = rules.cancelled == CancelledTokens::Remembered;
            assert_eq!(other, if remembered { mismatch() } else { done() }, "{behaviour:?} {rules:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn repetition_succeeds_whatever_hinders_its_items() {
    let core = claims();
    assert_eq!(transact(&core, "t", ["a"], "first").await, done());
    core.behave(Behaviour::Conflicting);

    assert_eq!(transact(&core, "t", ["a"], "first").await, done());
    assert_eq!(transact(&core, "t", ["b"], "first").await, mismatch());
}

#[tokio::test(start_paused = true)]
async fn what_never_ran_leaves_its_token_unused() {
    for behaviour in [Behaviour::Down, Behaviour::Throttled, Behaviour::Denied, Behaviour::Silent, Behaviour::Broken] {
        let core = claims();
        core.set_token_rules(TokenRules { cancelled: CancelledTokens::Remembered, ..TokenRules::default() });
        let body = transaction("t", ["a"], "first").to_string();
        core.call_as(behaviour, "TransactWriteItems", body.as_bytes()).await;

        assert_eq!(transact(&core, "t", ["b"], "first").await, done(), "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_request_leaves_its_token_unused() {
    for rules in TokenRules::ALL {
        let core = claims();
        core.set_token_rules(rules);
        let mut invalid = transaction("t", ["a"], "first");
        invalid["TransactItems"][0]["Put"]["TableName"] = "nothing".into();
        let missing = error("ResourceNotFoundException", "Requested resource not found");

        assert_eq!(ask(&core, "TransactWriteItems", &invalid).await, missing);
        core.next("TransactWriteItems", Behaviour::Conflicting);
        assert_eq!(ask(&core, "TransactWriteItems", &invalid).await, missing);

        assert_eq!(transact(&core, "t", ["a"], "first").await, done());
    }
}

#[tokio::test(start_paused = true)]
async fn key_of_the_wrong_type_is_a_reason_to_cancel() {
    let core = claims();
    let mut wrong = transaction("t", ["a", "b"], "first");
    wrong["TransactItems"][1]["Put"]["Item"]["pk"] = json!({ "N": "1" });

    let (status, refused) = ask(&core, "TransactWriteItems", &wrong).await;

    let codes = [&refused["CancellationReasons"][0]["Code"], &refused["CancellationReasons"][1]["Code"]];
    assert_eq!((status, codes), (400, [&json!("None"), &json!("ValidationError")]));
    assert_eq!(core.items("claims"), [Value::Null; 0]);
}

#[tokio::test(start_paused = true)]
async fn token_of_more_than_36_characters_is_invalid() {
    let core = claims();

    let (status, refused) = transact(&core, &"t".repeat(37), ["a"], "first").await;

    assert_eq!((status, &refused["__type"]), (400, &json!("com.amazon.coral.validate#ValidationException")));
    for _ in 0..2 {
        assert_eq!(transact(&core, &"t".repeat(36), ["a"], "first").await, done());
    }
    // Not remembered by the emulator either, which has a clock of its own.
    tokio::time::advance(TEN_MINUTES).await;
    assert_eq!(transact(&core, &"t".repeat(36), ["a"], "first").await, cancelled([taken("a", "first")]));
}

#[tokio::test(start_paused = true)]
async fn running_token_is_in_progress_or_a_mismatch() {
    for rules in TokenRules::ALL {
        let core = claims();
        core.set_token_rules(rules);
        let held = hold(&core, "t", ["a", "b"], SECOND).await;

        assert_eq!(transact(&core, "t", ["a", "b"], "held").await, in_progress());
        let other = match rules.running {
            RunningTokens::InProgress => in_progress(),
            RunningTokens::Mismatch => mismatch(),
        };
        assert_eq!(transact(&core, "t", ["c"], "void").await, other, "{rules:?}");
        assert_eq!(core.items("claims"), [Value::Null; 0]);

        assert_eq!(held.answer().await, done());
        assert_eq!(transact(&core, "t", ["a", "b"], "held").await, done());
        assert_eq!(transact(&core, "t", ["c"], "void").await, mismatch());
    }
}

#[tokio::test(start_paused = true)]
async fn held_transaction_ends_after_its_time() {
    let core = claims();
    let begun = tokio::time::Instant::now();

    let held = hold(&core, "t", ["a"], SECOND).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(held.answer().await, done());

    assert_eq!(begun.elapsed(), SECOND);
    assert_eq!(core.items("claims"), [item("a", "held")]);
}

#[tokio::test(start_paused = true)]
async fn held_transaction_is_done_though_its_caller_is_gone() {
    let core = claims();
    let held = hold(&core, "t", ["a"], SECOND).await;
    held.0.abort();

    wait_for(&core, "TransactWriteItems", 1).await;

    assert_eq!(core.items("claims"), [item("a", "held")]);
    assert_eq!(transact(&core, "t", ["a"], "held").await, done());
}

#[tokio::test(start_paused = true)]
async fn locked_item_cancels_other_transactions_and_no_other_item_does() {
    let core = claims();
    core.put("claims", item("c", "other"));
    let held = hold(&core, "t", ["a"], SECOND).await;

    assert_eq!(transact(&core, "u", ["b", "a"], "second").await, cancelled([no_reason(), conflicting()]));
    assert_eq!(
        transact(&core, "v", ["a", "b", "c"], "second").await,
        cancelled([conflicting(), no_reason(), taken("c", "other")])
    );
    assert_eq!(transact(&core, "w", ["b"], "second").await, done());

    assert_eq!(held.answer().await, done());
    assert_eq!(core.items("claims"), [item("a", "held"), item("b", "second"), item("c", "other")]);
}

#[tokio::test(start_paused = true)]
async fn locked_item_cancels_whatever_a_transaction_does_to_it() {
    let core = claims();
    let _held = hold(&core, "t", ["a"], SECOND).await;
    let key = json!({ "pk": { "S": "a" } });
    let condition = "attribute_exists(pk)";

    for action in [
        json!({ "Put": { "TableName": "claims", "Item": item("a", "second") } }),
        json!({ "Delete": { "TableName": "claims", "Key": key } }),
        json!({ "ConditionCheck": { "TableName": "claims", "Key": key, "ConditionExpression": condition } }),
        json!({ "Update": { "TableName": "claims", "Key": key, "UpdateExpression": "REMOVE who" } }),
    ] {
        let request = json!({ "TransactItems": [action] });
        assert_eq!(ask(&core, "TransactWriteItems", &request).await, cancelled([conflicting()]), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn locked_item_refuses_plain_writes_and_shows_its_old_state() {
    let core = claims();
    core.create_table("others");
    let key = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } } });
    let update = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } }, "UpdateExpression": "REMOVE who" });
    let elsewhere = json!({ "TableName": "others", "Item": item("a", "second") });
    let held = hold(&core, "t", ["a"], SECOND).await;

    assert_eq!(ask(&core, "PutItem", &claim("a", "second")).await, conflict());
    assert_eq!(ask(&core, "UpdateItem", &update).await, conflict());
    assert_eq!(ask(&core, "DeleteItem", &key).await, conflict());
    assert_eq!(ask(&core, "GetItem", &key).await, done());
    assert_eq!(ask(&core, "PutItem", &claim("b", "second")).await, done());
    assert_eq!(ask(&core, "PutItem", &elsewhere).await, done());

    assert_eq!(held.answer().await, done());
    assert_eq!(ask(&core, "UpdateItem", &update).await, done());
    assert_eq!(ask(&core, "DeleteItem", &key).await, done());
}

#[tokio::test(start_paused = true)]
async fn held_transaction_is_evaluated_at_its_end() {
    let core = claims();
    let held = hold(&core, "t", ["a", "b"], SECOND).await;
    core.put("claims", item("b", "operator"));

    assert_eq!(held.answer().await, cancelled([no_reason(), taken("b", "operator")]));

    assert_eq!(core.items("claims"), [item("b", "operator")]);
    assert_eq!(transact(&core, "u", ["a"], "second").await, done());
}

#[tokio::test(start_paused = true)]
async fn second_held_transaction_is_cancelled_at_once() {
    let core = claims();
    let first = hold(&core, "t", ["a"], SECOND).await;
    let begun = tokio::time::Instant::now();

    let second = hold(&core, "u", ["a", "b"], SECOND).await;
    assert_eq!(second.answer().await, cancelled([conflicting(), no_reason()]));
    wait_for(&core, "TransactWriteItems", 1).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);

    // It has locked nothing.
    assert_eq!(transact(&core, "v", ["b"], "third").await, done());
    assert_eq!(first.answer().await, done());
}

#[tokio::test(start_paused = true)]
async fn conflict_at_one_item_leaves_the_others_to_their_conditions() {
    let core = claims();
    core.put("claims", item("c", "other"));
    let next = |index| core.next("TransactWriteItems", Behaviour::ConflictingAt(index));

    next(1);
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, cancelled([no_reason(), conflicting()]));
    next(0);
    assert_eq!(transact(&core, "u", ["a", "c"], "first").await, cancelled([conflicting(), taken("c", "other")]));
    next(1);
    assert_eq!(transact(&core, "v", ["a", "c"], "first").await, cancelled([no_reason(), conflicting()]));
    assert_eq!(core.items("claims"), [item("c", "other")]);

    next(2);
    assert_eq!(transact(&core, "w", ["a", "b"], "first").await, done());
    wait_for(&core, "TransactWriteItems", 1).await;
    core.next("PutItem", Behaviour::ConflictingAt(1));
    assert_eq!(ask(&core, "PutItem", &claim("d", "first")).await, conflict());
}

#[tokio::test(start_paused = true)]
async fn throttling_within_transactions_throttles_plain_writes_too() {
    let core = claims();
    core.behave(Behaviour::ThrottledInTransaction);
    let message = "Throughput exceeds the current capacity of your table or index.";
    let throttled = json!({ "Code": "ThrottlingError", "Message": message });

    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, cancelled([throttled.clone(), throttled]));
    assert_eq!(ask(&core, "PutItem", &claim("a", "first")).await, error("ThrottlingException", message));
    assert_eq!(core.items("claims"), [Value::Null; 0]);
}

#[tokio::test(start_paused = true)]
async fn late_request_locks_nothing_and_is_evaluated_when_it_arrives() {
    let core = claims();
    core.next("TransactWriteItems", Behaviour::Slow(SECOND));
    let late = tokio::spawn({
        let core = core.clone();
        async move { transact(&core, "t", ["a"], "late").await }
    });
    core.called("TransactWriteItems", 1).await;

    // Its token is unknown until it arrives.
    assert_eq!(transact(&core, "t", ["b"], "void").await, done());
    assert_eq!(ask(&core, "PutItem", &claim("a", "second")).await, done());

    assert_eq!(late.await.unwrap(), mismatch());
    assert_eq!(core.items("claims"), [item("a", "second"), item("b", "void")]);
}

#[tokio::test(start_paused = true)]
async fn held_is_slow_where_there_is_no_transaction() {
    let core = claims();
    let put = tokio::spawn({
        let core = core.clone();
        let body = claim("a", "held").to_string();
        async move { core.call_as(Behaviour::Held(SECOND), "PutItem", body.as_bytes()).await }
    });
    core.called("PutItem", 1).await;

    assert_eq!(ask(&core, "PutItem", &claim("a", "second")).await, done());

    let (status, refused) = seen(put.await.unwrap());
    assert_eq!((status, &refused["Item"]), (400, &item("a", "second")));
}

#[tokio::test(start_paused = true)]
async fn duplicate_of_a_plain_write_is_done_again() {
    let core = claims();
    let put = json!({ "TableName": "claims", "Item": item("a", "first") });
    core.next("PutItem", Behaviour::Twice(SECOND));
    assert_eq!(ask(&core, "PutItem", &put).await, done());
    core.put("claims", item("a", "second"));

    wait_for(&core, "PutItem", 2).await;

    assert_eq!(core.items("claims"), [item("a", "first")]);
    assert_eq!(core.calls(), ["PutItem"]);
}

#[tokio::test(start_paused = true)]
async fn duplicate_of_a_transaction_is_a_repetition() {
    let core = claims();
    let begun = tokio::time::Instant::now();
    core.next("TransactWriteItems", Behaviour::Twice(SECOND));
    assert_eq!(transact(&core, "t", ["a"], "first").await, done());
    let delete = json!({ "TableName": "claims", "Key": { "pk": { "S": "a" } } });
    assert_eq!(ask(&core, "DeleteItem", &delete).await, done());
    assert_eq!(begun.elapsed(), Duration::ZERO);

    wait_for(&core, "TransactWriteItems", 2).await;

    assert_eq!(begun.elapsed(), SECOND);
    assert_eq!(core.items("claims"), [Value::Null; 0]);
}
