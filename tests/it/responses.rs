//! What a response says beyond its row of `faults.txt` and the snapshots of the sample events.

use support::{RawTcpServer, Reply, Request, TestApp, post};

#[tokio::test]
async fn success_in_status_and_code_is_accepted_and_passed_on() {
    for (status, body) in [(200, r#"{"code":200}"#), (201, "{ \"code\" : 200,\"message\":\"é\"}\n")] {
        let app = TestApp::start().await;
        app.rudder.answer_next(Reply::new(status, body));
        let response = app.post(&Request::lead()).await;
        assert_eq!((response.to_string().as_str(), response.body.as_str()), ("200 accepted", body));
    }
}

#[tokio::test]
async fn a_valid_retry_after_is_passed_on_and_an_invalid_one_is_not() {
    for (value, passed_on) in [("17", "17"), ("soon", "")] {
        let app = TestApp::start().await;
        app.rudder.answer_next(Reply::new(429, r#"{"code":429}"#).header("retry-after", value));
        assert_eq!(app.post(&Request::lead()).await.header("retry-after"), passed_on);
    }
}

#[tokio::test]
async fn what_can_be_retried_soon_has_a_retry_after_of_its_own() {
    let app = TestApp::start().await;
    let closing = RawTcpServer::closing().await;
    let relay = app.relay(&[("UPSTREAM_BASE_URL", &closing.url("https"))]);
    for response in [
        post(&relay, &Request::lead(), lambda_http::Context::default()).await,
        app.post_within(&Request::lead(), 1000).await,
    ] {
        assert_eq!((response.status, response.header("retry-after")), (503, "5"), "{response}");
    }
}

#[tokio::test]
async fn callers_without_a_key_learn_nothing_about_the_body() {
    let app = TestApp::start().await;
    let wrong = "The API key is not valid for this account. Check both, or ask the relay's operator.";
    for (request, message) in [
        (
            Request::post("not json").without("authorization"),
            "The API key is missing. Send it as Authorization: Bearer <key>.",
        ),
        (Request::post("not json").key("wrong"), wrong),
        (Request::post("not json").account("nobody"), wrong),
        (Request::post("not json").account("NOBODY"), wrong),
    ] {
        let response = app.post(&request).await;
        assert_eq!(response, "401 not_sent unauthorized");
        assert_eq!(response.json()["message"], message);
        assert_eq!(response.header("www-authenticate"), "Bearer realm=\"lendswift-relay\"");
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
        let response = support::ObservedResponse::from(app.serve(event).await);
        assert_eq!(response, "500 not_sent internal_error", "{event}");
    }
}
