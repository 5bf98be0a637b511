//! What the function writes for CloudWatch to count: the real binary, under a stand-in for Lambda.

use std::path::Path;

use serde_json::{Value, json};
use support::fakes::{DynamoBehaviour, DynamoDb, Invoked, Lambda, Reply, Rudder, SecretsManager};

use crate::{
    request::{LEAD, Request},
    stage::{ANYWHERE, TABLE, TOKEN, furnish},
};

/// An account whose secret can't be read.
const BROKEN: &str = "broken";

/// The documents in the embedded metric format that these events leave, without their times and without what was measured.
async fn documents(events: &[String]) -> Vec<Value> {
    documents_after([], &[], events).await
}

/// The same where AI Rudder gives these answers first, `10510=refused` is named, and DynamoDB treats its first calls so.
async fn documents_after(
    replies: impl IntoIterator<Item = Reply>,
    calls: &[DynamoBehaviour],
    events: &[String],
) -> Vec<Value> {
    let rudder = Rudder::start(ANYWHERE, [TOKEN]).await.unwrap();
    replies.into_iter().for_each(|reply| rudder.answer_next(reply));
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    let dynamodb = DynamoDb::start(ANYWHERE).await.unwrap();
    furnish(&secrets, &dynamodb);
    for behaviour in calls {
        dynamodb.next("TransactWriteItems", *behaviour);
    }
    secrets.put(format!("lendswift/{BROKEN}"), "no secret");
    let variables = [
        ("CLAIMS_TABLE", TABLE),
        ("UPSTREAM_CODES", "10510=refused"),
        ("UPSTREAM_BASE_URL", &rudder.base_url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url()),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url()),
    ];
    let lambda = Lambda::start(Path::new(env!("CARGO_BIN_EXE_lendswift-relay")), &variables).await.unwrap();
    for event in events {
        assert!(matches!(lambda.invoke(event, 0).await, Invoked::Answered(_)));
    }
    // Asks for the next event once the last one is written down.
    lambda.ready().await.unwrap();
    let lines = lambda.log();
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

/// A count of one.
fn one(metric: &str, dimension: &str, value: &str) -> Value {
    json!({
        "_aws": {
            "Timestamp": null,
            "CloudWatchMetrics": [{
                "Namespace": "LendswiftRelay",
                "Dimensions": [[dimension]],
                "Metrics": [{"Name": metric}],
            }],
        },
        dimension: value,
        metric: 1,
    })
}

#[tokio::test]
async fn a_lead_that_is_accepted_is_counted_with_its_time_at_ai_rudder() {
    let push = json!({
        "_aws": {
            "Timestamp": null,
            "CloudWatchMetrics": [{
                "Namespace": "LendswiftRelay",
                "Dimensions": [[]],
                "Metrics": [{"Name": "UpstreamMilliseconds", "Unit": "Milliseconds"}],
            }],
        },
        "UpstreamMilliseconds": null,
    });
    assert_eq!(
        documents(&[Request::post(LEAD).event()]).await,
        [push, one("Leads", "outcome", "accepted"), one("SecretReads", "result", "read")]
    );
}

#[tokio::test]
async fn a_lead_that_is_not_in_order_is_counted_with_its_faults() {
    let lead = LEAD.replace("4000", "\"4k\"").replace("{}", r#"{"status": true}"#);
    assert_eq!(
        documents(&[Request::post(lead).event()]).await,
        [
            one("Errors", "error", "invalid_lead"),
            one("Faults", "field", "/details/status"),
            one("Faults", "field", "/loan_amount"),
            one("Leads", "outcome", "not_sent"),
            one("SecretReads", "result", "read"),
        ]
    );
}

#[tokio::test]
async fn an_account_whose_secret_cant_be_read_is_counted_as_such_though_its_sender_is_told_less() {
    assert_eq!(
        documents(&[Request::post(LEAD).account(BROKEN).event()]).await,
        [one("Errors", "error", "account_misconfigured"), one("Leads", "outcome", "not_sent")]
    );
}

#[tokio::test]
async fn each_event_is_counted_once() {
    let wrong = Request::post(LEAD).key("wrong").event();
    let documents = documents(&[wrong.clone(), wrong]).await;
    let twice = [one("Errors", "error", "unauthorized"), one("Leads", "outcome", "not_sent")];
    assert_eq!(documents, [twice.clone(), twice].concat());
}

#[tokio::test]
async fn the_codes_that_only_ai_rudder_can_explain_are_counted() {
    let replies =
        [(200, "10510"), (200, "16501231234"), (200, "499"), (200, "422"), (400, "10510"), (200, "\"10511\"")];
    let leads = (1..=replies.len()).map(|dollars| Request::post(LEAD.replace("4000", &dollars.to_string())).event());
    let replies = replies.map(|(status, code)| Reply::new(status, format!(r#"{{"code":{code}}}"#)));
    let documents = documents_after(replies, &[], &leads.collect::<Vec<_>>()).await;
    let codes = documents.into_iter().filter(|document| document.get("UpstreamCodes").is_some());
    let counted = ["10510", "other", "499"].map(|code| one("UpstreamCodes", "code", code));
    assert_eq!(codes.collect::<Vec<_>>(), counted);
}

#[tokio::test]
async fn a_claim_that_is_not_settled_is_counted_though_its_sender_sees_nothing() {
    let calls = [DynamoBehaviour::Normal, DynamoBehaviour::Denied];
    let counted = documents_after([], &calls, &[Request::post(LEAD).event()]).await;
    assert!(counted.contains(&one("Errors", "error", "claim_left")), "{counted:#?}");
    assert!(counted.contains(&one("Leads", "outcome", "accepted")), "{counted:#?}");
    let counted = documents(&[Request::post(LEAD).event()]).await;
    assert!(!counted.contains(&one("Errors", "error", "claim_left")), "{counted:#?}");
}
