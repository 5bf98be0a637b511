//! What an API Gateway HTTP API makes of a request, and of a function's answer (payload format 2.0). Without cookies and
//! `queryStringParameters`, which neither the relay nor its callers use.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_TYPE, USER_AGENT},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

const API: &str = "a1b2c3d4e5";
const DOMAIN: &str = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";
/// The routes of the template, but for `$default`: what follows the account, and the route's key.
const ROUTES: [(&str, &str); 3] = [
    ("/leads", "POST /v1/accounts/{account}/leads"),
    ("/leads/validate", "POST /v1/accounts/{account}/leads/validate"),
    ("/leads/status", "POST /v1/accounts/{account}/leads/status"),
];

/// The event that a function gets for this request.
pub fn event(method: &str, path_and_query: &str, headers: &HeaderMap, body: &[u8], request_id: &str) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    // An HTTP API hands the path on decoded, the query as it came.
    let path = percent_decode_str(path).decode_utf8_lossy();
    let (account, route_key) = route(method, &path).map_or((None, "$default"), |(account, key)| (Some(account), key));
    let now = SystemTime::now();

    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined(headers),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": API,
            "domainName": DOMAIN,
            "domainPrefix": API,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": headers.get(USER_AGENT).map(text).unwrap_or_default(),
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": clock(now),
            "timeEpoch": now.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0)),
        },
        "isBase64Encoded": false,
    });
    if let Some(account) = account {
        event["pathParameters"] = json!({ "account": account });
    }
    if !body.is_empty() {
        let readable = str::from_utf8(body).ok().filter(|_| is_text(headers));
        event["isBase64Encoded"] = json!(readable.is_none());
        event["body"] = match readable {
            Some(body) => json!(body),
            None => json!(BASE64_STANDARD.encode(body)),
        };
    }
    event
}

/// What the sender of the request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// The response that this function's answer becomes: HTTP 500 if it has not the form of one.
pub fn response(lambda_answer: &Value) -> Response {
    proxied(lambda_answer).unwrap_or_else(|| Response {
        status: 500,
        headers: vec![(CONTENT_TYPE.to_string(), "application/json".to_owned())],
        body: br#"{"message":"Internal Server Error"}"#.to_vec(),
    })
}

/// The body of an event, or of a function's answer to one. `None` if it is invalid base64.
pub fn body(message: &Value) -> Option<Vec<u8>> {
    let body = message["body"].as_str().unwrap_or_default();
    if message["isBase64Encoded"] == true { BASE64_STANDARD.decode(body).ok() } else { Some(body.as_bytes().to_vec()) }
}

fn proxied(answer: &Value) -> Option<Response> {
    let headers = answer.get("headers").and_then(Value::as_object).into_iter().flatten();
    Some(Response {
        body: body(answer)?,
        status: answer.get("statusCode")?.as_u64()?.try_into().ok()?,
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), plain(value))).collect(),
    })
}

/// The account in a path, and its route's key.
fn route<'a>(method: &str, path: &'a str) -> Option<(&'a str, &'static str)> {
    let rest = path.strip_prefix("/v1/accounts/").filter(|_| method == "POST")?;
    let (account, key) = ROUTES.iter().find_map(|(action, key)| Some((rest.strip_suffix(action)?, *key)))?;
    (!account.is_empty() && !account.contains('/')).then_some((account, key))
}

fn joined(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let values = |name| headers.get_all(name).iter().map(text).collect::<Vec<_>>().join(",");
    headers.keys().map(|name| (name.as_str(), values(name))).collect()
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(text).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    match media_type.split_once('/') {
        Some(("text", _)) => true,
        Some(("application", subtype)) => subtype == "json" || subtype.ends_with("+json"),
        _ => false,
    }
}

/// `03/May/2023:17:42:37 +0000`, out of `Wed, 03 May 2023 17:42:37 GMT`.
fn clock(now: SystemTime) -> String {
    let date = httpdate::fmt_http_date(now);
    match date.split(' ').collect::<Vec<_>>()[..] {
        [_, day, month, year, time, _] => format!("{day}/{month}/{year}:{time} +0000"),
        _ => date,
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
