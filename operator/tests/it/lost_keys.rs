//! A new API key is printed once. So a key that cannot be printed, or of which AWS's answer is lost, must not be lost.

use std::{
    fs::{File, OpenOptions},
    process::Stdio,
    time::Duration,
};

use serde_json::json;
use support::{
    ACCOUNT, KEY, SecretsBehaviour, TOKEN,
    fakes::WriteBehaviour::{self, DoneAndFails, Fails, Slow},
};
use tokio::{io::AsyncReadExt, process::Command};

use crate::operator::{Operator, Ran, run};

const ADD: &[&str] = &["account", "add", "newco"];
const ROTATE: &[&str] = &["account", "rotate-key", ACCOUNT];

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// Runs a command with this stdout.
async fn run_to(mut command: Command, stdout: impl Into<Stdio>) -> Ran {
    command.stdout(stdout);
    run(command, TOKEN).await
}

impl Operator {
    /// The beginnings of the digests of an account's API keys; `null` if there is no such account.
    async fn keys(&self, account: &str) -> serde_json::Value {
        let ran = self.run(&["account", "show", account, "--json"]).await;
        ran.json()["api_keys"].clone()
    }
}

#[tokio::test]
async fn no_key_is_stored_if_stdout_cannot_take_it() {
    let operator = Operator::start().await;
    let before = operator.keys(ACCOUNT).await;
    for arguments in [ADD, ROTATE, &[ROTATE, &["--json"]].concat()] {
        let null = OpenOptions::new().write(true).open("/dev/null").unwrap();
        for stdout in [full(), null] {
            let ran = run_to(operator.command(arguments), stdout).await;
            assert_eq!((ran.code, ran.stderr.contains("Nothing was changed")), (4, true), "{ran:?}");
        }
        let mut child = operator.command(arguments).spawn().unwrap();
        drop(child.stdout.take());
        tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), TOKEN.as_bytes()).await.unwrap();
        assert_eq!(child.wait().await.unwrap().code(), Some(4));
    }
    assert_eq!(operator.keys("newco").await, json!(null));
    assert_eq!(operator.keys(ACCOUNT).await, before);
}

#[tokio::test]
async fn a_closed_stdout_is_noticed() {
    let operator = Operator::start().await;
    let program = operator.command(&[]).as_std().get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$0\" account rotate-key acme >&-"]).arg(program).stdin(Stdio::piped()).stderr(Stdio::piped());
    let variables = operator
        .command(&[])
        .as_std()
        .get_envs()
        .map(|(n, v)| (n.to_owned(), v.unwrap().to_owned()))
        .collect::<Vec<_>>();
    shell.env_clear().env("PATH", "/usr/bin:/bin").envs(variables);
    let before = operator.keys(ACCOUNT).await;
    let ran = run(shell, "").await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(operator.keys(ACCOUNT).await, before);
}

#[tokio::test]
async fn a_key_that_could_not_be_printed_is_named_by_its_digest() {
    let operator = Operator::start().await;
    for (arguments, operation, account) in
        [(ADD, "CreateSecret", "newco"), (ROTATE, "UpdateSecretVersionStage", ACCOUNT)]
    {
        operator.app.secrets.behave_in(operation, Slow(Duration::from_secs(1)));
        let mut child = operator.command(arguments).spawn().unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), TOKEN.as_bytes()).await.unwrap();
        // The empty line shows that stdout can be written to. Then the reader goes.
        let mut stdout = child.stdout.take().unwrap();
        assert_eq!(stdout.read_u8().await.unwrap(), b'\n');
        drop(stdout);
        let output = child.wait_with_output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        let keys = operator.keys(account).await;
        let key = keys.as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
        assert!(stderr.contains(&format!("revoke-key {account} {key}")), "{stderr}");
    }
}

#[tokio::test]
async fn a_result_that_cannot_be_written_is_a_failure() {
    let operator = Operator::start().await;
    let before = run_to(operator.command(&["unknown", "list", "--json"]), full()).await;
    assert_eq!(before.code, 4, "{before:?}");
    let completions = run_to(operator.command(&["completions", "bash"]), full()).await;
    assert_eq!((completions.code, completions.stderr.contains("panicked")), (4, false), "{completions:?}");
    let mut child = operator.command(&["completions", "bash"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

/// Runs a command while this operation of AWS behaves in this way.
async fn run_while(operator: &Operator, arguments: &[&str], operation: &str, behaviour: WriteBehaviour) -> Ran {
    operator.app.secrets.behave_in(operation, behaviour);
    let ran = operator.run_with(&[arguments, &["--json"]].concat(), TOKEN).await;
    operator.app.secrets.behave_in(operation, WriteBehaviour::Normal);
    ran
}

#[tokio::test]
async fn a_key_whose_write_was_not_answered_is_shown_if_it_was_made() {
    let operator = Operator::start().await;
    for (arguments, operation) in [(ADD, "CreateSecret"), (ROTATE, "UpdateSecretVersionStage")] {
        let failed = run_while(&operator, arguments, operation, Fails).await;
        assert_eq!((failed.code, failed.json().get("api_key")), (3, None), "{failed:?}");
        let ran = run_while(&operator, arguments, operation, DoneAndFails).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let account = arguments[2];
        let digest = ran.json()["digest"].as_str().unwrap()[..8].to_owned();
        assert!(operator.keys(account).await.as_array().unwrap().contains(&json!(digest)));
    }
    let put = run_while(&operator, ROTATE, "PutSecretValue", DoneAndFails).await;
    assert_eq!(put.code, 3, "{put:?}");
    assert_eq!(operator.keys(ACCOUNT).await.as_array().unwrap().len(), 2, "that of the put is not among them");
    assert_eq!(operator.run(ROTATE).await.code, 0);
}

#[tokio::test]
async fn a_key_whose_write_stays_unclear_is_named_by_its_digest() {
    let operator = Operator::start().await;
    operator.app.secrets.behave_for("lendswift/newco", SecretsBehaviour::Denied);
    let created = run_while(&operator, ADD, "CreateSecret", DoneAndFails).await;
    operator.app.secrets.behave_for("lendswift/newco", SecretsBehaviour::Normal);
    operator.app.secrets.behave_in("DescribeSecret", Fails);
    let rotated = run_while(&operator, ROTATE, "UpdateSecretVersionStage", DoneAndFails).await;
    operator.app.secrets.behave_in("DescribeSecret", WriteBehaviour::Normal);
    for (ran, account) in [(created, "newco"), (rotated, ACCOUNT)] {
        assert_eq!((ran.code, ran.json().get("api_key")), (3, None), "{ran:?}");
        let keys = operator.keys(account).await;
        let key = keys.as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
        assert!(ran.stderr.contains("may have been") && ran.stderr.contains(&key), "{key}: {ran:?}");
    }
}

#[tokio::test]
async fn a_version_that_another_one_replaced_is_not_reported_as_unchanged() {
    let operator = Operator::start().await;
    // The label is moved, and the answer is late. Meanwhile another operator stores a version with the console.
    operator
        .app
        .secrets
        .behave_in("UpdateSecretVersionStage", WriteBehaviour::DoneAndFailsAfter(Duration::from_secs(1)));
    let command = operator.command(ROTATE);
    let run = tokio::spawn(run(command, ""));
    loop {
        let keys = operator.keys(ACCOUNT).await;
        if keys.as_array().unwrap().len() == 2 {
            break;
        }
    }
    operator.app.secrets.put(format!("lendswift/{ACCOUNT}"), support::secret(TOKEN, &[KEY]));
    let ran = run.await.unwrap();
    assert_eq!((ran.code, ran.stderr.contains("may have been changed")), (1, true), "{ran:?}");
    assert!(!ran.stderr.contains("Nothing was changed"), "{ran:?}");
}

#[tokio::test]
async fn after_a_conflict_the_unused_version_has_no_label() {
    let operator = Operator::start().await;
    operator.app.secrets.behave_in("PutSecretValue", Slow(Duration::from_secs(1)));
    let client = aws_sdk_secretsmanager::Client::new(
        &support::aws().to_builder().endpoint_url(operator.app.secrets.url()).build(),
    );
    let name = format!("lendswift/{ACCOUNT}");
    let labels = async || {
        let described = client.describe_secret().secret_id(&name).send().await.unwrap();
        described.version_ids_to_stages.unwrap().into_values().flatten().collect::<Vec<_>>()
    };
    let run = tokio::spawn(run(operator.command(ROTATE), ""));
    while !labels().await.contains(&"lendswift-pending".to_owned()) {
        tokio::task::yield_now().await;
    }
    operator.app.secrets.put(&name, support::secret(TOKEN, &["another"]));
    let ran = run.await.unwrap();
    assert_eq!((ran.code, ran.stderr.contains("Nothing was changed")), (1, true), "{ran:?}");
    assert!(!labels().await.contains(&"lendswift-pending".to_owned()));
}
