//! The table of answers, row by row: status, outcome, error, and how many pushes AI Rudder saw.

use support::fakes::{Behaviour, Reply, api_gateway::Response};

use crate::{
    request::{LEAD, REQUEST_ID, Request},
    stage::{KEY, Stage, relay, secret, serve},
    wire::Wire,
};

/// A row of the table: what the sender sees of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    status: u16,
    outcome: String,
    /// The relay's own error name; `None` where the body is AI Rudder's.
    error: Option<String>,
}

fn row(status: u16, outcome: &str, error: impl Into<Option<&'static str>>) -> Row {
    Row { status, outcome: outcome.to_owned(), error: error.into().map(str::to_owned) }
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

fn seen(answer: &Response) -> Row {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(header(answer, "content-type"), Some("application/json"));
    assert_eq!(header(answer, "cache-control"), Some("no-store"));
    assert_eq!(header(answer, "request-id"), Some(REQUEST_ID));
    let outcome = header(answer, "lead-outcome").unwrap().to_owned();
    let error = body["body"]["error"].as_str().map(str::to_owned);
    if error.is_some() {
        assert_eq!(body["code"], answer.status, "the relay's own code is the status");
        assert_eq!(body["body"]["outcome"], outcome);
        assert_eq!(body["trace_id"], REQUEST_ID);
        let own: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(own.len(), 6, "{own:?}");
    }
    Row { status: answer.status, outcome, error }
}

/// The answer to a good lead when AI Rudder answers so, and the pushes it took.
async fn when_rudder_answers(reply: Reply) -> (Row, Response, usize) {
    let stage = Stage::start().await;
    stage.rudder.answer_next(reply);
    let answer = stage.serve(&Request::post(LEAD).event()).await;
    (seen(&answer), answer, stage.rudder.received().len())
}

/// The answer to a request that must not lead to a push.
async fn refused(request: Request) -> (Row, Response) {
    let stage = Stage::start().await;
    let answer = stage.serve(&request.event()).await;
    assert_eq!(stage.rudder.received().len(), 0, "AI Rudder got something");
    (seen(&answer), answer)
}

fn envelope(code: i64) -> String {
    format!("{{ \"code\" : {code}, \"message\":\"their own words\",\"trace_id\":\"abc\"}}\n")
}

#[tokio::test]
async fn accepted_is_http_2xx_with_code_200_and_the_envelope_goes_on_byte_for_byte() {
    for status in [200, 201, 202] {
        let (seen, answer, pushes) = when_rudder_answers(Reply::new(status, envelope(200))).await;
        assert_eq!(seen, row(200, "accepted", None));
        assert_eq!(answer.body, envelope(200).into_bytes());
        assert_eq!(pushes, 1);
    }
}

#[tokio::test]
async fn a_lead_that_ai_rudder_refuses_is_refused() {
    for (status, code) in [(400, 400), (422, 422), (200, 400), (200, 404), (200, 431), (423, 451)] {
        let (seen, answer, pushes) = when_rudder_answers(Reply::new(status, envelope(code))).await;
        assert_eq!(seen, row(422, "refused", None), "HTTP {status}, code {code}");
        assert_eq!(answer.body, envelope(code).into_bytes());
        assert_eq!(pushes, 1);
    }
    for body in
        ["<html>Bad Request</html>", "", "{}", r#"{"error":{"code":200}}"#, r#"[{"code":200}]"#, r#"{"Code":200}"#]
    {
        let (seen, ..) = when_rudder_answers(Reply::new(400, body)).await;
        assert_eq!(seen, row(422, "refused", "refused_upstream"), "{body}");
    }
}

#[tokio::test]
async fn routes_and_methods_that_are_not_there() {
    let (seen, _) = refused(Request::post(LEAD).path("/v1/leads")).await;
    assert_eq!(seen, row(404, "not_sent", "not_found"));
    let (seen, answer) = refused(Request::post("").method("GET")).await;
    assert_eq!(seen, row(405, "not_sent", "method_not_allowed"));
    assert_eq!(header(&answer, "allow"), Some("POST"));
}

#[tokio::test]
async fn bodies_that_are_not_taken() {
    let (seen, _) = refused(Request::post(vec![b' '; 65_537])).await;
    assert_eq!(seen, row(413, "not_sent", "body_too_large"));
    let (seen, _) = refused(Request::post(LEAD).header("content-type", "text/plain")).await;
    assert_eq!(seen, row(415, "not_sent", "unsupported_media_type"));
    let (seen, _) = refused(Request::post(LEAD).header("content-encoding", "gzip")).await;
    assert_eq!(seen, row(415, "not_sent", "unsupported_media_type"));
}

#[tokio::test]
async fn an_idempotency_key_out_of_form() {
    let (seen, _) = refused(Request::post(LEAD).header("idempotency-key", "two words")).await;
    assert_eq!(seen, row(400, "not_sent", "invalid_idempotency_key"));
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_account_get_the_same_response() {
    let mut answers = Vec::new();
    for request in [
        Request::post(LEAD).key("wrong"),
        Request::post(LEAD).account("nobody"),
        Request::post(LEAD).account("NOBODY"),
        Request::post("not json").key("wrong"),
    ] {
        let (seen, mut answer) = refused(request).await;
        assert_eq!(seen, row(401, "not_sent", "unauthorized"));
        assert_eq!(header(&answer, "www-authenticate"), Some("Bearer realm=\"lendswift-relay\""));
        let mut body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        body["timestamp"] = 0.into();
        answer.body = body.to_string().into_bytes();
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn an_account_whose_secret_can_not_be_read_looks_like_none_to_who_has_no_valid_key() {
    for behaviour in [Behaviour::Denied, Behaviour::Binary] {
        let stage = Stage::start().await;
        stage.secrets.behave(behaviour);
        let answer = stage.serve(&Request::post(LEAD).event()).await;
        assert_eq!(seen(&answer), row(401, "not_sent", "unauthorized"), "{behaviour:?}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_object() {
    for body in ["", "{", "[]", "null", "{} {}", "caller_id=1"] {
        let (seen, _) = refused(Request::post(body)).await;
        assert_eq!(seen, row(400, "not_sent", "malformed_json"), "{body}");
    }
    let (seen, _) = refused(Request::post(b"{\"a\":\"\xff\"}".as_slice())).await;
    assert_eq!(seen, row(400, "not_sent", "malformed_json"), "not UTF-8");
}

#[tokio::test]
async fn a_lead_with_faults() {
    let (seen, answer) = refused(Request::post(r#"{"caller_id":1,"loan_amount":4000,"details":{}}"#)).await;
    assert_eq!(seen, row(422, "not_sent", "invalid_lead"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["show_err"], true);
    assert_eq!(
        body["body"]["fields"],
        serde_json::json!([
            {
                "field": "/caller_id",
                "code": "not_a_phone_number",
                "message": "must be a US phone number: 10 digits, or 11 beginning with 1, without an extension"
            },
            {"field": "/customer_name", "code": "missing", "message": "is required"}
        ])
    );
}

#[tokio::test]
async fn too_many_leads_for_ai_rudder() {
    for (status, code) in [(429, 429), (200, 429)] {
        let reply = Reply::new(status, envelope(code)).header("retry-after", "17");
        let (seen, answer, pushes) = when_rudder_answers(reply).await;
        assert_eq!(seen, row(429, "not_sent", None), "HTTP {status}, code {code}");
        assert_eq!(header(&answer, "retry-after"), Some("17"));
        assert_eq!(answer.body, envelope(code).into_bytes());
        assert_eq!(pushes, 1);
    }
    let (seen, answer, _) = when_rudder_answers(Reply::new(429, "slow down").header("retry-after", "soon")).await;
    assert_eq!(seen, row(429, "not_sent", "rate_limited"));
    assert_eq!(header(&answer, "retry-after"), None, "not a valid one");
}

#[tokio::test]
async fn a_token_that_ai_rudder_refuses_is_the_operators_business() {
    for (status, code) in [(401, 401), (403, 403), (404, 404), (200, 401), (200, 403)] {
        let (seen, answer, pushes) = when_rudder_answers(Reply::new(status, envelope(code))).await;
        assert_eq!(seen, row(500, "not_sent", "token_refused"), "HTTP {status}, code {code}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("their own words"), "it may quote the token");
        assert_eq!(pushes, 1);
    }
}

#[tokio::test]
async fn an_account_with_a_token_that_can_not_be_one_is_misconfigured() {
    for token in ["", ".", "..", "a\nb", "a b", "1JqFE7K6ucf94hAvqu+7Jg "] {
        let stage = Stage::start().await;
        stage.secrets.put("lendswift/acme", secret(token, &[KEY]));
        let answer = stage.serve(&Request::post(LEAD).event()).await;
        assert_eq!(seen(&answer), row(500, "not_sent", "account_misconfigured"), "{token:?}");
        let answer = stage.serve(&Request::post(LEAD).key("wrong").event()).await;
        assert_eq!(seen(&answer), row(401, "not_sent", "unauthorized"), "{token:?} to who has no key");
        assert_eq!(stage.rudder.received().len(), 0);
    }
}

#[tokio::test]
async fn ai_rudder_can_not_be_reached() {
    // Closes every connection before a word of TLS.
    let wire = Wire::start(|stream| async move { drop(stream) }).await;
    let stage = Stage::start().await;
    let relay = relay(&wire.url("https"), &stage.secrets.url(), &[]);
    let answer = serve(&relay, &Request::post(LEAD).event(), lambda_http::Context::default()).await;
    assert_eq!(seen(&answer), row(503, "not_sent", "upstream_unreachable"));
    assert_eq!(header(&answer, "retry-after"), Some("5"));
}

#[tokio::test]
async fn secrets_manager_is_down_with_nothing_to_go_on() {
    for behaviour in [Behaviour::Throttled, Behaviour::Down, Behaviour::Hang] {
        let stage = Stage::start().await;
        stage.secrets.behave(behaviour);
        let answer = stage.serve(&Request::post(LEAD).event()).await;
        assert_eq!(seen(&answer), row(503, "not_sent", "temporarily_unavailable"), "{behaviour:?}");
        assert_eq!(header(&answer, "retry-after"), Some("5"));
        assert_eq!(stage.rudder.received().len(), 0);
    }
}

#[tokio::test]
async fn answers_of_ai_rudder_that_leave_a_doubt() {
    for (status, code) in [
        (408, 408),
        (409, 409),
        (425, 425),
        (200, 408),
        (200, 409),
        (200, 425),
        (301, 301),
        (307, 200),
        (500, 500),
        (502, 200),
        (503, 503),
        (504, 504),
        (200, 0),
        (200, 201),
        (200, 500),
        (200, -1),
        (400, 200),
        (418, 418),
        (424, 424),
        (460, 460),
        (499, 400),
        (200, 418),
        (200, 424),
        (200, 499),
        (200, 10510),
    ] {
        let reply = Reply::new(status, envelope(code)).header("location", "http://127.0.0.1:1/elsewhere");
        let (seen, answer, pushes) = when_rudder_answers(reply).await;
        assert_eq!(seen, row(502, "unknown", None), "HTTP {status}, code {code}");
        assert_eq!(answer.body, envelope(code).into_bytes());
        assert_eq!(pushes, 1, "HTTP {status}, code {code}");
    }
}

#[tokio::test]
async fn a_2xx_without_an_envelope_leaves_a_doubt() {
    let too_long = format!("{{\"code\":200{}}}", " ".repeat(66_560));
    for body in ["", "OK", "<html>", "{}", r#"{"code":"200"}"#, r#"{"code":20"#, "[200]", &too_long] {
        let (seen, _, pushes) = when_rudder_answers(Reply::new(200, body)).await;
        assert_eq!(seen, row(502, "unknown", "bad_upstream_answer"), "{body:.40}");
        assert_eq!(pushes, 1);
    }
}

#[tokio::test]
async fn a_4xx_with_a_code_that_can_not_be_read_leaves_a_doubt() {
    let too_long = format!("{{\"code\":400{}}}", " ".repeat(66_560));
    for code in
        [r#""200""#, "200.0", "null", "1e2", "9223372036854775808", r#"400,"code":200"#, r#"400,"\u0063ode":400"#]
    {
        for status in [400, 401, 404, 429] {
            let body = format!(r#"{{"message":"no","code":{code}}}"#);
            let (seen, _, pushes) = when_rudder_answers(Reply::new(status, body)).await;
            assert_eq!(seen, row(502, "unknown", "bad_upstream_answer"), "HTTP {status}, code {code}");
            assert_eq!(pushes, 1);
        }
    }
    for body in [too_long.as_str(), r#"{"code":40"#, "\u{feff}{\"code\":400}"] {
        let (seen, ..) = when_rudder_answers(Reply::new(400, body)).await;
        assert_eq!(seen, row(502, "unknown", "bad_upstream_answer"), "HTTP 400, {body:.40}");
    }
}

#[tokio::test]
async fn codes_that_the_operator_names_mean_that_under_http_2xx_alone() {
    let codes = [("UPSTREAM_CODES", "10510=refused 10814=token_refused 10901=rate_limited")];
    for (status, code, expected) in [
        (200, 10510, row(422, "refused", None)),
        (202, 10814, row(500, "not_sent", "token_refused")),
        (200, 10901, row(429, "not_sent", None)),
        (200, 10511, row(502, "unknown", None)),
        (400, 10510, row(502, "unknown", None)),
        (500, 10510, row(502, "unknown", None)),
        (200, 200, row(200, "accepted", None)),
    ] {
        let stage = Stage::with(&codes).await;
        stage.rudder.answer_next(Reply::new(status, envelope(code)));
        let answer = stage.serve(&Request::post(LEAD).event()).await;
        assert_eq!(seen(&answer), expected, "HTTP {status}, code {code}");
        assert_eq!(stage.rudder.received().len(), 1);
    }
}

#[tokio::test]
async fn a_header_that_no_request_can_have_counts_as_absent_and_keeps_the_requests_id() {
    for (name, expected) in [
        ("authorization", row(401, "not_sent", "unauthorized")),
        ("content-type", row(415, "not_sent", "unsupported_media_type")),
        ("content-encoding", row(200, "accepted", None)),
        ("idempotency-key", row(200, "accepted", None)),
    ] {
        for value in ["a\nb", "a\u{7f}", "\0"].map(serde_json::Value::from).into_iter().chain([serde_json::Value::Null])
        {
            let mut event: serde_json::Value = serde_json::from_str(&Request::post(LEAD).event()).unwrap();
            event["headers"][name] = value;
            let answer = Stage::start().await.serve(&event.to_string()).await;
            assert_eq!(seen(&answer), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_phone_number_in_the_accounts_place_reaches_nobody() {
    for account in ["16501231234", "6501231234", "650-123-1234"] {
        let stage = Stage::start().await;
        let answer = stage.serve(&Request::post(LEAD).account(account).event()).await;
        assert_eq!(seen(&answer), row(401, "not_sent", "unauthorized"));
        assert_eq!(stage.secrets.calls(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn ai_rudder_does_not_answer_in_time() {
    let stage = Stage::with(&[("UPSTREAM_TIMEOUT_MS", "1000")]).await;
    stage.rudder.hang_next();
    let answer = stage.serve(&Request::post(LEAD).event()).await;
    assert_eq!(seen(&answer), row(504, "unknown", "upstream_timeout"));
    assert_eq!(stage.rudder.received().len(), 1);
}

#[tokio::test]
async fn an_event_that_is_none_of_api_gateways_is_answered_too() {
    let stage = Stage::start().await;
    for event in ["{}", "null", "[]", r#"{"Records":[]}"#, r#"{"requestContext":{"http":{"method":7}}}"#] {
        let answer = stage.serve(event).await;
        assert_eq!(answer.status, 500, "{event}");
        assert_eq!(header(&answer, "lead-outcome"), Some("not_sent"), "{event}");
        assert!(String::from_utf8_lossy(&answer.body).contains("\"error\":\"internal_error\""), "{event}");
    }
}

#[tokio::test]
async fn a_missing_and_a_wrong_key_have_different_messages() {
    for (request, message) in [
        (
            Request::post(LEAD).without("authorization"),
            "The API key is missing. Send it as Authorization: Bearer <key>.",
        ),
        (
            Request::post(LEAD).key("wrong"),
            "The API key is not valid for this account. Check both, or ask the relay's operator.",
        ),
    ] {
        let (seen, answer) = refused(request).await;
        assert_eq!(seen, row(401, "not_sent", "unauthorized"));
        assert_eq!(header(&answer, "www-authenticate"), Some("Bearer realm=\"lendswift-relay\""));
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["message"], message);
    }
}
