//! No secret and no personal data where somebody could read it: log lines at any level, error texts, `Debug`, and the
//! answers to people without a key.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fmt::{Debug, Display},
    fs,
    marker::PhantomData,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use base64::prelude::*;
use lendswift_relay::{
    account::{Accounts, ApiKey, Secret},
    answer::{Answer, Problem, Response},
    claim::{Claimed, Known, Settled},
    clock::Clock,
    config::{Config, Log},
    lead::ParsedLead,
    rudder::{Code, Push, UpstreamBody, Verdict},
    telemetry::log,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use support::fakes::{Behaviour, Reply};
use tracing::level_filters::LevelFilter;

use crate::{
    request::{DIGITS, LETTERS, Request, TEXTS},
    stage::{KEY, Stage, TOKEN, aws, relay, secret, serve},
    wire::Wire,
};

/// Values that stand nowhere else, so that each place they turn up in is a leak.
const CANARY_TOKEN: &str = "tOken+cAnary/7f3a==";
const CANARY_KEY: &str = "key-canary-51b9c0";
const PHONE: &str = "6502587413";
const NAME: &str = "Nightingale Canary";
const TEXT: &str = "text canary \"quoted\" ümlaut";
const UNKNOWN: &str = "unknown-canary-4410";
const IDEMPOTENCY_KEY: &str = "idempotency-canary-93";

const CANARIES: [&str; 7] = [CANARY_TOKEN, CANARY_KEY, PHONE, NAME, TEXT, UNKNOWN, IDEMPOTENCY_KEY];

/// The forms in which a value may turn up, in lower case, beside the one without anything but letters and digits.
fn forms(value: &str) -> Vec<String> {
    let json = serde_json::to_string(value).unwrap();
    let bytes = |bytes: &[u8]| bytes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut forms = vec![
        value.to_owned(),
        json.trim_matches('"').to_owned(),
        format!("{value:?}").trim_matches('"').to_owned(),
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        value.replace('/', "%2F"),
        hex::encode(value),
        bytes(value.as_bytes()),
    ];
    // Base64 of the value wherever it begins in what was encoded; the characters at its edges depend on its neighbours.
    for before in ["", "x", "xx"] {
        let encoded = BASE64_STANDARD_NO_PAD.encode(format!("{before}{value}"));
        let inner: String = encoded.chars().skip(4).collect();
        let inner = inner.get(..inner.len().saturating_sub(4)).unwrap_or_default();
        forms.push(inner.to_owned());
        forms.push(inner.replace('+', "-").replace('/', "_"));
    }
    forms.into_iter().map(|form| form.to_lowercase()).filter(|form| form.len() >= 5).collect()
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The canaries that a text holds in one form or another.
fn leaks<'a>(text: &str, canaries: &[&'a str]) -> Vec<&'a str> {
    let (lower, squeezed) = (text.to_lowercase(), letters_and_digits(text));
    let leaked = |canary: &&&str| {
        forms(canary).iter().any(|form| lower.contains(form.as_str())) || squeezed.contains(&letters_and_digits(canary))
    };
    canaries.iter().filter(leaked).copied().collect()
}

#[test]
fn a_leak_is_seen_in_every_form() {
    let text = TEXT;
    for leak in [
        format!("caller 1 ({}) {}-{}", &PHONE[..3], &PHONE[3..6], &PHONE[6..]),
        format!("Phone(1{PHONE})"),
        format!("{:?}", PHONE.as_bytes()),
        format!("path=/push/{}", utf8_percent_encode(CANARY_TOKEN, NON_ALPHANUMERIC)),
        serde_json::json!({"a": text}).to_string(),
        format!("{text:?}"),
        NAME.to_uppercase(),
        BASE64_STANDARD.encode(format!("Bearer {CANARY_KEY}")),
        hex::encode(UNKNOWN),
    ] {
        assert_eq!(leaks(&leak, &CANARIES).len(), 1, "{leak}");
    }
    assert_eq!(leaks("nothing to see: 16501231234 Ann", &CANARIES), Vec::<&str>::new());
}

/// A lead that holds a canary in every field.
fn lead() -> String {
    let details: serde_json::Map<_, _> = TEXTS.iter().map(|(name, _)| ((*name).to_owned(), TEXT.into())).collect();
    serde_json::json!({
        "caller_id": PHONE, "loan_amount": 4000, "customer_name": NAME, "details": details, "email": UNKNOWN,
    })
    .to_string()
}

/// The lead, right and wrong in many ways.
fn bodies() -> Vec<Vec<u8>> {
    let lead = lead();
    vec![
        lead.clone().into_bytes(),
        lead.replace("canary", "canary\\u0007").into_bytes(),
        lead.replace(PHONE, &format!("+1 ({}) {}-{} x9", &PHONE[..3], &PHONE[3..6], &PHONE[6..])).into_bytes(),
        lead.replace("4000", &format!("\"{PHONE} dollars\"")).into_bytes(),
        lead.replace("\"details\":{", &format!("\"details\":{{\"had_late_payment\":\"{UNKNOWN}\",")).into_bytes(),
        lead.replace("\"details\":{", &format!("\"caller_id\":\"{PHONE}0\",\"details\":{{")).into_bytes(),
        format!("[{lead}]").into_bytes(),
        lead.split_at(lead.len() - 9).0.to_owned().into_bytes(),
        [lead.as_bytes(), b"\xff"].concat(),
        format!("{{\"{UNKNOWN}\":").into_bytes(),
        format!("\"{NAME}\"").into_bytes(),
    ]
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that is logged at the most talkative level, in both formats, while `run` runs.
async fn logged(run: impl AsyncFn()) -> String {
    let mut all = String::new();
    for json in [true, false] {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = log::subscriber(Log { level: LevelFilter::TRACE, json }, move || writer.clone());
        let logging = tracing::subscriber::set_default(subscriber);
        run().await;
        drop(logging);
        all.push_str(&String::from_utf8(lines.0.lock().unwrap().clone()).unwrap());
    }
    all
}

/// A post with a canary for a key.
fn post(body: impl Into<Vec<u8>>) -> String {
    Request::post(body).key(CANARY_KEY).header("idempotency-key", IDEMPOTENCY_KEY).event()
}

/// A stage whose one account has canaries for its token and key.
async fn stage() -> Stage {
    let stage = Stage::start().await;
    stage.secrets.put("lendswift/acme", secret(CANARY_TOKEN, &[CANARY_KEY]));
    stage.rudder.replace_tokens([CANARY_TOKEN]);
    stage
}

#[tokio::test]
async fn no_lead_whether_right_or_wrong_is_in_the_log_or_quoted_in_an_answer() {
    let log = logged(async || {
        for body in bodies() {
            let stage = stage().await;
            for event in [post(body.clone()), Request::post(body.clone()).key("another").event()] {
                let answer = stage.serve(&event).await;
                let answer = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
                assert_eq!(leaks(&answer, &CANARIES), Vec::<&str>::new(), "{answer}");
            }
        }
    })
    .await;
    assert!(log.lines().count() >= 44, "the log was on");
    assert_eq!(leaks(&log, &CANARIES), Vec::<&str>::new(), "{log}");
}

#[tokio::test]
async fn whatever_ai_rudder_answers_the_log_holds_none_of_it() {
    let phone_for_code = format!(r#"{{"code":1{PHONE}}}"#);
    let echo = format!(r#"{{"code":CODE,"message":"{CANARY_TOKEN} {PHONE} {NAME}","trace_id":"1{PHONE}"}}"#);
    let log = logged(async || {
        for (status, code) in [(200, 200), (200, 400), (400, 400), (401, 401), (429, 429), (500, 500), (302, 302)] {
            let html = format!("<html>{CANARY_TOKEN} {PHONE}</html>");
            for body in [echo.replace("CODE", &code.to_string()), phone_for_code.clone(), html] {
                let stage = stage().await;
                let location = format!("http://127.0.0.1:1/{PHONE}");
                stage
                    .rudder
                    .answer_next(Reply::new(status, body).header("location", location).header("retry-after", PHONE));
                stage.serve(&post(lead())).await;
            }
        }
    })
    .await;
    assert_eq!(leaks(&log, &CANARIES), Vec::<&str>::new(), "{log}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_in_the_answer() {
    let stage = stage().await;
    stage.rudder.answer_next(Reply::new(401, format!(r#"{{"code":401,"message":"invalid token {CANARY_TOKEN}"}}"#)));
    let answer = stage.serve(&post(lead())).await;
    assert_eq!(leaks(&String::from_utf8_lossy(&answer.body), &CANARIES), Vec::<&str>::new());
}

#[tokio::test]
async fn connections_that_fail_leave_no_url_in_the_log() {
    let log = logged(async || {
        let stage = stage().await;
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "nonsense\r\n\r\n"] {
            let wire = Wire::responding(answer).await;
            for scheme in ["http", "https"] {
                let relay = relay(&wire.url(scheme), &stage.secrets.url(), &[("UPSTREAM_TIMEOUT_MS", "1000")]);
                serve(&relay, &post(lead()), lambda_http::Context::default()).await;
            }
        }
    })
    .await;
    assert!(log.contains("upstream_broke") && log.contains("upstream_unreachable"), "{log}");
    assert_eq!(leaks(&log, &CANARIES), Vec::<&str>::new(), "{log}");
}

#[tokio::test]
async fn a_secret_in_any_state_is_not_in_the_log() {
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(CANARY_KEY));
    let canaries = [CANARIES.as_slice(), &[digest.as_str()]].concat();
    let log = logged(async || {
        for text in [
            CANARY_TOKEN.to_owned(),
            format!(r#"{{"lendswift_token": "{CANARY_TOKEN}"}}"#),
            format!(r#"{{"lendswift_token": "{CANARY_TOKEN}", "api_key_sha256": ["{CANARY_KEY}"]}}"#),
            format!(r#"{{"lendswift_token": "{CANARY_TOKEN}", "api_key_sha256": "{digest}"}}"#),
            format!(r#"{{"lendswift_token": ["{CANARY_TOKEN}"], "api_key_sha256": ["{digest}"]}}"#),
            secret(&format!("{CANARY_TOKEN}\n"), &[CANARY_KEY]),
        ] {
            let stage = stage().await;
            stage.secrets.put("lendswift/acme", text);
            stage.serve(&post(lead())).await;
        }
        for behaviour in [Behaviour::Denied, Behaviour::Throttled, Behaviour::Down, Behaviour::Binary] {
            let stage = stage().await;
            stage.secrets.behave(behaviour);
            stage.serve(&post(lead())).await;
        }
    })
    .await;
    assert!(log.contains("secret unreadable"), "{log}");
    assert_eq!(leaks(&log, &canaries), Vec::<&str>::new(), "{log}");
}

/// An object, printed in every way that there is.
fn printed(object: &dyn Debug) -> String {
    format!("{object:?} {object:#?}")
}

/// An error and its sources, displayed and printed.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.extend([error.to_string(), printed(&error)]);
        next = error.source();
    }
    text
}

fn displayed(object: &dyn Display) -> String {
    object.to_string()
}

#[test]
fn nothing_that_can_be_printed_prints_a_canary() {
    let mut texts = Vec::new();
    for body in bodies() {
        match ParsedLead::parse(&body) {
            Err(malformed) => texts.extend([told(&malformed), printed(&Problem::MalformedBody(malformed))]),
            Ok(reading) => {
                texts.extend([printed(&reading), displayed(&reading.ignored)]);
                match reading.lead {
                    Ok(lead) => texts.extend([
                        printed(&lead),
                        printed(&lead.caller_id),
                        printed(&lead.loan_amount),
                        printed(&lead.customer_name),
                        printed(&lead.texts),
                    ]),
                    Err(faults) => {
                        for fault in &faults {
                            texts.extend([printed(fault), told(&fault.kind), serde_json::to_string(fault).unwrap()]);
                        }
                        texts.push(printed(&Answer::from(Problem::InvalidLead(faults))));
                    }
                }
            }
        }
    }
    let headers = http::HeaderMap::from_iter([(
        http::header::AUTHORIZATION,
        http::HeaderValue::try_from(format!("Bearer {CANARY_KEY}")).unwrap(),
    )]);
    texts.push(printed(&ApiKey::from_headers(&headers)));
    let good = Secret::parse(&secret(CANARY_TOKEN, &[CANARY_KEY])).unwrap();
    texts.extend([printed(&good), printed(&good.token), printed(&good.digests)]);
    let digest = <sha2::Sha256 as sha2::Digest>::digest(CANARY_KEY);
    let digest_forms = [hex::encode(digest), digest.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")];
    texts.push(printed(&Secret::parse(CANARY_TOKEN)));

    let body = || UpstreamBody::read(format!(r#"{{"code":200,"message":"{PHONE} {NAME}"}}"#).into_bytes());
    let push = |verdict| Push { verdict, status: 200, body: body(), retry_after: None };
    let phone_for_code = UpstreamBody::read(format!(r#"{{"code":1{PHONE}}}"#).into_bytes());
    let Code::Integer(phone) = phone_for_code.code() else { panic!("{phone_for_code:?}") };
    let unreadable = UpstreamBody::read(format!(r#"{{"code":"1{PHONE}"}}"#).into_bytes());
    texts.extend([printed(&body()), printed(&phone_for_code), printed(&push(Verdict::Accepted))]);
    texts.extend([printed(&phone_for_code.code()), printed(&UpstreamBody::Withheld(phone)), printed(&unreadable)]);
    for verdict in [Verdict::Accepted, Verdict::Refused, Verdict::RateLimited, Verdict::TokenRefused, Verdict::Unknown]
    {
        texts.push(printed(&Answer::from(push(verdict))));
    }

    for text in texts {
        assert!(!digest_forms.iter().any(|form| text.replace(",\n", ", ").contains(form.as_str())), "{text}");
        assert_eq!(leaks(&text, &CANARIES), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn a_settled_lead_does_not_print_its_answer() {
    let body = || format!(r#"{{"code":200,"message":"{CANARY_TOKEN} {PHONE} {NAME}"}}"#);
    let accepted = || Settled::Accepted { body: body() };
    let unknown = || Settled::Unknown { status: http::StatusCode::BAD_GATEWAY, body: body() };
    let settlements: [&dyn Fn() -> Settled; 2] = [&accepted, &unknown];
    for settled in settlements {
        let known = Claimed::Known(Known::Answered(settled()));
        for text in [printed(&settled()), printed(&known), printed(&Answer::from(settled()))] {
            assert_eq!(leaks(&text, &CANARIES), Vec::<&str>::new(), "{text}");
        }
    }
}

#[tokio::test]
async fn neither_a_relay_at_work_nor_a_wrong_configuration_prints_a_canary() {
    let mut texts = Vec::new();
    let stage = stage().await;
    assert_eq!(stage.serve(&post(lead())).await.status, 200);
    texts.push(printed(&stage.relay));

    let config = Config::read(|name| match name {
        "CLAIMS_TABLE" => Some("off".into()),
        "AWS_REGION" => Some("us-east-1".into()),
        "AWS_ENDPOINT_URL_SECRETS_MANAGER" => Some(stage.secrets.url().into()),
        _ => None,
    });
    let accounts = Accounts::new(&config.unwrap(), &aws(), Clock::SYSTEM);
    let headers = http::HeaderMap::from_iter([(
        http::header::AUTHORIZATION,
        http::HeaderValue::try_from(format!("Bearer {CANARY_KEY}")).unwrap(),
    )]);
    let key = ApiKey::from_headers(&headers).unwrap();
    let in_time = tokio::time::Instant::now() + std::time::Duration::from_secs(2);
    let account = accounts.authenticate(&"acme".parse().unwrap(), key, in_time).await.unwrap();
    texts.extend([printed(&account), printed(account.token()), printed(&accounts)]);

    let config = Config::read(|name| match name {
        "CLAIMS_TABLE" => Some("off".into()),
        _ => Some(CANARY_TOKEN.into()),
    });
    texts.push(told(&config.unwrap_err()));

    for text in texts {
        assert_eq!(leaks(&text, &CANARIES), Vec::<&str>::new(), "{text}");
    }
}

/// Says of a type whether it can be printed: the inherent constant is there only where it can, and comes first.
struct Of<T>(PhantomData<T>);

impl<T: Debug> Of<T> {
    const PRINTS: bool = true;
}

trait NotPrinted {
    const PRINTS: bool = false;
}

impl<T> NotPrinted for Of<T> {}

#[test]
fn a_response_can_not_be_printed_at_all() {
    const { assert!(Of::<Answer>::PRINTS && !Of::<Response>::PRINTS) }
}

/// What the other tests send: the suite's own canaries, and what the sample events hold.
fn suite() -> BTreeSet<String> {
    let mut values = BTreeSet::from([TOKEN, KEY, LETTERS, DIGITS, "6501231235"].map(str::to_owned));
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("events")).unwrap() {
        let event: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let body = event["body"].as_str().unwrap_or_default();
        let decoded = BASE64_STANDARD.decode(body).unwrap_or_else(|_| body.as_bytes().to_vec());
        let decoded = decoded.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&decoded);
        values.extend(body.get(..40).map(str::to_owned));
        leaves(&serde_json::from_slice(decoded).unwrap_or_default(), &mut values);
        leaves(&event["headers"]["idempotency-key"], &mut values);
    }
    // A phone number may turn up without its country code.
    let national: Vec<String> = values.iter().filter_map(|value| national(value)).collect();
    values.extend(national);
    // Too short to mean anything, or too long to be anybody's; and a name that the log has of its own.
    values.retain(|value| (5..300).contains(&letters_and_digits(value).len()) && value != "AI Rudder");
    values
}

/// The ten digits of a phone number with its country code, in whatever form.
fn national(value: &str) -> Option<String> {
    let digits = letters_and_digits(value);
    let national = digits.strip_prefix('1').filter(|digits| digits.len() == 10)?;
    national.bytes().all(|byte| byte.is_ascii_digit()).then(|| national.to_owned())
}

/// The strings and numbers anywhere in a value.
fn leaves(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| leaves(value, into)),
        Value::Object(members) => members.values().for_each(|value| leaves(value, into)),
        Value::String(text) => into.extend([text.trim().to_owned()]),
        Value::Number(number) => into.extend([number.to_string()]),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A line without its time, whose digits may be any.
fn without_time(line: &str) -> String {
    let time = line.split_once("\"timestamp\":\"").and_then(|(before, rest)| Some((before, rest.split_once('"')?.1)));
    time.map_or_else(|| line.to_owned(), |(before, after)| [before, after].concat())
}

/// Runs all other tests again with the shipped log at its most talkative level, and searches it.
fn the_suite_again(format: &str) {
    if env::var_os("LOG_FILE").is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    // Without what logs nothing, or into a log of its own.
    let output = Command::new(env::current_exe().unwrap())
        .args(["--skip", "secrecy::", "--skip", "area_codes::"])
        .env("LOG_FILE", &file)
        .env("LOG_FORMAT", format)
        // What a line may hold does not hang on the thousandth lead.
        .env("PROPTEST_CASES", "200")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let log = fs::read_to_string(file).unwrap();
    assert!(log.lines().count() > 5000, "only {} lines", log.lines().count());
    let begins_as_json = log.starts_with('{');
    assert_eq!(begins_as_json, format == "JSON", "{format}");
    let suite = suite();
    let suite: Vec<&str> = suite.iter().map(String::as_str).collect();
    // Most lines are like others, so each is searched once.
    let lines = log.lines().map(without_time).collect::<BTreeSet<_>>();
    let leaked = leaks(&lines.iter().cloned().collect::<Vec<_>>().join("\n"), &suite);
    let leaking = lines.iter().filter(|line| !leaks(line, &leaked).is_empty()).take(3);
    assert_eq!(leaked, Vec::<&str>::new(), "{:#?}", leaking.collect::<Vec<_>>());
    let names = log.lines().filter(|line| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Ann")).take(3);
    assert_eq!(names.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_whole_suite_again_with_the_shipped_log_at_trace_as_text_leaves_nothing_in_it() {
    the_suite_again("Text");
}

#[test]
fn the_whole_suite_again_with_the_shipped_log_at_trace_as_json_leaves_nothing_in_it() {
    the_suite_again("JSON");
}

#[test]
fn the_suites_canaries_are_those_of_every_field() {
    let suite = suite();
    for value in ["6501231234", "6501239999", "Ann   Marie", "programmer", "ann@example.com", "infinity-lead-20391"] {
        assert!(suite.contains(value), "{value} is not in {suite:?}");
    }
}
