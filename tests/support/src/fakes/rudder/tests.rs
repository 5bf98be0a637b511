use std::{io, net::Ipv4Addr, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    TEXT_FIELDS,
    fakes::client::{Answer, send},
};

const TOKEN: &str = "a/b+c%d==";
const SEGMENT: &str = "a%2Fb+c%25d==";
const HEAD: &str = "POST /api/push/lendswift-under-wirting/a%2Fb+c%25d== HTTP/1.1
                    content-type: application/json";

async fn rudder() -> Rudder {
    Rudder::start((Ipv4Addr::LOCALHOST, 0).into(), [TOKEN]).await.unwrap()
}

fn lead() -> Value {
    json!({
        "caller_id": 16_501_231_234_u64,
        "loan_amount": 4000,
        "customer_name": "Ann",
        "details": { "job_title": "programmer", "had_late_payment": false },
    })
}

async fn push_body(rudder: &Rudder, body: &str) -> Answer {
    send(rudder.address(), HEAD, body).await.unwrap()
}

async fn push(rudder: &Rudder) -> Answer {
    push_body(rudder, &lead().to_string()).await
}

/// The envelope that AI Rudder publishes, with this code and message.
fn envelope(code: u16, message: &str) -> String {
    let (message, show_err) = (json!(message), code != 200);
    format!(
        r#"{{"code":{code},"message":{message},"show_err":{show_err},"timestamp":1683135757,"body":{{}},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}}"#
    )
}

/// The message may go on after `fault`.
async fn refused(head: &str, body: &str, status: u16, fault: &str) {
    let rudder = rudder().await;
    let answer = send(rudder.address(), head, body).await.unwrap();
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    let message = json["message"].as_str().unwrap();
    assert!(message.starts_with(fault), "{head} {body}: {message}");
    assert_eq!((answer.status, &answer.body), (status, &envelope(status, message)), "{head} {body}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(!rudder.received()[0].accepted);
}

#[tokio::test]
async fn a_lead_within_the_contract_gets_the_published_envelope() {
    let mut all = lead();
    all["details"] = TEXT_FIELDS.iter().map(|field| (field.name.to_owned(), json!("a"))).collect();
    all["details"]["had_late_payment"] = true.into();
    let mut none = lead();
    none["details"] = json!({});
    for lead in [lead(), all, none] {
        let answer = push_body(&rudder().await, &lead.to_string()).await;
        assert_eq!((answer.status, answer.body), (200, envelope(200, "success")));
        assert_eq!(answer.head.matches("content-type: application/json").count(), 1);
    }
}

#[tokio::test]
async fn other_tokens_paths_methods_and_media_types_are_refused() {
    let refused = async |head: &str, status, fault| refused(head, &lead().to_string(), status, fault).await;
    for segment in ["wrong", "a%2Fb%20c%25d==", "a%2Fb+c%d==", "a%2Fb+c%25d==?", "%ff", "%"] {
        refused(&HEAD.replace(SEGMENT, segment), 401, "invalid token").await;
    }
    for path in [
        "/",
        "/api/push/lendswift-under-wirting",
        "/api/push/lendswift-under-wirting/",
        "/api/push/lendswift-under-wirting/a/b+c%25d==",
        "/api/push/lendswift-under-wirting/a%2Fb+c%25d==/",
        "/api/push/lendswift-under-writing/a%2Fb+c%25d==",
    ] {
        let head = format!("POST {path} HTTP/1.1\ncontent-type: application/json");
        refused(&head, 404, "no such path").await;
    }
    refused(&HEAD.replace("POST", "PUT"), 405, "only POST is allowed").await;
    let (line, _) = HEAD.split_once('\n').unwrap();
    for headers in [
        "",
        "content-type: text/plain",
        "content-type: application/json; charset=utf-8",
        "content-type: Application/JSON",
        "content-type: application/json\ncontent-type: application/json",
    ] {
        refused(&format!("{line}\n{headers}"), 415, "content-type must be application/json").await;
    }
}

#[tokio::test]
async fn a_lead_outside_the_contract_is_refused_with_its_fault() {
    let refused = async |body: &str, fault: &str| refused(HEAD, body, 400, fault).await;
    for (field, value, fault) in [
        ("/caller_id", json!("16501231234"), "invalid type: string \"16501231234\", expected u64"),
        ("/caller_id", json!(16_501_231_234.0), "invalid type: floating point `16501231234.0`, expected u64"),
        ("/caller_id", json!(9_999_999_999_u64), "caller_id must be 1 and ten digits"),
        ("/caller_id", json!(20_000_000_000_u64), "caller_id must be 1 and ten digits"),
        ("/loan_amount", json!(4000.0), "invalid type: floating point `4000.0`, expected a nonzero u64"),
        ("/loan_amount", json!(0), "invalid value: integer `0`, expected a nonzero u64"),
        ("/loan_amount", json!(-1), "invalid value: integer `-1`, expected a nonzero u64"),
        ("/loan_amount", json!("4000"), "invalid type: string \"4000\", expected a nonzero u64"),
        ("/customer_name", json!(""), "a string must not be empty"),
        ("/customer_name", json!(null), "invalid type: null, expected a string"),
        ("/details", json!(null), "invalid type: null, expected a map"),
        ("/details", json!([]), "invalid type: sequence, expected a map"),
        ("/details/job_title", json!(null), "invalid type: null, expected a string"),
        ("/details/job_title", json!(""), "a string must not be empty"),
        ("/details/job_title", json!(7), "invalid type: integer `7`, expected a string"),
        ("/details/had_late_payment", json!(null), "invalid type: null, expected a boolean"),
        ("/details/had_late_payment", json!("false"), "invalid type: string \"false\", expected a boolean"),
    ] {
        let mut lead = lead();
        *lead.pointer_mut(field).unwrap() = value;
        refused(&lead.to_string(), fault).await;
    }
    for field in ["caller_id", "loan_amount", "customer_name", "details"] {
        let mut lead = lead();
        lead.as_object_mut().unwrap().remove(field);
        refused(&lead.to_string(), &format!("missing field `{field}`")).await;
    }
    let lead = lead().to_string();
    let with = |member: &str| lead.replacen('{', &format!("{{{member},"), 1);
    let misspelt = lead.replace(r#""job_title""#, r#""number_of_bank_account""#);
    for (body, fault) in [
        (with(r#""email":"x""#), "unknown field `email`"),
        (misspelt, "unknown field `number_of_bank_account`"),
        (with(r#""loan_amount":4000"#), "duplicate field `loan_amount`"),
        (String::new(), "EOF while parsing a value"),
        ("{".to_owned(), "EOF while parsing an object"),
        (r#"[16501231234,4000,"Ann",{}]"#.to_owned(), "invalid type: sequence, expected a map"),
        (format!("{lead}{{}}"), "trailing characters"),
    ] {
        refused(&body, fault).await;
    }
}

#[tokio::test]
async fn a_request_is_recorded_as_it_was_on_the_wire() {
    let rudder = rudder().await;
    let body = format!(" {} ", lead());
    push_body(&rudder, &body).await;
    let [received] = &rudder.take_received()[..] else { panic!("one request") };
    assert_eq!(received.path, format!("/api/push/lendswift-under-wirting/{SEGMENT}"));
    assert_eq!(received.headers["content-type"], "application/json");
    assert_eq!((&received.body, received.accepted), (&body, true));
    assert!(rudder.received().is_empty());
}

#[tokio::test]
async fn scripted_responses_come_in_order_and_accept_nothing() {
    let rudder = rudder().await;
    rudder.answer_next(Reply::new(429, "later").header("retry-after", "7"));
    rudder.answer_next(Reply::new(200, r#"{"code":500}"#));
    let first = push(&rudder).await;
    assert_eq!((first.status, first.body.as_str(), first.header("retry-after")), (429, "later", Some("7")));
    assert_eq!(first.header("content-type"), None);
    let second = push(&rudder).await;
    assert_eq!((second.status, second.body.as_str()), (200, r#"{"code":500}"#));
    assert_eq!(push(&rudder).await.status, 200);
    let accepted: Vec<_> = rudder.received().iter().map(|request| request.accepted).collect();
    assert_eq!(accepted, [false, false, true]);
}

#[tokio::test]
async fn a_hanging_request_delays_no_other_and_can_be_closed() {
    let rudder = rudder().await;
    rudder.hang_next();
    let address = rudder.address();
    let hanging = tokio::spawn(async move { send(address, HEAD, &lead().to_string()).await });
    rudder.arrived(1).await;
    let connections = rudder.connections();
    assert_eq!(push(&rudder).await.status, 200);
    assert!(!hanging.is_finished());
    connections.close();
    assert!(hanging.await.unwrap().is_err());
    assert_eq!(push(&rudder).await.status, 200);
}

#[tokio::test]
async fn a_dropped_server_frees_its_address_at_once() {
    let rudder = rudder().await;
    let address = rudder.address();
    assert_eq!(rudder.base_url(), format!("http://{address}/api/push/lendswift-under-wirting"));
    let second = Rudder::start(address, [TOKEN]).await;
    assert_eq!(second.err().unwrap().kind(), io::ErrorKind::AddrInUse);
    drop(rudder);
    let refused = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let again = Rudder::start(address, [TOKEN]).await.unwrap();
    assert_eq!(push(&again).await.status, 200);
}

#[tokio::test]
async fn the_response_may_be_late_reset_or_missing() {
    let rudder = rudder().await;
    let wait = Duration::from_millis(50);
    let mut in_turn = [Answering::After(wait), Answering::Reset, Answering::Hang].into_iter().cycle();
    rudder.answering(move || in_turn.next().unwrap());
    let begun = std::time::Instant::now();
    assert_eq!(push(&rudder).await.status, 200);
    assert!(begun.elapsed() >= wait);
    assert_eq!(push_body(&rudder, "{}").await.status, 400, "a refused one is not affected");
    let reset = send(rudder.address(), HEAD, &lead().to_string()).await.unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::UnexpectedEof);
    assert!(timeout(Duration::from_millis(300), push(&rudder)).await.is_err());
    let accepted: Vec<_> = rudder.received().iter().map(|received| received.accepted).collect();
    assert_eq!(accepted, [true, false, true, true]);
}
