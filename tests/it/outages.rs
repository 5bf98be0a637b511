//! Outages of DynamoDB that last seconds, and what happens to the leads.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use support::DynamoBehaviour::{self, AppliedDown, AppliedNoResponse, Down, Hang, Held, Normal, Slow};
use support::{
    Answering, Lead, LogCapture, ObservedResponse, ProcessHarness, Reply, Request, SANDBOX, TABLE, TestApp, TokenRules,
};
use tokio::join;
use tracing::level_filters::LevelFilter;

fn keyed() -> Request {
    Request::lead().idempotency_key("infinity-7")
}

/// How many leads have a claim that is not settled.
fn open_claims(app: &TestApp) -> usize {
    app.dynamodb.items(TABLE).iter().filter(|item| is_open(item)).count()
}

fn is_open(item: &Value) -> bool {
    item.get("claim").is_some() && item.get("outcome").is_none()
}

#[tokio::test]
async fn leads_are_accepted_while_40_percent_of_the_calls_fail() {
    for percent in [20, 40] {
        let app = TestApp::with_ledger().await;
        app.dynamodb.behave_at_random(7, percent, &[Down, AppliedDown]);
        let leads: Vec<_> = (1..=300).map(|dollars| Lead(dollars).post()).collect();
        let responses = stream::iter(&leads).map(|lead| app.post(lead)).buffer_unordered(8);
        assert!(responses.all(async |response| response == "200 accepted").await);
        assert_eq!((open_claims(&app), app.rudder.received().len()), (0, 300));
    }
}

/// Posts a lead whose claim has these behaviours, with this many milliseconds, and posts it again when all is over.
async fn slow_claim(rules: TokenRules, behaviours: &[DynamoBehaviour], left: i64) -> [String; 2] {
    let app = TestApp::with_ledger().await;
    app.dynamodb.set_token_rules(rules);
    for behaviour in behaviours {
        app.dynamodb.next(ProcessHarness::WRITE, *behaviour);
    }
    let first = app.post_within(&keyed(), left).await;
    app.dynamodb.done(ProcessHarness::WRITE, app.dynamodb.writes()).await;
    let second = app.post(&keyed()).await;
    assert_eq!((open_claims(&app), app.rudder.received().len()), (0, 1), "{first}, {second}, {rules:?} {behaviours:?}");
    [first.to_string(), second.to_string()]
}

#[tokio::test]
async fn a_slow_claim_is_accepted_or_leaves_the_lead_free() {
    let once = ["200 accepted", "200 accepted (again)"];
    let later = ["503 not_sent temporarily_unavailable", "200 accepted"];
    let late = Slow(Duration::from_secs(3));
    let mut cases = Vec::new();
    for rules in TokenRules::ALL {
        for milliseconds in [700, 1200, 1450, 2300, 4000] {
            cases.push((rules, vec![Held(Duration::from_millis(milliseconds))], 29_000, once));
            cases.push((rules, vec![Slow(Duration::from_millis(milliseconds))], 29_000, once));
        }
        // Here the claim has 3.5 s, and after 4 s there is too little time for a push.
        cases.push((rules, vec![Held(Duration::from_millis(1450))], 6000, once));
        cases.push((rules, vec![Held(Duration::from_millis(4000))], 6000, later));
        cases.push((rules, vec![late], 29_000, once));
        // Two attempts in 1.5 s, both on their way when they are voided.
        cases.push((rules, vec![late, late], 4000, later));
    }
    let cases = cases.into_iter().map(|(rules, behaviours, left, expected)| async move {
        assert_eq!(slow_claim(rules, &behaviours, left).await, expected, "{rules:?} {behaviours:?} {left}");
    });
    stream::iter(cases).buffer_unordered(20).collect::<Vec<_>>().await;
}

/// An app with a lead whose claim DynamoDB did not let the relay close after this reply of AI Rudder, and its response.
async fn left_behind(reply: Option<Reply>) -> (TestApp, ObservedResponse) {
    let app = TestApp::with_ledger().await;
    if let Some(reply) = reply {
        app.rudder.answer_next(reply);
    }
    let goes_down = async {
        app.rudder.arrived(1).await;
        app.dynamodb.behave(Down);
    };
    let lead = keyed();
    let (response, ()) = join!(app.post_within(&lead, 3500), goes_down);
    assert_eq!(open_claims(&app), 1);
    app.dynamodb.behave(Normal);
    (app, response)
}

#[tokio::test]
async fn a_failed_settlement_is_retried_after_the_next_claim() {
    let (app, first) = left_behind(None).await;
    assert_eq!(first, "200 accepted");
    assert_eq!(app.post(&Lead(5000).post()).await, "200 accepted");
    assert_eq!(open_claims(&app), 0);
    assert_eq!(app.post(&Request::lead()).await, first.again());
    assert_eq!(app.rudder.received().len(), 2);
}

#[tokio::test]
async fn a_failed_release_is_retried_after_the_next_claim() {
    let (app, first) = left_behind(Some(Reply::new(422, r#"{"code":422}"#))).await;
    assert_eq!(first, "422 refused");
    // The lead itself: its own claim comes first.
    assert_eq!(app.post(&Request::lead()).await, "409 pending in_progress");
    assert_eq!(app.dynamodb.items(TABLE), Vec::<Value>::new(), "lead and key are free");
    assert_eq!(app.post(&Request::lead()).await, "200 accepted");
}

#[tokio::test]
async fn a_claim_in_doubt_is_voided_and_deleted_after_the_next_claim() {
    let app = TestApp::with_ledger().await;
    app.dynamodb.next(ProcessHarness::WRITE, AppliedNoResponse);
    app.dynamodb.behave(Hang);
    assert_eq!(app.post_within(&Request::lead(), 2600).await, "503 not_sent temporarily_unavailable");
    assert_eq!(open_claims(&app), 1);
    app.dynamodb.behave(Normal);
    assert_eq!(app.post(&Lead(5000).post()).await, "200 accepted");
    assert_eq!(open_claims(&app), 0);
    assert_eq!(app.post(&Request::lead()).await, "200 accepted");
}

/// Posts seventeen leads whose claims the relay cannot close, and another once DynamoDB works again. Returns the level of the
/// line that says that one claim is dropped.
async fn level_of_the_dropped(app: &TestApp, leads: &[Request]) -> String {
    let log = LogCapture::start(LevelFilter::INFO, true);
    app.rudder.answering(|| Answering::After(Duration::from_millis(200)));
    let real = leads.iter().filter(|lead| !lead.event().contains(SANDBOX)).count();
    let all = stream::iter(leads).map(|lead| app.post_within(lead, 3500)).buffered(leads.len());
    let goes_down = async {
        app.rudder.arrived(real).await;
        app.dynamodb.done(ProcessHarness::WRITE, leads.len()).await;
        app.dynamodb.behave(Down);
    };
    let (accepted, ()) = join!(all.all(async |response| response.outcome != "not_sent"), goes_down);
    assert!(accepted);
    assert_eq!(open_claims(app), 17);
    app.dynamodb.behave(Normal);
    app.post(&Lead(5000).post()).await;
    assert_eq!(open_claims(app), 1);
    let lines = log.lines();
    let mut dropped =
        lines.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.starts_with("too many claims")));
    let level = dropped.next().unwrap()["level"].as_str().unwrap().to_owned();
    assert!(dropped.next().is_none());
    level
}

#[tokio::test]
async fn the_latest_sixteen_failed_settlements_are_kept() {
    let app = TestApp::with_ledger().await;
    let leads: Vec<_> = (1..=17).map(|dollars| Lead(dollars).post()).collect();
    assert_eq!(level_of_the_dropped(&app, &leads).await, "ERROR");
}

#[tokio::test]
async fn a_sandboxs_claim_is_the_first_to_be_dropped() {
    let app = TestApp::with_ledger().await;
    let mut leads: Vec<_> = (1..=17).map(|dollars| Lead(dollars).post()).collect();
    // AI Rudder does not respond to it for two seconds.
    leads[8] = Lead(9004).post().account(SANDBOX);
    assert_eq!(level_of_the_dropped(&app, &leads).await, "INFO");
    let open: Vec<_> = app.dynamodb.items(TABLE).into_iter().filter(is_open).collect();
    assert!(open[0]["pk"]["S"].as_str().unwrap().starts_with("acme-sandbox#sandbox#"), "{open:?}");
}

#[tokio::test]
async fn a_settlement_that_an_operator_has_made_is_not_retried() {
    let (app, _) = left_behind(None).await;
    let mut items = app.dynamodb.items(TABLE);
    let item = items.iter_mut().find(|item| item.get("claim").is_some()).unwrap();
    item["claim"] = json!({"S": "11111111-1111-4111-8111-111111111111"});
    app.dynamodb.put(TABLE, item.clone());
    app.post(&Lead(5000).post()).await;
    let before = app.dynamodb.calls().len();
    app.post(&Lead(6000).post()).await;
    assert_eq!(app.dynamodb.calls().len() - before, 2, "a claim and its settlement");
}
