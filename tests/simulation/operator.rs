//! The operator, who asks AI Rudder about leads whose lease is over, and then settles or reopens them.

use fastrand::Rng;
use serde_json::{Value, json};
use support::fakes::{DynamoBehaviour::Normal, DynamoCore, DynamoOutcome};
use tokio::time::{Duration, Instant, sleep};

use super::process::World;

/// README's condition of settling and of reopening.
const CONDITION: &str =
    "claim = :claim AND lease_until < :now AND (attribute_not_exists(outcome) OR outcome = :unknown)";

/// The body that a lead has which the operator settled.
pub const BODY: &str = r#"{"code":200,"message":"the operator's"}"#;

/// Looks a few times; what was done is named.
pub async fn operate(
    world: &World,
    dynamodb: &DynamoCore,
    mut random: Rng,
    lead_of: impl Fn(u32) -> String,
) -> Vec<String> {
    let mut done = Vec::new();
    for _ in 0..random.u8(0..4) {
        sleep(Duration::from_millis(random.u64(1000..40_000))).await;
        for item in dynamodb.items("claims") {
            let now = world.true_ms(Instant::now()) / 1000;
            let lease = item["lease_until"]["N"].as_str().and_then(|lease| lease.parse::<u64>().ok());
            if lease.is_none_or(|lease| lease >= now) {
                continue;
            }
            let lead = item["pk"]["S"].as_str().unwrap();
            let has_it = world.rudder.accepted().into_iter().any(|number| lead_of(number) == lead);
            if act(dynamodb, &item, now, has_it).await {
                done.push(if has_it { "operator settled" } else { "operator reopened" }.to_owned());
            }
        }
    }
    done
}

async fn act(dynamodb: &DynamoCore, item: &Value, now: u64, has_it: bool) -> bool {
    let mut values = json!({":claim": item["claim"], ":now": {"N": now.to_string()}, ":unknown": {"S": "unknown"}});
    let mut request = json!({"TableName": "claims", "Key": {"pk": item["pk"]}, "ConditionExpression": CONDITION});
    let operation = if has_it {
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
    let outcome = dynamodb.call_as(Normal, operation, request.to_string().as_bytes()).await;
    matches!(outcome, DynamoOutcome::Answered(answer) if answer.status == 200)
}
