//! What senders write around a lead, in many ways: headers, path and an empty body.

use support::{LEAD, Request, TestApp};

const FORM: &str = "caller_id=650-123-1234&loan_amount=%244%2C000&first_name=Ann&details%5Bjob_title%5D=nurse";
const FORM_TYPE: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A case, one or no header that differs from a usual request, the end of the path, the body, and the response.
type Case = (&'static str, Option<(&'static str, &'static str)>, &'static str, &'static str, &'static str);

const CASES: [Case; 24] = [
    ("charset=utf8", Some(("content-type", "application/json; charset=utf8")), "/leads", LEAD, "200 accepted"),
    (
        "charset=UTF8, quoted",
        Some(("content-type", "application/json;charset=\"UTF8\"")),
        "/leads",
        LEAD,
        "200 accepted",
    ),
    ("a type in capitals", Some(("content-type", "APPLICATION/JSON")), "/leads", LEAD, "200 accepted"),
    ("another charset", Some(("content-type", "application/json; charset=utf-16")), "/leads", LEAD, UNSUPPORTED),
    ("two types", Some(("content-type", "application/json, text/plain")), "/leads", LEAD, UNSUPPORTED),
    ("encoding identity", Some(("content-encoding", "identity")), "/leads", LEAD, "200 accepted"),
    ("encoding IDENTITY", Some(("content-encoding", "IDENTITY")), "/leads", LEAD, "200 accepted"),
    ("an empty encoding", Some(("content-encoding", "")), "/leads", LEAD, "200 accepted"),
    ("encoding gzip", Some(("content-encoding", "gzip")), "/leads", LEAD, UNSUPPORTED),
    ("encoding identity and gzip", Some(("content-encoding", "identity, gzip")), "/leads", LEAD, UNSUPPORTED),
    ("a slash at the end", None, "/leads/", LEAD, "200 accepted"),
    ("a slash after validate", None, "/leads/validate/", LEAD, "200 not_sent"),
    ("a slash after status", None, "/leads/status/", LEAD, "404 not_sent no_record"),
    ("two slashes at the end", None, "/leads//", LEAD, "404 not_sent not_found"),
    ("an empty key", Some(("idempotency-key", "")), "/leads", LEAD, "200 accepted"),
    ("an empty key in quotes", Some(("idempotency-key", "\"\"")), "/leads", LEAD, "200 accepted"),
    ("a key in quotes", Some(("idempotency-key", "\"crm-7\"")), "/leads", LEAD, "200 accepted"),
    ("a key with a space", Some(("idempotency-key", "crm 7")), "/leads", LEAD, "400 not_sent invalid_idempotency_key"),
    ("an empty body", None, "/leads", "", "400 not_sent malformed_body"),
    ("an empty body to validate", None, "/leads/validate", "", "400 not_sent malformed_body"),
    ("an empty form", Some(FORM_TYPE), "/leads", "", "400 not_sent malformed_body"),
    ("a form", Some(FORM_TYPE), "/leads", FORM, "200 accepted"),
    ("a form as JSON", None, "/leads", FORM, "400 not_sent malformed_body"),
    ("JSON as a form", Some(FORM_TYPE), "/leads", LEAD, "400 not_sent malformed_body"),
];
const UNSUPPORTED: &str = "415 not_sent unsupported_media_type";

#[tokio::test]
async fn a_request_is_read_leniently_and_refused_clearly() {
    for (case, header, path, body, expected) in CASES {
        let app = TestApp::with_ledger().await;
        let request = Request::post(body).path(format!("/v1/accounts/acme{path}"));
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        assert_eq!(app.post(&request).await.to_string(), expected, "{case}");
    }
}

#[tokio::test]
async fn a_key_is_the_same_with_and_without_quotes() {
    let app = TestApp::with_ledger().await;
    assert_eq!(app.post(&Request::lead().idempotency_key("\"crm-7\"")).await, "200 accepted");
    let other = Request::post(LEAD.replace("4000", "5000"));
    for key in ["crm-7", "\"crm-7\""] {
        assert_eq!(app.post(&other.clone().idempotency_key(key)).await, "422 not_sent idempotency_key_reused");
    }
    assert_eq!(app.post(&other.idempotency_key("\"\"")).await, "200 accepted");
}
