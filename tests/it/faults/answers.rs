//! AI Rudder's answers.

use futures_util::future::BoxFuture;
use lambda_http::Context;
use stand_ins::Reply;

use super::{Row, on_stage};

/// One row an answer.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let code = |code: &str| Reply::new(200, format!(r#"{{"code":{code}}}"#));
    let mut replies: Vec<(String, Reply)> = Vec::new();
    for status in [301, 307, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504] {
        replies.push((format!("HTTP {status}"), Reply::new(status, "").header("location", "/elsewhere")));
        let envelope = format!(r#"{{"code":{status}}}"#);
        replies.push((format!("HTTP {status}, code {status}"), Reply::new(status, envelope)));
    }
    for (status, value) in [(429, "120"), (429, "soon"), (503, "120")] {
        let reply = Reply::new(status, "").header("retry-after", value);
        replies.push((format!("HTTP {status}, retry-after {value}"), reply));
    }
    for value in ["0", "201", "400", "401", "403", "404", "408", "409", "425", "429", "500", "\"200\"", "200.0", "null"]
    {
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
        ("HTTP 200, an envelope of 65 KiB".to_owned(), Reply::new(200, padded)),
        ("HTTP 200, content-encoding gzip".to_owned(), Reply::new(200, GZIPPED).header("content-encoding", "gzip")),
        ("HTTP 500, code 200".to_owned(), Reply::new(500, r#"{"code":200}"#)),
        ("HTTP 400, code 200".to_owned(), Reply::new(400, r#"{"code":200}"#)),
    ]);
    replies.into_iter().map(|(fault, reply)| answered(format!("AI Rudder: {fault}"), reply)).collect()
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
