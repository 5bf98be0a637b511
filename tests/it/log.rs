//! The log lines of a request.

use std::{collections::BTreeSet, panic};

use lambda_http::Context;
use lendswift_relay::telemetry::log;
use serde_json::{Value, json};
use support::SecretsBehaviour::{Binary, Deleted, Denied, Down, Normal};
use support::{LEAD, LogCapture, REQUEST_ID, Reply, Request, SANDBOX, TABLE, TestApp, serve};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::level_filters::LevelFilter;

/// Takes out of a line what differs from run to run. Its time has the format that Lambda requires.
fn without_times(mut line: Value) -> Value {
    let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
    OffsetDateTime::parse(timestamp.as_str().unwrap(), &Rfc3339).unwrap();
    assert!(line["ms"].is_u64());
    line["ms"] = 0.into();
    if line["span"]["upstream_ms"].is_u64() {
        line["span"]["upstream_ms"] = 0.into();
    }
    line
}

/// The lines that requests leave, one after the other.
async fn lines(app: &TestApp, level: LevelFilter, requests: impl IntoIterator<Item = Request>) -> Vec<Value> {
    let log = LogCapture::start(level, true);
    for request in requests {
        app.post(&request).await;
    }
    log.lines().into_iter().map(without_times).collect()
}

/// The line that the first request leaves.
async fn line(request: Request) -> Value {
    let mut lines = lines(&TestApp::start().await, LevelFilter::TRACE, [request]).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// The first line of an authenticated request: `own` and `span` in addition to what is always there.
fn expected(own: &Value, span: &Value) -> Value {
    let mut line = json!({
        "message": "responded",
        "ms": 0,
        "span": {
            "name": "lead",
            "request_id": REQUEST_ID,
            "cold_start": true,
            "account": "acme",
            "key": "a06c94cb",
            "secret": "read",
        },
    });
    line.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    line["span"].as_object_mut().unwrap().extend(span.as_object().unwrap().clone());
    line
}

#[tokio::test]
async fn a_push_leaves_one_line_with_all_that_identifies_it() {
    assert_eq!(
        line(Request::post(LEAD.replace("{}", r#"{"shoe_size":9}"#))).await,
        expected(
            &json!({"level": "INFO", "outcome": "accepted", "status": 200}),
            &json!({
                "ignored_fields": 1,
                "upstream_status": 200,
                "upstream_code": 200,
                "upstream_trace_id": "4a1986b786e944dcb7ce97f455d39743",
                "upstream_ms": 0,
            })
        )
    );
}

#[tokio::test]
async fn an_invalid_lead_leaves_the_places_and_kinds_of_its_faults() {
    let invalid = LEAD.replace("4000", "\"4k\"").replace("Ann Zqxjkvwyp", "7");
    let faults = "/customer_name no_letter, /loan_amount not_an_amount";
    for (body, status, error, cause, span) in [
        (&*invalid, 422, "invalid_lead", faults, json!({})),
        ("{", 400, "malformed_body", "the body is not JSON at line 1, column 1", json!({})),
    ] {
        let own = json!({"level": "INFO", "outcome": "not_sent", "status": status, "error": error, "cause": cause});
        assert_eq!(line(Request::post(body)).await, expected(&own, &span));
    }
}

#[tokio::test]
async fn a_request_without_an_id_has_lambdas_in_log_and_response() {
    let mut event: Value = serde_json::from_str(&Request::lead().event()).unwrap();
    event["requestContext"].as_object_mut().unwrap().remove("requestId");
    let mut context = Context::default();
    context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
    let app = TestApp::start().await;
    let log = LogCapture::start(LevelFilter::INFO, true);
    let response = serve(&app.relay, &event.to_string(), context.clone()).await;
    assert!(response.headers.contains(&("request-id".to_owned(), context.request_id.clone())));
    assert_eq!(log.lines()[0]["span"]["request_id"], context.request_id);
}

#[tokio::test]
async fn a_refusal_leaves_the_cause_that_its_response_keeps_back() {
    let denied = "secret unreadable: AccessDeniedException: User: \
                  arn:aws:sts::123456789012:assumed-role/relay/relay is not authorized to perform: \
                  secretsmanager:GetSecretValue on resource: lendswift/{account} because no identity-based policy allows \
                  the secretsmanager:GetSecretValue action";
    let down = "Secrets Manager failed: InternalServiceError: An error occurred on the server side.";
    let (lead, acme) = (Request::lead(), json!("acme"));
    for (behaviour, request, level, error, cause, account) in [
        (Normal, lead.clone().key("wrong"), "INFO", "unauthorized", "wrong key", acme.clone()),
        (Normal, lead.clone().account("nobody"), "INFO", "unauthorized", "no such secret", Value::Null),
        (Normal, lead.clone().without("authorization"), "INFO", "unauthorized", "no API key", Value::Null),
        (Deleted, lead.clone(), "INFO", "unauthorized", "the secret is marked for deletion", acme.clone()),
        (Denied, lead.clone(), "ERROR", "unauthorized", denied, acme.clone()),
        (Binary, lead.clone(), "ERROR", "unauthorized", "secret unreadable: the secret is binary", acme),
        (Down, lead, "ERROR", "temporarily_unavailable", down, Value::Null),
    ] {
        let app = TestApp::start().await;
        app.secrets.behave(behaviour);
        // The second line is about a refusal without a call, but for `Down`.
        let lines = lines(&app, LevelFilter::TRACE, [request.clone(), request.clone()]).await;
        let expected = [json!(level), json!(error), json!(cause)];
        assert_eq!(fields_of(&lines, ["level", "error", "cause"]), [expected.clone(), expected]);
        for line in lines {
            assert_eq!((&line["span"]["account"], &line["span"]["secret"]), (&account, &Value::Null), "{cause}");
        }
        assert!(!app.post(&request).await.body.contains(cause), "for the log only");
    }
}

#[test]
fn a_panic_leaves_its_place_and_not_its_message() {
    let log = LogCapture::start(LevelFilter::TRACE, true);
    let tests_own_hook = panic::take_hook();
    log::log_panics();
    let panicked = panic::catch_unwind(|| panic!("while reading 650-123-1234"));
    panic::set_hook(tests_own_hook);
    assert!(panicked.is_err());
    let lines = log.lines();
    assert_eq!((lines.len(), &lines[0]["message"]), (1, &json!("panic")));
    assert!(lines[0]["place"].as_str().unwrap().starts_with("tests/it/log.rs:"));
    assert!(!log.text().contains("650-123"), "{}", log.text());
}

/// Some fields of each line.
fn fields_of<const N: usize>(lines: &[Value], fields: [&str; N]) -> Vec<[Value; N]> {
    lines.iter().map(|line| fields.map(|field| line[field].clone())).collect()
}

#[tokio::test]
async fn a_replayed_response_is_an_error_like_the_first() {
    let app = TestApp::with_ledger().await;
    app.rudder.answer_next(Reply::new(500, r#"{"code":500}"#));
    let lines = lines(&app, LevelFilter::INFO, [Request::lead(), Request::lead()]).await;
    assert!(lines.iter().all(|line| line["status"] == 502), "{lines:?}");
    assert_eq!(
        fields_of(&lines, ["level", "outcome", "error", "replayed"]),
        [
            [json!("ERROR"), json!("unknown"), json!("bad_upstream_answer"), Value::Null],
            [json!("ERROR"), json!("unknown"), json!("bad_upstream_answer"), json!(true)],
        ]
    );
    // Only the first request of a process waited for its start, and both are about one claim.
    assert_eq!([&lines[0]["span"]["cold_start"], &lines[1]["span"]["cold_start"]], [&json!(true), &Value::Null]);
    assert!(lines[0]["span"]["claim"].is_string() && lines[0]["span"]["claim"] == lines[1]["span"]["claim"]);
}

#[tokio::test]
async fn a_request_that_cannot_send_or_is_simulated_says_so() {
    let app = TestApp::with_ledger().await;
    let refused = Request::post(LEAD.replace("4000", "9003"));
    let unknown = Request::post(LEAD.replace("4000", "5000"));
    app.rudder.answer_next(Reply::new(500, ""));
    app.post(&unknown).await;
    let requests = [
        Request::lead().action("validate"),
        Request::lead().action("status"),
        unknown.action("status"),
        refused.clone().account(SANDBOX),
    ];
    let lines = lines(&app, LevelFilter::INFO, requests).await;
    let line = |line: &Value| [&line["level"], &line["span"]["route"], &line["span"]["sandbox"]].map(Value::clone);
    assert_eq!(
        lines.iter().map(line).collect::<Vec<_>>(),
        [
            [json!("INFO"), json!("validate"), Value::Null],
            [json!("INFO"), json!("status"), Value::Null],
            // It was an error when it was sent.
            [json!("INFO"), json!("status"), Value::Null],
            // For a live account, `token_refused` is an error of the operator.
            [json!("INFO"), Value::Null, json!(true)],
        ]
    );
}

#[tokio::test]
async fn a_line_names_the_version_of_the_function() {
    let app = TestApp::with(&[("AWS_LAMBDA_FUNCTION_VERSION", "17")]).await;
    let lines = lines(&app, LevelFilter::INFO, [Request::lead(), Request::lead().key("wrong")]).await;
    assert_eq!(lines.iter().map(|line| &line["span"]["version"]).collect::<Vec<_>>(), ["17", "17"]);
}

#[tokio::test]
async fn a_ping_leaves_one_line_and_is_no_lead() {
    let app = TestApp::start().await;
    for source in ["aws.events", "aws.scheduler", "serverless-plugin-warmup"] {
        let log = LogCapture::start(LevelFilter::INFO, true);
        let event = json!({"version": "0", "source": source, "detail-type": "Scheduled Event", "detail": {}});
        let response = app.serve(&event.to_string()).await;
        assert_eq!((response.status, response.body.len()), (200, 0));
        let lines = log.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!((&lines[0]["level"], &lines[0]["message"]), (&json!("INFO"), &json!("pinged")));
    }
}

#[tokio::test]
async fn a_phone_number_as_an_account_is_neither_logged_nor_looked_up() {
    let request = Request::lead().account("6501231234");
    let app = TestApp::start().await;
    let lines = lines(&app, LevelFilter::TRACE, [request.clone(), request.without("authorization")]).await;
    assert!(!json!(lines).to_string().contains("6501231234"), "{lines:?}");
    assert_eq!((lines.len(), app.secrets.calls()), (2, vec![]));
}

#[tokio::test]
async fn level_error_leaves_only_what_an_operator_must_know() {
    let lines = lines(&TestApp::start().await, LevelFilter::ERROR, [Request::lead()]).await;
    assert_eq!(lines, Vec::<Value>::new());
}

/// All fields of the line about a request.
pub const FIELDS: &str = "cause error level message ms outcome replayed span span.account span.claim span.cold_start \
                          span.ignored_fields span.key span.name span.request_id span.route span.sandbox span.secret \
                          span.upstream_code span.upstream_ms span.upstream_status span.upstream_trace_id span.version \
                          status";

/// The names of everything in these lines, those of the span with its name before them.
fn names(lines: &[Value]) -> BTreeSet<String> {
    let own = lines.iter().flat_map(|line| line.as_object().unwrap().keys().cloned());
    let spans = lines.iter().flat_map(|line| line["span"].as_object().unwrap().keys());
    own.chain(spans.map(|name| format!("span.{name}"))).collect()
}

#[tokio::test]
async fn a_line_has_these_fields_and_no_other() {
    let lead = || Request::post(LEAD.replace("{}", r#"{"shoe_size":9}"#));
    let app = TestApp::with(&[("CLAIMS_TABLE", TABLE), ("AWS_LAMBDA_FUNCTION_VERSION", "17")]).await;
    let simulated = Request::lead().account(SANDBOX).action("validate");
    let mut lines = lines(&app, LevelFilter::INFO, [lead(), lead(), simulated]).await;
    let claim = &app.dynamodb.items(TABLE)[0]["claim"]["S"];
    assert!(claim.is_string() && lines[0]["span"]["claim"] == *claim, "{lines:?}");
    assert_eq!([0, 1].map(|line| &lines[line]["span"]["secret"]), [&json!("read"), &Value::Null]);
    lines.push(line(Request::post("{}")).await);
    assert_eq!(names(&lines), FIELDS.split_whitespace().map(str::to_owned).collect());
}
