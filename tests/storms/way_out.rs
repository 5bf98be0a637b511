//! README's way out of `unknown`, its commands run as they stand there.

use std::{env, fs, path::Path, process::Output};

use serde_json::{Value, json};
use stand_ins::{Answering, DynamoDb};
use tokio::process::Command;

use crate::{
    house::House,
    stage::TABLE,
    told::{Lead, Told, now},
};

/// The shell blocks of a section of README, up to the next heading.
fn blocks(heading: &str) -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, section) = readme.split_once(&format!("\n{heading}\n")).expect("the section");
    let (section, _) = section.split_once("\n## ").expect("a section after it");
    let section = section.split_once("\n### ").map_or(section, |(section, _)| section);
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").expect("the block's end").0.to_owned()).collect()
}

/// A block, run in a shell against this DynamoDB, where these variables take the place of the block's examples.
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

/// What a block prints that has to succeed.
async fn done(dynamodb: &DynamoDb, block: &str, variables: &[(&str, &str)]) -> String {
    let Output { status, stdout, stderr } = run(dynamodb, block, variables).await;
    assert!(status.success(), "{block}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

async fn is_refused(dynamodb: &DynamoDb, block: &str, variables: &[(&str, &str)]) {
    let before = dynamodb.items(TABLE);
    let Output { status, stderr, .. } = run(dynamodb, block, variables).await;
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && stderr.contains("ConditionalCheckFailedException"), "{block}\n{stderr}");
    assert_eq!(dynamodb.items(TABLE), before);
}

async fn needs_the_aws_cli() {
    let version = Command::new("aws").arg("--version").output().await;
    assert!(version.is_ok_and(|aws| aws.status.success()), "needs the AWS CLI: pip install awscli");
}

/// README's commands with a stage to run them on.
struct WayOut {
    house: House,
    find: String,
    settle: String,
    reopen: String,
}

impl WayOut {
    async fn open() -> Self {
        needs_the_aws_cli().await;
        let blocks: [String; 3] = blocks("### The way out of `unknown`").try_into().expect("find, settle, reopen");
        let [find, settle, reopen] = blocks;
        let house = House::open(&[("UPSTREAM_TIMEOUT_MS", "1000")]).await;
        house.rudder.answering(|| Answering::Silent);
        Self { house, find, settle, reopen }
    }

    /// Posts a lead, under a key.
    async fn post(&self, lead: Lead) -> Told {
        self.house.told(&lead.post().header("idempotency-key", "infinity-7")).await
    }

    /// The claim in the log's last line about a request.
    fn claim(&self) -> String {
        let log = self.house.lambda.log();
        let mut lines = log.iter().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let line = lines.find(|line| line.get("span").is_some()).expect("a line");
        line["span"]["claim"].as_str().expect("a claim").to_owned()
    }

    /// The lead's `pk`, as the scan for its claim shows it.
    async fn find(&self, claim: &str) -> String {
        let found = done(&self.house.dynamodb, &self.find, &[("table", TABLE), ("claim", claim), ("lead", "")]).await;
        let found: Value = serde_json::from_str(&found).unwrap();
        let leads = found["Items"].as_array().unwrap().iter().filter(|item| item.get("lease_until").is_some());
        let pks: Vec<_> = leads.map(|item| item["pk"]["S"].as_str().unwrap().to_owned()).collect();
        assert_eq!((found["Count"].as_u64(), pks.len()), (Some(1), 1), "the lead, and nothing of its key");
        pks.into_iter().next().unwrap()
    }

    async fn both_are_refused(&self, claim: &str, pk: &str) {
        for block in [&self.settle, &self.reopen] {
            is_refused(&self.house.dynamodb, block, &[("table", TABLE), ("claim", claim), ("lead", pk)]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_lead_that_ai_rudder_has_is_settled_and_told_as_accepted() {
    let way_out = WayOut::open().await;
    let (house, lead) = (&way_out.house, Lead(4000));
    assert_eq!(way_out.post(lead).await.to_string(), "504 unknown upstream_timeout");
    let claim = way_out.claim();
    let pk = way_out.find(&claim).await;
    assert_eq!(pk, lead.pk());
    way_out.both_are_refused(&claim, &pk).await;
    lead.end_lease(&house.dynamodb);
    way_out.both_are_refused("11111111-1111-4111-8111-111111111111", &pk).await;

    let begun = now();
    done(&house.dynamodb, &way_out.settle, &[("table", TABLE), ("claim", &claim), ("lead", &pk)]).await;
    let told = way_out.post(lead).await;
    assert_eq!(told.to_string(), "200 accepted (again)");
    let envelope: Value = serde_json::from_str(&told.body).unwrap();
    let timestamp = envelope["timestamp"].as_u64().unwrap();
    assert!((begun..=now()).contains(&timestamp), "{timestamp}");
    assert_eq!(
        told.body,
        format!(
            r#"{{"code":200,"message":"success","show_err":false,"timestamp":{timestamp},"body":{{}},"trace_id":""}}"#
        )
    );
    way_out.both_are_refused(&claim, &pk).await;
    assert_eq!(lead.pushes(&house.rudder), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_lead_that_ai_rudder_does_not_have_is_reopened_and_pushed_afresh() {
    let way_out = WayOut::open().await;
    let (house, lead) = (&way_out.house, Lead(4000));
    // Its process died.
    let post = lead.post().header("idempotency-key", "infinity-7");
    let kill = async {
        house.rudder.arrived(1).await;
        house.lambda.kill().await
    };
    let (died, _) = tokio::join!(house.post(&post, 30_000), kill);
    assert_eq!(died, None);
    house.restart().await;
    assert_eq!(way_out.post(lead).await.to_string(), "409 pending in_progress");
    let claim = way_out.claim();
    let pk = way_out.find(&claim).await;
    way_out.both_are_refused(&claim, &pk).await;
    lead.end_lease(&house.dynamodb);
    assert_eq!(way_out.post(lead).await.to_string(), "504 unknown interrupted");
    assert_eq!(way_out.claim(), claim);
    way_out.both_are_refused("11111111-1111-4111-8111-111111111111", &pk).await;

    done(&house.dynamodb, &way_out.reopen, &[("table", TABLE), ("claim", &claim), ("lead", &pk)]).await;
    let key = house.dynamodb.items(TABLE);
    assert_eq!((key.len(), &key[0]["lead_pk"]["S"]), (1, &json!(pk)), "the key still stands for it");
    house.rudder.answering(|| Answering::After(std::time::Duration::ZERO));
    let fresh = way_out.post(lead).await;
    assert_eq!(fresh.to_string(), "200 accepted");
    assert_eq!(way_out.post(lead).await, fresh.again());
    assert_eq!(lead.pushes(&house.rudder), 2);
    // Accepted, by another claim.
    lead.end_lease(&house.dynamodb);
    way_out.both_are_refused(&claim, &pk).await;
    way_out.both_are_refused(&way_out.claim(), &pk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_that_readme_creates_is_the_one_that_the_relay_needs() {
    needs_the_aws_cli().await;
    let [create]: [String; 1] = blocks("## The ledger").try_into().expect("one block");
    let house = House::open(&[("CLAIMS_TABLE", "another")]).await;
    let lead = Lead(4000);
    assert_eq!(house.told(&lead.post()).await.to_string(), "503 not_sent temporarily_unavailable");

    done(&house.dynamodb, &create.replace(TABLE, "another"), &[]).await;

    assert_eq!(house.told(&lead.post()).await.to_string(), "200 accepted");
    let described = done(&house.dynamodb, "aws dynamodb describe-time-to-live --table-name another", &[]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&described).unwrap(),
        json!({"TimeToLiveDescription": {"AttributeName": "expires", "TimeToLiveStatus": "ENABLED"}})
    );
    let described = done(&house.dynamodb, "aws dynamodb describe-table --table-name another", &[]).await;
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["Table"]["BillingModeSummary"]["BillingMode"], json!("PAY_PER_REQUEST"));
    assert_eq!(described["Table"]["KeySchema"], json!([{"AttributeName": "pk", "KeyType": "HASH"}]));
    assert_eq!(house.dynamodb.items("another")[0]["pk"]["S"], json!(lead.pk()));
}
