//! Seconds in which DynamoDB fails, and what becomes of the leads.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use lambda_http::Context;
use serde_json::{Value, json};
use support::fakes::{
    DynamoBehaviour::{self, AppliedDown, Conflicting, ConflictingAt, Down, Hang, Held, Normal, Slow},
    Reply, TokenRules,
    api_gateway::Response,
};
use tokio::join;

use crate::{
    request::{LEAD, Request},
    sending::{expected, header, seen},
    stage::{Stage, TABLE, serve, with_deadline},
};

fn lead(dollars: usize) -> Request {
    Request::post(LEAD.replace("4000", &dollars.to_string()))
}

async fn post(stage: &Stage, request: &Request) -> Response {
    stage.serve(&request.event()).await
}

/// The items of leads that no one has settled.
fn open_claims(stage: &Stage) -> usize {
    let is_open = |item: &&Value| item.get("claim").is_some() && item.get("outcome").is_none();
    stage.dynamodb.items(TABLE).iter().filter(is_open).count()
}

async fn errors_at_rate(percent: u8) {
    let stage = Stage::with_ledger().await;
    stage.dynamodb.behave_at_random(7, percent, &[Down, AppliedDown]);
    let posts = (1..=300).map(|dollars| {
        let request = lead(dollars);
        let stage = &stage;
        async move { seen(&post(stage, &request).await) }
    });
    let answers: Vec<_> = stream::iter(posts).buffer_unordered(8).collect().await;
    assert_eq!(answers, vec![expected(200, "accepted", ""); 300]);
    assert_eq!((open_claims(&stage), stage.rudder.received().len()), (0, 300));
}

#[tokio::test]
async fn leads_are_accepted_at_20_percent_http_500() {
    errors_at_rate(20).await;
}

#[tokio::test]
async fn leads_are_accepted_at_40_percent_http_500() {
    errors_at_rate(40).await;
}

/// Posts a lead whose claim is treated so, with so much time, and posts it again when all is over.
async fn slow_claim(rules: TokenRules, behaviours: &[DynamoBehaviour], left: i64) -> [String; 2] {
    let stage = Stage::with_ledger().await;
    stage.dynamodb.set_token_rules(rules);
    for behaviour in behaviours {
        stage.dynamodb.next("TransactWriteItems", *behaviour);
    }
    let event = lead(4000).header("idempotency-key", "infinity-7").event();
    let outcome = |answer: &Response| {
        let replayed = header(answer, "idempotent-replayed") == "true";
        format!("{}{}", header(answer, "lead-outcome"), if replayed { ", replayed" } else { "" })
    };
    let first = serve(&stage.relay, &event, with_deadline(left)).await;
    stage.dynamodb.done("TransactWriteItems", behaviours.len()).await;
    let second = stage.serve(&event).await;
    assert_eq!(open_claims(&stage), 0);
    assert_eq!(stage.rudder.received().len(), 1);
    [outcome(&first), outcome(&second)]
}

#[tokio::test]
async fn a_slow_claim_is_accepted_or_leaves_the_lead_free() {
    let once = ["accepted", "accepted, replayed"];
    let later = ["not_sent", "accepted"];
    let mut tries = Vec::new();
    for rules in TokenRules::ALL {
        for milliseconds in [700, 1200, 1450, 2300, 4000] {
            tries.push((rules, Held(Duration::from_millis(milliseconds)), 29_000, once));
            tries.push((rules, Slow(Duration::from_millis(milliseconds)), 29_000, once));
        }
        // Here there are 3.5 s to claim, and after 4 s too few to push.
        tries.push((rules, Held(Duration::from_millis(1450)), 6000, once));
        tries.push((rules, Held(Duration::from_millis(4000)), 6000, later));
        tries.push((rules, Slow(Duration::from_millis(3000)), 29_000, once));
    }
    let tries = tries.into_iter().map(|(rules, behaviour, left, outcomes)| async move {
        assert_eq!(slow_claim(rules, &[behaviour], left).await, outcomes, "{rules:?} {behaviour:?} {left}");
    });
    stream::iter(tries).buffer_unordered(20).collect::<Vec<_>>().await;
}

#[tokio::test]
async fn claims_that_all_arrive_too_late_are_never_written() {
    for rules in TokenRules::ALL {
        let late = Slow(Duration::from_secs(3));
        // Two attempts in 1.5 s, both on their way when they are voided.
        assert_eq!(slow_claim(rules, &[late, late], 4000).await, ["not_sent", "accepted"], "{rules:?}");
    }
}

#[tokio::test]
async fn a_rate_limited_lead_is_released_after_an_outage() {
    let stage = Stage::with_ledger().await;
    stage.rudder.answer_next(Reply::new(429, r#"{"code":429}"#).header("retry-after", "1"));
    let event = lead(4000).event();
    let fails = async {
        stage.rudder.arrived(1).await;
        stage.dynamodb.fail_for(Duration::from_millis(100));
    };
    let (first, ()) = join!(stage.serve(&event), fails);
    assert_eq!(header(&first, "lead-outcome"), "not_sent");
    assert_eq!(seen(&stage.serve(&event).await), expected(200, "accepted", ""));
}

#[tokio::test]
async fn a_conflict_at_the_key_alone_is_not_pending() {
    for (behaviour, answer) in [
        (Conflicting, expected(409, "pending", "in_progress")),
        (ConflictingAt(0), expected(409, "pending", "in_progress")),
        (ConflictingAt(1), expected(503, "not_sent", "temporarily_unavailable")),
    ] {
        let stage = Stage::with_ledger().await;
        stage.dynamodb.behave(behaviour);
        let event = lead(4000).header("idempotency-key", "infinity-7").event();
        let first = serve(&stage.relay, &event, with_deadline(3000)).await;
        assert_eq!(seen(&first), answer, "{behaviour:?}");
        assert_eq!(header(&first, "retry-after"), "5");
    }
}

/// A lead whose claim DynamoDB does not let close, with `reply` from AI Rudder; and its answer.
async fn left(stage: &Stage, reply: Option<Reply>) -> Response {
    if let Some(reply) = reply {
        stage.rudder.answer_next(reply);
    }
    let event = lead(4000).header("idempotency-key", "infinity-7").event();
    let goes_down = async {
        stage.rudder.arrived(1).await;
        stage.dynamodb.behave(Down);
    };
    let (answer, ()) = join!(serve(&stage.relay, &event, with_deadline(3500)), goes_down);
    assert_eq!(open_claims(stage), 1);
    stage.dynamodb.behave(Normal);
    answer
}

#[tokio::test]
async fn a_left_settling_is_retried_after_the_next_claim() {
    let stage = Stage::with_ledger().await;
    let first = left(&stage, None).await;
    assert_eq!(seen(&first), expected(200, "accepted", ""));
    let other = post(&stage, &lead(5000)).await;
    assert_eq!(seen(&other), expected(200, "accepted", ""));
    assert_eq!(open_claims(&stage), 0);
    let again = post(&stage, &lead(4000)).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    assert_eq!(stage.rudder.received().len(), 2);
}

#[tokio::test]
async fn a_left_release_is_retried_after_the_next_claim() {
    let stage = Stage::with_ledger().await;
    let first = left(&stage, Some(Reply::new(422, r#"{"code":422}"#))).await;
    assert_eq!(header(&first, "lead-outcome"), "refused");
    // The lead itself: its own claim comes first.
    assert_eq!(seen(&post(&stage, &lead(4000)).await), expected(409, "pending", "in_progress"));
    assert_eq!(stage.dynamodb.items(TABLE), Vec::<Value>::new(), "lead and key are free");
    assert_eq!(seen(&post(&stage, &lead(4000)).await), expected(200, "accepted", ""));
}

#[tokio::test]
async fn a_left_claim_is_voided_and_deleted_after_the_next_claim() {
    let stage = Stage::with_ledger().await;
    stage.dynamodb.next("TransactWriteItems", DynamoBehaviour::AppliedNoResponse);
    stage.dynamodb.behave(Hang);
    let first = serve(&stage.relay, &lead(4000).event(), with_deadline(2600)).await;
    assert_eq!(seen(&first), expected(503, "not_sent", "temporarily_unavailable"));
    assert_eq!(open_claims(&stage), 1);
    stage.dynamodb.behave(Normal);
    assert_eq!(seen(&post(&stage, &lead(5000)).await), expected(200, "accepted", ""));
    assert_eq!(open_claims(&stage), 0);
    assert_eq!(seen(&post(&stage, &lead(4000)).await), expected(200, "accepted", ""));
}

#[tokio::test]
async fn at_most_sixteen_claims_are_kept_and_the_latest_ones() {
    let stage = Stage::with_ledger().await;
    stage.rudder.answering(|| support::fakes::Answering::After(Duration::from_millis(200)));
    let posts = (1..=17).map(|dollars| lead(dollars).event());
    let posts: Vec<_> = posts.collect();
    let all = stream::iter(&posts).map(|event| serve(&stage.relay, event, with_deadline(3500)));
    let goes_down = async {
        stage.rudder.arrived(17).await;
        stage.dynamodb.behave(Down);
    };
    let (answers, ()) = join!(all.buffered(17).collect::<Vec<_>>(), goes_down);
    assert!(answers.iter().all(|answer| seen(answer) == expected(200, "accepted", "")));
    assert_eq!(open_claims(&stage), 17);
    stage.dynamodb.behave(Normal);
    serve(&stage.relay, &lead(5000).event(), Context::default()).await;
    assert_eq!(open_claims(&stage), 1);
}

#[tokio::test]
async fn a_settling_that_an_operator_was_quicker_with_is_not_kept() {
    let stage = Stage::with_ledger().await;
    left(&stage, None).await;
    let mut items = stage.dynamodb.items(TABLE);
    let item = items.iter_mut().find(|item| item.get("claim").is_some()).unwrap();
    item["claim"] = json!({"S": "11111111-1111-4111-8111-111111111111"});
    stage.dynamodb.put(TABLE, item.clone());
    let calls = |stage: &Stage| stage.dynamodb.calls().len();
    post(&stage, &lead(5000)).await;
    let before = calls(&stage);
    post(&stage, &lead(6000)).await;
    assert_eq!(calls(&stage) - before, 2, "a claim and its settling");
}
