//! What a response says beyond its row of `faults.txt` and the snapshots of the sample events.

use support::{ObservedResponse, Reply, Request, TestApp};

#[tokio::test]
async fn a_valid_retry_after_is_passed_on_and_an_invalid_one_is_not() {
    for (value, passed_on) in [("17", "17"), ("soon", "")] {
        let app = TestApp::start().await;
        app.rudder.answer_next(Reply::new(429, r#"{"code":429}"#).header("retry-after", value));
        assert_eq!(app.post(&Request::lead()).await.header("retry-after"), passed_on);
    }
}

#[tokio::test]
async fn callers_without_a_key_learn_nothing_about_the_body() {
    let (app, request) = (TestApp::start().await, Request::post("not json"));
    for request in [request.clone().without("authorization"), request.clone().key("wrong"), request.account("nobody")] {
        assert_eq!(app.post(&request).await, "401 not_sent unauthorized");
    }
}

#[tokio::test]
async fn an_event_of_another_service_is_an_internal_error() {
    let app = TestApp::start().await;
    for event in [
        "{}",
        "null",
        "[]",
        r#"{"Records":[]}"#,
        r#"{"requestContext":{"http":{"method":7}}}"#,
        r#"{"source":"aws.s3","detail":{}}"#,
        r#"{"source":["aws.events"]}"#,
        r#"{"detail":{"source":"aws.events"}}"#,
    ] {
        let response = ObservedResponse::from(app.serve(event).await);
        assert_eq!(response, "500 not_sent internal_error", "{event}");
    }
}
