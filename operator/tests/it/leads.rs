//! `lendswift lead …`, with leads that the relay posted.

use std::fs;

use serde_json::{Value, json};
use support::{ACCOUNT, DynamoBehaviour, Lead, SANDBOX, TABLE, now};
use tempfile::TempDir;

use crate::operator::{CLAIM, Operator, accepted, unknown};

const LEAD: Lead = Lead(4001);

/// A file with this text.
fn file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lead.json");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[tokio::test]
async fn a_lead_is_found_by_claim_request_content_and_idempotency_key() {
    let operator = Operator::start().await;
    let claim = operator.unknown_lead(LEAD).await;
    operator.unknown_lead(Lead(4002)).await;
    let mut item = LEAD.item(&operator.app.dynamodb).unwrap();
    item["request_id"] = json!({ "S": "a request" });
    operator.app.dynamodb.put(TABLE, item);
    // In another form than that in which it was pushed.
    let (_folder, path) = file(&LEAD.body().replace("4001", "\"$4,001.00\""));
    for selector in [
        &["--claim", &claim][..],
        &["--request-id", "a request"],
        &["--account", ACCOUNT, "--file", &path],
        &["--account", ACCOUNT, "--idempotency-key", "crm-4001"],
    ] {
        let shown = operator.json(&[&["lead", "show"], selector].concat()).await;
        assert_eq!(
            json!([shown["lead"], shown["claim"], shown["account"], shown["sandbox"], shown["state"], shown["error"]]),
            json!([LEAD.pk(), claim, ACCOUNT, false, "unknown", "upstream_broke"]),
            "{selector:?}"
        );
    }
    let from_stdin = ["lead", "show", "--account", ACCOUNT, "--file", "-"];
    assert_eq!(operator.json_with(&from_stdin, &LEAD.body()).await["claim"], json!(claim));
}

#[tokio::test]
async fn a_sandbox_lead_is_found_as_such() {
    let operator = Operator::start().await;
    let post = Lead(9005).post().account(SANDBOX);
    assert_eq!(operator.app.post(&post).await, "502 unknown");
    let show = ["lead", "show", "--account", SANDBOX, "--file", "-"];
    let ran = operator.run_with(&show, &Lead(9005).body()).await;
    assert_eq!(ran.code, 1);
    let shown = operator.json_with(&[&show[..], &["--sandbox"]].concat(), &Lead(9005).body()).await;
    assert_eq!((&shown["state"], &shown["sandbox"]), (&json!("unknown"), &json!(true)));
}

#[tokio::test]
async fn a_settled_lead_is_accepted_and_never_pushed_again() {
    let operator = Operator::start().await;
    let claim = operator.unknown_lead(LEAD).await;
    let settle = ["lead", "settle", "--claim", &claim];
    let before = operator.app.dynamodb.items(TABLE);
    assert_eq!(operator.json(&[&settle[..], &["--dry-run"]].concat()).await["result"], json!("would_be_settled"));
    assert_eq!(operator.app.dynamodb.items(TABLE), before);

    let began = now();
    assert_eq!(operator.json(&settle).await["result"], json!("settled"));
    assert_eq!(operator.json(&settle).await["result"], json!("already_settled"));
    let response = operator.app.post(&LEAD.post()).await;
    assert_eq!(response, "200 accepted (again)");
    let timestamp = response.json()["timestamp"].as_u64().unwrap();
    // AWS's time, which has no fractions of a second.
    assert!((began - 1..=now()).contains(&timestamp), "{timestamp}");
    assert_eq!(
        response.json(),
        json!({
            "code": 200, "message": "success", "show_err": false, "timestamp": timestamp, "body": {}, "trace_id": ""
        })
    );
    assert_eq!(LEAD.item(&operator.app.dynamodb).unwrap().get("lead_error"), None);
    let ran = operator.run(&["lead", "reopen", "--claim", &claim, "--yes"]).await;
    assert_eq!((ran.code, ran.stderr.contains("AI Rudder accepted it")), (1, true), "{ran:?}");
    assert_eq!(LEAD.pushes(&operator.app.rudder), 1);
}

#[tokio::test]
async fn a_reopened_lead_is_pushed_again() {
    let operator = Operator::start().await;
    let claim = operator.unknown_lead(LEAD).await;
    let reopen = ["lead", "reopen", "--claim", &claim, "--yes"];
    let before = operator.app.dynamodb.items(TABLE);
    assert_eq!(operator.json(&[&reopen[..], &["--dry-run"]].concat()).await["result"], json!("would_be_reopened"));
    assert_eq!(operator.app.dynamodb.items(TABLE), before);

    assert_eq!(operator.json(&reopen).await["result"], json!("reopened"));
    for command in [&reopen[..], &["lead", "settle", "--claim", &claim]] {
        let ran = operator.run(command).await;
        assert_eq!((ran.code, ran.stderr.contains("no such lead")), (1, true), "{ran:?}");
    }
    assert_eq!(operator.app.post(&LEAD.post()).await, "200 accepted");
    assert_eq!(LEAD.pushes(&operator.app.rudder), 2);
}

#[tokio::test]
async fn a_lead_that_is_not_found_is_never_reopened_already() {
    let operator = Operator::start().await;
    operator.unknown_lead(LEAD).await;
    for selector in [
        &["--claim", CLAIM][..],
        &["--request-id", "another"],
        &["--account", "acne", "--file", "-"],
        &["--account", ACCOUNT, "--sandbox", "--file", "-"],
    ] {
        for command in ["show", "reopen", "settle"] {
            let yes = if command == "reopen" { &["--yes"][..] } else { &[] };
            let ran = operator.run_with(&[&["lead", command], selector, yes].concat(), &LEAD.body()).await;
            assert_eq!((ran.code, ran.stderr.contains("no such lead")), (1, true), "{ran:?}");
            for named in ["--account", "--sandbox", "--stack", env!("CARGO_PKG_VERSION"), "Ask AI Rudder"] {
                assert!(ran.stderr.contains(named), "{named}: {ran:?}");
            }
        }
    }
    assert!(LEAD.item(&operator.app.dynamodb).is_some());
}

#[tokio::test]
async fn a_lead_of_another_account_is_refused() {
    let operator = Operator::start().await;
    let claim = operator.unknown_lead(LEAD).await;
    for other in [&["--account", SANDBOX][..], &["--account", ACCOUNT, "--sandbox"]] {
        let ran = operator.run(&[&["lead", "reopen", "--yes", "--claim", &claim], other].concat()).await;
        assert_eq!((ran.code, ran.stderr.contains("does not belong to")), (1, true), "{ran:?}");
    }
    assert!(LEAD.item(&operator.app.dynamodb).is_some());
    let own = ["lead", "show", "--claim", &claim, "--account", ACCOUNT];
    assert_eq!(operator.json(&own).await["claim"], json!(claim));
}

#[tokio::test]
async fn an_idempotency_key_that_has_expired_names_no_lead() {
    let operator = Operator::start().await;
    operator.unknown_lead(LEAD).await;
    let show = ["lead", "show", "--account", ACCOUNT, "--idempotency-key", "crm-4001"];
    assert_eq!(operator.run(&show).await.code, 0);
    let mut keys = operator.app.dynamodb.items(TABLE).into_iter().filter(|item| item.get("lead_pk").is_some());
    let mut key = keys.next().unwrap();
    key["expires"] = json!({ "N": (now() - 1).to_string() });
    operator.app.dynamodb.put(TABLE, key);
    assert_eq!(operator.run(&show).await.code, 1);
}

#[tokio::test]
async fn reopening_asks_first() {
    let operator = Operator::start().await;
    let claim = operator.unknown_lead(LEAD).await;
    let ran = operator.run_with(&["lead", "reopen", "--claim", &claim], "y\n").await;
    assert_eq!((ran.code, ran.stderr.contains("--yes")), (2, true), "{ran:?}");
    assert!(LEAD.item(&operator.app.dynamodb).is_some());
}

#[tokio::test]
async fn the_lease_ends_by_the_clock_of_aws() {
    let operator = Operator::start().await;
    let lease_until = now() + 100;
    let lease = json!({ "lease_until": { "N": lease_until.to_string() } });
    operator.store(LEAD, CLAIM, &lease);
    let settle = ["lead", "settle", "--claim", CLAIM, "--dry-run"];
    let ran = operator.run(&settle).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let until = humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + std::time::Duration::from_secs(lease_until));
    assert!(ran.stderr.contains(&format!("a sender may be at work until {until}, ")), "{ran:?}");

    // AWS's clock is ahead of the operator's: the lease is over.
    operator.app.dynamodb.set_seconds_ahead(200);
    assert_eq!(operator.json(&settle).await["result"], json!("would_be_settled"));
    // AWS's clock is behind: an operator's fast clock frees nothing.
    operator.store(LEAD, CLAIM, &json!({}));
    operator.app.dynamodb.set_seconds_ahead(-3600);
    assert_eq!(operator.run(&settle).await.code, 1);
}

#[tokio::test]
async fn what_happens_between_reading_and_writing_is_respected() {
    let operator = Operator::start().await;
    operator.store(LEAD, CLAIM, &unknown());
    // The read is answered late. Meanwhile another operator settles the lead.
    let slow = DynamoBehaviour::AppliedSlow(std::time::Duration::from_secs(1));
    operator.app.dynamodb.next("GetItem", slow);
    let reopen = ["lead", "reopen", "--claim", CLAIM, "--yes"];
    let (ran, ()) = tokio::join!(operator.run(&reopen), async {
        operator.app.dynamodb.done("GetItem", 1).await;
        operator.store(LEAD, CLAIM, &accepted());
    });
    assert_eq!((ran.code, ran.stderr.contains("AI Rudder accepted it")), (1, true), "{ran:?}");
    assert_eq!(LEAD.item(&operator.app.dynamodb).unwrap()["outcome"], json!({ "S": "accepted" }));
}

#[tokio::test]
async fn an_item_that_the_relay_cannot_read_is_left_alone() {
    let operator = Operator::start().await;
    operator.store(LEAD, CLAIM, &json!({ "outcome": { "S": "unknown" } }));
    let shown: Value = operator.json(&["lead", "show", "--claim", CLAIM]).await;
    assert_eq!(shown["state"], json!("unreadable"));
    for command in [&["lead", "settle", "--claim", CLAIM][..], &["lead", "reopen", "--claim", CLAIM, "--yes"]] {
        assert_eq!(operator.run(command).await.code, 1);
    }
    assert!(LEAD.item(&operator.app.dynamodb).is_some());
}
