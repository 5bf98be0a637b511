//! `lendswift account …`, with a relay that reads what the command writes.

use serde_json::json;
use sha2::{Digest, Sha256};
use support::{ACCOUNT, KEY, Lead, SecretsBehaviour, TOKEN};

use crate::operator::{Operator, assert_secret};

/// Another token that AI Rudder's fake does not know.
const OTHER_TOKEN: &str = "2KrGF8L7vdg95iBwrv_8Kh";

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

#[tokio::test]
async fn a_new_account_can_post_at_once() {
    let operator = Operator::start().await;
    let ran = operator.run_with(&["account", "add", "newco", "--json"], &format!("{TOKEN}\n")).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_secret(&ran, &[TOKEN]);
    let created = ran.json();
    let key = created["api_key"].as_str().unwrap();
    assert_eq!((key.len(), created["digest"].as_str()), (64, Some(&*digest(key))));
    assert_eq!(operator.secret("newco").await, json!({"lendswift_token": TOKEN, "api_key_sha256": [digest(key)]}));
    assert_eq!(operator.post("newco", key, Lead(1)).await, "200 accepted");

    let shown = operator.run(&["account", "show", "newco"]).await;
    assert_secret(&shown, &[TOKEN, key, &digest(key)]);
    assert!(shown.stdout.contains(&digest(key)[..8]), "{shown:?}");
    let again = operator.run(&["account", "rotate-key", "newco", "--json"]).await.json();
    assert_ne!(again["api_key"], created["api_key"]);
}

#[tokio::test]
async fn a_new_sandbox_needs_no_token() {
    let operator = Operator::start().await;
    let created = operator.json(&["account", "add", "newco-sandbox", "--sandbox"]).await;
    let key = created["api_key"].as_str().unwrap();
    assert_eq!(operator.secret("newco-sandbox").await, json!({"sandbox": true, "api_key_sha256": [digest(key)]}));
    assert_eq!(operator.post("newco-sandbox", key, Lead(9001)).await, "422 refused");
    let ran = operator.run_with(&["account", "set-token", "newco-sandbox"], TOKEN).await;
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[tokio::test]
async fn a_key_is_rotated_without_a_gap_and_other_members_are_kept() {
    let operator = Operator::start().await;
    // One that is always open, whenever the test runs.
    let policy = json!({"calling_hours": {"mon-sun": "00:00-24:00"}});
    let secret = json!({"lendswift_token": TOKEN, "api_key_sha256": digest(KEY), "policy": policy, "note": "00"});
    operator.app.secrets.put(format!("lendswift/{ACCOUNT}"), secret.to_string());

    let added = operator.json(&["account", "rotate-key", ACCOUNT]).await;
    let key = added["api_key"].as_str().unwrap();
    for (number, key) in [(1, KEY), (2, key)] {
        assert_eq!(operator.post(ACCOUNT, key, Lead(number)).await, "200 accepted");
    }
    let old = digest(KEY);
    let removed = operator.json(&["account", "revoke-key", ACCOUNT, &old[..8], "--yes"]).await;
    assert_eq!((&removed["digest"], &removed["keys"]), (&json!(old[..8]), &json!(1)));
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(3)).await, "401 not_sent unauthorized");
    assert_eq!(operator.post(ACCOUNT, key, Lead(3)).await, "200 accepted");
    assert_eq!(
        operator.secret(ACCOUNT).await,
        json!({"lendswift_token": TOKEN, "api_key_sha256": [digest(key)], "policy": policy, "note": "00"})
    );
    for prefix in [&old[..8], &digest(key)[..8]] {
        let ran = operator.run(&["account", "revoke-key", ACCOUNT, prefix, "--yes"]).await;
        assert_eq!(ran.code, 1, "unknown, and the last one: {ran:?}");
    }
}

#[tokio::test]
async fn a_token_is_replaced_and_no_output_has_it() {
    let operator = Operator::start().await;
    operator.app.rudder.replace_tokens([OTHER_TOKEN]);
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(1)).await, "500 not_sent token_refused");
    let ran = operator.run_with(&["account", "set-token", ACCOUNT], OTHER_TOKEN).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_secret(&ran, &[OTHER_TOKEN, TOKEN, KEY]);
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(1)).await, "200 accepted");

    let before = operator.secret(ACCOUNT).await;
    for token in ["", "a b", "..", "a\u{7}b"] {
        let ran = operator.run_with(&["account", "set-token", ACCOUNT], token).await;
        assert_eq!((ran.code, ran.stderr.contains("lendswift_token")), (2, true), "{ran:?}");
    }
    let argument = operator.run(&["account", "set-token", ACCOUNT, OTHER_TOKEN]).await;
    assert_eq!(argument.code, 2);
    assert_secret(&argument, &[OTHER_TOKEN]);
    assert_eq!(operator.secret(ACCOUNT).await, before);
}

#[tokio::test]
async fn a_closed_account_is_unknown_to_the_relay_until_it_is_restored() {
    let operator = Operator::start().await;
    let ran = operator.run(&["account", "close", ACCOUNT]).await;
    assert_eq!((ran.code, ran.stderr.contains("--yes")), (2, true), "{ran:?}");
    for result in ["closed", "already_closed"] {
        assert_eq!(operator.json(&["account", "close", ACCOUNT, "--yes"]).await["result"], json!(result));
    }
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(1)).await, "401 not_sent unauthorized");
    let list = operator.json(&["account", "list"]).await;
    let states: Vec<_> = list["accounts"].as_array().unwrap().iter().map(|a| [&a["account"], &a["state"]]).collect();
    assert_eq!(json!(states), json!([["acme", "closed"], ["acme-sandbox", "open"]]));
    for refused in [&["rotate-key", ACCOUNT][..], &["add", ACCOUNT, "--sandbox"], &["check", ACCOUNT]] {
        assert_eq!(operator.run(&[&["account"], refused].concat()).await.code, 1, "{refused:?}");
    }
    let would = operator.json(&["account", "restore", ACCOUNT, "--dry-run"]).await;
    assert_eq!(would["result"], json!("would_be_restored"));
    assert_eq!(operator.json(&["account", "show", ACCOUNT]).await["state"], json!("closed"));
    for result in ["restored", "already_open"] {
        assert_eq!(operator.json(&["account", "restore", ACCOUNT]).await["result"], json!(result));
    }
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(1)).await, "200 accepted");
}

#[tokio::test]
async fn an_existing_account_is_not_overwritten() {
    let operator = Operator::start().await;
    let before = operator.secret(ACCOUNT).await;
    let ran = operator.run_with(&["account", "add", ACCOUNT], OTHER_TOKEN).await;
    assert_eq!((ran.code, ran.stderr.contains("rotate-key")), (1, true), "{ran:?}");
    assert_eq!(operator.secret(ACCOUNT).await, before);
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_generates_no_key() {
    let operator = Operator::start().await;
    let before = operator.secret(ACCOUNT).await;
    let key = digest(KEY);
    operator.app.secrets.put("lendswift/two", support::secret(TOKEN, &[KEY, "b"]));
    for command in [
        &["account", "add", "newco", "--dry-run"][..],
        &["account", "rotate-key", ACCOUNT, "--dry-run"],
        &["account", "revoke-key", "two", &key[..8], "--dry-run"],
        &["account", "set-token", ACCOUNT, "--dry-run"],
        &["account", "close", ACCOUNT, "--dry-run"],
    ] {
        let document = operator.json_with(command, OTHER_TOKEN).await;
        assert!(document["result"].as_str().unwrap().starts_with("would_be_"), "{document}");
        assert_eq!(document.get("api_key"), None);
    }
    assert_eq!(operator.secret(ACCOUNT).await, before);
    assert_eq!(operator.json(&["account", "list"]).await["accounts"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_malformed_secret_is_not_changed() {
    let operator = Operator::start().await;
    operator.app.secrets.put("lendswift/odd", "{\"lendswift_token\": \"swordfish\"}");
    let ran = operator.run(&["account", "rotate-key", "odd"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_secret(&ran, &["swordfish"]);
    assert_eq!(operator.secret("odd").await, json!({"lendswift_token": "swordfish"}));
    // A faulty token is repaired by another one.
    operator
        .app
        .secrets
        .put("lendswift/odd", json!({"lendswift_token": "", "api_key_sha256": digest(KEY)}).to_string());
    assert_eq!(operator.run(&["account", "check", "odd"]).await.code, 1);
    assert_eq!(operator.run_with(&["account", "set-token", "odd"], TOKEN).await.code, 0);
    assert_eq!(operator.run(&["account", "check", "odd"]).await.code, 0);
}

#[tokio::test]
async fn an_entry_that_is_no_digest_is_never_shown_and_can_be_removed() {
    let operator = Operator::start().await;
    let before = json!({"lendswift_token": TOKEN, "api_key_sha256": [digest(KEY), "hunter2"]});
    operator.app.secrets.put(format!("lendswift/{ACCOUNT}"), before.to_string());
    let shown = operator.run(&["account", "show", ACCOUNT, "--json"]).await;
    assert_secret(&shown, &["hunter2"]);
    assert_eq!(shown.json()["api_keys"], json!([digest(KEY)[..8], "malformed"]));
    for refused in [&["check"][..], &["rotate-key"], &["set-token"], &["revoke-key", &digest(KEY)[..8], "--yes"]] {
        let arguments = [&["account", refused[0], ACCOUNT], &refused[1..]].concat();
        let ran = operator.run_with(&arguments, OTHER_TOKEN).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_secret(&ran, &["hunter2"]);
    }
    assert_eq!(operator.secret(ACCOUNT).await, before);
    let removed = operator.json(&["account", "revoke-key", ACCOUNT, "malformed", "--yes"]).await;
    assert_eq!((&removed["digest"], &removed["keys"]), (&json!("malformed"), &json!(1)));
    assert_eq!(operator.secret(ACCOUNT).await, json!({"lendswift_token": TOKEN, "api_key_sha256": [digest(KEY)]}));
    assert_eq!(operator.run(&["account", "revoke-key", ACCOUNT, "malformed", "--yes"]).await.code, 1);
}

#[tokio::test]
async fn a_sandbox_that_is_not_true_is_none() {
    let operator = Operator::start().await;
    let secret = json!({"sandbox": false, "api_key_sha256": [digest(KEY)]}).to_string();
    operator.app.secrets.put("lendswift/odd", secret);
    let ran = operator.run_with(&["account", "set-token", "odd"], TOKEN).await;
    assert_eq!((ran.code, ran.stderr.contains("sandbox is not the boolean true")), (1, true), "{ran:?}");
}

#[tokio::test]
async fn a_secret_without_a_current_version_exists() {
    let operator = Operator::start().await;
    let error = SecretsBehaviour::Fails("ResourceNotFoundException", "no AWSCURRENT");
    operator.app.secrets.behave_for(format!("lendswift/{ACCOUNT}"), error);
    for command in ["check", "rotate-key"] {
        let ran = operator.run(&["account", command, ACCOUNT]).await;
        assert_eq!((ran.code, ran.stderr.contains("no current version")), (1, true), "{ran:?}");
    }
}

#[tokio::test]
async fn an_input_that_is_too_long_for_a_token_is_refused() {
    let operator = Operator::start().await;
    let before = operator.secret(ACCOUNT).await;
    for (length, code) in [(4097, 2), (4096, 0)] {
        let ran = operator.run_with(&["account", "set-token", ACCOUNT], &"a".repeat(length)).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(operator.secret(ACCOUNT).await == before, code == 2);
    }
}

#[tokio::test]
async fn without_a_stack_the_secrets_key_is_named() {
    let operator = Operator::start().await;
    let add = ["account", "add", "newco", "--sandbox", "--dry-run"];
    let ran = operator.run(&add).await;
    assert!(ran.stderr.contains("--kms-key-id"), "{ran:?}");
    let named = operator.json(&[&add[..], &["--kms-key-id", "a-key"]].concat()).await;
    assert_eq!(named["kms_key"], json!("a-key"));
    operator.json(&["account", "add", "newco", "--sandbox", "--kms-key-id", "a-key"]).await;
    assert_eq!(operator.json(&["account", "show", "newco"]).await["kms_key"], json!("a-key"));
}

#[tokio::test]
async fn a_change_at_the_same_time_is_not_overwritten() {
    let operator = Operator::start().await;
    // The command reads the secret, and gets the answer late.
    let wait = std::time::Duration::from_secs(1);
    operator.app.secrets.behave_next([support::SecretsBehaviour::Slow(wait)]);
    let ran = {
        let command = operator.command(&["account", "rotate-key", ACCOUNT]);
        let run = tokio::spawn(crate::operator::run(command, ""));
        while operator.app.secrets.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        operator.app.secrets.put(format!("lendswift/{ACCOUNT}"), support::secret(TOKEN, &["another"]));
        run.await.unwrap()
    };
    assert_eq!((ran.code, ran.stderr.contains("at the same time")), (1, true), "{ran:?}");
    assert_eq!(
        operator.secret(ACCOUNT).await,
        json!({"lendswift_token": TOKEN, "api_key_sha256": [digest("another")]})
    );
}
