//! No secret and no personal data appears in log lines at any level, in error texts, in `Debug`, or in responses to callers
//! without an API key. `scan-log` searches the log of all other tests.

use std::{
    error::Error,
    fmt::{Debug, Display},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::Context;
use lendswift_relay::{
    account::{Accounts, ApiKey, Secret},
    answer::{Answer, Problem, Response},
    claim::{Claimed, Known, Settled},
    clock::Clock,
    config::Config,
    lead::ParsedLead,
    rudder::{Code, Push, UpstreamBody, Verdict},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use support::{
    HASH_KEY, LogCapture, RawTcpServer, Reply, Request, SecretsBehaviour, TEXT_FIELDS, TestApp, aws, config, leaks,
    once_per_phone_secret, post, secret,
};
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

/// Values that occur nowhere else, so that each place where they are found is a leak.
const TOKEN: &str = "tOken+cAnary/7f3a==";
const KEY: &str = "key-canary-51b9c0";
const PHONE: &str = "6502587413";
const NAME: &str = "Nightingale Canary";
const TEXT: &str = "text canary \"quoted\" ümlaut";
const UNKNOWN: &str = "unknown-canary-4410";
const IDEMPOTENCY_KEY: &str = "idempotency-canary-93";

const CANARIES: [&str; 7] = [TOKEN, KEY, PHONE, NAME, TEXT, UNKNOWN, IDEMPOTENCY_KEY];

fn assert_secret(text: &str) {
    assert_eq!(leaks::find(text, &CANARIES), Vec::<&str>::new(), "{text}");
}

/// A lead with a canary in every field.
fn lead() -> String {
    let details: Map<_, _> = TEXT_FIELDS.iter().map(|field| (field.name.to_owned(), TEXT.into())).collect();
    json!({
        "caller_id": PHONE, "loan_amount": 4000, "customer_name": NAME, "details": details, "email": UNKNOWN,
    })
    .to_string()
}

/// The lead, valid and invalid in many ways.
fn bodies() -> Vec<Vec<u8>> {
    let lead = lead();
    let details = |first: &str| lead.replace("\"details\":{", &format!("\"details\":{{{first},"));
    vec![
        lead.clone().into_bytes(),
        lead.replace("canary", "canary\\u0007").into_bytes(),
        lead.replace(PHONE, &format!("+1 ({}) {}-{} x9", &PHONE[..3], &PHONE[3..6], &PHONE[6..])).into_bytes(),
        lead.replace("4000", &format!("\"{PHONE} dollars\"")).into_bytes(),
        details(&format!("\"had_late_payment\":\"{UNKNOWN}\"")).into_bytes(),
        lead.replace("\"details\":{", &format!("\"caller_id\":\"{PHONE}0\",\"details\":{{")).into_bytes(),
        format!("[{lead}]").into_bytes(),
        lead.split_at(lead.len() - 9).0.to_owned().into_bytes(),
        [lead.as_bytes(), b"\xff"].concat(),
        format!("{{\"{UNKNOWN}\":").into_bytes(),
        format!("\"{NAME}\"").into_bytes(),
        format!("caller_id={PHONE}&loan_amount=1&customer_name={NAME}&details[status]={TEXT}&email={UNKNOWN}")
            .into_bytes(),
        format!("caller_id={PHONE}x&loan_amount={PHONE}&customer_name={UNKNOWN}&details={NAME}").into_bytes(),
        format!("{NAME}&{PHONE}").into_bytes(),
        format!("customer_name={NAME}%4").into_bytes(),
    ]
}

/// Everything that `run` logs at the most talkative level, in both formats.
async fn logged(run: impl AsyncFn()) -> String {
    let mut all = String::new();
    for json in [true, false] {
        let log = LogCapture::start(LevelFilter::TRACE, json);
        run().await;
        all.push_str(&log.text());
    }
    all
}

/// A post with a canary for a key.
fn canary(body: impl Into<Vec<u8>>) -> Request {
    Request::post(body).key(KEY).idempotency_key(IDEMPOTENCY_KEY)
}

/// An app whose account has canaries for its token and key.
async fn app() -> TestApp {
    let app = TestApp::start().await;
    app.set_secret(TOKEN, &[KEY]);
    app.rudder.replace_tokens([TOKEN]);
    app
}

#[tokio::test]
async fn no_lead_is_in_the_log_or_in_an_error_response() {
    let log = logged(async || {
        for body in bodies() {
            let app = app().await;
            let form = canary(body.clone()).header("content-type", "application/x-www-form-urlencoded");
            for request in [canary(body.clone()), Request::post(body.clone()).key("another"), form] {
                for request in [request.clone().action("status"), request.clone().action("validate"), request] {
                    let response = app.post(&request).await;
                    let body = if response.status == 200 { "" } else { &response.body };
                    assert_secret(&format!("{:?} {body}", response.response.headers));
                }
            }
        }
    })
    .await;
    assert!(log.lines().count() >= 44, "the log was on");
    assert_secret(&log);
}

#[tokio::test]
async fn nothing_that_ai_rudder_responds_is_in_the_log() {
    let phone_for_code = format!(r#"{{"code":1{PHONE}}}"#);
    let echo = format!(r#"{{"code":CODE,"message":"{TOKEN} {PHONE} {NAME}","trace_id":"1{PHONE}"}}"#);
    let log = logged(async || {
        for (status, code) in [(200, 200), (200, 400), (400, 400), (401, 401), (429, 429), (500, 500), (302, 302)] {
            let html = format!("<html>{TOKEN} {PHONE}</html>");
            for body in [echo.replace("CODE", &code.to_string()), phone_for_code.clone(), html] {
                let app = app().await;
                let location = format!("http://127.0.0.1:1/{PHONE}");
                let reply = Reply::new(status, body).header("location", location).header("retry-after", PHONE);
                app.rudder.answer_next(reply);
                app.post(&canary(lead())).await;
            }
        }
    })
    .await;
    assert_secret(&log);
}

#[tokio::test]
async fn failed_connections_leave_no_url_in_the_log() {
    let log = logged(async || {
        let app = app().await;
        for response in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "nonsense\r\n\r\n"] {
            let server = RawTcpServer::responding(response).await;
            for scheme in ["http", "https"] {
                let variables = [("UPSTREAM_BASE_URL", &*server.url(scheme)), ("UPSTREAM_TIMEOUT_MS", "1000")];
                post(&app.relay(&variables), &canary(lead()), Context::default()).await;
            }
        }
    })
    .await;
    assert!(log.contains("upstream_broke") && log.contains("upstream_unreachable"), "{log}");
    assert_secret(&log);
}

/// Secrets whose policy is malformed, with the token wherever something is malformed.
fn malformed_policies() -> [String; 6] {
    [
        json!({"policy": {"calling_hours": TOKEN}}),
        json!({"policy": {"calling_hours": {TOKEN: "09:00-20:00"}}}),
        json!({"policy": {"calling_hours": {"mon-sun": TOKEN}}}),
        json!({"policy": {TOKEN: 24}}),
        json!({"policy": {"once_per_phone_hours": TOKEN}, "hash_key": HASH_KEY}),
        json!({"policy": {"once_per_phone_hours": 24}, "hash_key": TOKEN}),
    ]
    .map(|members| {
        let mut secret: Value = serde_json::from_str(&secret(TOKEN, &[KEY])).unwrap();
        secret.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        secret.to_string()
    })
}

#[tokio::test]
async fn a_secret_in_any_state_is_not_in_the_log() {
    let digest = hex::encode(Sha256::digest(KEY));
    let log = logged(async || {
        for text in [
            TOKEN.to_owned(),
            format!(r#"{{"lendswift_token": "{TOKEN}"}}"#),
            format!(r#"{{"lendswift_token": "{TOKEN}", "api_key_sha256": ["{KEY}"]}}"#),
            format!(r#"{{"lendswift_token": "{TOKEN}", "api_key_sha256": "{digest}"}}"#),
            format!(r#"{{"lendswift_token": ["{TOKEN}"], "api_key_sha256": ["{digest}"]}}"#),
            secret(&format!("{TOKEN}\n"), &[KEY]),
        ]
        .into_iter()
        .chain(malformed_policies())
        {
            let app = app().await;
            app.secrets.put("lendswift/acme", text);
            app.post(&canary(lead())).await;
        }
        for behaviour in
            [SecretsBehaviour::Denied, SecretsBehaviour::Throttled, SecretsBehaviour::Down, SecretsBehaviour::Binary]
        {
            let app = app().await;
            app.secrets.behave(behaviour);
            app.post(&canary(lead())).await;
        }
    })
    .await;
    assert!(log.contains("secret unreadable"), "{log}");
    assert_eq!(leaks::find(&log, &[digest.as_str()]), Vec::<&str>::new(), "{log}");
    assert_secret(&log);
}

/// A value in both forms of `Debug`.
fn debug(value: &dyn Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// An error and its sources, in `Display` and `Debug`.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.extend([error.to_string(), debug(&error)]);
        next = error.source();
    }
    text
}

fn display(value: &dyn Display) -> String {
    value.to_string()
}

fn bearer() -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {KEY}")).unwrap())])
}

#[test]
fn what_is_read_from_a_lead_prints_none_of_it() {
    for body in bodies() {
        let reading = match ParsedLead::parse(&body) {
            Ok(reading) => reading,
            Err(malformed) => {
                assert_secret(&[chain(&malformed), debug(&Problem::MalformedBody(malformed))].concat());
                continue;
            }
        };
        assert_secret(&[debug(&reading), display(&reading.ignored)].concat());
        match reading.lead {
            Ok(lead) => {
                let fields: [&dyn Debug; 5] =
                    [&lead, &lead.caller_id, &lead.loan_amount, &lead.customer_name, &lead.texts];
                fields.map(debug).iter().for_each(|text| assert_secret(text));
            }
            Err(faults) => {
                for fault in &faults {
                    let json = serde_json::to_string(fault).unwrap();
                    assert_secret(&[debug(fault), chain(&fault.kind), json].concat());
                }
                assert_secret(&debug(&Answer::from(Problem::InvalidLead(faults))));
            }
        }
    }
}

#[test]
fn what_is_read_from_a_secret_prints_none_of_it() {
    let good = Secret::parse(&secret(TOKEN, &[KEY])).unwrap();
    let with_policy = Secret::parse(&once_per_phone_secret()).unwrap();
    assert!(with_policy.policy.once_per_phone().is_some());
    let digest = Sha256::digest(KEY);
    let digest_forms = [hex::encode(digest), digest.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")];
    let headers = bearer();
    let objects: [&dyn Debug; 6] =
        [&ApiKey::from_headers(&headers), &good, &with_policy, &good.destination, &good.digests, &Secret::parse(TOKEN)];
    for text in objects.map(debug) {
        assert_eq!(leaks::find(&text, &[HASH_KEY]), Vec::<&str>::new());
        assert!(!digest_forms.iter().any(|form| text.replace(",\n", ", ").contains(form.as_str())), "{text}");
        assert_secret(&text);
    }
}

#[test]
fn what_is_read_from_ai_rudder_prints_none_of_it() {
    let body = || UpstreamBody::parse(format!(r#"{{"code":200,"message":"{PHONE} {NAME}"}}"#).into_bytes());
    let push = |verdict| Push { verdict, status: 200, body: body(), retry_after: None };
    let phone_for_code = UpstreamBody::parse(format!(r#"{{"code":1{PHONE}}}"#).into_bytes());
    let Code::Integer(phone) = phone_for_code.code() else { panic!("{phone_for_code:?}") };
    let unreadable = UpstreamBody::parse(format!(r#"{{"code":"1{PHONE}"}}"#).into_bytes());
    let withheld = UpstreamBody::Withheld(phone);
    let objects: [&dyn Debug; 6] =
        [&body(), &phone_for_code, &push(Verdict::Accepted), &phone_for_code.code(), &withheld, &unreadable];
    objects.map(debug).iter().for_each(|text| assert_secret(text));
    for verdict in [Verdict::Accepted, Verdict::Refused, Verdict::RateLimited, Verdict::TokenRefused, Verdict::Unknown]
    {
        assert_secret(&debug(&Answer::from(push(verdict))));
    }
}

#[test]
fn a_settled_lead_does_not_print_its_response() {
    let body = || format!(r#"{{"code":200,"message":"{TOKEN} {PHONE} {NAME}"}}"#);
    let accepted = || Settled::Accepted { body: body() };
    let unknown = || Settled::Unknown { status: StatusCode::BAD_GATEWAY, error: None, body: body() };
    let settlements: [&dyn Fn() -> Settled; 2] = [&accepted, &unknown];
    for settled in settlements {
        let known = Claimed::Known(Known::Settled { claim: String::new(), settled: settled() });
        assert_secret(&[debug(&settled()), debug(&known), debug(&Answer::from(settled()))].concat());
    }
    assert_impl_all!(Answer: Debug);
    assert_not_impl_any!(Response: Debug, Display);
}

#[tokio::test]
async fn a_relay_at_work_and_an_invalid_configuration_print_no_secret() {
    let app = app().await;
    assert_eq!(app.post(&canary(lead())).await.status, 200);
    assert_secret(&debug(&app.relay));

    let config = config(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &app.secrets.url())]).unwrap();
    let accounts = Accounts::new(&config, &aws(), Clock::SYSTEM);
    let key = ApiKey::from_headers(&bearer()).unwrap();
    let until = Instant::now() + Duration::from_secs(2);
    let account = accounts.authenticate(&"acme".parse().unwrap(), key, until).await.unwrap();
    assert_secret(&[debug(&account), debug(account.destination()), debug(&accounts)].concat());

    let config = Config::from_variables(|name| Some(if name == "CLAIMS_TABLE" { "off" } else { TOKEN }.into()));
    assert_secret(&chain(&config.unwrap_err()));
}
