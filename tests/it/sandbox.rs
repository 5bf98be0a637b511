//! Sandbox accounts: every outcome, and no push.

use std::time::Duration;

use serde_json::json;
use support::{KEY, LEAD, ObservedResponse, Request, SANDBOX, TABLE, TestApp, sandbox_secret, secret};
use tokio::{
    join,
    time::{Instant, advance, pause, resume},
};

/// A lead of this amount for the sandbox account.
fn lead(amount: u32) -> Request {
    Request::post(LEAD.replace("4000", &amount.to_string())).account(SANDBOX)
}

async fn post(app: &TestApp, request: &Request) -> ObservedResponse {
    let response = app.post(request).await;
    assert_eq!(response.header("lead-sandbox"), "true", "{response}");
    response
}

#[tokio::test]
async fn the_amount_chooses_the_outcome() {
    let app = TestApp::with_ledger().await;
    for (amount, expected, again) in [
        (4000, "200 accepted", "200 accepted (again)"),
        (9001, "422 refused", "422 refused"),
        (1_239_001, "422 refused", "422 refused"),
        (9002, "429 not_sent", "429 not_sent"),
        (9003, "500 not_sent token_refused", "500 not_sent token_refused"),
        (9005, "502 unknown", "502 unknown (again)"),
        (9006, "503 not_sent upstream_unreachable", "503 not_sent upstream_unreachable"),
        (90_010, "200 accepted", "200 accepted (again)"),
    ] {
        assert_eq!(post(&app, &lead(amount)).await.to_string(), expected, "{amount}");
        assert_eq!(post(&app, &lead(amount)).await.to_string(), again, "{amount}");
    }
    let rate_limited = post(&app, &lead(9002)).await;
    assert_eq!((rate_limited.header("retry-after"), rate_limited.header("lead-error")), ("1", "rate_limited"));
    assert!(app.rudder.received().is_empty());
}

#[tokio::test]
async fn an_accepted_lead_has_an_envelope_of_ai_rudders_form() {
    let app = TestApp::with_ledger().await;
    let mut envelope = post(&app, &lead(4000)).await.json();
    assert!(envelope["timestamp"].take().is_u64());
    assert_eq!(
        envelope,
        json!({
            "code": 200, "message": "success", "show_err": false, "timestamp": null, "body": {}, "trace_id": "sandbox",
        })
    );
}

#[tokio::test]
async fn a_lead_without_an_answer_is_unknown_after_two_seconds() {
    let app = TestApp::with_ledger().await;
    let begun = Instant::now();
    let first = post(&app, &lead(9004)).await;
    assert_eq!(first, "504 unknown upstream_timeout");
    assert!((1900..4000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(post(&app, &lead(9004)).await, first.again());
}

#[tokio::test]
async fn a_slow_lead_is_in_progress_for_a_second_request() {
    let app = TestApp::with_ledger().await;
    let second = async {
        app.dynamodb.done("TransactWriteItems", 1).await;
        (post(&app, &lead(9007)).await, post(&app, &lead(9007).action("status")).await)
    };
    let slow = lead(9007);
    let (first, (second, status)) = join!(post(&app, &slow), second);
    assert_eq!(first, "200 accepted");
    for pending in [&second, &status] {
        assert_eq!(*pending, "409 pending in_progress");
        assert_eq!(pending.header("lead-id"), first.header("lead-id"));
    }
    // With less time, the push is given up like a real one.
    let begun = Instant::now();
    let short = app.post_within(&lead(19_007), 4000).await;
    assert_eq!(short, "504 unknown upstream_timeout");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_sandbox_validates_and_refuses_like_a_live_account() {
    let app = TestApp::with_ledger().await;
    assert_eq!(post(&app, &lead(9001).action("validate")).await, "200 not_sent");
    assert_eq!(post(&app, &lead(9001).action("status")).await, "404 not_sent no_record");
    assert_eq!(post(&app, &lead(4000).body("{}")).await, "422 not_sent invalid_lead");
    assert_eq!(app.post(&lead(4000).key("wrong")).await, "401 not_sent unauthorized");
    assert!(app.dynamodb.items(TABLE).is_empty());
}

#[tokio::test]
async fn going_live_sends_what_the_sandbox_accepted() {
    let app = TestApp::with_ledger().await;
    let lead = lead(4000).idempotency_key("infinity-7");
    let first = post(&app, &lead).await;
    assert_eq!(first, "200 accepted");
    app.secrets.put(format!("lendswift/{SANDBOX}"), secret(support::TOKEN, &[KEY]));
    let live = app.fakes.relay(&[("CLAIMS_TABLE", TABLE)]);
    let sent = support::post(&live, &lead, lambda_http::Context::default()).await;
    assert_eq!((sent.to_string().as_str(), sent.header("lead-sandbox")), ("200 accepted", ""));
    assert_ne!(sent.header("lead-id"), first.header("lead-id"));
    assert_eq!(app.rudder.received().len(), 1);
}

/// Replaces the account's secret, and lets the cached one become stale.
async fn replace_secret(app: &TestApp, secret: String) {
    app.secrets.put(format!("lendswift/{SANDBOX}"), secret);
    pause();
    advance(Duration::from_secs(301)).await;
    resume();
}

#[tokio::test]
async fn a_warm_process_follows_the_secret_after_its_cache_time() {
    let app = TestApp::with_ledger().await;
    let live = secret(support::TOKEN, &[KEY]);
    let sandboxed = |response: &ObservedResponse| response.header("lead-sandbox") == "true";
    assert!(sandboxed(&app.post(&lead(1)).await));
    app.secrets.put(format!("lendswift/{SANDBOX}"), live.clone());
    assert!(sandboxed(&app.post(&lead(2)).await), "the cached secret is fresh");
    assert!(app.rudder.received().is_empty());
    replace_secret(&app, live).await;
    assert!(!sandboxed(&app.post(&lead(2)).await));
    assert_eq!(app.rudder.received().len(), 1);
    replace_secret(&app, sandbox_secret(&[KEY])).await;
    assert!(sandboxed(&app.post(&lead(3)).await));
    assert_eq!(app.rudder.received().len(), 1);
}

#[tokio::test]
async fn a_lead_with_a_refused_token_is_not_simulated() {
    let app = TestApp::with_ledger().await;
    app.set_secret("an-old-token", &[KEY]);
    let accepted = Request::lead();
    assert_eq!(app.post(&accepted).await, "500 not_sent token_refused");
    app.secrets.put("lendswift/acme", sandbox_secret(&[KEY]));
    pause();
    advance(Duration::from_secs(31)).await;
    resume();
    // The refresh that the refused token forces finds a sandbox.
    let response = app.post(&accepted).await;
    assert_eq!((response.to_string().as_str(), response.header("lead-sandbox")), ("500 not_sent token_refused", ""));
    assert!(app.rudder.received().iter().all(|push| !push.accepted));
}

#[tokio::test]
async fn a_secret_is_either_a_sandbox_or_has_a_token() {
    let keys: serde_json::Value = serde_json::from_str(&sandbox_secret(&[KEY])).unwrap();
    for members in [
        json!({"lendswift_token": "a-token", "sandbox": true}),
        json!({"lendswift_token": "a-token", "sandbox": false}),
        json!({}),
        json!({"sandbox": "true"}),
        json!({"sandbox": 1}),
        json!({"sandbox": null}),
    ] {
        let app = TestApp::with_ledger().await;
        let mut secret = members.clone();
        secret["api_key_sha256"] = keys["api_key_sha256"].clone();
        app.secrets.put(format!("lendswift/{SANDBOX}"), secret.to_string());
        for request in [lead(4000), lead(4000).action("validate"), lead(4000).action("status")] {
            let response = app.post(&request).await;
            assert_eq!(response, "500 not_sent account_misconfigured", "{members}");
            assert_eq!(response.header("lead-sandbox"), "");
        }
        assert!(app.rudder.received().is_empty() && app.dynamodb.items(TABLE).is_empty());
    }
}
