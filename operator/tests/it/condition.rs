//! The DynamoDB condition of settling and reopening, compared with the decision, and in races.

use std::{collections::BTreeMap, fs, time::Duration};

use lendswift::decision::{CONDITION, Decision, Found, Reason, Resolution, decide};
use lendswift_relay::claim::items::{AttributeValue, Record};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value, json};
use support::{
    DynamoBehaviour::{AppliedSlow, Normal},
    Lead, TABLE,
    fakes::{DynamoCore, DynamoOutcome},
    in_repository, now,
};

use crate::operator::{CLAIM, Operator, accepted, unknown};

const NOW: u64 = 1_790_000_000;
const OTHER: &str = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// An item in DynamoDB's JSON, with attributes that the relay wrote, or that are missing or odd.
fn item() -> impl Strategy<Value = BTreeMap<&'static str, Value>> {
    let text = |values: &'static [&'static str]| select(values).prop_map(|text| json!({ "S": text }));
    let time = || select(&[0, NOW - 1, NOW, NOW + 1][..]).prop_map(|time| json!({ "N": time.to_string() }));
    let optional = |value: BoxedStrategy<Value>| prop_oneof![1 => Just(None), 5 => value.prop_map(Some)];
    (
        optional(text(&[CLAIM, OTHER]).boxed()),
        optional(time().boxed()),
        optional(time().boxed()),
        prop_oneof![Just(None), text(&["accepted", "unknown", "odd"]).prop_map(Some)],
        prop_oneof![4 => Just(true), 1 => Just(false)],
    )
        .prop_map(|(claim, lease_until, expires, outcome, is_whole)| {
            let status = match outcome.as_ref().and_then(|outcome| outcome["S"].as_str()) {
                Some("accepted") => Some("200"),
                Some("unknown") => Some("504"),
                _ => None,
            };
            let status = status.filter(|_| is_whole).map(|status| json!({ "N": status }));
            let body = status.is_some().then(|| json!({ "S": "{}" }));
            let attributes = [
                ("pk", Some(json!({ "S": "a lead" }))),
                ("request_id", Some(json!({ "S": "a" }))),
                ("claim", claim),
                ("lease_until", lease_until),
                ("expires", expires),
                ("outcome", outcome),
                ("http_status", status),
                ("body", body),
            ];
            attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        })
}

fn found(item: &BTreeMap<&'static str, Value>) -> Found {
    let attribute = |value: &Value| match value["S"].as_str() {
        Some(text) => AttributeValue::S(text.to_owned()),
        None => AttributeValue::N(value["N"].as_str().unwrap().to_owned()),
    };
    let lease_until = item.get("lease_until").and_then(|lease| lease["N"].as_str()?.parse().ok());
    let parsed = item.iter().map(|(name, value)| ((*name).to_owned(), attribute(value))).collect();
    Found { record: Record::parse(&parsed), lease_until }
}

/// Whether DynamoDB's own evaluation allows the write.
async fn is_met(dynamodb: &DynamoCore, item: &BTreeMap<&'static str, Value>) -> bool {
    dynamodb.put("claims", json!(item));
    let values = json!({":claim": {"S": CLAIM}, ":now": {"N": NOW.to_string()}, ":unknown": {"S": "unknown"}});
    let request = json!({
        "TableName": "claims", "Key": {"pk": {"S": "a lead"}}, "ConditionExpression": CONDITION,
        "ExpressionAttributeValues": values,
    });
    let outcome = dynamodb.call_as(Normal, "DeleteItem", request.to_string().as_bytes()).await;
    match outcome {
        DynamoOutcome::Answered(answer) => answer.status == 200,
        _ => panic!("no answer"),
    }
}

#[test]
fn the_condition_holds_where_the_decision_allows_the_write() {
    let dynamodb = DynamoCore::new().unwrap();
    dynamodb.create_table("claims");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |item: BTreeMap<&'static str, Value>| {
        let is_met = runtime.block_on(is_met(&dynamodb, &item));
        for resolution in [Resolution::Settle, Resolution::Reopen] {
            let found = found(&item);
            let is_expired = found.record.as_ref().is_some_and(|record| record.expires <= NOW);
            match decide(Some(&found), CLAIM, resolution, NOW) {
                Decision::Allowed => prop_assert!(is_met),
                // Here the decision is stricter: the relay does not read the item.
                Decision::Refused(Reason::Unreadable) => {}
                _ if is_expired => {}
                decision => prop_assert!(!is_met, "{decision:?}"),
            }
        }
        Ok(())
    };
    TestRunner::default().run(&item(), run).unwrap();
}

#[test]
fn the_commands_of_the_aws_cli_and_the_simulation_have_the_condition() {
    for file in ["docs/aws-cli.md", "tests/simulation/operator.rs"] {
        let text = fs::read_to_string(in_repository(file)).unwrap();
        assert!(text.contains(CONDITION), "{file}");
    }
}

/// Resolves the lead of [`CLAIM`], whose item becomes `then` between the last read and the write. Returns the output of
/// the command, which must change nothing.
async fn race(command: &[&str], reads_before: usize, then: (&str, Value)) -> String {
    let operator = Operator::start().await;
    operator.store(Lead(1), CLAIM, &unknown());
    for _ in 0..reads_before {
        operator.app.dynamodb.next("GetItem", Normal);
    }
    operator.app.dynamodb.next("GetItem", AppliedSlow(Duration::from_secs(1)));
    let (ran, stored) = tokio::join!(operator.run(command), async {
        operator.app.dynamodb.done("GetItem", reads_before + 1).await;
        operator.store(Lead(1), then.0, &then.1);
        operator.app.dynamodb.items(TABLE)
    });
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(operator.app.dynamodb.items(TABLE), stored);
    assert_eq!(
        operator.app.dynamodb.calls().iter().filter(|call| *call == "DeleteItem" || *call == "UpdateItem").count(),
        1
    );
    ran.stderr
}

#[tokio::test]
async fn no_write_frees_or_settles_a_lead_that_changed_after_the_read() {
    let running = json!({ "N": (now() + 1000).to_string() });
    for (then, reason) in [
        // Reopened by another operator, posted again, and its lease is over too.
        ((OTHER, json!({})), "another claim holds it"),
        ((CLAIM, json!({ "lease_until": running })), "a sender may be at work"),
    ] {
        let settle = race(&["lead", "settle", "--claim", CLAIM], 0, then.clone()).await;
        let reopen = race(&["lead", "reopen", "--claim", CLAIM, "--yes"], 1, then).await;
        assert!(settle.contains(reason) && reopen.contains(reason), "{settle}{reopen}");
    }
    let reopen = race(&["lead", "reopen", "--claim", CLAIM, "--yes"], 1, (CLAIM, accepted())).await;
    assert!(reopen.contains("AI Rudder accepted it"), "{reopen}");
}
