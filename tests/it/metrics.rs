//! The metrics that the process writes for CloudWatch.

use serde_json::{Value, json};
use support::{DynamoBehaviour, LEAD, Lead, ProcessHarness, Reply, Request, SANDBOX};

use crate::RELAY;

const STACK: &str = "leads-staging";

/// A process of a stack, which takes code 10510 for a refusal. It also serves an account whose secret can't be read.
async fn harness() -> ProcessHarness {
    harness_of(STACK).await
}

/// The same in a stack of this name, or in none if it is empty.
async fn harness_of(stack: &str) -> ProcessHarness {
    let harness = ProcessHarness::start(RELAY, &[("UPSTREAM_CODES", "10510=refused"), ("STACK_NAME", stack)]).await;
    harness.secrets.put("lendswift/unreadable", "no secret");
    harness
}

/// The documents in the embedded metric format that these requests leave, without their times and measurements.
async fn documents(harness: &ProcessHarness, requests: &[Request]) -> Vec<Value> {
    for request in requests {
        harness.post(request).await;
    }
    // It asks for the next event once it has written the last document.
    harness.lambda.idle().await;
    let lines = harness.lambda.log();
    let documents = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut documents: Vec<_> = documents.filter(|line| line.get("_aws").is_some()).collect();
    for document in &mut documents {
        assert!(document["_aws"]["Timestamp"].take().as_u64().is_some_and(|time| time > 1_700_000_000_000));
        if let Some(measured) = document.get_mut("UpstreamMilliseconds") {
            assert_eq!(measured.take().as_array().map(Vec::len), Some(1));
        }
    }
    documents
}

/// A document of this metric, with these dimensions and values.
fn document(metric: &Value, dimensions: &Value, values: &Value) -> Value {
    let directive = json!({"Namespace": "LendswiftRelay", "Dimensions": [dimensions], "Metrics": [metric]});
    let mut document = values.clone();
    document["_aws"] = json!({"Timestamp": null, "CloudWatchMetrics": [directive]});
    document
}

/// A count of one.
fn one(metric: &str, dimension: &str, value: &str) -> Value {
    let values = json!({"stack": STACK, dimension: value, metric: 1});
    document(&json!({"Name": metric}), &json!(["stack", dimension]), &values)
}

#[tokio::test]
async fn each_authenticated_lead_is_counted_once_with_its_time_faults_and_cause() {
    let metric = json!({"Name": "UpstreamMilliseconds", "Unit": "Milliseconds"});
    let push = document(&metric, &json!(["stack"]), &json!({"stack": STACK, "UpstreamMilliseconds": null}));
    let invalid = Request::post(LEAD.replace("4000", "\"4k\"").replace("{}", r#"{"status": true}"#));
    let (read, not_sent) = (one("SecretReads", "result", "read"), one("Leads", "outcome", "not_sent"));
    let wrong = Request::lead().key("wrong");
    let (error, fault) = (|error| one("Errors", "error", error), |field| one("Faults", "field", field));
    let (amount, status) = (fault("/loan_amount"), fault("/details/status"));
    let refused = [error("unauthorized")];
    let unknown_route = Request::lead().action("nowhere");
    for (requests, expected) in [
        (vec![Request::lead()], vec![push, one("Leads", "outcome", "accepted"), read.clone()]),
        (vec![invalid], vec![error("invalid_lead"), status, amount, not_sent.clone(), read]),
        // Under its real cause, which its caller does not learn.
        (vec![Request::lead().account("unreadable")], vec![error("account_misconfigured")]),
        (vec![unknown_route], vec![error("not_found")]),
        (vec![wrong.clone(), wrong], [refused.clone(), refused].concat()),
    ] {
        let harness = harness().await;
        assert_eq!(documents(&harness, &requests).await, expected);
    }
}

#[tokio::test]
async fn a_replay_counts_as_no_lead_and_no_error() {
    let harness = harness().await;
    harness.rudder.answer_next(Reply::new(500, ""));
    let counted = documents(&harness, &[Lead(1).post(), Lead(1).post(), Lead(2).post(), Lead(2).post()]).await;
    let counted: Vec<_> = counted.iter().filter(|document| document.get("UpstreamMilliseconds").is_none()).collect();
    let [lead, replay] = ["Leads", "Replays"].map(|metric| move |outcome| one(metric, "outcome", outcome));
    let unknown =
        [one("Errors", "error", "bad_upstream_answer"), lead("unknown"), one("SecretReads", "result", "read")];
    let all = [&unknown[..], &[replay("unknown"), lead("accepted"), replay("accepted")]].concat();
    assert_eq!(counted, all.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_stack_the_metrics_have_no_such_dimension() {
    let documents = documents(&harness_of("").await, &[Request::lead().key("wrong")]).await;
    let values = json!({"error": "unauthorized", "Errors": 1});
    assert_eq!(documents, [document(&json!({"Name": "Errors"}), &json!(["error"]), &values)]);
}

#[tokio::test]
async fn codes_that_only_ai_rudder_can_explain_are_counted() {
    let harness = harness().await;
    let replies =
        [(200, "10510"), (200, "16501231234"), (200, "499"), (200, "422"), (400, "10510"), (200, "\"10511\"")];
    for (status, code) in replies {
        harness.rudder.answer_next(Reply::new(status, format!(r#"{{"code":{code}}}"#)));
    }
    let leads: Vec<_> = (1..=6).map(|dollars| Lead(dollars).post()).collect();
    let documents = documents(&harness, &leads).await.into_iter();
    let codes: Vec<_> = documents.filter(|document| document.get("UpstreamCodes").is_some()).collect();
    assert_eq!(codes, ["10510", "other", "499"].map(|code| one("UpstreamCodes", "code", code)));
}

#[tokio::test]
async fn a_failed_settlement_is_counted() {
    for (behaviour, is_counted) in [(DynamoBehaviour::Denied, true), (DynamoBehaviour::Normal, false)] {
        let harness = harness().await;
        harness.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Normal);
        harness.dynamodb.next(ProcessHarness::WRITE, behaviour);
        let counted = documents(&harness, &[Request::lead()]).await;
        assert_eq!(counted.contains(&one("Errors", "error", "claim_left")), is_counted, "{counted:#?}");
        assert!(counted.contains(&one("Leads", "outcome", "accepted")), "{counted:#?}");
    }
}

#[tokio::test]
async fn a_failed_settlement_of_a_sandbox_is_not_counted() {
    let harness = harness().await;
    harness.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Normal);
    harness.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Denied);
    let counted = documents(&harness, &[Request::lead().account(SANDBOX)]).await;
    assert_eq!(counted, [one("SandboxRequests", "outcome", "accepted"), one("SecretReads", "result", "read")]);
}

#[tokio::test]
async fn sandbox_accounts_and_inquiries_count_as_no_lead() {
    let harness = harness().await;
    let sandbox = |amount: &str| Request::post(LEAD.replace("4000", amount)).account(SANDBOX);
    let read = || one("SecretReads", "result", "read");
    assert_eq!(documents(&harness, &[sandbox("9003")]).await, [one("SandboxRequests", "outcome", "not_sent"), read()]);
    let inquiries = [
        Request::lead().action("validate"),
        Request::post("{}").action("validate"),
        Request::lead().action("status"),
        Request::lead().account("unreadable").action("validate"),
    ];
    let after_the_first = &documents(&harness, &inquiries).await[2..];
    let unreadable = [one("Errors", "error", "account_misconfigured")];
    assert_eq!(after_the_first, [&[read()], &unreadable[..]].concat());
}
