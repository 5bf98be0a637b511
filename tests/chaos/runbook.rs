//! The runbook for an `unknown` lead in `docs/aws-cli.md`. Its commands are run as they are written there.

use std::{collections::BTreeSet, env, fs, process::Output};

use serde_json::{Value, json};
use support::{
    ACCOUNT, Answering, DynamoDb, Lead, ObservedResponse, ProcessHarness, TABLE, in_repository, now, secret_with,
};
use tokio::process::Command;

use crate::RELAY;

/// The documents with runnable shell blocks.
const DOCUMENTS: [&str; 2] = ["docs/aws-cli.md", "docs/deploying.md"];
/// The blocks that the tests below run.
const RUN: [&str; 5] = ["show-lead", "settle", "reopen", "reopen-with-phone", "create-table"];

/// The shell blocks that are marked with `<!-- run: name -->`, with their names.
fn blocks() -> Vec<(String, String)> {
    let text: String = DOCUMENTS.iter().map(|path| fs::read_to_string(in_repository(path)).unwrap()).collect();
    let marked = text.split("<!-- run: ").skip(1).map(|rest| rest.split_once(" -->\n```sh\n").expect("a shell block"));
    marked
        .map(|(name, rest)| (name.to_owned(), rest.split_once("```").expect("the block's end").0.to_owned()))
        .collect()
}

fn block(name: &str) -> String {
    blocks().into_iter().find(|(found, _)| found == name).expect("a block of that name").1
}

#[test]
fn every_marked_block_is_run() {
    let names: BTreeSet<String> = blocks().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, RUN.map(str::to_owned).into());
}

/// Runs a block in a shell against this DynamoDB. These variables replace those that the block sets for an example.
async fn run(dynamodb: &DynamoDb, block: &str, variables: &[(&str, &str)]) -> Output {
    let is_example = |line: &str| variables.iter().any(|(name, _)| line.starts_with(&format!("{name}=")));
    let script: Vec<_> = block.lines().filter(|line| !is_example(line)).collect();
    Command::new("sh")
        .args(["-euc", &script.join("\n")])
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .envs([
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url().as_str()),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "example"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_PAGER", ""),
        ])
        .envs(variables.iter().copied())
        .output()
        .await
        .expect("a shell")
}

/// The output of a block, which must succeed.
async fn succeeds(dynamodb: &DynamoDb, block: &str, variables: &[(&str, &str)]) -> String {
    let Output { status, stdout, stderr } = run(dynamodb, block, variables).await;
    assert!(status.success(), "{block}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// A block that must change nothing, and fail with this error.
async fn is_refused(dynamodb: &DynamoDb, block: &str, variables: &[(&str, &str)], error: &str) {
    let before = dynamodb.items(TABLE);
    let Output { status, stderr, .. } = run(dynamodb, block, variables).await;
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && stderr.contains(error), "{block}\n{stderr}");
    assert_eq!(dynamodb.items(TABLE), before);
}

async fn needs_the_aws_cli() {
    let version = Command::new("aws").arg("--version").output().await;
    assert!(version.is_ok_and(|aws| aws.status.success()), "needs the AWS CLI: pip install awscli");
}

/// The runbook's commands, and a process with leads to run them on.
struct Runbook {
    harness: ProcessHarness,
    find: String,
    settle: String,
    reopen: String,
}

impl Runbook {
    async fn start() -> Self {
        needs_the_aws_cli().await;
        let [find, settle, reopen] = ["show-lead", "settle", "reopen"].map(block);
        let harness = ProcessHarness::start(RELAY, &[("UPSTREAM_TIMEOUT_MS", "1000")]).await;
        harness.rudder.answering(|| Answering::Hang);
        Self { harness, find, settle, reopen }
    }

    /// Posts a lead with an idempotency key.
    async fn post(&self, lead: Lead) -> ObservedResponse {
        self.harness.post(&lead.post().idempotency_key("infinity-7")).await
    }

    /// The claim in the log's last line about a request.
    fn claim(&self) -> String {
        let log = self.harness.lambda.log();
        let mut lines = log.iter().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let line = lines.find(|line| line.get("span").is_some()).expect("a line");
        line["span"]["claim"].as_str().expect("a claim").to_owned()
    }

    /// The `pk` of the lead, as the scan for its claim prints it.
    async fn find(&self, claim: &str) -> String {
        let found =
            succeeds(&self.harness.dynamodb, &self.find, &[("table", TABLE), ("claim", claim), ("lead", "")]).await;
        let found: Value = serde_json::from_str(&found).unwrap();
        let leads = found["Items"].as_array().unwrap().iter().filter(|item| item.get("lease_until").is_some());
        let pks: Vec<_> = leads.map(|item| item["pk"]["S"].as_str().unwrap().to_owned()).collect();
        assert_eq!((found["Count"].as_u64(), pks.len()), (Some(1), 1), "the lead, and nothing of its key");
        pks.into_iter().next().unwrap()
    }

    async fn both_are_refused(&self, claim: &str, pk: &str) {
        for block in [&self.settle, &self.reopen] {
            let variables = [("table", TABLE), ("claim", claim), ("lead", pk)];
            is_refused(&self.harness.dynamodb, block, &variables, "ConditionalCheckFailedException").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_lead_can_be_settled_as_accepted() {
    let runbook = Runbook::start().await;
    let (harness, lead) = (&runbook.harness, Lead(4000));
    assert_eq!(runbook.post(lead).await, "504 unknown upstream_timeout");
    let claim = runbook.claim();
    let pk = runbook.find(&claim).await;
    assert_eq!(pk, lead.pk());
    runbook.both_are_refused(&claim, &pk).await;
    lead.end_lease(&harness.dynamodb);
    runbook.both_are_refused("11111111-1111-4111-8111-111111111111", &pk).await;

    let begun = now();
    succeeds(&harness.dynamodb, &runbook.settle, &[("table", TABLE), ("claim", &claim), ("lead", &pk)]).await;
    let response = runbook.post(lead).await;
    assert_eq!(response, "200 accepted (again)");
    let timestamp = response.json()["timestamp"].as_u64().unwrap();
    assert!((begun..=now()).contains(&timestamp), "{timestamp}");
    assert_eq!(
        response.body,
        format!(
            r#"{{"code":200,"message":"success","show_err":false,"timestamp":{timestamp},"body":{{}},"trace_id":""}}"#
        )
    );
    runbook.both_are_refused(&claim, &pk).await;
    assert_eq!(lead.pushes(&harness.rudder), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_lead_can_be_reopened_and_pushed_again() {
    let runbook = Runbook::start().await;
    let (harness, lead) = (&runbook.harness, Lead(4000));
    // Its process died.
    let post = lead.post().idempotency_key("infinity-7");
    let kill = async {
        harness.rudder.arrived(1).await;
        harness.lambda.kill().await
    };
    let (died, _) = tokio::join!(harness.post_within(&post, 30_000), kill);
    assert_eq!(died, None);
    harness.restart().await;
    assert_eq!(runbook.post(lead).await, "409 pending in_progress");
    let claim = runbook.claim();
    let pk = runbook.find(&claim).await;
    runbook.both_are_refused(&claim, &pk).await;
    lead.end_lease(&harness.dynamodb);
    assert_eq!(runbook.post(lead).await, "504 unknown interrupted");
    assert_eq!(runbook.claim(), claim);
    runbook.both_are_refused("11111111-1111-4111-8111-111111111111", &pk).await;

    succeeds(&harness.dynamodb, &runbook.reopen, &[("table", TABLE), ("claim", &claim), ("lead", &pk)]).await;
    let key = harness.dynamodb.items(TABLE);
    assert_eq!((key.len(), &key[0]["lead_pk"]["S"]), (1, &json!(pk)), "the key still belongs to it");
    harness.rudder.answering(|| Answering::After(std::time::Duration::ZERO));
    let fresh = runbook.post(lead).await;
    assert_eq!(fresh, "200 accepted");
    assert_eq!(runbook.post(lead).await, fresh.again());
    assert_eq!(lead.pushes(&harness.rudder), 2);
    // Accepted, by another claim.
    lead.end_lease(&harness.dynamodb);
    runbook.both_are_refused(&claim, &pk).await;
    runbook.both_are_refused(&runbook.claim(), &pk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_lead_can_be_reopened_with_its_phone_number() {
    let runbook = Runbook::start().await;
    let (harness, block) = (&runbook.harness, block("reopen-with-phone"));
    let policy = json!({"hash_key": "5".repeat(64), "policy": {"once_per_phone_hours": 24}});
    harness.secrets.put(format!("lendswift/{ACCOUNT}"), secret_with(&policy));
    assert_eq!(harness.post(&Lead(1).post()).await, "504 unknown upstream_timeout");
    harness.rudder.answering(|| Answering::After(std::time::Duration::ZERO));
    assert_eq!(harness.post(&Lead(2).post()).await, "409 not_sent recently_called");
    let item = Lead(1).item(&harness.dynamodb).unwrap();
    let [pk, claim, phone] = ["pk", "claim", "phone_pk"].map(|name| item[name]["S"].as_str().unwrap());
    let variables = [("table", TABLE), ("claim", claim), ("lead", pk), ("phone", phone)];
    is_refused(&harness.dynamodb, &block, &variables, "[ConditionalCheckFailed, None]").await;
    Lead(1).end_lease(&harness.dynamodb);
    let number = harness.dynamodb.items(TABLE).into_iter().find(|item| item["pk"]["S"] == phone).unwrap();
    let mut others = number.clone();
    others["lead_pk"] = json!({ "S": Lead(3).pk() });
    harness.dynamodb.put(TABLE, others);
    is_refused(&harness.dynamodb, &block, &variables, "[None, ConditionalCheckFailed]").await;
    harness.dynamodb.put(TABLE, number);

    succeeds(&harness.dynamodb, &block, &variables).await;
    assert_eq!(harness.dynamodb.items(TABLE), Vec::<Value>::new());
    assert_eq!(harness.post(&Lead(2).post()).await, "200 accepted");
    assert_eq!(harness.post(&Lead(1).post()).await, "409 not_sent recently_called");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_table_suits_the_relay() {
    needs_the_aws_cli().await;
    let create = block("create-table");
    let harness = ProcessHarness::start(RELAY, &[("CLAIMS_TABLE", "another")]).await;
    let lead = Lead(4000);
    assert_eq!(harness.post(&lead.post()).await, "503 not_sent temporarily_unavailable");

    succeeds(&harness.dynamodb, &create.replace(TABLE, "another"), &[]).await;

    assert_eq!(harness.post(&lead.post()).await, "200 accepted");
    let described = succeeds(&harness.dynamodb, "aws dynamodb describe-time-to-live --table-name another", &[]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&described).unwrap(),
        json!({"TimeToLiveDescription": {"AttributeName": "expires", "TimeToLiveStatus": "ENABLED"}})
    );
    let described = succeeds(&harness.dynamodb, "aws dynamodb describe-table --table-name another", &[]).await;
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["Table"]["BillingModeSummary"]["BillingMode"], json!("PAY_PER_REQUEST"));
    assert_eq!(described["Table"]["KeySchema"], json!([{"AttributeName": "pk", "KeyType": "HASH"}]));
    assert_eq!(harness.dynamodb.items("another")[0]["pk"]["S"], json!(lead.pk()));
}
