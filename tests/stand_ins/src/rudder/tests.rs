use std::{io, net::Ipv4Addr, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::client::{Answer, send};

const TOKEN: &str = "a/b+c%d==";
const HEAD: &str = "POST /api/push/lendswift-under-wirting/a%2Fb+c%25d== HTTP/1.1
                    content-type: application/json";

async fn rudder() -> Rudder {
    Rudder::start((Ipv4Addr::LOCALHOST, 0).into(), [TOKEN]).await.unwrap()
}

fn lead() -> Value {
    json!({
        "caller_id": 16501231234_u64,
        "loan_amount": 4000,
        "customer_name": "Ann",
        "details": { "job_title": "programmer", "had_late_payment": false },
    })
}

async fn push(rudder: &Rudder, body: &str) -> Answer {
    send(rudder.address(), HEAD, body).await.unwrap()
}

async fn refused(head: &str, body: &str, status: u16, message: &str) {
    let rudder = rudder().await;

    let answer = send(rudder.address(), head, body).await.unwrap();

    let message = json!(message);
    let envelope = format!(
        r#"{{"code":{status},"message":{message},"show_err":true,"timestamp":1683135757,"body":{{}},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}}"#
    );
    assert_eq!((answer.status, answer.body.as_str()), (status, envelope.as_str()), "{head}\n{body}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(!rudder.received()[0].accepted);
}

#[tokio::test]
async fn a_lead_that_meets_the_contract_gets_the_published_envelope() {
    let rudder = rudder().await;

    let answer = push(&rudder, &lead().to_string()).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.body,
        r#"{"code":200,"message":"success","show_err":false,"timestamp":1683135757,"body":{},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}"#
    );
}

#[tokio::test]
async fn the_details_may_be_empty() {
    let mut lead = lead();
    lead["details"] = json!({});

    assert_eq!(push(&rudder().await, &lead.to_string()).await.status, 200);
}

#[tokio::test]
async fn every_documented_detail_is_known() {
    let mut lead = lead();
    lead["details"] = json!({
        "loan_reason": "a", "job_title": "b", "company_name": "c", "years_of_working": "d",
        "pay_type": "e", "next_pay_date": "f", "pay_time_of_day": "g",
        "number_of_back_account": "h", "years_of_deposit_bank_account": "i",
        "numbers_of_loan": "j", "successful_payday_loan": "k", "had_late_payment": true,
        "year_of_residence": "l", "status": "m",
    });

    assert_eq!(push(&rudder().await, &lead.to_string()).await.status, 200);
}

#[tokio::test]
async fn a_wrong_token_is_refused_with_an_envelope() {
    for segment in ["wrong", "a%2Fb%20c%25d==", "a%2Fb+c%d==", "a%2Fb+c%25d==?", "%ff", "%"] {
        let head = HEAD.replace("a%2Fb+c%25d==", segment);
        refused(&head, &lead().to_string(), 401, "invalid token").await;
    }
}

#[tokio::test]
async fn another_path_is_refused() {
    for path in [
        "/",
        "/api/push/lendswift-under-wirting",
        "/api/push/lendswift-under-wirting/",
        "/api/push/lendswift-under-wirting/a/b+c%25d==",
        "/api/push/lendswift-under-wirting/a%2Fb+c%25d==/",
        "/api/push/lendswift-under-writing/a%2Fb+c%25d==",
    ] {
        let head = format!("POST {path} HTTP/1.1\ncontent-type: application/json");
        refused(&head, &lead().to_string(), 404, "no such path").await;
    }
}

#[tokio::test]
async fn another_method_is_refused() {
    refused(&HEAD.replace("POST", "PUT"), &lead().to_string(), 405, "only POST is allowed").await;
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let (line, _) = HEAD.split_once('\n').unwrap();
    for headers in [
        "",
        "content-type: text/plain",
        "content-type: application/json; charset=utf-8",
        "content-type: Application/JSON",
        "content-type: application/json\ncontent-type: application/json",
    ] {
        let head = format!("{line}\n{headers}");
        refused(&head, &lead().to_string(), 415, "content-type must be application/json").await;
    }
}

#[tokio::test]
async fn a_body_against_the_contract_is_refused_and_the_fault_is_named() {
    let cases = [
        ("/caller_id", json!("16501231234"), "invalid type: string \"16501231234\", expected u64"),
        ("/caller_id", json!(16501231234.0), "invalid type: floating point `16501231234.0`, expected u64"),
        ("/caller_id", json!(9_999_999_999_u64), "caller_id must be 1 and ten digits"),
        ("/caller_id", json!(20_000_000_000_u64), "caller_id must be 1 and ten digits"),
        ("/loan_amount", json!(4000.0), "invalid type: floating point `4000.0`, expected a nonzero u64"),
        ("/loan_amount", json!(0), "invalid value: integer `0`, expected a nonzero u64"),
        ("/loan_amount", json!(-1), "invalid value: integer `-1`, expected a nonzero u64"),
        ("/loan_amount", json!("4000"), "invalid type: string \"4000\", expected a nonzero u64"),
        ("/customer_name", json!(""), "a string must not be empty"),
        ("/customer_name", json!(null), "invalid type: null, expected a string"),
        ("/details", json!(null), "invalid type: null, expected an object"),
        ("/details", json!([]), "invalid type: sequence, expected an object"),
        ("/details/job_title", json!(null), "invalid type: null, expected a string"),
        ("/details/job_title", json!(""), "a string must not be empty"),
        ("/details/job_title", json!(7), "invalid type: integer `7`, expected a string"),
        ("/details/had_late_payment", json!(null), "invalid type: null, expected a boolean"),
        ("/details/had_late_payment", json!("false"), "invalid type: string \"false\", expected a boolean"),
    ];
    for (field, value, fault) in cases {
        let mut lead = lead();
        *lead.pointer_mut(field).unwrap() = value;
        refused_lead(&lead.to_string(), fault).await;
    }
}

#[tokio::test]
async fn a_missing_unknown_or_repeated_field_is_refused() {
    for field in ["caller_id", "loan_amount", "customer_name", "details"] {
        let mut lead = lead();
        lead.as_object_mut().unwrap().remove(field);
        refused_lead(&lead.to_string(), &format!("missing field `{field}`")).await;
    }
    let lead = lead().to_string();
    let unknown = lead.replacen('{', r#"{"email":"x","#, 1);
    refused_lead(&unknown, "unknown field `email`").await;
    let unknown = lead.replace(r#""job_title""#, r#""number_of_bank_account""#);
    refused_lead(&unknown, "unknown field `number_of_bank_account`").await;
    let repeated = lead.replacen('{', r#"{"loan_amount":4000,"#, 1);
    refused_lead(&repeated, "duplicate field `loan_amount`").await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    refused_lead("", "EOF while parsing a value").await;
    refused_lead("{", "EOF while parsing an object").await;
    refused_lead(r#"[16501231234,4000,"Ann",{}]"#, "invalid type: sequence, expected an object").await;
    refused_lead(&format!("{}{{}}", lead()), "trailing characters").await;
}

async fn refused_lead(body: &str, fault: &str) {
    let rudder = rudder().await;

    let answer = push(&rudder, body).await;

    let envelope: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &envelope["code"], &envelope["show_err"]), (400, &json!(400), &json!(true)), "{body}");
    let message = envelope["message"].as_str().unwrap();
    assert!(message.starts_with(fault), "{body}: {message}");
    assert!(!rudder.received()[0].accepted);
}

#[tokio::test]
async fn a_request_is_recorded_as_it_was_on_the_wire() {
    let rudder = rudder().await;
    let body = format!(" {} ", lead());

    push(&rudder, &body).await;

    let [received] = &rudder.take_received()[..] else { panic!("one request") };
    assert_eq!(received.path, "/api/push/lendswift-under-wirting/a%2Fb+c%25d==");
    assert_eq!(received.headers["content-type"], "application/json");
    assert_eq!(received.body, body);
    assert!(received.accepted);
    assert!(rudder.received().is_empty());
}

#[tokio::test]
async fn scripted_answers_come_in_order_and_accept_nothing() {
    let rudder = rudder().await;
    rudder.answer_next(Reply::new(429, "later").header("retry-after", "7"));
    rudder.answer_next(Reply::new(200, r#"{"code":500}"#));

    let first = push(&rudder, &lead().to_string()).await;
    let second = push(&rudder, &lead().to_string()).await;
    let third = push(&rudder, &lead().to_string()).await;

    assert_eq!((first.status, first.body.as_str(), first.header("retry-after")), (429, "later", Some("7")));
    assert_eq!(first.header("content-type"), None);
    assert_eq!((second.status, second.body.as_str()), (200, r#"{"code":500}"#));
    assert_eq!(third.status, 200);
    let accepted: Vec<_> = rudder.received().iter().map(|request| request.accepted).collect();
    assert_eq!(accepted, [false, false, true]);
}

#[tokio::test]
async fn a_script_that_is_no_http_answer_is_an_error_500() {
    let rudder = rudder().await;
    rudder.answer_next(Reply::new(200, "").header("no name", "x"));

    assert_eq!(push(&rudder, "").await.status, 500);
}

#[tokio::test]
async fn a_request_left_hanging_does_not_hold_up_the_next() {
    let rudder = rudder().await;
    rudder.hang_next();
    let (address, body) = (rudder.address(), lead().to_string());

    let hanging = tokio::spawn(async move { send(address, HEAD, &body).await });
    while rudder.received().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let next = push(&rudder, &lead().to_string()).await;

    assert_eq!(next.status, 200);
    assert!(!hanging.is_finished());
    drop(rudder);
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn replaced_tokens_are_the_only_ones_accepted() {
    let rudder = rudder().await;

    rudder.replace_tokens(["new"]);

    assert_eq!(push(&rudder, &lead().to_string()).await.status, 401);
    let head = HEAD.replace("a%2Fb+c%25d==", "new");
    let answer = send(rudder.address(), &head, &lead().to_string()).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_base_url_leads_to_the_endpoint() {
    let rudder = rudder().await;

    let address = rudder.address();

    assert_ne!(address.port(), 0);
    assert_eq!(rudder.base_url(), format!("http://{address}/api/push/lendswift-under-wirting"));
}

#[tokio::test]
async fn a_dropped_rudder_refuses_connections_at_once_and_frees_its_address() {
    let rudder = rudder().await;
    let address = rudder.address();

    drop(rudder);

    let refused = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let again = Rudder::start(address, [TOKEN]).await.unwrap();
    assert_eq!(push(&again, &lead().to_string()).await.status, 200);
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let rudder = rudder().await;

    let second = Rudder::start(rudder.address(), [TOKEN]).await;

    assert_eq!(second.err().unwrap().kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn the_answer_to_an_accepted_lead_comes_late_breaks_off_or_never_comes() {
    let rudder = rudder().await;
    let mut in_turn =
        [Answering::After(Duration::from_millis(50)), Answering::Broken, Answering::Silent].into_iter().cycle();
    rudder.answering(move || in_turn.next().unwrap());
    let begun = std::time::Instant::now();

    assert_eq!(push(&rudder, &lead().to_string()).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(50));
    // A refused one has nothing to do with it.
    assert_eq!(push(&rudder, "{}").await.status, 400);
    let broken = send(rudder.address(), HEAD, &lead().to_string()).await.unwrap_err();
    assert_eq!(broken.kind(), io::ErrorKind::UnexpectedEof);
    let body = lead().to_string();
    let silent = send(rudder.address(), HEAD, &body);
    assert!(tokio::time::timeout(Duration::from_millis(300), silent).await.is_err());

    let accepted: Vec<_> = rudder.received().iter().map(|received| received.accepted).collect();
    assert_eq!(accepted, [true, false, true, true]);
}

#[tokio::test]
async fn connections_that_are_closed_are_no_more_and_later_ones_are() {
    let rudder = rudder().await;
    rudder.hang_next();
    let address = rudder.address();
    let before = tokio::spawn(async move { send(address, HEAD, &lead().to_string()).await });
    rudder.arrived(1).await;

    rudder.connections().close();

    assert!(before.await.unwrap().is_err());
    let connections = rudder.connections();
    assert_eq!(push(&rudder, &lead().to_string()).await.status, 200);
    connections.close();
}
