//! AI Rudder's answers.

use futures_util::future::BoxFuture;
use lambda_http::Context;
use support::fakes::Reply;

use super::{Row, on_stage, with_variables};
use crate::stage::TOKEN;

/// One row an answer.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let code = |code: &str| Reply::new(200, format!(r#"{{"code":{code}}}"#));
    let mut replies: Vec<(String, Reply)> = Vec::new();
    for status in [301, 307, 400, 401, 403, 404, 408, 409, 418, 422, 424, 425, 429, 430, 460, 499, 500, 502, 503, 504] {
        replies.push((format!("HTTP {status}"), Reply::new(status, "").header("location", "/elsewhere")));
        let envelope = format!(r#"{{"code":{status}}}"#);
        replies.push((format!("HTTP {status}, code {status}"), Reply::new(status, envelope)));
    }
    for (status, value) in [(429, "120"), (429, "soon"), (503, "120")] {
        let reply = Reply::new(status, "").header("retry-after", value);
        replies.push((format!("HTTP {status}, retry-after {value}"), reply));
    }
    for value in [
        "0", "201", "400", "401", "403", "404", "408", "409", "418", "424", "425", "429", "460", "499", "500", "10510",
        "\"200\"", "200.0", "null",
    ] {
        replies.push((format!("HTTP 200, code {value}"), code(value)));
    }
    let padded = format!(r#"{{"code":200,"body":"{}"}}"#, "x".repeat(65 * 1024));
    replies.extend([
        ("HTTP 200 without a code".to_owned(), Reply::new(200, "{}")),
        ("HTTP 200, HTML".to_owned(), Reply::new(200, "<html>Welcome</html>")),
        ("HTTP 200, empty".to_owned(), Reply::new(200, "")),
        ("HTTP 204".to_owned(), Reply::new(204, "")),
        ("HTTP 200, truncated JSON".to_owned(), Reply::new(200, r#"{"code":200,"#)),
        ("HTTP 200, two codes".to_owned(), Reply::new(200, r#"{"code":400,"code":200}"#)),
        ("HTTP 200, an envelope of 65 KiB".to_owned(), Reply::new(200, padded.clone())),
        ("HTTP 200, content-encoding gzip".to_owned(), Reply::new(200, GZIPPED).header("content-encoding", "gzip")),
        ("HTTP 500, code 200".to_owned(), Reply::new(500, r#"{"code":200}"#)),
        ("HTTP 400, code 200".to_owned(), Reply::new(400, r#"{"code":200}"#)),
    ]);
    for code in ["\"200\"", "400.0", "null", "99999999999999999999", "400,\"code\":200", "400,\"\\u0063ode\":400"] {
        replies.push((format!("HTTP 400, code {code}"), Reply::new(400, format!(r#"{{"code":{code}}}"#))));
    }
    replies.extend([
        ("HTTP 429, code \"429\"".to_owned(), Reply::new(429, r#"{"code":"429"}"#)),
        ("HTTP 401, code \"401\"".to_owned(), Reply::new(401, r#"{"code":"401"}"#)),
        ("HTTP 400, an envelope of 65 KiB".to_owned(), Reply::new(400, padded)),
        ("HTTP 400, truncated JSON".to_owned(), Reply::new(400, r#"{"code":400,"#)),
        ("HTTP 400 without a code".to_owned(), Reply::new(400, "{}")),
        ("HTTP 400, a code inside".to_owned(), Reply::new(400, r#"{"error":{"code":200}}"#)),
        ("HTTP 400, Code 200".to_owned(), Reply::new(400, r#"{"Code":200}"#)),
        ("HTTP 400, an array".to_owned(), Reply::new(400, r#"[{"code":200}]"#)),
        ("HTTP 400, HTML".to_owned(), Reply::new(400, "<html>Bad Request</html>")),
    ]);
    for (status, code) in [(400, 400), (429, 429), (401, 401), (500, 500), (200, 10510)] {
        let quote = format!(r#"{{"code":{code},"message":"no such path: /push/{TOKEN}"}}"#);
        replies.push((format!("HTTP {status}, code {code}, the token quoted"), Reply::new(status, quote)));
    }
    let answered = |(fault, reply)| answered(format!("AI Rudder: {fault}"), reply);
    replies.into_iter().map(answered).chain(named_codes()).collect()
}

/// Codes whose meaning `UPSTREAM_CODES` gives.
fn named_codes() -> Vec<BoxFuture<'static, Row>> {
    let replies = [(200, 10510), (200, 10814), (200, 10901), (200, 10511), (400, 10510), (500, 10510)];
    let named = |(status, code)| {
        let reply = Reply::new(status, format!(r#"{{"code":{code}}}"#));
        let codes = [("UPSTREAM_CODES", "10510=refused 10814=token_refused 10901=rate_limited")];
        let fault = format!("AI Rudder: HTTP {status}, code {code}, with codes named");
        with_variables(fault, &codes, |stage| stage.rudder.answer_next(reply))
    };
    replies.map(named).into()
}

/// AI Rudder's answer, scripted for one push.
fn answered(fault: impl Into<String>, reply: Reply) -> BoxFuture<'static, Row> {
    on_stage(fault, Context::default(), |stage| stage.rudder.answer_next(reply), |_| {})
}

/// `printf %s '{"code":200}' | gzip -n`
const GZIPPED: [u8; 32] = [
    31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 171, 86, 74, 206, 79, 73, 85, 178, 50, 50, 48, 168, 5, 0, 84, 3, 150, 234, 12, 0,
    0, 0,
];
