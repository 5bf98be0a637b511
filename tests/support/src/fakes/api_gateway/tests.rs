use std::{collections::BTreeSet, fs, time::Duration};

use axum::http::HeaderName;

use super::*;

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    lines.iter().map(header).collect()
}

#[test]
fn everything_but_the_route_is_the_default_route() {
    for (method, path) in [
        ("GET", "/v1/accounts/acme/leads"),
        ("POST", "/v1/accounts/acme/leads/"),
        ("POST", "/v1/accounts//leads"),
        ("POST", "/v1/accounts/leads"),
        ("POST", "/v1/accounts/a/b/leads"),
        ("POST", "/"),
    ] {
        let event = event(method, path, &HeaderMap::new(), b"", "id");
        assert_eq!(event["routeKey"], "$default", "{method} {path}");
        assert_eq!(event["requestContext"]["routeKey"], "$default");
        assert_eq!(event.get("pathParameters"), None);
    }
}

#[test]
fn the_path_is_decoded_and_the_query_is_not() {
    let event = event("POST", "/v1/accounts/a%20b/leads?x=1%202&y=&x=3+4", &HeaderMap::new(), b"", "id");
    assert_eq!(event["rawPath"], "/v1/accounts/a b/leads");
    assert_eq!(event["pathParameters"], json!({ "account": "a b" }));
    assert_eq!(event["rawQueryString"], "x=1%202&y=&x=3+4");
}

#[test]
fn repeated_headers_are_joined() {
    let headers = headers(&[("X-A", "1"), ("x-a", "2"), ("x-b", "3")]);
    let event = event("GET", "/", &headers, b"", "id");
    assert_eq!(event["headers"], json!({ "x-a": "1,2", "x-b": "3" }));
}

#[test]
fn text_is_passed_as_it_is_and_everything_else_as_base64() {
    for (content_type, body, passed, is_base64) in [
        ("application/json", "é".as_bytes(), "é", false),
        ("Application/JSON ; charset=utf-8", b"a", "a", false),
        ("application/vnd.infinity+json", b"a", "a", false),
        ("text/plain", b"a", "a", false),
        ("application/x-www-form-urlencoded", b"a=1", "YT0x", true),
        ("application/jsonp", b"a=1", "YT0x", true),
        ("", b"a=1", "YT0x", true),
        ("application/json", b"\xff", "/w==", true),
    ] {
        let event = event("POST", "/", &headers(&[("content-type", content_type)]), body, "id");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(passed), &json!(is_base64)), "{content_type}");
    }
    let without = event("POST", "/", &headers(&[("content-type", "application/json")]), b"", "id");
    assert_eq!((without.get("body"), &without["isBase64Encoded"]), (None, &json!(false)));
}

#[test]
fn the_time_has_the_format_of_an_access_log() {
    assert_eq!(clock(UNIX_EPOCH + Duration::from_secs(1_683_135_757)), "03/May/2023:17:42:37 +0000");
}

#[test]
fn an_answer_becomes_a_response() {
    let answer = json!({
        "statusCode": 401,
        "headers": { "WWW-Authenticate": "Bearer", "retry-after": 1 },
        "multiValueHeaders": { "x-ignored": ["1"] },
        "body": "text",
    });
    let headers = [("www-authenticate", "Bearer"), ("retry-after", "1")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    assert_eq!(response(&answer), Response { status: 401, headers, body: b"text".to_vec() });
    let base64 = json!({ "statusCode": 200, "body": "/w==", "isBase64Encoded": true });
    assert_eq!(response(&base64).body, b"\xff");
}

#[test]
fn a_malformed_answer_is_an_error_500() {
    for answer in [
        json!({ "a": 1 }),
        json!({ "statusCode": "200" }),
        json!({ "statusCode": 70_000 }),
        json!({ "statusCode": 200, "body": "*", "isBase64Encoded": true }),
    ] {
        let response = response(&answer);
        assert_eq!(response.status, 500, "{answer}");
        assert_eq!(response.body, br#"{"message":"Internal Server Error"}"#);
    }
}

#[test]
fn the_sample_events_are_those_of_this_gateway() {
    let mut request_ids = BTreeSet::new();
    for path in crate::snapshot::files("events") {
        let sample: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let request_id = sample["requestContext"]["requestId"].as_str().unwrap();
        assert!(request_ids.insert(request_id.to_owned()), "{}", path.display());
        // The body of these two is encoded without need, which is their point.
        if !["bad-base64.json", "base64-body.json"].iter().any(|name| path.ends_with(name)) {
            assert_eq!(rebuilt(&sample), sample, "{}", path.display());
        }
    }
    assert!(!request_ids.is_empty());
}

/// The event for the request of a sample event, with the sample's times and address.
fn rebuilt(sample: &Value) -> Value {
    let text = |pointer: &str| sample.pointer(pointer).unwrap().as_str().unwrap();
    let body = body(sample).unwrap();
    let lines = sample["headers"].as_object().unwrap().iter();
    let lines: Vec<_> = lines.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    assert!(lines.contains(&("content-length", body.len().to_string().as_str())), "{}", body.len());
    let method = text("/requestContext/http/method");
    let mut event = event(method, text("/rawPath"), &headers(&lines), &body, text("/requestContext/requestId"));
    for field in ["/requestContext/time", "/requestContext/timeEpoch", "/requestContext/http/sourceIp"] {
        *event.pointer_mut(field).unwrap() = sample.pointer(field).unwrap().clone();
    }
    event
}
