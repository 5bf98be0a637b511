use std::{net::Ipv4Addr, time::Duration};

use tokio::time::timeout;

use super::*;
use crate::client::{Answer, send};

impl RuntimeApi {
    pub(in crate::lambda) fn is_polled(&self) -> bool {
        self.desk.borrow().polling
    }

    pub(in crate::lambda) async fn handed_out(&self) {
        self.until(|events| events.running.is_some()).await;
    }
}

async fn api() -> Arc<RuntimeApi> {
    Arc::new(RuntimeApi::start((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap())
}

async fn call(api: &RuntimeApi, target: &str, body: &str) -> Answer {
    send(api.address(), &format!("{} HTTP/1.1", target.replace(" /", " /2018-06-01/runtime/")), body).await.unwrap()
}

async fn next(api: &RuntimeApi) -> (String, Answer) {
    let answer = call(api, "GET /invocation/next", "").await;
    (answer.header("lambda-runtime-aws-request-id").unwrap().to_owned(), answer)
}

fn invoke(api: &Arc<RuntimeApi>, event: &'static str) -> tokio::task::JoinHandle<Outcome> {
    let api = Arc::clone(api);
    tokio::spawn(async move { api.invoke(event, 12_345).await })
}

fn assert_accepted(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (202, r#"{"status":"OK"}"#));
}

#[tokio::test]
async fn an_event_comes_with_all_that_lambda_says_about_it() {
    let api = api().await;
    let invoked = invoke(&api, r#"{"a":1}"#);

    let (id, event) = next(&api).await;

    assert_eq!((event.status, event.body.as_str()), (200, r#"{"a":1}"#));
    assert_eq!(event.header("content-type"), Some("application/json"));
    assert_eq!(event.header("lambda-runtime-deadline-ms"), Some("12345"));
    assert_eq!(event.header("lambda-runtime-invoked-function-arn"), Some(ARN));
    assert_eq!(event.header("lambda-runtime-trace-id"), Some(TRACE));
    assert_accepted(&call(&api, &format!("POST /invocation/{id}/response"), r#"{"b":2}"#).await);
    assert_eq!(invoked.await.unwrap(), Ok(json!({ "b": 2 })));
}

#[tokio::test]
async fn a_request_for_an_event_waits_for_one() {
    let api = api().await;
    let poll = tokio::spawn({
        let api = Arc::clone(&api);
        async move { next(&api).await.1.body }
    });
    timeout(Duration::from_secs(5), api.ready()).await.unwrap();
    timeout(Duration::from_secs(5), api.polled()).await.unwrap();
    assert!(!poll.is_finished());

    let _invoked = invoke(&api, "1");

    assert_eq!(poll.await.unwrap(), "1");
    assert!(!api.is_polled());
    assert!(api.ready_at().is_some());
}

#[tokio::test]
async fn events_wait_for_their_turn_and_have_ids_of_their_own() {
    let api = api().await;
    let first = invoke(&api, "1");
    api.until(|events| events.queue.len() == 1).await;
    let second = invoke(&api, "2");

    let mut ids = Vec::new();
    for expected in ["1", "2"] {
        let (id, event) = next(&api).await;
        assert_eq!(event.body, expected);
        assert_accepted(&call(&api, &format!("POST /invocation/{id}/response"), &event.body).await);
        ids.push(id);
    }

    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(json!(1)), Ok(json!(2))));
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_error_that_the_function_reports_is_told() {
    let api = api().await;
    let invoked = invoke(&api, "1");
    let (id, _) = next(&api).await;

    assert_accepted(&call(&api, &format!("POST /invocation/{id}/error"), r#"{"errorType":"x"}"#).await);

    assert_eq!(invoked.await.unwrap(), Err(json!({ "errorType": "x" })));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_a_string() {
    let api = api().await;
    let invoked = invoke(&api, "1");
    let (id, _) = next(&api).await;

    call(&api, &format!("POST /invocation/{id}/response"), "plain").await;

    assert_eq!(invoked.await.unwrap(), Ok(json!("plain")));
}

#[tokio::test]
async fn an_answer_to_another_event_or_a_second_answer_is_refused() {
    let api = api().await;
    let invoked = invoke(&api, "1");
    let (id, _) = next(&api).await;
    let answer = format!("POST /invocation/{id}/response");
    let refused = r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#;

    let other = call(&api, "POST /invocation/another/response", "1").await;
    assert_eq!((other.status, other.body.as_str()), (400, refused));
    assert!(!invoked.is_finished());
    assert_accepted(&call(&api, &answer, "1").await);
    let second = call(&api, &answer, "1").await;

    assert_eq!((second.status, second.body.as_str()), (400, refused));
    assert_eq!(invoked.await.unwrap(), Ok(json!(1)));
}

#[tokio::test]
async fn the_answer_to_an_event_that_was_given_up_goes_nowhere() {
    let api = api().await;
    let given_up = invoke(&api, "1");
    let (id, _) = next(&api).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    let invoked = invoke(&api, "2");

    assert_accepted(&call(&api, &format!("POST /invocation/{id}/response"), "1").await);
    let (id, _) = next(&api).await;
    call(&api, &format!("POST /invocation/{id}/response"), "2").await;

    assert_eq!(invoked.await.unwrap(), Ok(json!(2)));
}

#[tokio::test]
async fn a_start_that_failed_is_told() {
    let api = api().await;
    assert_eq!(api.start_failure(), None);

    assert_accepted(&call(&api, "POST /init/error", r#"{"errorType":"x"}"#).await);

    assert_eq!(api.start_failure(), Some(json!({ "errorType": "x" })));
}
