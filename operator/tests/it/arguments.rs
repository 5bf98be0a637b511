//! Arguments that are not valid. A token among them is not repeated: logs and screens would show it.

use serde_json::json;
use support::{ACCOUNT, TABLE};

use crate::operator::{CLAIM, Operator, assert_secret, command, run};

/// A token and a `hash_key`, neither of which can be an account's name.
const SECRETS: [&str; 2] =
    ["1JqFE7K6ucf94hAvqu+7Jg", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"];

/// The commands for accounts.
const COMMANDS: [&str; 11] = [
    "add",
    "list",
    "show",
    "rotate-key",
    "revoke-key",
    "set-token",
    "close",
    "restore",
    "check",
    "policy show",
    "policy set",
];

/// The command lines of an account's command with this secret in every position.
fn command_lines(name: &str, secret: &str) -> Vec<Vec<String>> {
    let name: Vec<&str> = name.split(' ').collect();
    let words = [&name[..], &[ACCOUNT, "1a2b3c4d"]].concat();
    let options = ["--sandbox", "--dry-run", "--yes", "--token", "--calling-hours", "--once-per-phone-hours"];
    let assigned = options.map(|option| format!("{option}={secret}"));
    let mut lines: Vec<Vec<&str>> =
        (0..=words.len()).map(|position| [&words[..position], &[secret], &words[position..]].concat()).collect();
    lines.extend(assigned.iter().map(|option| [&name[..], &[ACCOUNT, option]].concat()));
    for rest in [
        &[secret][..],
        &["--kms-key-id", ACCOUNT, secret],
        &[ACCOUNT, "--recovery-days", secret],
        &[ACCOUNT, "--calling-hours", secret],
        &[ACCOUNT, "--calling-hours", "federal", secret],
        &[ACCOUNT, "--once-per-phone-hours", secret],
        &[ACCOUNT, "--new-hash-key", secret],
    ] {
        lines.push([&name[..], rest].concat());
    }
    lines.into_iter().map(|line| line.into_iter().map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn no_position_of_an_accounts_command_repeats_a_token_or_a_hash_key() {
    let operator = Operator::start().await;
    for (name, secret) in COMMANDS.iter().flat_map(|name| SECRETS.map(|secret| (name, secret))) {
        for line in command_lines(name, secret) {
            for json in [&[][..], &["--json"]] {
                let line: Vec<&str> = line.iter().map(String::as_str).collect();
                let arguments = [&["account"], &line[..], json].concat();
                let ran = operator.run(&arguments).await;
                assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
                assert_secret(&ran, &[secret]);
                if !json.is_empty() {
                    assert!(ran.json()["error"].as_str().is_some_and(|error| !error.is_empty()), "{ran:?}");
                }
            }
        }
    }
    assert_eq!(operator.app.secrets.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_whole_key_in_place_of_a_digest_is_not_repeated() {
    let operator = Operator::start().await;
    let ran = operator.run(&["account", "revoke-key", ACCOUNT, SECRETS[1], "--yes"]).await;
    assert_eq!((ran.code, ran.stderr.contains(&SECRETS[1][..8])), (1, true), "{ran:?}");
    assert_secret(&ran, &[SECRETS[1]]);
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
