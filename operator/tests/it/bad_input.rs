//! Bad input and missing rights: an error that names the fix, an exit code, and nothing half written.

use std::{fs, process::Stdio};

use serde_json::json;
use support::{ACCOUNT, DynamoBehaviour, Lead, Request, SecretsBehaviour, TABLE};

use crate::operator::{CLAIM, Operator, Ran, command, run, unknown};

/// The code, and that the texts name this.
#[track_caller]
fn assert_failed(ran: &Ran, code: i32, named: &[&str]) {
    assert_eq!(ran.code, code, "{ran:?}");
    for text in named {
        assert!(ran.stderr.contains(text), "{text}: {ran:?}");
    }
    assert_eq!(ran.stdout, "");
}

#[tokio::test]
async fn a_wrong_account_name_is_refused_before_aws_is_asked() {
    let operator = Operator::start().await;
    for name in ["Acme", "16501231234", "-a", "a_b"] {
        let ran = operator.run(&["account", "add", "--sandbox", "--", name]).await;
        assert_failed(&ran, 2, &["at least one letter"]);
    }
    assert_failed(&operator.run(&["account", "show", "nobody"]).await, 1, &["no account nobody", "account list"]);
}

#[tokio::test]
async fn without_credentials_the_operator_is_asked_to_sign_in() {
    let mut command = command(&["check"]);
    command.env_remove("AWS_ACCESS_KEY_ID");
    assert_failed(&run(command, "").await, 3, &["no AWS credentials", "aws sso login"]);
}

#[tokio::test]
async fn an_unknown_profile_is_named() {
    let ran = run(command(&["check", "--profile", "nobody"]), "").await;
    assert_failed(&ran, 3, &["nobody", "--profile"]);
}

#[tokio::test]
async fn without_a_region_the_options_are_named() {
    let mut command = command(&["check"]);
    command.env_remove("AWS_REGION");
    assert_failed(&run(command, "").await, 3, &["no AWS region", "--region"]);
}

#[tokio::test]
async fn a_table_that_does_not_exist_is_named() {
    let operator = Operator::start().await;
    for arguments in [
        &["unknown", "list", "--table", "nothing"][..],
        &["lead", "show", "--account", ACCOUNT, "--idempotency-key", "a", "--table", "nothing"],
    ] {
        assert_failed(&operator.run(arguments).await, 1, &["no table nothing", "--table"]);
    }
    assert_failed(&operator.run(&["unknown", "list", "--table", "off"]).await, 2, &["no ledger"]);
}

#[tokio::test]
async fn a_denied_right_is_named() {
    let operator = Operator::start().await;
    operator.store(Lead(1), CLAIM, &unknown());
    let before = operator.app.dynamodb.items(TABLE);
    for denied in ["Scan", "GetItem", "UpdateItem"] {
        operator.app.dynamodb.next(denied, DynamoBehaviour::Denied);
        let ran = operator.run(&["lead", "settle", "--claim", CLAIM]).await;
        assert_failed(&ran, 3, &[&format!("dynamodb:{denied}"), TABLE]);
    }
    assert_eq!(operator.app.dynamodb.items(TABLE), before);
    operator.app.secrets.behave(SecretsBehaviour::Denied);
    let ran = operator.run(&["account", "rotate-key", ACCOUNT]).await;
    assert_failed(&ran, 3, &["secretsmanager:GetSecretValue", "lendswift/acme"]);
}

#[tokio::test]
async fn a_stack_on_the_command_line_wins_over_variables() {
    let operator = Operator::start().await;
    for arguments in [&["--stack", "other", "unknown", "list"][..], &["account", "list", "--stack", "other"]] {
        let mut command = operator.command(arguments);
        // No server listens there.
        command.env("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:9");
        assert_failed(&run(command, "").await, 3, &["cloudformation:DescribeStacks on the stack other"]);
    }
    let table = ["--stack", "other", "unknown", "list", "--table", TABLE];
    assert_eq!(operator.run(&table).await.code, 0, "an option wins over a stack");
}

#[tokio::test]
async fn an_aws_out_of_reach_is_a_failure_of_aws() {
    let operator = Operator::start().await;
    let mut command = operator.command(&["unknown", "list"]);
    // No server listens there.
    command.env("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9");
    assert_failed(&run(command, "").await, 3, &["dynamodb:Scan", "AWS_ENDPOINT_URL"]);
}

#[tokio::test]
async fn a_leads_faults_are_those_that_the_relay_returns() {
    let operator = Operator::start().await;
    let body = r#"{"caller_id": "650-123", "loan_amount": "4k", "details": {"had_late_payment": "perhaps"}}"#;
    let arguments = ["lead", "show", "--account", ACCOUNT, "--file", "-", "--json"];
    let ran = operator.run_with(&arguments, body).await;
    assert_eq!(ran.code, 2);
    let response = operator.app.post(&Request::post(body)).await;
    assert_eq!(ran.json()["fields"], response.json()["body"]["fields"]);
    for value in ["650-123", "4k", "perhaps"] {
        assert!(!ran.stdout.contains(&format!("\"{value}\"")) && !ran.stderr.contains(value), "{ran:?}");
    }
    for (body, fault) in [("", "is empty"), ("{", "is not JSON"), ("[]", "is not a JSON object")] {
        let ran = operator.run_with(&arguments[..6], body).await;
        assert_failed(&ran, 2, &[fault]);
    }
    assert_eq!(operator.app.dynamodb.calls(), Vec::<String>::new());
    let missing = operator.run(&["lead", "show", "--account", ACCOUNT, "--file", "/nowhere/lead.json"]).await;
    assert_failed(&missing, 2, &["/nowhere/lead.json"]);
}

#[tokio::test]
async fn a_list_that_is_none_is_refused_without_quoting_it() {
    let operator = Operator::start().await;
    let claim = format!("[{{\"lead\": \"\", \"claim\": \"{CLAIM}\"}}]");
    let invalid = "[{\"lead\": \"acme#lead#1\", \"claim\": \"16501231234\"}]";
    for list in ["16501231234\n", "{\"leads\": 16501231234}", "[\"16501231234\"]", "", "# none\n", &claim, invalid] {
        let ran = operator.run_with(&["unknown", "settle", "-", "--yes"], list).await;
        assert_failed(&ran, 2, &["unknown list --json"]);
        assert!(!ran.stderr.contains("16501231234"), "{ran:?}");
    }
    assert_eq!(operator.app.dynamodb.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_failure_is_a_json_document_too() {
    let operator = Operator::start().await;
    let ran = operator.run(&["account", "show", "nobody", "--json"]).await;
    let document = ran.json();
    assert_eq!((ran.code, &document["error"]), (1, &json!("there is no account nobody")));
    assert!(document["fix"].as_str().is_some_and(|fix| !fix.is_empty()));
}

#[tokio::test]
async fn a_reader_that_goes_away_does_no_harm() {
    let operator = Operator::start().await;
    operator.store(Lead(1), CLAIM, &unknown());
    let mut child = operator.command(&["unknown", "list"]).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn the_profile_of_a_file_is_used() {
    let operator = Operator::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    fs::write(&file, "[profile staging]\nregion = eu-west-1\naws_access_key_id = a\naws_secret_access_key = b\n")
        .unwrap();
    let mut command = operator.command(&["check", "--profile", "staging", "--json"]);
    command.env("AWS_CONFIG_FILE", &file);
    for variable in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(variable);
    }
    let checks = run(command, "").await.json()["checks"].clone();
    assert_eq!(checks[1], json!({"check": "region", "result": "ok", "detail": "eu-west-1"}));
}
