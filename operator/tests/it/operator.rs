//! An operator with a terminal, and what AWS is to them.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use serde_json::{Value, json};
use support::{Answering, Lead, ObservedResponse, TABLE, TestApp, now, post};
use tokio::{io::AsyncWriteExt, process::Command};

pub const CLAIM: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// The relay, and the command for the same AWS: the account `acme`, the sandbox `acme-sandbox`, and an empty table.
pub struct Operator {
    pub app: TestApp,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Operator {
    pub async fn start() -> Self {
        Self { app: TestApp::with_ledger().await }
    }

    /// Posts a lead whose connection breaks, so that its outcome is unknown, and ends its lease. Returns its claim.
    pub async fn unknown_lead(&self, lead: Lead) -> String {
        self.app.rudder.answering(|| Answering::Reset);
        let response = self.app.post(&lead.post().idempotency_key(&format!("crm-{}", lead.0))).await;
        assert_eq!(response, "504 unknown upstream_broke");
        self.app.rudder.answering(|| Answering::After(Duration::ZERO));
        lead.end_lease(&self.app.dynamodb);
        response.header("lead-id").to_owned()
    }

    /// A command with the variables that lead it to the fakes, and no others.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.app.secrets.url())
            .env("AWS_ENDPOINT_URL_DYNAMODB", self.app.dynamodb.url())
            .env("CLAIMS_TABLE", TABLE)
            .env("SECRET_PREFIX", "lendswift");
        command
    }

    /// Runs a command with this standard input.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        run(self.command(arguments), input).await
    }

    /// Runs a command.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "").await
    }

    /// The document of a command that succeeds.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        self.json_with(arguments, "").await
    }

    /// The document of a command that succeeds with this standard input.
    pub async fn json_with(&self, arguments: &[&str], input: &str) -> Value {
        let ran = self.run_with(&[arguments, &["--json"]].concat(), input).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.json()
    }

    /// A relay that has read no secret yet.
    fn relay(&self) -> Relay {
        self.app.fakes.relay(&[("CLAIMS_TABLE", TABLE)])
    }

    /// Posts a lead to an account with an API key.
    pub async fn post(&self, account: &str, key: &str, lead: Lead) -> ObservedResponse {
        post(&self.relay(), &lead.post().account(account).key(key), Context::default()).await
    }

    /// A secret's content.
    pub async fn secret(&self, account: &str) -> Value {
        let secret = self.get_secret(account).await;
        serde_json::from_str(secret.secret_string().unwrap()).unwrap()
    }

    /// The id of a secret's current version.
    pub async fn version(&self, account: &str) -> String {
        self.get_secret(account).await.version_id.unwrap()
    }

    async fn get_secret(&self, account: &str) -> GetSecretValueOutput {
        let client = aws_sdk_secretsmanager::Client::new(
            &support::aws().to_builder().endpoint_url(self.app.secrets.url()).build(),
        );
        client.get_secret_value().secret_id(format!("lendswift/{account}")).send().await.unwrap()
    }

    /// Stores the item of a lead that was claimed ten minutes ago, with these attributes in place of its own; `null`
    /// removes one.
    pub fn store(&self, lead: Lead, claim: &str, attributes: &Value) {
        let time = |seconds: i64| json!({ "N": now().saturating_add_signed(seconds).to_string() });
        let mut item = json!({
            "pk": { "S": lead.pk() }, "claim": { "S": claim }, "request_id": { "S": format!("request-{}", lead.0) },
            "claimed_at": time(-600), "lease_until": time(-566), "expires": time(604_800),
        });
        for (name, value) in attributes.as_object().unwrap() {
            item[name] = value.clone();
        }
        item.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.app.dynamodb.put(TABLE, item);
    }
}

/// Neither output of a command has one of these secrets.
#[track_caller]
pub fn assert_secret(ran: &Ran, secrets: &[&str]) {
    for secret in secrets {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
    }
}

impl Ran {
    /// The document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("not one JSON document: {self:?}"))
    }
}

/// What a lead's item has once its outcome is unknown.
pub fn unknown() -> Value {
    json!({
        "outcome": { "S": "unknown" }, "http_status": { "N": "504" }, "body": { "S": "{}" },
        "settled_at": { "N": "1" }, "lead_error": { "S": "upstream_timeout" },
    })
}

/// What a lead's item has once AI Rudder accepted it.
pub fn accepted() -> Value {
    json!({ "outcome": { "S": "accepted" }, "http_status": { "N": "200" }, "body": { "S": "{}" } })
}

/// The command with credentials and a region, and nothing else of the environment.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lendswift"));
    command
        .args(arguments)
        .env_clear()
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn run(mut command: Command, input: &str) -> Ran {
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().unwrap();
    // A command that reads nothing closes the pipe, and one with another stdout returns no text.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().await.expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().expect("an exit code"), stdout: text(stdout), stderr: text(stderr) }
}
