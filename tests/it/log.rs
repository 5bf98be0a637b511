//! What a request leaves in the log.

use std::{
    collections::BTreeSet,
    io, panic,
    sync::{Arc, Mutex},
};

use lambda_http::Context;
use lendswift_relay::{config::Log, telemetry::log};
use serde_json::{Value, json};
use support::fakes::{Behaviour, Reply};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::level_filters::LevelFilter;

use crate::{
    request::{LEAD, REQUEST_ID, Request},
    stage::{Stage, TABLE, serve},
};

/// A log in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the time out of a line, as Lambda wants it in there.
fn when(line: &mut Value) {
    let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
    OffsetDateTime::parse(timestamp.as_str().unwrap(), &Rfc3339).unwrap();
}

/// The lines that a request leaves.
async fn lines(level: LevelFilter, request: Request) -> Vec<Value> {
    lines_of(level, &[], [request]).await
}

/// The lines that requests leave, one after the other, with some variables set.
async fn lines_of(
    level: LevelFilter,
    variables: &[(&str, &str)],
    requests: impl IntoIterator<Item = Request>,
) -> Vec<Value> {
    lines_at(&Stage::with(variables).await, level, requests).await
}

/// The lines that requests leave at a stage that is set already.
async fn lines_at(stage: &Stage, level: LevelFilter, requests: impl IntoIterator<Item = Request>) -> Vec<Value> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = log::subscriber(Log { level, json: true }, move || writer.clone());
    {
        let _logging = tracing::subscriber::set_default(subscriber);
        for request in requests {
            stage.serve(&request.event()).await;
        }
    }
    let bytes = lines.0.lock().unwrap().clone();
    let mut lines: Vec<Value> =
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &mut lines {
        when(line);
        assert!(line["ms"].is_u64());
        line["ms"] = 0.into();
        if line["span"]["upstream_ms"].is_u64() {
            line["span"]["upstream_ms"] = 0.into();
        }
    }
    lines
}

#[tokio::test]
async fn a_push_leaves_one_line_with_everything_to_ask_ai_rudder_about_it() {
    let lead = LEAD.replace("{}", r#"{"shoe_size":9}"#);
    assert_eq!(
        lines(LevelFilter::TRACE, Request::post(lead)).await,
        [json!({
            "level": "INFO",
            "message": "answered",
            "outcome": "accepted",
            "status": 200,
            "ms": 0,
            "span": {
                "name": "lead",
                "request_id": REQUEST_ID,
                "cold_start": true,
                "account": "acme",
                "key": "a06c94cb",
                "secret": "read",
                "ignored_fields": 1,
                "upstream_status": 200,
                "upstream_code": 200,
                "upstream_trace_id": "4a1986b786e944dcb7ce97f455d39743",
                "upstream_ms": 0,
            },
        })]
    );
}

#[tokio::test]
async fn a_request_without_an_id_has_lambdas_own_in_the_log_and_the_answer() {
    let lines = Lines::default();
    let writer = lines.clone();
    let mut event: Value = serde_json::from_str(&Request::post(LEAD).event()).unwrap();
    event["requestContext"].as_object_mut().unwrap().remove("requestId");
    let mut context = Context::default();
    context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
    let stage = Stage::start().await;
    let subscriber = log::subscriber(Log { level: LevelFilter::INFO, json: true }, move || writer.clone());
    let logging = tracing::subscriber::set_default(subscriber);
    let answer = serve(&stage.relay, &event.to_string(), context.clone()).await;
    drop(logging);
    assert!(answer.headers.contains(&("request-id".to_owned(), context.request_id.clone())), "{:?}", answer.headers);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["span"]["request_id"], context.request_id);
}

#[tokio::test]
async fn a_lead_with_faults_leaves_their_places_and_kinds() {
    assert_eq!(
        lines(LevelFilter::INFO, Request::post(LEAD.replace("4000", "\"4k\"").replace("Ann Zqxjkvwyp", "7"))).await,
        [json!({
            "level": "INFO",
            "message": "answered",
            "outcome": "not_sent",
            "status": 422,
            "error": "invalid_lead",
            "cause": "/customer_name no_letter, /loan_amount not_an_amount",
            "ms": 0,
            "span": {
                "name": "lead",
                "request_id": REQUEST_ID,
                "cold_start": true,
                "account": "acme",
                "key": "a06c94cb",
                "secret": "read",
                "ignored_fields": 0,
            },
        })]
    );
}

#[tokio::test]
async fn a_body_that_is_not_json_leaves_who_sent_it_and_no_count_of_its_fields() {
    assert_eq!(
        lines(LevelFilter::INFO, Request::post("{")).await,
        [json!({
            "level": "INFO",
            "message": "answered",
            "outcome": "not_sent",
            "status": 400,
            "error": "malformed_json",
            "cause": "the body is not JSON at line 1, column 1",
            "ms": 0,
            "span": {
                "name": "lead",
                "request_id": REQUEST_ID,
                "cold_start": true,
                "account": "acme",
                "key": "a06c94cb",
                "secret": "read",
            },
        })]
    );
}

#[tokio::test]
async fn a_refused_key_leaves_the_cause_that_its_answer_keeps_back() {
    for (request, cause, account) in [
        (Request::post(LEAD).key("wrong"), "wrong key", json!("acme")),
        (Request::post(LEAD).account("nobody"), "no such secret", Value::Null),
        (Request::post(LEAD).without("authorization"), "no API key", Value::Null),
    ] {
        let lines = lines(LevelFilter::INFO, request).await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["cause"], cause);
        assert_eq!(lines[0]["span"]["account"], account, "{cause}");
        assert_eq!(lines[0]["span"]["secret"], Value::Null, "{cause}");
    }
}

#[tokio::test]
async fn the_secret_of_the_second_lead_was_known() {
    let lines = lines_of(LevelFilter::INFO, &[], [Request::post(LEAD), Request::post("{")]).await;
    let secrets: Vec<&Value> = lines.iter().map(|line| &line["span"]["secret"]).collect();
    assert_eq!(secrets, ["read", "cached"]);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_leaves_whose_it_is_and_not_that_it_opened() {
    let stage = Stage::start().await;
    stage.secrets.put("lendswift/acme", "{}");
    let lines = lines_at(&stage, LevelFilter::INFO, [Request::post(LEAD)]).await;
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["span"]["account"], &lines[0]["span"]["secret"]), (&json!("acme"), &Value::Null));
}

#[test]
fn a_panic_leaves_its_place_and_not_its_message() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = log::subscriber(Log { level: LevelFilter::TRACE, json: true }, move || writer.clone());
    let tests_own_hook = panic::take_hook();
    log::panics();
    let _logging = tracing::subscriber::set_default(subscriber);
    let panicked = panic::catch_unwind(|| panic!("while reading 650-123-1234"));
    panic::set_hook(tests_own_hook);
    assert!(panicked.is_err());
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["message"], "panic");
    assert!(line["place"].as_str().unwrap().starts_with("tests/it/log.rs:"));
    assert!(!log.contains("650-123"), "{log}");
}

#[tokio::test]
async fn secrets_manager_out_of_order_leaves_one_line_too() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Down);
    let lines = lines_at(&stage, LevelFilter::TRACE, [Request::post(LEAD)]).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(json!(lines).to_string().contains("Secrets Manager failed: InternalServiceError"), "{lines:?}");
}

#[tokio::test]
async fn a_denied_secret_leaves_awss_message_without_the_accounts_name() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Denied);
    let lines = lines_at(&stage, LevelFilter::TRACE, [Request::post(LEAD)]).await;
    assert_eq!((lines.len(), &lines[0]["level"], &lines[0]["error"]), (1, &json!("ERROR"), &json!("unauthorized")));
    assert_eq!(
        lines[0]["cause"],
        "secret unreadable: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/relay/relay is not \
         authorized to perform: secretsmanager:GetSecretValue on resource: lendswift/{account} because no \
         identity-based policy allows the secretsmanager:GetSecretValue action"
    );
    let answer = stage.serve(&Request::post(LEAD).event()).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("AccessDenied"), "for the log only");
}

#[tokio::test]
async fn a_deleted_secret_rings_no_alarm() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Deleted);
    let lines = lines_at(&stage, LevelFilter::INFO, [Request::post(LEAD), Request::post(LEAD)]).await;
    for line in &lines {
        let told = ["level", "status", "error", "cause"].map(|field| line[field].clone());
        let cause = json!("the secret is marked for deletion");
        assert_eq!(told, [json!("INFO"), json!(401), json!("unauthorized"), cause]);
    }
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn an_answer_that_is_given_again_is_said_to_be_one_and_is_an_error_as_before() {
    let stage = Stage::with_ledger().await;
    stage.rudder.answer_next(Reply::new(500, r#"{"code":500}"#));
    let lines = lines_at(&stage, LevelFilter::INFO, [Request::post(LEAD), Request::post(LEAD)]).await;
    assert!(lines.iter().all(|line| line["status"] == 502), "{lines:?}");
    let told = |line: &Value| ["level", "outcome", "error", "replayed"].map(|field| line[field].clone());
    assert_eq!(
        lines.iter().map(told).collect::<Vec<_>>(),
        [
            [json!("ERROR"), json!("unknown"), json!("bad_upstream_answer"), Value::Null],
            [json!("ERROR"), json!("unknown"), Value::Null, json!(true)],
        ]
    );
}

#[tokio::test]
async fn what_is_no_accounts_name_is_not_logged_since_it_may_be_a_phone_number() {
    for request in
        [Request::post(LEAD).account("6501231234"), Request::post(LEAD).account("6501231234").without("authorization")]
    {
        let lines = lines(LevelFilter::TRACE, request).await;
        assert!(!json!(lines).to_string().contains("6501231234"), "{lines:?}");
    }
}

#[tokio::test]
async fn at_level_error_only_what_an_operator_has_to_know_is_left() {
    assert_eq!(lines(LevelFilter::ERROR, Request::post(LEAD)).await, Vec::<Value>::new());
}

/// The names of all that is in these lines, those of the span with its name before them.
fn fields(lines: &[Value]) -> BTreeSet<String> {
    let own = lines.iter().flat_map(|line| line.as_object().unwrap().keys().cloned());
    let spans = lines.iter().flat_map(|line| line["span"].as_object().unwrap().keys());
    own.chain(spans.map(|name| format!("span.{name}"))).collect()
}

#[tokio::test]
async fn a_line_has_these_fields_and_no_other() {
    let lead = || Request::post(LEAD.replace("{}", r#"{"shoe_size":9}"#));
    let mut lines = lines_of(LevelFilter::INFO, &[("CLAIMS_TABLE", TABLE)], [lead(), lead()]).await;
    lines.extend(self::lines(LevelFilter::INFO, Request::post("{}")).await);
    let mut written = fields(&lines);
    // The line's own make, and not about the request.
    for name in ["level", "message", "span", "span.name"] {
        assert!(written.remove(name), "{name}");
    }
    let named = [
        "cause",
        "error",
        "ms",
        "outcome",
        "replayed",
        "span.account",
        "span.claim",
        "span.cold_start",
        "span.ignored_fields",
        "span.key",
        "span.request_id",
        "span.secret",
        "span.upstream_code",
        "span.upstream_ms",
        "span.upstream_status",
        "span.upstream_trace_id",
        "status",
    ];
    assert_eq!(written, named.map(str::to_owned).into());
}

#[tokio::test]
async fn the_line_of_a_sent_lead_has_the_id_of_its_claim() {
    let stage = Stage::with(&[("CLAIMS_TABLE", TABLE)]).await;
    let lines = lines_at(&stage, LevelFilter::INFO, [Request::post(LEAD)]).await;
    let claim = &stage.dynamodb.items(TABLE)[0]["claim"]["S"];
    assert!(claim.is_string());
    assert_eq!(&lines[0]["span"]["claim"], claim);
}
