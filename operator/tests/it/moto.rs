//! The command against moto: another implementation of Secrets Manager and DynamoDB, with CloudFormation and Lambda.
//!
//! The tests need `moto_server`. So they are ignored, and `.ci/run operator` runs them.

use std::process::Stdio;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::AttributeValue};
use aws_sdk_lambda::types::Environment;
use serde_json::{Value, json};
use support::{TOKEN, aws, now};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::operator::{CLAIM, Ran, command, run};

/// The parts of the relay's stack that the command reads: a table, and a function.
const STACK: &str = r#"{
  "Parameters": {
    "SecretPrefix": {"Type": "String", "Default": "loans"}, "KmsKeyArn": {"Type": "String", "Default": ""}},
  "Resources": {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
      "TableName": "the-claims", "BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": true,
      "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
      "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}},
    "Relay": {"Type": "AWS::Lambda::Function", "Properties": {
      "FunctionName": "the-relay", "Handler": "bootstrap", "Runtime": "provided.al2023",
      "Role": {"Fn::GetAtt": ["Role", "Arn"]},
      "Code": {"ZipFile": "-"}, "Environment": {"Variables": {"CLAIMS_TABLE": "the-claims", "SECRET_PREFIX": "loans"}}}}
  },
  "Outputs": {
    "ClaimsTableName": {"Value": {"Ref": "Table"}},
    "SecretPrefix": {"Value": {"Ref": "SecretPrefix"}},
    "FunctionName": {"Value": {"Ref": "Relay"}}
  }
}"#;

/// A moto with the stack `lendswift-relay`.
struct Moto {
    _process: Child,
    url: String,
    aws: SdkConfig,
}

impl Moto {
    async fn start() -> Self {
        let mut process =
            Command::new("moto_server").args(["-p", "0"]).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("moto starts");
            if let Some((_, url)) = line.split_once("Running on ") {
                break url.to_owned();
            }
        };
        // It blocks unless its output is read.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let aws = aws().to_builder().endpoint_url(&url).build();
        let stacks = aws_sdk_cloudformation::Client::new(&aws);
        let created = stacks.create_stack().stack_name("lendswift-relay").template_body(STACK).send().await;
        // The SDK repeats a request whose answer is late, and then moto has the stack already.
        let code = created.as_ref().err().and_then(ProvideErrorMetadata::code);
        assert!(matches!(code, None | Some("AlreadyExistsException")), "{created:?}");
        // moto's CloudFormation makes no aliases.
        let functions = aws_sdk_lambda::Client::new(&aws);
        let version = functions.publish_version().function_name("the-relay").send().await.unwrap().version.unwrap();
        functions
            .create_alias()
            .function_name("the-relay")
            .name("live")
            .function_version(version)
            .send()
            .await
            .unwrap();
        Self { _process: process, url, aws }
    }

    async fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = command(arguments);
        command.env("AWS_ENDPOINT_URL", &self.url);
        run(command, input).await
    }

    async fn json(&self, arguments: &[&str], input: &str) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat(), input).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.json()
    }

    /// Stores the item of an unknown lead.
    async fn store(&self, pk: &str, claim: &str) {
        self.put(&[("pk", pk), ("claim", claim), ("request_id", "a")], -500).await;
    }

    /// Stores an item with these texts, whose lease ends in this number of seconds.
    async fn put(&self, texts: &[(&str, &str)], lease: i64) {
        let number = |seconds: i64| AttributeValue::N(now().saturating_add_signed(seconds).to_string());
        let put = aws_sdk_dynamodb::Client::new(&self.aws).put_item().table_name("the-claims");
        let put =
            put.item("claimed_at", number(-600)).item("lease_until", number(lease)).item("expires", number(600_000));
        let texts = texts.iter().map(|(name, text)| (*name, AttributeValue::S((*text).to_owned())));
        texts.fold(put, |put, (name, text)| put.item(name, text)).send().await.unwrap();
    }

    /// The function as after a deployment with this ledger.
    async fn deploy(&self, table: &str) {
        let functions = aws_sdk_lambda::Client::new(&self.aws);
        let variables = Environment::builder().variables("CLAIMS_TABLE", table).variables("SECRET_PREFIX", "loans");
        let update = functions.update_function_configuration().function_name("the-relay");
        update.environment(variables.build()).send().await.unwrap();
        let version = functions.publish_version().function_name("the-relay").send().await.unwrap().version.unwrap();
        let alias = functions.update_alias().function_name("the-relay").name("live").function_version(version);
        alias.send().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs moto_server on the PATH"]
async fn an_account_is_onboarded_rotated_revoked_closed_and_checked() {
    let moto = Moto::start().await;
    let created = moto.json(&["account", "add", "acme"], TOKEN).await;
    assert_eq!(created["secret"], json!("loans/acme"));
    let first = created["digest"].as_str().unwrap();
    let added = moto.json(&["account", "rotate-key", "acme"], "").await;
    assert_eq!(added["keys"], json!(2));
    let removed = moto.json(&["account", "revoke-key", "acme", &first[..8], "--yes"], "").await;
    assert_eq!(removed["keys"], json!(1));
    moto.json(&["account", "set-token", "acme"], "another-token").await;
    let shown = moto.json(&["account", "show", "acme"], "").await;
    assert_eq!((&shown["state"], &shown["kind"]), (&json!("open"), &json!("live")));
    let digest = added["digest"].as_str().unwrap();
    assert_eq!(shown["api_keys"], json!([digest[..8]]));

    let secrets = aws_sdk_secretsmanager::Client::new(&moto.aws);
    let secret = secrets.get_secret_value().secret_id("loans/acme").version_stage("AWSCURRENT").send().await.unwrap();
    let content: Value = serde_json::from_str(secret.secret_string().unwrap()).unwrap();
    assert_eq!(content, json!({"lendswift_token": "another-token", "api_key_sha256": [digest]}));

    assert_eq!(moto.run(&["account", "add", "acme"], TOKEN).await.code, 1);
    assert_eq!(moto.json(&["account", "check", "acme"], "").await["result"], json!("ok"));
    assert_eq!(moto.json(&["account", "close", "acme", "--yes"], "").await["result"], json!("closed"));
    assert_eq!(moto.json(&["account", "close", "acme", "--yes"], "").await["result"], json!("already_closed"));
    assert_eq!(moto.run(&["account", "check", "acme"], "").await.code, 1);
    assert_eq!(moto.json(&["account", "list"], "").await["accounts"][0]["state"], json!("closed"));
    assert_eq!(moto.json(&["account", "restore", "acme"], "").await["result"], json!("restored"));
    assert_eq!(moto.json(&["account", "check", "acme"], "").await["result"], json!("ok"));
}

#[tokio::test]
#[ignore = "needs moto_server on the PATH"]
async fn a_policy_is_set_checked_and_refused_without_a_ledger() {
    let moto = Moto::start().await;
    moto.json(&["account", "add", "acme"], TOKEN).await;
    let set = ["account", "policy", "set", "acme"];
    let once = [&set[..], &["--once-per-phone-hours", "24"]].concat();
    let created = moto.json(&[&once[..], &["--calling-hours", "federal"]].concat(), "").await;
    assert_eq!((&created["result"], &created["hash_key"]), (&json!("set"), &json!("created")));
    let policy = json!({"calling_hours": "federal", "once_per_phone_hours": 24});
    assert_eq!(moto.json(&["account", "policy", "show", "acme"], "").await["policy"], policy);
    let checked = moto.json(&["account", "check", "acme"], "").await;
    assert_eq!((&checked["policy"], &checked["has_ledger"]), (&policy, &json!(true)));

    moto.deploy("off").await;
    for arguments in [&once[..], &["account", "check", "acme"]] {
        let ran = moto.run(arguments, "").await;
        assert_eq!((ran.code, ran.stderr.contains("CLAIMS_TABLE is off")), (1, true), "{ran:?}");
    }
    moto.json(&[&set[..], &["--once-per-phone-hours", "off", "--yes"]].concat(), "").await;
    assert_eq!(moto.json(&["account", "check", "acme"], "").await["result"], json!("ok"));
}

#[tokio::test]
#[ignore = "needs moto_server on the PATH"]
async fn a_phone_number_is_freed_with_its_lead() {
    let moto = Moto::start().await;
    let claims = ["a", "b", "c"].map(|digit| CLAIM.replace('a', digit));
    for (number, claim) in claims.iter().enumerate() {
        let pk = format!("acme#lead#{number}");
        let lease = if number == 2 { 1000 } else { -500 };
        moto.put(&[("pk", &pk), ("claim", claim), ("request_id", "a"), ("phone_pk", "acme#phone#1")], lease).await;
    }
    moto.put(&[("pk", "acme#phone#1"), ("lead_pk", "acme#lead#0"), ("lead_claim", &claims[0])], 0).await;
    for (claim, phone) in [(&claims[1], "of_another_lead"), (&claims[0], "freed")] {
        let reopened = moto.json(&["lead", "reopen", "--claim", claim, "--yes"], "").await;
        assert_eq!(reopened["phone_number"], json!(phone));
    }
    let ran = moto.run(&["lead", "reopen", "--claim", &claims[2], "--yes"], "").await;
    assert_eq!((ran.code, ran.stderr.contains("a sender may be at work")), (1, true), "{ran:?}");
    let items = aws_sdk_dynamodb::Client::new(&moto.aws).scan().table_name("the-claims").send().await.unwrap();
    assert_eq!(items.count, 1);
}

#[tokio::test]
#[ignore = "needs moto_server on the PATH"]
async fn leads_are_listed_settled_and_reopened() {
    let moto = Moto::start().await;
    let other = CLAIM.replace('a', "b");
    moto.store("acme#lead#1", CLAIM).await;
    moto.store("acme#lead#2", &other).await;
    let list = moto.json(&["unknown", "list"], "").await;
    assert_eq!(list["leads"].as_array().unwrap().len(), 2);
    let settled = moto.json(&["lead", "settle", "--claim", CLAIM], "").await;
    assert_eq!(settled["result"], json!("settled"));
    let shown = moto.json(&["lead", "show", "--claim", CLAIM], "").await;
    assert_eq!(shown["state"], json!("accepted"));
    let ran = moto.run(&["unknown", "reopen", "-", "--yes", "--json"], &list.to_string()).await;
    let report = ran.json();
    assert_eq!((ran.code, &report["reopened"], &report["refused"][0]["reason"]), (1, &json!(1), &json!("accepted")));
    assert_eq!(moto.json(&["unknown", "list"], "").await["leads"], json!([]));
}

#[tokio::test]
#[ignore = "needs moto_server on the PATH"]
async fn a_stack_is_checked_and_a_missing_one_is_named() {
    let moto = Moto::start().await;
    let tables = aws_sdk_dynamodb::Client::new(&moto.aws);
    let specification = aws_sdk_dynamodb::types::TimeToLiveSpecification::builder();
    let specification = specification.enabled(true).attribute_name("expires").build().unwrap();
    tables
        .update_time_to_live()
        .table_name("the-claims")
        .time_to_live_specification(specification)
        .send()
        .await
        .unwrap();
    moto.json(&["account", "add", "acme"], TOKEN).await;
    let checks = moto.json(&["check"], "").await;
    let results: Vec<_> =
        checks["checks"].as_array().unwrap().iter().map(|check| json!([check["check"], check["result"]])).collect();
    let names = [
        "credentials",
        "region",
        "table",
        "table's key",
        "table's protection",
        "table's time to live",
        "secrets",
        "account acme",
        "function's variables",
    ];
    assert_eq!(results, names.map(|name| json!([name, "ok"])), "{checks}");

    let ran = moto.run(&["check", "--stack", "nothing"], "").await;
    assert_eq!((ran.code, ran.stderr.contains("no stack nothing")), (1, true), "{ran:?}");
    let ran = moto.run(&["unknown", "list", "--table", "nothing"], "").await;
    assert_eq!((ran.code, ran.stderr.contains("no table nothing")), (1, true), "{ran:?}");
}
