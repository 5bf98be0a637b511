//! The account's policy: its calling hours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_http::Context;
use serde_json::{Value, json};
use support::DynamoBehaviour::{Down, Normal};
use support::{
    ACCOUNT, LEAD, LogCapture, ObservedResponse, Request, SANDBOX, TABLE, TestApp, post, sandbox_secret, secret_with,
};
use tracing::level_filters::LevelFilter;

const LEDGER: (&str, &str) = ("CLAIMS_TABLE", TABLE);
const NO_LEDGER: (&str, &str) = ("CLAIMS_TABLE", "off");

/// A time of Friday, 16 July 2027, in UTC. The lead's area code, 650, is at UTC-7.
fn utc(time: &str) -> SystemTime {
    httpdate::parse_http_date(&format!("Fri, 16 Jul 2027 {time} GMT")).unwrap()
}

/// A lead's context with this much time to Lambda's deadline.
pub fn context(now: SystemTime, left: Duration) -> Context {
    let mut context = Context::default();
    context.deadline = (now + left).duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap();
    context
}

/// Fakes with this policy in the account's secret.
async fn app(policy: &Value) -> TestApp {
    let app = TestApp::start().await;
    app.secrets.put(format!("lendswift/{ACCOUNT}"), secret_with(&json!({"policy": policy})));
    app
}

async fn federal() -> TestApp {
    app(&json!({"calling_hours": "federal"})).await
}

/// Posts a request to a new process at that time, with 29 s to the deadline.
async fn post_at(app: &TestApp, time: &str, request: &Request) -> ObservedResponse {
    post_within(app, time, Duration::from_secs(29), LEDGER, request).await
}

async fn post_within(
    app: &TestApp,
    time: &str,
    left: Duration,
    ledger: (&str, &str),
    request: &Request,
) -> ObservedResponse {
    let relay = app.relay_at(utc(time), &[ledger]);
    post(&relay, request, context(utc(time), left)).await
}

const CLOSED: &str = "409 not_sent outside_calling_hours";

#[tokio::test]
async fn a_closed_hour_costs_one_read_and_no_push() {
    let app = federal().await;
    for (time, expected) in [("14:59:50", 10), ("04:30:00", 37_800)] {
        let response = post_at(&app, time, &Request::lead().idempotency_key("infinity-7")).await;
        assert_eq!(response, CLOSED);
        let retry_after: i64 = response.header("retry-after").parse().unwrap();
        // The test's own duration.
        assert!((expected - 5..=expected).contains(&retry_after), "{retry_after}");
        assert_eq!(response.json()["show_err"], false);
        assert_eq!(response.header("lead-error"), "outside_calling_hours");
    }
    assert_eq!(app.dynamodb.calls(), ["GetItem", "GetItem"]);
    assert!(app.rudder.received().is_empty() && app.dynamodb.items(TABLE).is_empty());
}

#[tokio::test]
async fn an_open_hour_costs_no_further_call() {
    let app = federal().await;
    assert_eq!(post_at(&app, "15:00:00", &Request::lead()).await, "200 accepted");
    assert_eq!(app.dynamodb.calls(), ["TransactWriteItems", "UpdateItem"]);
    assert!((app.dynamodb.write_units() - 3.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_lead_that_was_claimed_is_answered_by_its_record_at_any_hour() {
    let app = federal().await;
    let first = post_at(&app, "03:59:00", &Request::lead()).await;
    assert_eq!(first, "200 accepted");
    let again = post_at(&app, "04:01:00", &Request::lead().idempotency_key("infinity-7")).await;
    assert_eq!(again, first.again());
    assert_eq!(app.rudder.received().len(), 1);
    let other = Request::post(LEAD.replace("4000", "4001"));
    assert_eq!(post_at(&app, "04:01:00", &other).await, CLOSED);
}

#[tokio::test]
async fn a_push_that_could_end_after_closing_time_is_not_begun() {
    let app = federal().await;
    let post = async |time, left| post_within(&app, time, Duration::from_secs(left), LEDGER, &Request::lead()).await;
    // The lease of the lead ends 5 s after Lambda's deadline.
    assert_eq!(post("03:59:30", 29).await, CLOSED);
    assert_eq!(post("03:59:45", 10).await, CLOSED);
    assert!(app.rudder.received().is_empty());
    assert_eq!(post("03:59:40", 10).await, "200 accepted");
}

#[tokio::test]
async fn a_slow_clock_does_not_prolong_the_day() {
    // By its own clock the process would open again at 21:00 PDT, half past an hour before it closes.
    let app = app(&json!({"calling_hours": {"mon-sun": "08:30-20:45"}})).await;
    let relay = app.relay_at(utc("03:25:00"), &[LEDGER]);
    let response = post(&relay, &Request::lead(), context(utc("03:50:00"), Duration::from_secs(29))).await;
    assert_eq!(response, CLOSED);
    let retry_after: u64 = response.header("retry-after").parse().unwrap();
    // 12 h 5 min by the process's clock, until 08:30 PDT.
    assert!((43_495..=43_500).contains(&retry_after), "{retry_after}");
}

#[tokio::test]
async fn a_claim_that_was_left_is_closed_in_a_closed_hour_too() {
    let app = federal().await;
    // The policy changes, because a clock cannot be set.
    let relay = app.relay_at(utc("15:00:00"), &[LEDGER, ("SECRET_TTL_SECONDS", "1")]);
    app.dynamodb.next("TransactWriteItems", Normal);
    app.dynamodb.behave(Down);
    assert_eq!(post(&relay, &Request::lead(), context(utc("15:00:00"), Duration::from_secs(4))).await, "200 accepted");
    assert!(app.dynamodb.items(TABLE)[0].get("outcome").is_none(), "it could not be settled");
    app.dynamodb.behave(Normal);
    app.secrets.put(
        format!("lendswift/{ACCOUNT}"),
        secret_with(&json!({"policy": {"calling_hours": {"sat": "08:00-20:00"}}})),
    );
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let other = Request::post(LEAD.replace("4000", "4001"));
    assert_eq!(post(&relay, &other, context(utc("15:00:05"), Duration::from_secs(29))).await, CLOSED);
    assert_eq!(app.dynamodb.items(TABLE)[0]["outcome"]["S"], "accepted");
}

#[tokio::test]
async fn every_zone_of_a_split_area_code_must_be_open() {
    let app = federal().await;
    let lead = |code: &str| Request::post(LEAD.replace("1650", &format!("1{code}")));
    // 08:30 in the Eastern time zone, and 07:30 in the Central one; 21:30 and 20:30.
    for time in ["12:30:00", "01:30:00"] {
        for code in ["270", "364", "850", "448", "423", "219"] {
            assert_eq!(post_at(&app, time, &lead(code)).await, CLOSED, "{code}");
        }
    }
    assert_eq!(post_at(&app, "12:30:00", &lead("212")).await, "200 accepted");
    assert_eq!(post_at(&app, "01:30:00", &lead("312")).await, "200 accepted");
}

#[tokio::test]
async fn validating_says_so_and_reads_nothing() {
    let app = federal().await;
    let validate = Request::lead().action("validate");
    assert_eq!(post_at(&app, "14:00:00", &validate).await, CLOSED);
    assert_eq!(post_at(&app, "15:00:00", &validate).await, "200 not_sent");
    assert!(app.dynamodb.calls().is_empty());
    assert_eq!(post_at(&app, "14:00:00", &Request::lead().action("status")).await, "404 not_sent no_record");
}

#[tokio::test]
async fn without_a_ledger_the_hours_apply_too() {
    let app = federal().await;
    let post = async |time| post_within(&app, time, Duration::from_secs(29), NO_LEDGER, &Request::lead()).await;
    assert_eq!(post("14:00:00").await, CLOSED);
    assert!(app.rudder.received().is_empty());
    assert_eq!(post("15:00:00").await, "200 accepted");
}

#[tokio::test]
async fn if_the_ledger_cannot_be_read_a_closed_hour_does_not_hide_it() {
    let app = federal().await;
    app.dynamodb.behave(Down);
    let response = post_within(&app, "14:00:00", Duration::from_secs(4), LEDGER, &Request::lead()).await;
    assert_eq!(response, "503 not_sent temporarily_unavailable");
    app.dynamodb.behave(Normal);
    assert_eq!(post_at(&app, "14:00:00", &Request::lead()).await, CLOSED);
}

#[tokio::test]
async fn a_sandbox_account_has_hours_too() {
    let app = TestApp::start().await;
    let mut secret: Value = serde_json::from_str(&sandbox_secret(&[support::KEY])).unwrap();
    secret["policy"] = json!({"calling_hours": "federal"});
    app.secrets.put(format!("lendswift/{SANDBOX}"), secret.to_string());
    let lead = Request::lead().account(SANDBOX);
    let response = post_at(&app, "14:00:00", &lead).await;
    assert_eq!(response, CLOSED);
    assert_eq!(response.header("lead-sandbox"), "true");
    assert_eq!(post_at(&app, "15:00:00", &lead).await, "200 accepted");
}

#[tokio::test]
async fn a_malformed_policy_sends_nothing_and_the_log_names_the_member() {
    for (policy, member) in [
        (json!(null), "policy is not"),
        (json!({"calling_hour": "federal"}), "policy has a member"),
        (json!({"calling_hours": {"mon": "09:00-20:00", "fri": "nine"}}), "policy.calling_hours has a value for fri"),
        (json!({"calling_hours": {"mon-sun": "09:00-11:00"}}), "policy.calling_hours has no minute"),
    ] {
        let app = app(&policy).await;
        let log = LogCapture::start(LevelFilter::INFO, true);
        for request in [Request::lead(), Request::lead().action("validate"), Request::lead().action("status")] {
            assert_eq!(post_at(&app, "15:00:00", &request).await, "500 not_sent account_misconfigured");
        }
        let cause = log.lines()[0]["cause"].as_str().unwrap().to_owned();
        assert!(cause.contains(member) && !cause.contains("nine"), "{cause}");
        assert!(app.rudder.received().is_empty());
    }
}
