use std::{net::Ipv4Addr, time::Duration};

use tokio::{task::JoinHandle, time::timeout};

use super::*;
use crate::fakes::client::{Answer, send};

impl RuntimeApi {
    pub(in crate::fakes::lambda) fn is_polled(&self) -> bool {
        self.state.borrow().polling
    }

    pub(in crate::fakes::lambda) async fn handed_out(&self) {
        self.until(|events| !events.running.is_empty()).await;
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

async fn respond(api: &RuntimeApi, id: &str, body: &str) -> (u16, String) {
    let answer = call(api, &format!("POST /invocation/{id}/response"), body).await;
    (answer.status, answer.body)
}

fn invoke(api: &Arc<RuntimeApi>, event: &'static str) -> JoinHandle<Outcome> {
    let api = Arc::clone(api);
    tokio::spawn(async move { api.invoke(event, 12_345).await })
}

fn accepted() -> (u16, String) {
    (202, r#"{"status":"OK"}"#.to_owned())
}

#[tokio::test]
async fn an_event_has_the_headers_of_lambda() {
    let api = api().await;
    let _invoked = invoke(&api, r#"{"a":1}"#);
    let (_, event) = next(&api).await;
    assert_eq!((event.status, event.body.as_str()), (200, r#"{"a":1}"#));
    assert_eq!(event.header("content-type"), Some("application/json"));
    assert_eq!(event.header("lambda-runtime-deadline-ms"), Some("12345"));
    assert_eq!(event.header("lambda-runtime-invoked-function-arn"), Some(ARN));
    assert_eq!(event.header("lambda-runtime-trace-id"), Some(TRACE));
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
    assert!(!api.is_polled() && api.ready_at().is_some());
}

#[tokio::test]
async fn a_response_to_another_event_or_a_second_one_is_refused() {
    let api = api().await;
    let invoked = invoke(&api, "1");
    let (id, _) = next(&api).await;
    let refused = (400, r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#.to_owned());
    assert_eq!(respond(&api, "another", "1").await, refused);
    assert!(!invoked.is_finished());
    assert_eq!(respond(&api, &id, "1").await, accepted());
    assert_eq!(respond(&api, &id, "1").await, refused);
    assert_eq!(invoked.await.unwrap(), Ok(json!(1)));
}

#[tokio::test]
async fn the_response_to_an_abandoned_event_goes_nowhere() {
    let api = api().await;
    let abandoned = invoke(&api, "1");
    let (first, _) = next(&api).await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    let invoked = invoke(&api, "2");
    assert_eq!(respond(&api, &first, "1").await, accepted());
    let (second, event) = next(&api).await;
    assert!(second != first && event.body == "2");
    respond(&api, &second, "2").await;
    assert_eq!(invoked.await.unwrap(), Ok(json!(2)));
}
