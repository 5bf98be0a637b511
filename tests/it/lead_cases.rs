//! Leads as senders write them, each with the response and the lead that AI Rudder receives.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value};
use support::{Request, TestApp, in_repository};

#[derive(Deserialize)]
struct Cases {
    leads: Vec<Case>,
    same_lead: Vec<Pair>,
}

/// One body.
#[derive(Deserialize)]
struct Case {
    what: String,
    body: String,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    status: u16,
    outcome: String,
    #[serde(default)]
    error: String,
    /// Pointers and codes of the faults.
    #[serde(default)]
    fields: Vec<[String; 2]>,
    /// Some members of what AI Rudder receives.
    lead: Option<Map<String, Value>>,
}

/// Two bodies that are the same lead.
#[derive(Deserialize)]
struct Pair {
    what: String,
    first: String,
    second: String,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("lead_cases.json")).unwrap()
}

/// What is wrong with the response to a case, and with the lead that AI Rudder received.
async fn differences(case: &Case) -> String {
    let app = TestApp::start().await;
    let response = app.post(&Request::post(case.body.as_str())).await;
    let mut differences = String::new();
    let expected = &case.expect;
    let status = (response.status, response.outcome.as_str(), response.error.as_str());
    if status != (expected.status, expected.outcome.as_str(), expected.error.as_str()) {
        write!(differences, " {response}").unwrap();
    }
    let fault = |fault: &Value| ["field", "code"].map(|member| fault[member].as_str().unwrap().to_owned());
    let faults: Vec<_> = response.json()["body"]["fields"].as_array().into_iter().flatten().map(fault).collect();
    if faults != expected.fields {
        write!(differences, " {faults:?}").unwrap();
    }
    let received = app.rudder.take_received();
    if received.len() != usize::from(expected.lead.is_some()) {
        write!(differences, " {} pushes", received.len()).unwrap();
    }
    for (push, lead) in received.iter().zip(&expected.lead) {
        let pushed: Value = serde_json::from_str(&push.body).unwrap();
        if lead.iter().any(|(name, value)| pushed[name] != *value) {
            write!(differences, " {pushed}").unwrap();
        }
    }
    differences
}

#[tokio::test]
async fn each_lead_is_sent_or_refused_as_it_must_be() {
    let mut wrong = Vec::new();
    for case in cases().leads {
        let differences = differences(&case).await;
        if !differences.is_empty() {
            wrong.push(format!("{}:{differences}", case.what));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn two_forms_of_a_lead_are_sent_once() {
    for pair in cases().same_lead {
        let app = TestApp::with_ledger().await;
        assert_eq!(app.post(&Request::post(pair.first)).await, "200 accepted", "{}", pair.what);
        assert_eq!(app.post(&Request::post(pair.second)).await, "200 accepted (again)", "{}", pair.what);
        assert_eq!(app.rudder.received().len(), 1, "{}", pair.what);
    }
}

#[tokio::test]
async fn a_lead_with_many_forms_of_each_field_is_one_lead() {
    let body = std::fs::read(in_repository("fuzz/corpus/lead/lenient-forms")).unwrap();
    let app = TestApp::start().await;
    assert_eq!(app.post(&Request::post(body)).await, "200 accepted");
    assert_eq!(
        app.rudder.take_received()[0].body,
        r#"{"caller_id":16501231234,"loan_amount":4000,"customer_name":"José O'Neill","details":{"loan_reason":"buy a car & a boat","company_name":"AT&T; R&amp;D","years_of_working":"2.5","had_late_payment":true}}"#
    );
}
