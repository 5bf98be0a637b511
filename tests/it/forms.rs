//! Form posts: the same lead as in JSON, and a clear error for what is no form.

use support::{Request, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

fn form(body: impl Into<Vec<u8>>) -> Request {
    Request::post(body).header("content-type", FORM)
}

/// The pushes that these requests cause, one account each.
async fn pushed(requests: &[Request]) -> Vec<String> {
    let app = TestApp::start().await;
    for request in requests {
        assert_eq!(app.post(request).await, "200 accepted");
    }
    app.rudder.received().into_iter().map(|push| push.body).collect()
}

#[tokio::test]
async fn a_form_is_the_same_lead_as_json() {
    let lead = "caller_id=650-123-1234&loan_amount=%244%2C000&first_name=Ann+O%27Neill";
    let expected = r#"{"caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann O'Neill","details":{"job_title":"nurse","had_late_payment":true}}"#;
    let forms = [
        format!("{lead}&details%5Bjob_title%5D=nurse&details[had_late_payment]=yes"),
        format!("{lead}&details.job_title=nurse&details.had_late_payment=1&"),
        format!("{lead}&job_title=nurse&had_late_payment=TRUE"),
        format!("details=&{lead}&&job_title=%6eurse&had_late_payment=t&details[job_title]=nurse"),
    ];
    let mut requests = forms.map(form).to_vec();
    requests
        .push(form("caller_id=6501231234").header("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF8"));
    let last = requests.pop().unwrap().body(format!("{lead}&job_title=nurse&had_late_payment=y"));
    requests.push(last);
    for body in pushed(&requests).await {
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn unknown_names_are_ignored_and_values_never_returned() {
    let app = TestApp::start().await;
    let body = "caller_id=6501231234&loan_amount=1&customer_name=Ann&details=&utm_source=zqxjkvwyp&details[x]=1&details[a][b]=2";
    let response = app.post(&form(body)).await;
    assert_eq!(response, "200 accepted");
    assert_eq!(response.header("lead-ignored-fields"), "utm_source, details.x, +1");
}

#[tokio::test]
async fn a_fault_of_a_form_names_the_field_as_in_json() {
    let app = TestApp::start().await;
    let faults = |response: &support::ObservedResponse| {
        let fields = response.json()["body"]["fields"].as_array().unwrap().clone();
        let fault = |fault: &serde_json::Value| format!("{} {}", fault["field"], fault["code"]).replace('"', "");
        fields.iter().map(fault).collect::<Vec<_>>()
    };
    for (body, expected) in [
        ("a=b", vec!["/caller_id missing", "/loan_amount missing", "/customer_name missing", "/details missing"]),
        (
            "caller_id=6501231234&caller_id=6501231235&loan_amount=1&customer_name=Ann&details=",
            vec!["/caller_id conflict"],
        ),
        ("caller_id=6501231234&loan_amount=1&customer_name=Ann&details=zqxjkvwyp", vec!["/details wrong_type"]),
        (
            "caller_id=6501231234&loan_amount=1&customer_name=Ann&details[had_late_payment]=often",
            vec!["/details/had_late_payment not_a_boolean"],
        ),
        (
            "caller_id=6501231234&loan_amount=1&customer_name=Ann&details[job_title]=a&job_title=b",
            vec!["/job_title conflict"],
        ),
    ] {
        let response = app.post(&form(body)).await;
        assert_eq!(response, "422 not_sent invalid_lead");
        assert_eq!(faults(&response), expected, "{body}");
    }
    assert!(app.rudder.received().is_empty());
}

#[tokio::test]
async fn what_is_no_form_is_malformed() {
    let app = TestApp::start().await;
    let mut cases: Vec<(Vec<u8>, &str)> = [
        ("", "is empty, which only a status request with an Idempotency-Key allows"),
        (r#"{"caller_id": 6501231234}"#, "is JSON, but its content type is that of a form"),
        ("  {a=b", "is JSON, but its content type is that of a form"),
        ("caller_id", "is not a form: part 1 has no ="),
        ("a=b&zqxjkvwyp&c=d", "is not a form: part 2 has no ="),
        ("a=b&customer_name=zqxjkvwyp%4", "is not a form: part 2 has a % without two hex digits after it"),
        ("a=%", "is not a form: part 1 has a % without two hex digits after it"),
        ("a=b&c=%FF", "is not a form: part 2 is not UTF-8"),
    ]
    .map(|(body, message)| (body.as_bytes().to_vec(), message))
    .to_vec();
    cases.push((b"a=\xff".to_vec(), "is not a form: part 1 is not UTF-8"));
    for (body, message) in cases {
        let response = app.post(&form(body)).await;
        assert_eq!(response, "400 not_sent malformed_body");
        let expected = format!("The request body cannot be read. Fix it and send it again. It {message}.");
        assert_eq!(response.json()["message"], expected.as_str());
        assert_eq!(response.header("lead-ignored-fields"), "");
    }
    assert!(app.rudder.received().is_empty());
}

#[tokio::test]
async fn ten_thousand_pairs_are_read() {
    let app = TestApp::start().await;
    let pairs = |name: &str| format!("{name}=1&").repeat(10_000);
    let response = app.post(&form(format!("{}caller_id=6501231234", pairs("x")))).await;
    assert_eq!(response, "422 not_sent invalid_lead");
    assert_eq!(response.header("lead-ignored-fields"), "x");
    // As many of a known field as fit into 64 KiB.
    let response = app.post(&form("status=1&".repeat(7000))).await;
    assert_eq!(response, "422 not_sent invalid_lead");
    let many = (0..10_000).map(|n| format!("{n:x}=")).collect::<Vec<_>>().join("&");
    let response = app.post(&form(many)).await;
    assert_eq!(response, "422 not_sent invalid_lead");
    assert!(response.header("lead-ignored-fields").len() <= 1010);
}
