//! `lendswift unknown …`: thousands of leads.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{ACCOUNT, DynamoBehaviour, Lead, SANDBOX, TABLE, fakes::DynamoCore};
use tempfile::TempDir;

use crate::operator::{Operator, accepted, unknown};

/// The number of the issue: ten minutes of AI Rudder's downtime.
const MANY: u32 = 3000;
/// The first lead's amount.
const FIRST: u32 = 10_000;

/// The claim of a lead.
fn claim(number: u32) -> String {
    format!("{number:08x}-bbbb-4ccc-8ddd-eeeeeeeeeeee")
}

/// An operator, and this many unknown leads; every second one has no outcome, as after a crash.
fn store(operator: &Operator, leads: u32) {
    for number in 0..leads {
        let attributes = if number % 2 == 0 { unknown() } else { json!({}) };
        operator.store(Lead(FIRST + number), &claim(number), &attributes);
    }
}

/// The list of unknown leads in a file.
async fn export(operator: &Operator) -> (TempDir, PathBuf) {
    let ran = operator.run(&["unknown", "list", "--json"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("unknown.json");
    fs::write(&file, ran.stdout).unwrap();
    (folder, file)
}

/// How many leads are open, and how many are settled.
fn open_and_accepted(operator: &Operator) -> (usize, usize) {
    let items = operator.app.dynamodb.items(TABLE);
    let accepted = items.iter().filter(|item| item["outcome"]["S"] == "accepted").count();
    (items.len() - accepted, accepted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_leads_are_listed_exported_and_settled_in_two_minutes() {
    let operator = Operator::start().await;
    store(&operator, MANY);
    let began = Instant::now();
    let (_folder, file) = export(&operator).await;
    let listed = began.elapsed();
    let settling = Instant::now();
    let report = operator.json(&["unknown", "settle", "--yes", file.to_str().unwrap()]).await;
    println!("{MANY} leads: listed in {listed:.1?}, settled in {:.1?}", settling.elapsed());
    assert!(began.elapsed() < Duration::from_secs(120));
    assert_eq!(
        report,
        json!({"settled": MANY, "already_settled": 0, "phone_number_of_another_lead": [], "not_found": [], "refused": [],
            "failed": [], "not_begun": 0})
    );
    assert_eq!(open_and_accepted(&operator), (0, MANY as usize));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_leads_are_reopened_and_the_refused_are_reported() {
    let operator = Operator::start().await;
    store(&operator, MANY);
    let (_folder, file) = export(&operator).await;
    // What happened since: a lead was settled, one was reopened and posted again, one has a sender at work, one is
    // gone.
    operator.store(Lead(FIRST), &claim(0), &accepted());
    operator.store(Lead(FIRST + 1), &claim(9999), &json!({}));
    let lease_until = support::now() + 1000;
    operator.store(Lead(FIRST + 3), &claim(3), &json!({"lease_until": {"N": lease_until.to_string()}}));
    let gone = json!({"TableName": TABLE, "Key": {"pk": {"S": Lead(FIRST + 2).pk()}}});
    operator.app.dynamodb.call("DeleteItem", gone.to_string().as_bytes()).await;

    let began = Instant::now();
    let ran = operator.run(&["unknown", "reopen", file.to_str().unwrap(), "--yes", "--json"]).await;
    println!("{MANY} leads: reopened in {:.1?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(120));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report = ran.json();
    assert_eq!((&report["reopened"], &report["already_gone"]), (&json!(MANY - 4), &json!(1)));
    let reasons: BTreeSet<_> = report["refused"].as_array().unwrap().iter().map(reason).collect();
    let expected = [(0, "accepted"), (1, "another_claim"), (3, "sender_at_work")];
    assert_eq!(reasons, expected.map(|(number, reason)| (claim(number), reason.to_owned())).into());
    assert_eq!(operator.app.dynamodb.items(TABLE).len(), 3);
}

fn reason(refused: &Value) -> (String, String) {
    let text = |name: &str| refused[name].as_str().unwrap().to_owned();
    assert!(!text("why").is_empty());
    (text("claim"), text("reason"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_halfway_is_completed_by_the_next() {
    for (command, done, done_before) in
        [(&["settle", "--yes"][..], "settled", "already_settled"), (&["reopen", "--yes"], "reopened", "already_gone")]
    {
        let operator = Operator::start().await;
        store(&operator, 600);
        let (_folder, file) = export(&operator).await;
        let arguments = [&["unknown"], command, &[file.to_str().unwrap()]].concat();
        let mut child = operator.command(&arguments).spawn().unwrap();
        operator.app.dynamodb.done(DynamoCore::WRITE, 300).await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        // Every write that AWS received was done or was not; which ones, only the table shows.
        let left = open_and_accepted(&operator).0;
        assert!((1..=300).contains(&left), "{left}");

        let report = operator.json(&arguments).await;
        assert_eq!((&report[done], &report[done_before]), (&json!(left), &json!(600 - left)), "{report}");
        assert_eq!(open_and_accepted(&operator).0, 0);
        // Once more changes nothing.
        let before = operator.app.dynamodb.items(TABLE);
        let report = operator.json(&arguments).await;
        assert_eq!((&report[done], &report[done_before]), (&json!(0), &json!(600)));
        assert_eq!(operator.app.dynamodb.items(TABLE), before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_aws_ends_the_run_and_the_report_counts_the_rest() {
    let operator = Operator::start().await;
    store(&operator, 100);
    let (_folder, file) = export(&operator).await;
    operator.app.dynamodb.next("UpdateItem", DynamoBehaviour::Denied);
    let ran = operator.run(&["unknown", "settle", file.to_str().unwrap(), "--yes", "--json"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("dynamodb:UpdateItem"), "{ran:?}");
    let report = ran.json();
    let number = |name: &str| usize::try_from(report[name].as_u64().unwrap()).unwrap();
    let [settled, not_begun] = ["settled", "not_begun"].map(number);
    let failed = report["failed"].as_array().unwrap().len();
    assert_eq!((failed, settled + not_begun), (1, 99), "{report}");
    // Those that were begun with it were finished.
    assert!(not_begun > 0, "{report}");
    assert_eq!(open_and_accepted(&operator).1, settled);
}

#[tokio::test]
async fn a_list_has_the_leads_that_wait_for_the_operator() {
    let operator = Operator::start().await;
    let later = |seconds: u64| json!({ "N": (support::now() + seconds).to_string() });
    let leads = [
        (0, unknown()),
        (1, json!({})),
        (2, accepted()),
        // A sender is at work.
        (3, json!({"lease_until": later(30)})),
        // The relay no longer remembers it.
        (4, json!({"expires": {"N": "1"}})),
        // The relay cannot read it.
        (5, json!({"outcome": {"S": "odd"}})),
        (6, json!({"pk": {"S": format!("{SANDBOX}#sandbox#lead#1")}})),
        (7, json!({"pk": {"S": "other#lead#1"}})),
        // A day old.
        (8, json!({"claimed_at": {"N": (support::now() - 86_400).to_string()}})),
    ];
    for (number, attributes) in leads {
        operator.store(Lead(FIRST + number), &claim(number), &attributes);
    }
    let listed = async |arguments: &[&str]| {
        let list = operator.json(&[&["unknown", "list"], arguments].concat()).await;
        let leads = list["leads"].as_array().unwrap().clone();
        let entry =
            |lead: &Value| (lead["claim"].as_str().unwrap().to_owned(), lead["state"].as_str().unwrap().to_owned());
        leads.iter().map(entry).collect::<Vec<_>>()
    };
    let expected = |leads: &[(u32, &str)]| {
        let entry = |(number, state): &(u32, &str)| (claim(*number), (*state).to_owned());
        leads.iter().map(entry).collect::<Vec<_>>()
    };
    let sorted = |mut leads: Vec<(String, String)>| {
        leads.sort();
        leads
    };
    let all = [(0, "unknown"), (1, "interrupted"), (5, "unreadable"), (7, "interrupted"), (8, "interrupted")];
    let found = listed(&[]).await;
    assert_eq!(found[0], (claim(8), "interrupted".to_owned()), "the oldest is first");
    assert_eq!(sorted(found), expected(&all));
    assert_eq!(sorted(listed(&["--since", "1h"]).await), expected(&all[..4]));
    assert_eq!(sorted(listed(&["--account", ACCOUNT, "--since", "1h"]).await), expected(&all[..3]));
    assert_eq!(listed(&["--sandbox"]).await, expected(&[(6, "interrupted")]));
}

#[tokio::test]
async fn a_list_may_be_lines_on_stdin() {
    let operator = Operator::start().await;
    store(&operator, 3);
    let lines = format!("# from the log\n{}\n\n{}\n{}\n", claim(0), claim(0), claim(77));
    let reopen = ["unknown", "reopen", "-", "--yes", "--json"];
    let ran = operator.run_with(&[&reopen[..], &["--dry-run"]].concat(), &lines).await;
    let report = ran.json();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!((&report["would_be_reopened"], &report["not_found"]), (&json!(1), &json!([claim(77)])));
    assert_eq!(operator.app.dynamodb.items(TABLE).len(), 3);
    let report = operator.run_with(&reopen, &lines).await.json();
    assert_eq!((&report["reopened"], &report["not_found"]), (&json!(1), &json!([claim(77)])));
    assert_eq!(operator.app.dynamodb.items(TABLE).len(), 2);
    let ran = operator.run_with(&["unknown", "settle", "-", "--yes"], &lines).await;
    assert_eq!((ran.code, ran.stdout.contains(&format!("2 not found in the table {TABLE}"))), (1, true), "{ran:?}");
    assert_eq!(open_and_accepted(&operator), (2, 0));
}

#[tokio::test]
async fn a_list_of_another_table_is_refused() {
    let operator = Operator::start().await;
    store(&operator, 1);
    let (_folder, file) = export(&operator).await;
    let exported = fs::read_to_string(&file).unwrap();
    let other = exported.replace(&format!("\"table\": \"{TABLE}\""), "\"table\": \"other\"");
    assert_ne!(other, exported);
    for command in ["settle", "reopen"] {
        let ran = operator.run_with(&["unknown", command, "-", "--yes"], &other).await;
        assert_eq!((ran.code, ran.stderr.contains("from the table other")), (2, true), "{ran:?}");
    }
    // A list that does not say from which table it is shows nothing about a lead that is not there.
    let pk = format!("{ACCOUNT}#lead#1");
    let bare = json!([{"lead": pk, "claim": claim(5)}]).to_string();
    let ran = operator.run_with(&["unknown", "reopen", "-", "--yes", "--json"], &bare).await;
    assert_eq!((ran.code, &ran.json()["not_found"]), (1, &json!([claim(5)])), "{ran:?}");
    assert_eq!(open_and_accepted(&operator), (1, 0));
}
