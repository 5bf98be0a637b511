//! AI Rudder's token reaches neither the sender, nor the ledger, nor the log, however AI Rudder's envelope quotes it.

use std::sync::{Arc, Mutex};

use lendswift_relay::{config::Log, telemetry::log};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use support::fakes::{Reply, api_gateway::Response};
use tracing::level_filters::LevelFilter;

use crate::{
    request::{LEAD, REQUEST_ID, Request},
    sending::header,
    stage::{KEY, Stage, TABLE, TOKEN, secret},
};

/// What the log says of an envelope that is kept back.
const WITHHELD: &str = "AI Rudder's envelope quotes the token and was withheld";

/// What is left when all marks are taken out: in a text without the token in any form it stands nowhere.
const LETTERS_OF_TOKEN: &str = "1JqFE7K6ucf94hAvqu";

/// Everything that a lead leaves: the response, the ledger's items, and the log.
struct Left {
    response: Response,
    items: Vec<Value>,
    log: Vec<Value>,
}

impl Left {
    /// The whole of it, decoded as far as a reader could go.
    fn text(&self) -> String {
        let body = String::from_utf8_lossy(&self.response.body);
        let text = format!("{:?} {body} {} {}", self.response.headers, json!(self.items), json!(self.log));
        let text = text.replace("\\/", "/");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    }

    fn body(&self) -> Value {
        serde_json::from_slice(&self.response.body).unwrap()
    }

    fn cause(&self) -> &str {
        self.log[0]["cause"].as_str().unwrap_or_default()
    }
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

/// Posts the lead, and gathers what it leaves.
async fn post(stage: &Stage) -> Left {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = log::subscriber(Log { level: LevelFilter::TRACE, json: true }, move || writer.clone());
    let logging = tracing::subscriber::set_default(subscriber);
    let response = stage.serve(&Request::post(LEAD).header("idempotency-key", "infinity-7").event()).await;
    drop(logging);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let log = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Left { response, items: stage.dynamodb.items(TABLE), log }
}

async fn answered(reply: Reply) -> (Stage, Left) {
    let stage = Stage::with_ledger().await;
    stage.rudder.answer_next(reply);
    let left = post(&stage).await;
    (stage, left)
}

/// The forms in which an envelope may quote the token.
fn quotes() -> Vec<String> {
    let all = utf8_percent_encode(TOKEN, NON_ALPHANUMERIC).to_string();
    let escaped = |c: char| format!("\\u{:04x}", u32::from(c));
    vec![
        TOKEN.to_owned(),
        TOKEN.replace('+', "%2B"),
        TOKEN.replace('+', "%2b"),
        TOKEN.replace('+', " "),
        TOKEN.replace('+', "\\u002b"),
        TOKEN.replace('+', "\\u002B"),
        TOKEN.replace('+', "\\u00252B"),
        all.replace('%', "\\u0025"),
        all.replace('%', "%25"),
        TOKEN.bytes().map(|byte| ["%", &hex::encode([byte])].concat()).collect(),
        TOKEN.chars().map(escaped).collect(),
        TOKEN.chars().map(escaped).collect::<String>().replace('\\', "\\\\"),
    ]
}

#[tokio::test]
async fn a_quoted_token_is_in_no_response_no_item_and_no_log() {
    for quote in quotes() {
        for envelope in [
            format!(r#"{{"code":CODE,"message":"at https:\/\/rudder\/push\/{quote}"}}"#),
            format!(r#"{{"body":{{"{quote}":[]}},"code":CODE}}"#),
        ] {
            for (status, code, outcome) in [
                (200, 200, "accepted"),
                (400, 400, "refused"),
                (429, 429, "not_sent"),
                (401, 401, "not_sent"),
                (500, 500, "unknown"),
                (200, 10510, "unknown"),
            ] {
                let envelope = envelope.replace("CODE", &code.to_string());
                let (stage, left) = answered(Reply::new(status, envelope.clone())).await;
                let text = left.text();
                assert!(!text.contains(LETTERS_OF_TOKEN) && !text.contains(&quote), "{envelope}: {text}");
                assert_eq!(header(&left.response, "lead-outcome"), outcome, "{envelope}");
                assert!(left.cause().ends_with(WITHHELD), "{:?}", left.log);
                assert_eq!(left.log[0]["span"]["upstream_code"], code);
                // Posted again it says the same, where it is not fresh.
                let again = post(&stage).await;
                assert!(!again.text().contains(LETTERS_OF_TOKEN), "{}", again.text());
                if ["accepted", "unknown"].contains(&outcome) {
                    assert_eq!(again.response.body, left.response.body);
                }
            }
        }
    }
}

#[tokio::test]
async fn in_place_of_a_withheld_envelope_the_relays_own_goes_out() {
    let quote = |code: u16| {
        format!(r#"{{"code":{code},"message":"/push/{TOKEN}","trace_id":"4a1986b786e944dcb7ce97f455d39743"}}"#)
    };
    for (code, status, message, show_err, error, cause) in [
        (200, 200, "AI Rudder accepted the lead and should call the consumer.", false, None, WITHHELD.to_owned()),
        (
            400,
            422,
            "AI Rudder refused the lead. Fix the lead before you send it again.",
            true,
            Some("refused_upstream"),
            WITHHELD.to_owned(),
        ),
        (
            500,
            502,
            "AI Rudder's response does not say whether it took the lead. Sending it again never calls; ask the relay's operator \
             with this request-id.",
            false,
            Some("bad_upstream_answer"),
            format!("AI Rudder answered 500; {WITHHELD}"),
        ),
    ] {
        let (_, left) = answered(Reply::new(code, quote(code))).await;
        let mut body = left.body();
        assert!(body["timestamp"].take().is_u64());
        let mut details = json!({"outcome": header(&left.response, "lead-outcome"), "fields": []});
        if let Some(error) = error {
            details["error"] = error.into();
        }
        assert_eq!(
            body,
            json!({
                "code": status, "message": message, "show_err": show_err, "timestamp": null, "body": details,
                "trace_id": REQUEST_ID,
            })
        );
        assert_eq!(left.response.status, status);
        assert_eq!(left.cause(), cause);
        let level = if status < 500 { "INFO" } else { "ERROR" };
        assert_eq!((left.log.len(), &left.log[0]["level"]), (1, &json!(level)));
        assert_eq!(left.log[0]["span"]["upstream_trace_id"], Value::Null, "nothing of it is logged but the code");
    }
}

#[tokio::test]
async fn a_token_of_hex_digits_is_not_logged_as_a_trace_id() {
    const HEX: &str = "4a1986b786e944dcb7ce97f455d39743";
    for trace_id in [HEX.to_owned(), format!("{HEX}-1"), format!("0{HEX}")] {
        let stage = Stage::with_ledger().await;
        stage.secrets.put("lendswift/acme", secret(HEX, &[KEY]));
        stage.rudder.answer_next(Reply::new(200, format!(r#"{{"code":200,"trace_id":"{trace_id}"}}"#)));
        let left = post(&stage).await;
        assert_eq!(header(&left.response, "lead-outcome"), "accepted");
        assert!(!left.text().contains(HEX), "{}", left.text());
    }
}

#[tokio::test]
async fn after_a_renewal_both_tokens_are_withheld() {
    const NEW: &str = "new-token-9/x+y=";
    for quoted in [TOKEN, NEW] {
        let stage = Stage::with_ledger().await;
        // Known with the old token, so that its refusal makes the relay look for a new one.
        stage.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
        assert_eq!(post(&stage).await.response.status, 422);
        stage.secrets.put("lendswift/acme", secret(NEW, &[KEY]));
        stage.rudder.answer_next(Reply::new(401, r#"{"code":401}"#));
        stage.rudder.answer_next(Reply::new(200, format!(r#"{{"code":200,"message":"/push/{quoted}"}}"#)));
        let left = post(&stage).await;
        assert_eq!(stage.rudder.received().len(), 3, "pushed with both");
        assert_eq!(header(&left.response, "lead-outcome"), "accepted");
        assert_eq!(left.cause(), WITHHELD);
        assert!(!left.text().contains(quoted), "{}", left.text());
    }
}

#[tokio::test]
async fn a_short_token_is_withheld_behind_a_slash_alone() {
    for (message, withheld) in [("no such path: /push/se7en", true), ("push%2Fse7en", true), ("se7en of them", false)] {
        let stage = Stage::with_ledger().await;
        stage.secrets.put("lendswift/acme", secret("se7en", &[KEY]));
        stage.rudder.answer_next(Reply::new(200, format!(r#"{{"code":200,"message":"{message}"}}"#)));
        let left = post(&stage).await;
        assert_eq!(left.cause() == WITHHELD, withheld, "{message}");
        assert_eq!(left.body()["message"] == message, !withheld, "{message}");
    }
}

#[tokio::test]
async fn an_envelope_that_quotes_no_token_goes_on_byte_for_byte() {
    let envelope = r#"{"code":200,"message":"100 % \u00e9\/ %2B 1JqFE7K6ucf94hAvqu 1jqfe7k6ucf94havqu+7jg"}"#;
    let (_, left) = answered(Reply::new(200, envelope)).await;
    assert_eq!(left.response.body, envelope.as_bytes());
    assert_eq!(left.cause(), "");
}

#[tokio::test]
async fn an_answer_that_an_older_version_stored_with_the_token_is_withheld() {
    for (code, outcome, status) in [(200, "accepted", 200), (500, "unknown", 502)] {
        let (stage, _) = answered(Reply::new(code, format!(r#"{{"code":{code}}}"#))).await;
        let mut lead = stage.dynamodb.items(TABLE).into_iter().find(|item| item.get("outcome").is_some()).unwrap();
        lead["body"] = json!({"S": format!(r#"{{"code":{code},"message":"\/push\/{TOKEN}"}}"#)});
        stage.dynamodb.put(TABLE, lead);
        let again = post(&stage).await;
        assert_eq!((again.response.status, header(&again.response, "lead-outcome")), (status, outcome));
        assert_eq!(header(&again.response, "idempotent-replayed"), "true");
        assert!(!String::from_utf8_lossy(&again.response.body).contains(TOKEN));
        assert_eq!(again.cause(), WITHHELD);
    }
}
