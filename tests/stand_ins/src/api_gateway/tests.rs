use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use axum::http::HeaderName;

use super::*;

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

fn post(content_type: &str, body: &[u8]) -> Value {
    event("POST", "/", &headers(&[("content-type", content_type)]), body, "id")
}

#[test]
fn a_lead_becomes_a_complete_event() {
    let headers = headers(&[("Content-Type", "application/json"), ("User-Agent", "infinity-crm/1.0")]);

    let mut event = event("POST", "/v1/accounts/acme/leads", &headers, b"{}", "JKJ7TIlI10NFmbs=");

    let context = event["requestContext"].as_object_mut().unwrap();
    assert!(context.remove("time").unwrap().is_string());
    assert!(context.remove("timeEpoch").unwrap().as_u64() > Some(1_700_000_000_000));
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "POST /v1/accounts/{account}/leads",
            "rawPath": "/v1/accounts/acme/leads",
            "rawQueryString": "",
            "headers": { "content-type": "application/json", "user-agent": "infinity-crm/1.0" },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "a1b2c3d4e5",
                "http": {
                    "method": "POST",
                    "path": "/v1/accounts/acme/leads",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "infinity-crm/1.0",
                },
                "requestId": "JKJ7TIlI10NFmbs=",
                "routeKey": "POST /v1/accounts/{account}/leads",
                "stage": "$default",
            },
            "pathParameters": { "account": "acme" },
            "body": "{}",
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn whatever_is_not_the_route_is_the_default_route() {
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
    assert_eq!(event["queryStringParameters"], json!({ "x": "1 2,3 4", "y": "" }));
}

#[test]
fn repeated_headers_are_joined_and_cookies_stand_apart() {
    let headers = headers(&[("X-A", "1"), ("x-a", "2"), ("cookie", "b=1; c=2"), ("cookie", "d=3")]);

    let event = event("GET", "/", &headers, b"", "id");

    assert_eq!(event["headers"], json!({ "x-a": "1,2" }));
    assert_eq!(event["cookies"], json!(["b=1", "c=2", "d=3"]));
}

#[test]
fn without_a_body_there_is_no_body() {
    let event = post("application/json", b"");

    assert_eq!(event.get("body"), None);
    assert_eq!(event["isBase64Encoded"], false);
}

#[test]
fn readable_text_is_passed_as_it_is() {
    for content_type in
        ["application/json", "Application/JSON ; charset=utf-8", "application/vnd.infinity+json", "text/plain"]
    {
        let event = post(content_type, "é".as_bytes());
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("é"), &json!(false)), "{content_type}");
    }
}

#[test]
fn anything_else_is_passed_as_base64() {
    for (content_type, body, base64) in [
        ("application/x-www-form-urlencoded", &b"a=1"[..], "YT0x"),
        ("application/jsonp", b"a=1", "YT0x"),
        ("", b"a=1", "YT0x"),
        ("application/json", b"\xff", "/w=="),
    ] {
        let event = post(content_type, body);
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(base64), &json!(true)), "{content_type}");
    }
}

#[test]
fn the_time_is_in_the_form_of_an_access_log() {
    let then = UNIX_EPOCH + Duration::from_secs(1_683_135_757);

    assert_eq!(clock(then), "03/May/2023:17:42:37 +0000");
}

#[test]
fn an_answer_becomes_a_response() {
    let answer = json!({
        "statusCode": 401,
        "headers": { "WWW-Authenticate": "Bearer", "retry-after": 1 },
        "multiValueHeaders": { "x-ignored": ["1"] },
        "cookies": ["a=1"],
        "body": "text",
    });

    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        response(&answer),
        Response {
            status: 401,
            headers: vec![
                header("www-authenticate", "Bearer"),
                header("retry-after", "1"),
                header("set-cookie", "a=1")
            ],
            body: b"text".to_vec(),
        }
    );
}

#[test]
fn a_base64_answer_is_decoded() {
    let answer = json!({ "statusCode": 200, "body": "/w==", "isBase64Encoded": true });

    assert_eq!(response(&answer).body, b"\xff");
}

#[test]
fn an_answer_without_a_status_is_taken_for_the_body() {
    let response = response(&json!({ "a": 1 }));

    assert_eq!((response.status, response.body.as_slice()), (200, &br#"{"a":1}"#[..]));
    assert_eq!(response.headers, [("content-type".to_owned(), "application/json".to_owned())]);
}

#[test]
fn an_answer_out_of_form_is_an_error_500() {
    for answer in [
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
fn the_published_events_are_what_this_gateway_would_send() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let mut request_ids = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let published: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let request_id = published["requestContext"]["requestId"].as_str().unwrap();
        assert!(request_ids.insert(request_id.to_owned()), "{name}");
        // The body of these two is encoded where it need not be, which is what they show.
        if !["bad-base64", "base64-body"].contains(&name.as_str()) {
            assert_eq!(replayed(&published), published, "{name}");
        }
    }
    assert!(!request_ids.is_empty());
}

fn replayed(published: &Value) -> Value {
    let http = &published["requestContext"]["http"];
    let body = published.get("body").map_or("", |body| body.as_str().unwrap());
    let body = match published["isBase64Encoded"].as_bool().unwrap() {
        true => BASE64_STANDARD.decode(body).unwrap(),
        false => body.as_bytes().to_vec(),
    };
    let lines: Vec<_> = published["headers"].as_object().unwrap().iter().collect();
    let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let length = body.len().to_string();
    assert!(lines.contains(&("content-length", length.as_str())), "{length}");

    let mut event = event(
        http["method"].as_str().unwrap(),
        published["rawPath"].as_str().unwrap(),
        &headers(&lines),
        &body,
        published["requestContext"]["requestId"].as_str().unwrap(),
    );
    for field in ["/requestContext/time", "/requestContext/timeEpoch", "/requestContext/http/sourceIp"] {
        *event.pointer_mut(field).unwrap() = published.pointer(field).unwrap().clone();
    }
    event
}
