//! AI Rudder's token reaches neither the caller, nor the ledger, nor the log, however AI Rudder's envelope quotes it.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use support::{KEY, LogCapture, ObservedResponse, REQUEST_ID, Reply, Request, TABLE, TOKEN, TestApp};
use tracing::level_filters::LevelFilter;

/// The cause in the log of an envelope that is withheld.
const WITHHELD: &str = "AI Rudder's envelope quotes the token and was withheld";

/// The token without its punctuation: a text without the token in any form does not contain it.
const LETTERS_OF_TOKEN: &str = "1JqFE7K6ucf94hAvqu";

/// Everything that a lead leaves: the response, the ledger's items, and the log.
struct Traces {
    response: ObservedResponse,
    items: Vec<Value>,
    log: Vec<Value>,
}

impl Traces {
    /// All of it, decoded as far as a reader could.
    fn text(&self) -> String {
        let (headers, body) = (&self.response.response.headers, &self.response.body);
        let text = format!("{headers:?} {body} {} {}", json!(self.items), json!(self.log)).replace("\\/", "/");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    }

    fn cause(&self) -> &str {
        self.log[0]["cause"].as_str().unwrap_or_default()
    }
}

/// Posts the lead, and gathers its traces.
async fn post(app: &TestApp) -> Traces {
    let log = LogCapture::start(LevelFilter::TRACE, true);
    let response = app.post(&Request::lead().idempotency_key("infinity-7")).await;
    Traces { response, items: app.dynamodb.items(TABLE), log: log.lines() }
}

/// The same where AI Rudder's token is this one, and its reply this.
async fn replied(token: &str, reply: Reply) -> (TestApp, Traces) {
    let app = TestApp::with_ledger().await;
    app.set_secret(token, &[KEY]);
    app.rudder.answer_next(reply);
    let traces = post(&app).await;
    (app, traces)
}

#[tokio::test]
async fn a_quoted_token_is_in_no_response_no_item_and_no_log() {
    // Every form in which a token is found has its unit test.
    for plus in ["+", "%2b", "\\u00252B"] {
        let quote = TOKEN.replace('+', plus);
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
                let (app, traces) = replied(TOKEN, Reply::new(status, envelope.clone())).await;
                let text = traces.text();
                assert!(!text.contains(LETTERS_OF_TOKEN) && !text.contains(&quote), "{envelope}: {text}");
                assert_eq!(traces.response.outcome, outcome, "{envelope}");
                assert!(traces.cause().ends_with(WITHHELD), "{:?}", traces.log);
                assert_eq!(traces.log[0]["span"]["upstream_code"], code);
                let again = post(&app).await;
                assert!(!again.text().contains(LETTERS_OF_TOKEN), "{}", again.text());
                if ["accepted", "unknown"].contains(&outcome) {
                    assert_eq!(again.response.body, traces.response.body);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_withheld_envelope_is_replaced_by_the_relays_own() {
    let accepted = "AI Rudder accepted the lead and should call the consumer.";
    let refused = "AI Rudder refused the lead. Fix the lead before you send it again.";
    let doubt = "AI Rudder's response does not say whether it took the lead. Sending the lead again calls nobody; ask the \
                 relay's operator, with the request-id.";
    for (code, status, message, show_err, error, cause) in [
        (200, 200, accepted, false, None, WITHHELD),
        (400, 422, refused, true, Some("refused_upstream"), WITHHELD),
        (
            500,
            502,
            doubt,
            false,
            Some("bad_upstream_answer"),
            &*format!("AI Rudder responded with HTTP 500; {WITHHELD}"),
        ),
    ] {
        let quote =
            format!(r#"{{"code":{code},"message":"/push/{TOKEN}","trace_id":"4a1986b786e944dcb7ce97f455d39743"}}"#);
        let (_, traces) = replied(TOKEN, Reply::new(code, quote)).await;
        let mut body = traces.response.json();
        assert!(body["timestamp"].take().is_u64());
        let mut details = json!({"outcome": traces.response.outcome, "fields": []});
        details.as_object_mut().unwrap().extend(error.map(|error| ("error".to_owned(), error.into())));
        assert_eq!(
            body,
            json!({
                "code": status, "message": message, "show_err": show_err, "timestamp": null, "body": details,
                "trace_id": REQUEST_ID,
            })
        );
        assert_eq!((traces.response.status, traces.cause()), (status, cause));
        let level = if status < 500 { "INFO" } else { "ERROR" };
        assert_eq!((traces.log.len(), &traces.log[0]["level"]), (1, &json!(level)));
        assert_eq!(traces.log[0]["span"]["upstream_trace_id"], Value::Null, "its code alone is logged");
    }
}

#[tokio::test]
async fn a_token_of_hex_digits_is_not_logged_as_a_trace_id() {
    const HEX: &str = "4a1986b786e944dcb7ce97f455d39743";
    for trace_id in [HEX.to_owned(), format!("{HEX}-1"), format!("0{HEX}")] {
        let envelope = format!(r#"{{"code":200,"trace_id":"{trace_id}"}}"#);
        let (_, traces) = replied(HEX, Reply::new(200, envelope)).await;
        assert_eq!(traces.response.outcome, "accepted");
        assert!(!traces.text().contains(HEX), "{}", traces.text());
    }
}

#[tokio::test]
async fn after_a_renewal_both_tokens_are_withheld() {
    const NEW: &str = "new-token-9/x+y=";
    for quoted in [TOKEN, NEW] {
        // The relay has the old token, so that a refusal of it causes a refresh.
        let (app, traces) = replied(TOKEN, Reply::new(422, r#"{"code":422}"#)).await;
        assert_eq!(traces.response.status, 422);
        app.set_secret(NEW, &[KEY]);
        app.rudder.answer_next(Reply::new(401, r#"{"code":401}"#));
        app.rudder.answer_next(Reply::new(200, format!(r#"{{"code":200,"message":"/push/{quoted}"}}"#)));
        let traces = post(&app).await;
        assert_eq!(app.rudder.received().len(), 3, "pushed with both");
        assert_eq!((traces.response.outcome.as_str(), traces.cause()), ("accepted", WITHHELD));
        assert!(!traces.text().contains(quoted), "{}", traces.text());
    }
}

#[tokio::test]
async fn a_stored_response_with_the_token_is_withheld() {
    // As an older version stored it.
    for (code, expected) in [(200, "200 accepted (again)"), (500, "502 unknown bad_upstream_answer (again)")] {
        let (app, _) = replied(TOKEN, Reply::new(code, format!(r#"{{"code":{code}}}"#))).await;
        let mut lead = app.dynamodb.items(TABLE).into_iter().find(|item| item.get("outcome").is_some()).unwrap();
        lead["body"] = json!({"S": format!(r#"{{"code":{code},"message":"\/push\/{TOKEN}"}}"#)});
        app.dynamodb.put(TABLE, lead);
        let again = post(&app).await;
        assert_eq!((again.response.to_string().as_str(), again.cause()), (expected, WITHHELD));
        assert!(!again.response.body.contains(TOKEN));
    }
}
