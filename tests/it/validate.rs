//! `POST …/leads/validate`: the checks of a lead without sending it.

use serde_json::json;
use support::{REQUEST_ID, Request, TestApp};

fn validate(body: &str) -> Request {
    Request::post(body).action("validate")
}

#[tokio::test]
async fn a_valid_lead_is_returned_as_it_would_be_pushed() {
    let app = TestApp::with_ledger().await;
    let body =
        r#"{"caller_id":"(650) 123-1234","loan_amount":"$4,000","first_name":" Ann ","job_title":"nurse","x":1}"#;
    let response = app.post(&validate(body)).await;
    assert_eq!(response, "200 not_sent");
    assert_eq!(response.header("lead-ignored-fields"), "x");
    let mut envelope = response.json();
    assert!(envelope["timestamp"].take().is_u64());
    let lead = json!({
        "caller_id": 16_501_231_234_u64, "loan_amount": 4000, "customer_name": "Ann", "details": {"job_title": "nurse"},
    });
    assert_eq!(
        envelope,
        json!({
            "code": 200,
            "message": "The lead is valid. Nothing was sent. Post it to …/leads to send it.",
            "show_err": false,
            "timestamp": null,
            "body": {"outcome": "not_sent", "fields": [], "lead": lead},
            "trace_id": REQUEST_ID,
        })
    );
    assert!(app.rudder.received().is_empty() && app.dynamodb.calls().is_empty());
    // The lead in the response is what AI Rudder receives.
    assert_eq!(app.post(&Request::post(body)).await, "200 accepted");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&app.rudder.received()[0].body).unwrap(), lead);
}

#[tokio::test]
async fn an_invalid_lead_gets_the_faults_of_a_real_post() {
    let app = TestApp::with_ledger().await;
    for body in ["", "[]", "{}", r#"{"caller_id":1,"loan_amount":"4k","customer_name":"7","details":[1]}"#] {
        let (validated, sent) = (app.post(&validate(body)).await, app.post(&Request::post(body)).await);
        assert_eq!(validated, sent, "{body}");
        assert!(validated.status >= 400);
    }
    assert!(app.rudder.received().is_empty());
}

#[tokio::test]
async fn validating_needs_an_api_key() {
    let app = TestApp::start().await;
    for request in [validate("{}").without("authorization"), validate("{}").key("wrong")] {
        let response = app.post(&request).await;
        assert_eq!(response, "401 not_sent unauthorized");
        assert_eq!(response.header("lead-error"), "unauthorized");
    }
}

#[tokio::test]
async fn a_lead_that_was_sent_is_valid_too() {
    let app = TestApp::with_ledger().await;
    assert_eq!(app.post(&Request::lead()).await, "200 accepted");
    let lead = Request::lead().action("validate");
    assert_eq!(app.post(&lead).await, "200 not_sent");
    assert_eq!(app.rudder.received().len(), 1);
}
