//! `POST …/leads/status`: what sending a lead again would return, without sending it.

use std::time::Duration;

use serde_json::json;
use support::{DynamoBehaviour, ObservedResponse, Reply, Request, TABLE, TestApp, now};

fn status(request: &Request) -> Request {
    request.clone().action("status")
}

/// A status request that only has an idempotency key.
fn by_key(key: &str) -> Request {
    Request::post("").without("content-type").action("status").idempotency_key(key)
}

fn lead_id(response: &ObservedResponse) -> String {
    response.header("lead-id").to_owned()
}

#[tokio::test]
async fn nothing_is_recorded_of_an_unknown_lead() {
    let app = TestApp::with_ledger().await;
    for request in [status(&Request::lead()), status(&Request::lead().idempotency_key("7")), by_key("7")] {
        let response = app.post(&request).await;
        assert_eq!(response, "404 not_sent no_record");
        assert_eq!((response.header("lead-error"), lead_id(&response).as_str()), ("no_record", ""));
    }
    assert!(app.rudder.received().is_empty() && app.dynamodb.items(TABLE).is_empty());
}

#[tokio::test]
async fn a_settled_lead_has_the_response_of_its_next_post() {
    for (reply, expected) in
        [(Reply::new(200, r#"{"code":200}"#), "200 accepted"), (Reply::new(500, ""), "502 unknown bad_upstream_answer")]
    {
        let app = TestApp::with_ledger().await;
        app.rudder.answer_next(reply);
        let lead = Request::lead().idempotency_key("infinity-7");
        let first = app.post(&lead).await;
        assert_eq!(first, expected);
        let items = app.dynamodb.items(TABLE);
        let again = first.again();
        for request in [status(&lead), status(&Request::lead()), by_key("infinity-7"), by_key("\"infinity-7\"")] {
            let response = app.post(&request).await;
            assert_eq!(response, again);
            assert_eq!(lead_id(&response), lead_id(&first));
            assert_eq!(response.header("lead-error"), first.header("lead-error"));
        }
        assert_eq!(app.dynamodb.items(TABLE), items, "a status request writes nothing");
        let again = app.post(&lead).await;
        assert_eq!((again.replayed, lead_id(&again)), (true, lead_id(&first)));
        assert_eq!(app.rudder.received().len(), 1);
    }
}

#[tokio::test]
async fn a_released_lead_has_no_record() {
    let app = TestApp::with_ledger().await;
    app.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
    let lead = Request::lead().idempotency_key("infinity-7");
    let refused = app.post(&lead).await;
    assert_eq!((refused.status, refused.outcome.as_str()), (422, "refused"));
    assert_eq!((refused.header("lead-error"), lead_id(&refused).is_empty()), ("refused_upstream", false));
    for request in [status(&lead), by_key("infinity-7")] {
        assert_eq!(app.post(&request).await, "404 not_sent no_record");
    }
}

#[tokio::test]
async fn a_lead_in_progress_is_pending_and_later_interrupted() {
    let app = TestApp::with_ledger().await;
    app.post(&Request::lead()).await;
    let mut item = app.dynamodb.items(TABLE).remove(0);
    let claim = item["claim"]["S"].as_str().unwrap().to_owned();
    for name in ["outcome", "http_status", "body", "settled_at"] {
        item.as_object_mut().unwrap().remove(name);
    }
    for (lease, expected) in [
        (now() + 10, "409 pending in_progress"),
        (now() - 10, "504 unknown interrupted"),
        (0, "504 unknown interrupted"),
    ] {
        item["lease_until"]["N"] = lease.to_string().into();
        app.dynamodb.put(TABLE, item.clone());
        let response = app.post(&status(&Request::lead())).await;
        assert_eq!(response, expected);
        assert_eq!(lead_id(&response), claim);
    }
    item["lease_until"] = json!({"S": "soon"});
    app.dynamodb.put(TABLE, item.clone());
    assert_eq!(app.post(&status(&Request::lead())).await, "500 unknown internal_error");
}

#[tokio::test]
async fn an_expired_record_counts_as_none() {
    let app = TestApp::with_ledger().await;
    let lead = Request::lead().idempotency_key("infinity-7");
    app.post(&lead).await;
    for mut item in app.dynamodb.items(TABLE) {
        item["expires"]["N"] = now().to_string().into();
        app.dynamodb.put(TABLE, item.clone());
    }
    for request in [status(&lead), by_key("infinity-7")] {
        assert_eq!(app.post(&request).await, "404 not_sent no_record");
    }
}

#[tokio::test]
async fn a_key_without_its_lead_has_no_record() {
    let app = TestApp::with_ledger().await;
    app.post(&Request::lead().idempotency_key("infinity-7")).await;
    let items = app.dynamodb.items(TABLE);
    let mut key = items.into_iter().find(|item| item.get("lead_pk").is_some()).unwrap();
    // An operator has reopened the lead.
    key["lead_pk"]["S"] = "acme#lead#gone".into();
    app.dynamodb.put(TABLE, key.clone());
    assert_eq!(app.post(&by_key("infinity-7")).await, "404 not_sent no_record");
    key.as_object_mut().unwrap().remove("lead_pk");
    app.dynamodb.put(TABLE, key);
    assert_eq!(app.post(&by_key("infinity-7")).await, "500 unknown internal_error");
}

#[tokio::test]
async fn an_item_of_an_older_version_has_the_error_of_its_body() {
    for (reply, error) in [
        (Some(Reply::new(500, r#"{"code":500}"#)), "bad_upstream_answer"),
        (Some(Reply::new(500, "")), "bad_upstream_answer"),
        (None, "upstream_timeout"),
    ] {
        let app = TestApp::with(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_TIMEOUT_MS", "1000")]).await;
        match reply {
            Some(reply) => app.rudder.answer_next(reply),
            None => app.rudder.hang_next(),
        }
        assert_eq!(app.post(&Request::lead()).await.header("lead-error"), error);
        let mut item = app.dynamodb.items(TABLE).remove(0);
        assert_eq!(item["lead_error"]["S"], error);
        item.as_object_mut().unwrap().remove("lead_error");
        app.dynamodb.put(TABLE, item);
        for request in [Request::lead(), status(&Request::lead())] {
            let response = app.post(&request).await;
            assert_eq!((response.header("lead-error"), response.replayed), (error, true));
        }
    }
}

#[tokio::test]
async fn a_key_of_another_lead_is_reported() {
    let app = TestApp::with_ledger().await;
    app.post(&Request::lead().idempotency_key("infinity-7")).await;
    let other = Request::post(support::LEAD.replace("4000", "5000")).idempotency_key("infinity-7");
    assert_eq!(app.post(&status(&other)).await, "422 not_sent idempotency_key_reused");
    assert_eq!(app.post(&other).await, "422 not_sent idempotency_key_reused");
}

#[tokio::test]
async fn a_status_request_names_a_lead() {
    let app = TestApp::with_ledger().await;
    let empty = Request::post("").action("status");
    for request in [empty.clone(), empty.clone().without("content-type"), empty.idempotency_key("")] {
        let response = app.post(&request).await;
        assert_eq!(response, "400 not_sent malformed_body");
        assert_eq!(
            response.json()["message"],
            "The request body cannot be read. Fix it and send it again. It is empty, which only a status \
             request with an Idempotency-Key allows."
        );
    }
    assert_eq!(app.post(&by_key("a b")).await, "400 not_sent invalid_idempotency_key");
    assert_eq!(app.post(&by_key("7").without("authorization")).await, "401 not_sent unauthorized");
    assert_eq!(app.post(&status(&Request::post("{}"))).await, "422 not_sent invalid_lead");
}

#[tokio::test]
async fn a_relay_without_a_ledger_has_no_status() {
    let app = TestApp::start().await;
    for request in [status(&Request::lead()), by_key("7")] {
        assert_eq!(app.post(&request).await, "503 not_sent no_ledger");
    }
    let sent = app.post(&Request::lead()).await;
    assert_eq!((sent.to_string().as_str(), sent.header("lead-id")), ("200 accepted", ""));
}

#[tokio::test]
async fn a_transient_error_of_a_read_is_retried() {
    let app = TestApp::with_ledger().await;
    app.post(&Request::lead()).await;
    for behaviour in [DynamoBehaviour::Down, DynamoBehaviour::Throttled, DynamoBehaviour::Reset] {
        app.dynamodb.next("GetItem", behaviour);
        assert_eq!(app.post(&status(&Request::lead())).await, "200 accepted (again)", "{behaviour:?}");
    }
    app.dynamodb.behave(DynamoBehaviour::Denied);
    let before = app.dynamodb.calls().len();
    assert_eq!(app.post(&status(&Request::lead())).await, "503 not_sent temporarily_unavailable");
    assert_eq!(app.dynamodb.calls().len() - before, 1, "access that is denied is not retried");
    app.dynamodb.behave(DynamoBehaviour::Down);
    let response = app.post_within(&status(&Request::lead()), 4000).await;
    assert_eq!(response, "503 not_sent temporarily_unavailable");
    app.dynamodb.behave(DynamoBehaviour::Slow(Duration::from_millis(300)));
    assert_eq!(app.post(&status(&Request::lead())).await, "200 accepted (again)");
}
