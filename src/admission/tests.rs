//! Each check of admission, and their order.

use std::fmt::Debug;

use base64::prelude::*;
use serde_json::{Value, json};
use static_assertions::assert_not_impl_any;

use super::*;
use crate::answer::Answer;

/// The result for an event that passes all checks until `change` modifies it.
fn admit(change: impl FnOnce(&mut Value)) -> Result<Submission, &'static str> {
    let mut event = json!({
        "rawPath": "/v1/accounts/acme/leads",
        "headers": {"authorization": "Bearer swordfish", "content-type": "application/json"},
        "requestContext": {"http": {"method": "POST"}},
        "body": "{}",
    });
    change(&mut event);
    Submission::from_request(serde_json::from_str(&event.to_string()).unwrap())
        .map_err(|problem| Answer::from(problem).error.unwrap())
}

/// The body of an admitted request that has one.
fn bytes(submission: Result<Submission, &'static str>) -> Result<Vec<u8>, NotBase64> {
    submission.unwrap().content.map(|content| match content {
        Content::Body(body) => body.bytes,
        Content::KeyAlone(_) => panic!("no body"),
    })
}

fn with_header(name: &str, value: &str) -> Result<Submission, &'static str> {
    admit(|event| event["headers"][name] = value.into())
}

fn with_body(body: &str, is_base64: bool) -> Result<Submission, &'static str> {
    admit(|event| {
        event["body"] = body.into();
        event["isBase64Encoded"] = is_base64.into();
    })
}

#[test]
fn only_the_documented_routes_exist() {
    for (action, route) in
        [("leads", Route::Send), ("leads/validate", Route::Validate), ("leads/status", Route::Status)]
    {
        for slash in ["", "/"] {
            let path = format!("/v1/accounts/acme/{action}{slash}");
            let submission = admit(|event| event["rawPath"] = path.clone().into()).unwrap();
            assert_eq!((submission.account.to_string().as_str(), submission.route), ("acme", route), "{path}");
        }
    }
    for path in [
        "",
        "/",
        "/v1/accounts/acme",
        "/v1/accounts/acme/leads//",
        "/v1/accounts/acme/leads/validated",
        "/v1/accounts/acme/leads/status/x",
        "/v1/accounts/acme/status",
        "/v1/accounts//leads",
        "/v1/accounts/leads",
        "/v1/accounts/acme/x/leads",
        "/v2/accounts/acme/leads",
        "/prod/v1/accounts/acme/leads",
        "//v1/accounts/acme/leads",
    ] {
        assert_eq!(admit(|event| event["rawPath"] = path.into()).err(), Some("not_found"), "{path}");
    }
}

#[test]
fn only_post_is_allowed() {
    for method in ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "post"] {
        let refused = admit(|event| event["requestContext"]["http"]["method"] = method.into()).err();
        assert_eq!(refused, Some("method_not_allowed"), "{method}");
    }
}

#[test]
fn a_body_has_at_most_64_kib_once_decoded() {
    let (largest, too_large) = ("a".repeat(65_536), "a".repeat(65_537));
    assert_eq!(bytes(with_body(&largest, false)), Ok(largest.clone().into_bytes()));
    assert_eq!(with_body(&too_large, false).err(), Some("body_too_large"));
    assert_eq!(bytes(with_body(&BASE64_STANDARD.encode(&largest), true)), Ok(largest.into_bytes()));
    assert_eq!(with_body(&BASE64_STANDARD.encode(&too_large), true).err(), Some("body_too_large"));
    assert_eq!(with_body(&"!".repeat(90_000), true).err(), Some("body_too_large"));
}

#[test]
fn invalid_base64_is_not_reported_at_admission() {
    for body in ["!", "e30", "e3 0=", "e30=e30="] {
        assert_eq!(bytes(with_body(body, true)), Err(NotBase64), "{body}");
    }
    assert_eq!(bytes(with_body("e30=", true)), Ok(b"{}".to_vec()));
}

#[test]
fn a_request_without_a_body_has_an_empty_one() {
    let submission = admit(|event| drop(event.as_object_mut().and_then(|event| event.remove("body"))));
    assert_eq!(bytes(submission), Ok(Vec::new()));
}

#[test]
fn only_a_status_request_may_have_no_body() {
    let submission = |route: &str, headers: Value, body: &str| {
        admit(|event| {
            event["rawPath"] = format!("/v1/accounts/acme/leads{route}").into();
            event["headers"] = headers;
            event["headers"]["authorization"] = "Bearer swordfish".into();
            event["body"] = body.into();
        })
    };
    let key = || json!({"idempotency-key": "infinity-7"});
    let is_key = |submission: Submission| matches!(submission.content, Ok(Content::KeyAlone(_)));
    assert!(is_key(submission("/status", key(), "").unwrap()));
    // Not omitted, so it must be a lead.
    for (headers, body) in [(json!({}), ""), (json!({"content-type": "application/json"}), "{}")] {
        assert!(!is_key(submission("/status", headers, body).unwrap()), "{body}");
    }
    for (route, body) in [("", ""), ("/validate", ""), ("/status", "{}")] {
        let refused = submission(route, key(), body).err();
        assert_eq!(refused, Some("unsupported_media_type"), "{route} {body}");
    }
}

#[test]
fn only_json_and_forms_in_utf_8_are_accepted() {
    for media_type in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/json; profile=lead",
        "application/vnd.infinity.lead+json",
        "application/problem+json; charset=utf-8",
        "application/json; charset=utf8",
        "application/json; charset=UTF8",
        "APPLICATION/X-WWW-FORM-URLENCODED",
        "application/x-www-form-urlencoded; charset=utf8",
        " application/json ",
        "application/json ; charset=utf-8",
        "application/json\t;charset=utf8",
    ] {
        assert!(with_header("content-type", media_type).is_ok(), "{media_type}");
    }
    for media_type in [
        "",
        "json",
        "text/json",
        "text/plain",
        "application/form+x-www-form-urlencoded",
        "text/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=latin1",
        "application/jsonp",
        "application/json+xml",
        "application/json; charset=iso-8859-1",
        "application/json, text/plain",
        "multipart/form-data; boundary=json",
    ] {
        assert_eq!(with_header("content-type", media_type).err(), Some("unsupported_media_type"), "{media_type}");
    }
    let without = admit(|event| event["headers"] = json!({"authorization": "Bearer swordfish"}));
    assert_eq!(without.err(), Some("unsupported_media_type"));
}

#[test]
fn only_the_content_encoding_identity_is_accepted() {
    for encoding in ["", "identity", "Identity", " identity"] {
        assert!(with_header("content-encoding", encoding).is_ok(), "{encoding}");
    }
    for encoding in ["gzip", "br", "identity, gzip", "é"] {
        assert_eq!(with_header("content-encoding", encoding).err(), Some("unsupported_media_type"), "{encoding}");
    }
}

#[test]
fn an_invalid_account_name_is_unauthorized() {
    for account in ["ACME", "-acme", "a_b", "a%20b", &"a".repeat(64)] {
        let refused = admit(|event| event["rawPath"] = format!("/v1/accounts/{account}/leads").into()).err();
        assert_eq!(refused, Some("unauthorized"), "{account}");
    }
}

#[test]
fn an_idempotency_key_has_1_to_255_visible_ascii_characters() {
    for key in ["a", "infinity-lead-20391", "\"8e03978e\"", "~!@#", &"k".repeat(255)] {
        assert!(with_header("idempotency-key", key).is_ok(), "{key}");
    }
    for key in ["a b", "é", "a\tb", "\"a b\"", &"k".repeat(256)] {
        assert_eq!(with_header("idempotency-key", key).err(), Some("invalid_idempotency_key"), "{key}");
    }
    assert!(with_header("idempotency-key", " a\t").is_ok());
    for empty in ["", " ", "\"\"", " \"\" "] {
        assert!(with_header("idempotency-key", empty).unwrap().idempotency_key.is_none(), "{empty}");
    }
}

#[test]
fn an_api_key_is_required() {
    for authorization in ["", "swordfish", "Basic c3dvcmRmaXNo", "Bearer "] {
        assert_eq!(with_header("authorization", authorization).err(), Some("unauthorized"), "{authorization}");
    }
}

#[test]
fn the_first_failed_check_is_reported() {
    let too_large = "a".repeat(65_537);
    // At first every check fails. Then they are fixed one by one, in the order of the checks.
    let mut event = json!({
        "rawPath": "/nowhere",
        "headers": {"authorization": "none", "content-type": "text/plain", "idempotency-key": "a b"},
        "requestContext": {"http": {"method": "GET"}},
        "body": too_large,
    });
    let refused = |event: &Value| {
        let submission = Submission::from_request(serde_json::from_str(&event.to_string()).unwrap());
        submission.map_err(|problem| Answer::from(problem).error.unwrap()).err()
    };
    assert_eq!(refused(&event), Some("not_found"));
    event["rawPath"] = "/v1/accounts/ACME/leads".into();
    assert_eq!(refused(&event), Some("method_not_allowed"));
    event["requestContext"]["http"]["method"] = "POST".into();
    assert_eq!(refused(&event), Some("body_too_large"));
    event["body"] = "not json".into();
    assert_eq!(refused(&event), Some("unsupported_media_type"));
    event["headers"]["content-type"] = "application/json".into();
    assert_eq!(refused(&event), Some("unauthorized"), "the account's name");
    event["rawPath"] = "/v1/accounts/acme/leads".into();
    assert_eq!(refused(&event), Some("invalid_idempotency_key"));
    event["headers"]["idempotency-key"] = "a".into();
    assert_eq!(refused(&event), Some("unauthorized"), "no API key");
    event["headers"]["authorization"] = "Bearer swordfish".into();
    assert_eq!(refused(&event), None, "the body is not parsed here");
}

// They contain personal data, so none can be printed.
assert_not_impl_any!(Submission: Debug);
assert_not_impl_any!(IdempotencyKey: Debug);
assert_not_impl_any!(Request: Debug);
