//! Client request tokens, on a paused clock.

use super::*;

fn in_progress() -> (u16, Value) {
    error("TransactionInProgressException", "The transaction with the given request token is already in progress.")
}

fn mismatch() -> (u16, Value) {
    let message = "DynamoDB rejected the request because you retried a request with a different payload but with an \
                   idempotent token that was already used.";
    error("IdempotentParameterMismatchException", message)
}

fn with_rules(rules: TokenRules) -> DynamoCore {
    let core = claims();
    core.set_token_rules(rules);
    core
}

const REMEMBERED: TokenRules = TokenRules { remember_cancelled: true, mismatch_while_running: false };

#[tokio::test(start_paused = true)]
async fn a_repeated_token_succeeds_without_effect() {
    let core = claims();
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, done());
    assert_eq!(ask(&core, "DeleteItem", &key("a")).await, done());
    core.behave(Behaviour::Conflicting);
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, done(), "whatever is at its items");
    assert_eq!(core.items("claims"), [item("b", "first")]);
}

#[tokio::test(start_paused = true)]
async fn a_used_token_refuses_what_is_other_json() {
    let core = claims();
    let put = r#"{"Put":{"TableName":"claims","Item":{"pk":{"S":"a"},"who":{"S":"x"}}}}"#;
    let same = r#"{"Put":{"Item":{"who":{"S":"x"},"pk":{"S":"\u0061"}},  "TableName":"claims"}}"#;
    let first = format!(r#"{{"ClientRequestToken":"t","TransactItems":[{put}]}}"#);
    let second = format!(r#"{{"TransactItems":[{same}],"ClientRequestToken":"t"}}"#);
    for body in [first, second] {
        assert_eq!(seen(core.call(TRANSACTION, body.as_bytes()).await), done());
    }
    assert_eq!(transact(&core, "t", ["a"], "x").await, mismatch(), "it has a condition");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_valid_for_ten_minutes_after_its_success() {
    let core = claims();
    core.next(TRANSACTION, Behaviour::Held(TEN_MINUTES));
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
async fn transactions_without_a_token_are_never_repetitions() {
    let core = claims();
    let put = json!({ "TransactItems": [{ "Put": claim("a", "first") }] });
    assert_eq!(ask(&core, TRANSACTION, &put).await, done());
    assert_eq!(ask(&core, TRANSACTION, &put).await, cancelled([taken("a", "first")]));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_transaction_is_evaluated_anew() {
    for rules in TokenRules::ALL {
        let core = with_rules(rules);
        core.put("claims", item("a", "other"));
        for _ in 0..2 {
            assert_eq!(transact(&core, "t", ["a"], "first").await, cancelled([taken("a", "other")]));
        }
        assert_eq!(ask(&core, "DeleteItem", &key("a")).await, done());
        // After its success, it is a repetition.
        for _ in 0..2 {
            assert_eq!(transact(&core, "t", ["a"], "first").await, done(), "{rules:?}");
        }
        assert_eq!(transact(&core, "t", ["b"], "first").await, mismatch(), "{rules:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_token_is_remembered_for_ten_minutes() {
    let core = with_rules(REMEMBERED);
    core.next(TRANSACTION, Behaviour::Conflicting);
    assert_eq!(transact(&core, "t", ["a"], "first").await, cancelled([conflicting()]));
    tokio::time::advance(TEN_MINUTES - SECOND).await;
    assert_eq!(transact(&core, "t", ["b"], "first").await, mismatch());
    tokio::time::advance(SECOND).await;
    assert_eq!(transact(&core, "t", ["b"], "first").await, done());
}

#[tokio::test(start_paused = true)]
async fn a_token_cancelled_for_any_reason_is_remembered_or_not() {
    use Behaviour::{Conflicting, ConflictingAt, Normal, ThrottledInTransaction};
    // The last one for the condition alone.
    for behaviour in [Conflicting, ConflictingAt(0), ThrottledInTransaction, Normal] {
        for rules in TokenRules::ALL {
            let core = with_rules(rules);
            core.put("claims", item("a", "other"));
            core.next(TRANSACTION, behaviour);
            assert_eq!(transact(&core, "t", ["a"], "first").await.0, 400);
            let expected = if rules.remember_cancelled { mismatch() } else { done() };
            assert_eq!(transact(&core, "t", ["b"], "first").await, expected, "{behaviour:?} {rules:?}");
            assert_eq!(core.items("claims").len(), if rules.remember_cancelled { 1 } else { 2 });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ran_leaves_its_token_unused() {
    for behaviour in [Behaviour::Down, Behaviour::Throttled, Behaviour::Denied, Behaviour::Hang, Behaviour::Reset] {
        let core = with_rules(REMEMBERED);
        let body = transaction("t", ["a"], "first").to_string();
        core.call_as(behaviour, TRANSACTION, body.as_bytes()).await;
        assert_eq!(transact(&core, "t", ["b"], "first").await, done(), "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_request_leaves_its_token_unused() {
    for rules in TokenRules::ALL {
        let core = with_rules(rules);
        let mut invalid = transaction("t", ["a"], "first");
        invalid["TransactItems"][0]["Put"]["TableName"] = "nothing".into();
        let missing = error("ResourceNotFoundException", "Requested resource not found");
        assert_eq!(ask(&core, TRANSACTION, &invalid).await, missing);
        core.next(TRANSACTION, Behaviour::Conflicting);
        assert_eq!(ask(&core, TRANSACTION, &invalid).await, missing);
        assert_eq!(transact(&core, "t", ["a"], "first").await, done());
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_more_than_36_characters_is_invalid() {
    let core = claims();
    let (status, refused) = transact(&core, &"t".repeat(37), ["a"], "first").await;
    assert_eq!((status, &refused["__type"]), (400, &json!("com.amazon.coral.validate#ValidationException")));
    for _ in 0..2 {
        assert_eq!(transact(&core, &"t".repeat(36), ["a"], "first").await, done());
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_token_is_in_progress_or_a_mismatch() {
    for rules in TokenRules::ALL {
        let core = with_rules(rules);
        core.next(TRANSACTION, Behaviour::Held(SECOND));
        let held = transact(&core, "t", ["a", "b"], "first");
        let meanwhile = async {
            core.called(TRANSACTION, 1).await;
            assert_eq!(transact(&core, "t", ["a", "b"], "first").await, in_progress());
            let expected = if rules.mismatch_while_running { mismatch() } else { in_progress() };
            assert_eq!(transact(&core, "t", ["c"], "void").await, expected, "{rules:?}");
            assert_eq!(core.items("claims"), [Value::Null; 0]);
        };
        assert_eq!(tokio::join!(held, meanwhile).0, done());
        assert_eq!(transact(&core, "t", ["a", "b"], "first").await, done());
        assert_eq!(transact(&core, "t", ["c"], "void").await, mismatch());
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_request_has_no_token_before_it_arrives() {
    let core = claims();
    core.next(TRANSACTION, Behaviour::Slow(SECOND));
    let late = transact(&core, "t", ["a"], "late");
    let meanwhile = async {
        core.called(TRANSACTION, 1).await;
        assert_eq!(transact(&core, "t", ["b"], "void").await, done());
        assert_eq!(ask(&core, "PutItem", &claim("a", "second")).await, done(), "nor a lock");
    };
    assert_eq!(tokio::join!(late, meanwhile).0, mismatch());
    assert_eq!(core.items("claims"), [item("a", "second"), item("b", "void")]);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_of_a_transaction_is_a_repetition() {
    let core = claims();
    let begun = tokio::time::Instant::now();
    core.next(TRANSACTION, Behaviour::Twice(SECOND));
    assert_eq!(transact(&core, "t", ["a"], "first").await, done());
    assert_eq!(ask(&core, "DeleteItem", &key("a")).await, done());
    assert_eq!(begun.elapsed(), Duration::ZERO);
    core.done(TRANSACTION, 2).await;
    assert_eq!(begun.elapsed(), SECOND);
    assert_eq!(core.items("claims"), [Value::Null; 0]);
}
