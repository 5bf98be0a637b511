//! Arguments that are not valid. A token among them is not repeated: logs and screens would show it.

use serde_json::json;
use support::{ACCOUNT, TABLE};

use crate::operator::{CLAIM, Operator, command, run};

/// A token that cannot be an account's name.
const TOKEN: &str = "1JqFE7K6ucf94hAvqu+7Jg";

#[tokio::test]
async fn no_position_of_an_accounts_command_repeats_a_token() {
    let operator = Operator::start().await;
    let assigned = ["--sandbox", "--dry-run", "--yes", "--token"].map(|option| format!("{option}={TOKEN}"));
    for name in ["add", "list", "show", "rotate-key", "revoke-key", "set-token", "close", "restore", "check"] {
        let words = [name, ACCOUNT, "1a2b3c4d"];
        let mut commands: Vec<Vec<&str>> = (0..=words.len())
            .map(|position| [&["account"], &words[..position], &[TOKEN], &words[position..]].concat())
            .collect();
        commands.extend(assigned.iter().map(|option| vec!["account", name, ACCOUNT, option]));
        commands.push(vec!["account", name, TOKEN]);
        commands.push(vec!["account", name, "--kms-key-id", ACCOUNT, TOKEN]);
        commands.push(vec!["account", name, ACCOUNT, "--recovery-days", TOKEN]);
        for arguments in commands {
            for json in [&[][..], &["--json"]] {
                let arguments = [&arguments[..], json].concat();
                let ran = operator.run(&arguments).await;
                assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
                assert!(!ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN), "{arguments:?}: {ran:?}");
                if !json.is_empty() {
                    assert!(ran.json()["error"].as_str().is_some_and(|error| !error.is_empty()), "{ran:?}");
                }
            }
        }
    }
    assert_eq!(operator.app.secrets.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn an_invalid_command_line_is_a_json_document_too() {
    for arguments in
        [&["lead", "show", "--claim", "x", "--json"][..], &["--json", "nothing"], &["lead", "show", "--json"]]
    {
        let ran = run(command(arguments), "").await;
        assert_eq!((ran.code, &ran.json()["fields"]), (2, &json!(null)), "{ran:?}");
        assert!(ran.json()["error"].as_str().is_some_and(|error| ran.stderr.contains(error)), "{ran:?}");
    }
    let help = run(command(&["lead", "--help", "--json"]), "").await;
    assert_eq!((help.code, help.stdout.starts_with('{')), (0, false));
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() {
    for selector in [["--claim", "x"], ["--claim", ""], ["--request-id", ""]] {
        let ran = run(command(&[&["lead", "reopen", "--yes"], &selector[..]].concat()), "").await;
        assert_eq!(ran.code, 2, "{ran:?}");
    }
}

#[tokio::test]
async fn a_claim_may_be_in_upper_case_or_braces() {
    let operator = Operator::start().await;
    operator.store(support::Lead(1), CLAIM, &crate::operator::unknown());
    for claim in [CLAIM.to_uppercase(), format!("{{{CLAIM}}}"), CLAIM.replace('-', "")] {
        let shown = operator.json(&["lead", "show", "--claim", &claim]).await;
        assert_eq!(shown["claim"], json!(CLAIM));
        let list = format!("[{{\"claim\": \"{claim}\"}}]");
        let reopened = operator.json_with(&["unknown", "reopen", "-", "--dry-run"], &list).await;
        assert_eq!(reopened["would_be_reopened"], json!(1));
    }
}

#[tokio::test]
async fn an_endpoint_without_tls_must_be_this_machine() {
    for (variable, url) in [
        ("AWS_ENDPOINT_URL", "http://192.0.2.1:8000"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets.example"),
        ("AWS_ENDPOINT_URL_LAMBDA", "ftp://127.0.0.1"),
    ] {
        let mut command = command(&["unknown", "list", "--table", TABLE]);
        command.env(variable, url);
        let ran = run(command, "").await;
        assert_eq!((ran.code, ran.stderr.contains(variable)), (2, true), "{ran:?}");
    }
}
