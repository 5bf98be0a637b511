//! AI Rudder's responses.

use std::fmt;

use futures_util::{FutureExt, future::BoxFuture};
use support::{Reply, TOKEN};

use super::{Fault, MODE, Mode, Row};

/// Statuses, each without a body and with an envelope of the same code.
const STATUSES: [u16; 20] =
    [301, 307, 400, 401, 403, 404, 408, 409, 418, 422, 424, 425, 429, 430, 460, 499, 500, 502, 503, 504];

/// Codes in an envelope with status 200.
const CODES: [&str; 19] = [
    "0", "201", "400", "401", "403", "404", "408", "409", "418", "424", "425", "429", "460", "499", "500", "10510",
    "\"200\"", "200.0", "null",
];

/// A status, what is special about the body, and the body.
const BODIES: [(u16, &str, &str); 23] = [
    (200, " without a code", "{}"),
    (200, ", HTML", "<html>Welcome</html>"),
    (200, ", empty", ""),
    (204, "", ""),
    (200, ", truncated JSON", r#"{"code":200,"#),
    (200, ", two codes", r#"{"code":400,"code":200}"#),
    (500, ", code 200", r#"{"code":200}"#),
    (400, ", code 200", r#"{"code":200}"#),
    (400, ", code \"200\"", r#"{"code":"200"}"#),
    (400, ", code 400.0", r#"{"code":400.0}"#),
    (400, ", code null", r#"{"code":null}"#),
    (400, ", code 99999999999999999999", r#"{"code":99999999999999999999}"#),
    (400, ", code 400,\"code\":200", r#"{"code":400,"code":200}"#),
    (400, ", code 400,\"\\u0063ode\":400", r#"{"code":400,"\u0063ode":400}"#),
    (429, ", code \"429\"", r#"{"code":"429"}"#),
    (401, ", code \"401\"", r#"{"code":"401"}"#),
    (400, ", truncated JSON", r#"{"code":400,"#),
    (400, " without a code", "{}"),
    (400, ", a code inside", r#"{"error":{"code":200}}"#),
    (400, ", Code 200", r#"{"Code":200}"#),
    (400, ", an array", r#"[{"code":200}]"#),
    (400, ", HTML", "<html>Bad Request</html>"),
    (423, ", code 451", r#"{"code":451}"#),
];

/// `printf %s '{"code":200}' | gzip -n`
const GZIPPED: [u8; 32] = [
    31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 171, 86, 74, 206, 79, 73, 85, 178, 50, 50, 48, 168, 5, 0, 84, 3, 150, 234, 12, 0,
    0, 0,
];

fn envelope(status: u16, code: &str) -> Reply {
    Reply::new(status, format!(r#"{{"code":{code}}}"#))
}

/// One row per response.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let mut rows = Vec::new();
    for status in STATUSES {
        rows.push(row(format_args!("HTTP {status}"), Reply::new(status, "").header("location", "/elsewhere")));
        rows.push(row(format_args!("HTTP {status}, code {status}"), envelope(status, &status.to_string())));
    }
    for (status, value) in [(429, "120"), (429, "soon"), (503, "120")] {
        let reply = Reply::new(status, "").header("retry-after", value);
        rows.push(row(format_args!("HTTP {status}, retry-after {value}"), reply));
    }
    rows.extend(CODES.map(|code| row(format_args!("HTTP 200, code {code}"), envelope(200, code))));
    rows.extend(BODIES.map(|(status, what, body)| row(format_args!("HTTP {status}{what}"), Reply::new(status, body))));
    for status in [200, 400] {
        let padded = format!(r#"{{"code":{status},"body":"{}"}}"#, "x".repeat(65 * 1024));
        rows.push(row(format_args!("HTTP {status}, an envelope of 65 KiB"), Reply::new(status, padded)));
    }
    let gzipped = Reply::new(200, GZIPPED).header("content-encoding", "gzip");
    rows.push(row(format_args!("HTTP 200, content-encoding gzip"), gzipped));
    for (status, code) in [(400, 400), (429, 429), (401, 401), (500, 500), (200, 10510)] {
        let quote = format!(r#"{{"code":{code},"message":"no such path: /push/{TOKEN}"}}"#);
        rows.push(row(format_args!("HTTP {status}, code {code}, the token quoted"), Reply::new(status, quote)));
    }
    for (status, code) in [(200, 10510), (200, 10814), (200, 10901), (200, 10511), (400, 10510), (500, 10510)] {
        let name = format!("HTTP {status}, code {code}, with codes named");
        let named = ("UPSTREAM_CODES", "10510=refused 10814=token_refused 10901=rate_limited");
        rows.push(responding(&name, envelope(status, &code.to_string()), |fault| fault.with(named)));
    }
    rows
}

fn row(name: fmt::Arguments, reply: Reply) -> BoxFuture<'static, Row> {
    responding(&name.to_string(), reply, |fault| fault)
}

/// AI Rudder's response to one push. It is passed on byte for byte, unless the relay writes its own.
fn responding(name: &str, reply: Reply, change: impl FnOnce(Fault) -> Fault) -> BoxFuture<'static, Row> {
    let body = reply.body.clone();
    let row = change(Fault::new(format!("AI Rudder: {name}"), |app| app.rudder.answer_next(reply))).row();
    async move {
        let row = row.await;
        if matches!(MODE.get(), Mode::Several(_) | Mode::OneNumber(_)) {
            // Another lead may have got it.
            return row;
        }
        assert_eq!(row.first.error.is_empty(), row.first.body.as_bytes() == body, "{row}");
        row
    }
    .boxed()
}
