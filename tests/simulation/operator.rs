//! The operator, who asks AI Rudder about leads whose lease has ended, and then settles or reopens them.

use fastrand::Rng;
use lendswift_relay::claim::conditions::RELEASE_KEY;
use serde_json::{Value, json};
use support::fakes::{DynamoBehaviour::Normal, DynamoCore, DynamoOutcome};
use tokio::time::{Duration, Instant, sleep};

use super::process::World;

/// The condition with which `lendswift`, and the commands in `docs/aws-cli.md`, settle and reopen a lead.
const CONDITION: &str =
    "claim = :claim AND lease_until < :now AND (attribute_not_exists(outcome) OR outcome = :unknown)";

/// The response body that the operator stores when settling a lead.
pub const BODY: &str = r#"{"code":200,"message":"settled by the operator"}"#;

/// Looks for interrupted leads up to three times. Returns the names of the events.
pub async fn run_operator(
    world: &World,
    dynamodb: &DynamoCore,
    mut random: Rng,
    lead_of: impl Fn(u32) -> String,
) -> Vec<String> {
    let mut events = Vec::new();
    for _ in 0..random.u8(0..4) {
        sleep(Duration::from_millis(random.u64(1000..40_000))).await;
        for item in dynamodb.items("claims") {
            let now = world.true_ms(Instant::now()) / 1000;
            let lease = item["lease_until"]["N"].as_str().and_then(|lease| lease.parse::<u64>().ok());
            if lease.is_none_or(|lease| lease >= now) {
                continue;
            }
            let lead = item["pk"]["S"].as_str().unwrap();
            let has_lead = world.rudder.accepted().into_iter().any(|number| lead_of(number) == lead);
            if resolve(dynamodb, &item, now, has_lead).await {
                events.push(if has_lead { "operator settled" } else { "operator reopened" }.to_owned());
            }
        }
    }
    events
}

async fn resolve(dynamodb: &DynamoCore, item: &Value, now: u64, has_lead: bool) -> bool {
    let mut values = json!({":claim": item["claim"], ":now": {"N": now.to_string()}, ":unknown": {"S": "unknown"}});
    let mut request = json!({"TableName": "claims", "Key": {"pk": item["pk"]}, "ConditionExpression": CONDITION});
    let frees_phone = !has_lead && item["phone_pk"].is_object();
    let operation = if has_lead {
        values[":accepted"] = json!({"S": "accepted"});
        values[":ok"] = json!({"N": "200"});
        values[":body"] = json!({"S": BODY});
        request["UpdateExpression"] =
            json!("SET outcome = :accepted, http_status = :ok, body = :body, settled_at = :now");
        "UpdateItem"
    } else {
        "DeleteItem"
    };
    request["ExpressionAttributeValues"] = values;
    if frees_phone {
        let phone = json!({
            "TableName": "claims", "Key": {"pk": item["phone_pk"]}, "ConditionExpression": RELEASE_KEY,
            "ExpressionAttributeValues": {":lead": item["pk"]},
        });
        request = json!({"TransactItems": [{"Delete": request}, {"Delete": phone}]});
    }
    let operation = if frees_phone { "TransactWriteItems" } else { operation };
    let outcome = dynamodb.call_as(Normal, operation, request.to_string().as_bytes()).await;
    matches!(outcome, DynamoOutcome::Answered(answer) if answer.status == 200)
}
