//! Reopening leads that have a phone number in the ledger.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use support::{
    ACCOUNT,
    DynamoBehaviour::{self, AppliedReset, AppliedSlow, Conflicting, ConflictingAt, Denied, ThrottledInTransaction},
    Lead, TABLE, now, secret_with,
};

use crate::operator::{CLAIM, Operator, unknown};

const PHONE: &str = "acme#phone#1";
const REOPEN: &[&str] = &["lead", "reopen", "--claim", CLAIM, "--yes"];

/// An operator whose relay calls each phone number once a day.
async fn once_per_phone() -> Operator {
    let operator = Operator::start().await;
    let policy = json!({"hash_key": "5".repeat(64), "policy": {"once_per_phone_hours": 24}});
    operator.app.secrets.put(format!("lendswift/{ACCOUNT}"), secret_with(&policy));
    operator
}

impl Operator {
    /// The item of the only phone number in the ledger.
    fn phone(&self) -> Option<Value> {
        let is_phone = |item: &Value| item["pk"]["S"].as_str().unwrap().contains("#phone#");
        let phones: Vec<_> = self.app.dynamodb.items(TABLE).into_iter().filter(is_phone).collect();
        assert!(phones.len() < 2, "{phones:?}");
        phones.into_iter().next()
    }

    /// Stores an unknown lead with the phone number [`PHONE`], which belongs to the lead `owner`.
    fn store_with_phone(&self, lead: Lead, claim: &str, owner: Lead) {
        let mut attributes = unknown();
        attributes["phone_pk"] = json!({ "S": PHONE });
        self.store(lead, claim, &attributes);
        self.put_phone(owner, claim, 3600);
    }

    fn put_phone(&self, owner: Lead, claim: &str, seconds: u64) {
        let time = |seconds: u64| json!({ "N": (now() + seconds).to_string() });
        self.app.dynamodb.put(
            TABLE,
            json!({
                "pk": { "S": PHONE }, "lead_pk": { "S": owner.pk() }, "lead_claim": { "S": claim },
                "lead_lease_until": time(0), "expires": time(seconds),
            }),
        );
    }
}

#[tokio::test]
async fn a_reopened_lead_frees_its_phone_number() {
    let operator = once_per_phone().await;
    let claim = operator.unknown_lead(Lead(1)).await;
    assert_eq!(operator.app.post(&Lead(2).post()).await, "409 not_sent recently_called");
    let shown = operator.json(&["lead", "show", "--claim", &claim]).await;
    let until = humantime::parse_rfc3339(shown["phone_kept_until"].as_str().unwrap()).unwrap();
    let seconds = until.duration_since(std::time::SystemTime::now()).unwrap().as_secs();
    assert!((86_000..86_500).contains(&seconds), "{seconds}");

    let reopen = ["lead", "reopen", "--claim", &claim, "--yes"];
    let before = operator.app.dynamodb.items(TABLE);
    let would = operator.json(&[&reopen[..], &["--dry-run"]].concat()).await;
    assert_eq!((&would["result"], &would["phone_number"]), (&json!("would_be_reopened"), &json!(null)));
    assert_eq!(operator.app.dynamodb.items(TABLE), before);
    let reopened = operator.json(&reopen).await;
    assert_eq!((&reopened["result"], &reopened["phone_number"]), (&json!("reopened"), &json!("freed")));
    assert_eq!(operator.phone(), None);
    assert_eq!(operator.app.post(&Lead(2).post()).await, "200 accepted");
    assert_eq!(operator.app.post(&Lead(1).post()).await, "409 not_sent recently_called");
}

#[tokio::test]
async fn a_phone_number_that_another_lead_has_by_now_stays_with_it() {
    let operator = once_per_phone().await;
    let claim = operator.unknown_lead(Lead(1)).await;
    let mut phone = operator.phone().unwrap();
    phone["expires"] = json!({ "N": (now() - 1).to_string() });
    operator.app.dynamodb.put(TABLE, phone);
    assert_eq!(operator.app.post(&Lead(2).post()).await, "200 accepted");
    let shown = operator.json(&["lead", "show", "--claim", &claim]).await;
    assert_eq!(shown["phone_kept_until"], json!(null));

    let ran = operator.run(&["lead", "reopen", "--claim", &claim, "--yes"]).await;
    assert_eq!((ran.code, ran.stderr.contains("Another lead has its phone number")), (0, true), "{ran:?}");
    assert_eq!(Lead(1).item(&operator.app.dynamodb), None);
    assert_eq!(operator.phone().unwrap()["lead_pk"]["S"], json!(Lead(2).pk()));
    assert_eq!(operator.app.post(&Lead(1).post()).await, "409 not_sent recently_called");
    assert_eq!(operator.app.post(&Lead(2).post()).await, "200 accepted (again)");
}

#[tokio::test]
async fn a_settled_lead_keeps_its_phone_number() {
    let operator = once_per_phone().await;
    let claim = operator.unknown_lead(Lead(1)).await;
    let phone = operator.phone().unwrap();
    assert_eq!(operator.json(&["lead", "settle", "--claim", &claim]).await["phone_number"], json!(null));
    assert_eq!(operator.phone(), Some(phone));
    assert_eq!(operator.app.post(&Lead(2).post()).await, "409 not_sent recently_called");
}

#[tokio::test]
async fn several_leads_are_reopened_with_their_phone_numbers() {
    let operator = once_per_phone().await;
    let first = operator.unknown_lead(Lead(1)).await;
    let number = operator.phone().unwrap()["pk"]["S"].as_str().unwrap().to_owned();
    // The same number, claimed once the first lead's day was over: the number belongs to lead 2.
    for number in [2, 3] {
        operator.store(Lead(number), &CLAIM.replace('a', &number.to_string()), &unknown());
    }
    let mut second = Lead(2).item(&operator.app.dynamodb).unwrap();
    second["phone_pk"] = json!({ "S": number });
    operator.app.dynamodb.put(TABLE, second);
    let mut phone = operator.phone().unwrap();
    phone["lead_pk"] = json!({ "S": Lead(2).pk() });
    operator.app.dynamodb.put(TABLE, phone);

    let list = [first, CLAIM.replace('a', "2"), CLAIM.replace('a', "3")].join("\n");
    let report = operator.json_with(&["unknown", "reopen", "-", "--yes"], &list).await;
    assert_eq!((&report["reopened"], &report["refused"], &report["failed"]), (&json!(3), &json!([]), &json!([])));
    assert_eq!((operator.phone(), Lead(1).item(&operator.app.dynamodb)), (None, None));
    assert_eq!(operator.app.post(&Lead(4).post()).await, "200 accepted");
}

#[tokio::test]
async fn the_report_names_a_reopened_lead_whose_number_another_lead_has() {
    let operator = Operator::start().await;
    operator.store_with_phone(Lead(1), CLAIM, Lead(2));
    let report = operator.json_with(&["unknown", "reopen", "-", "--yes"], CLAIM).await;
    assert_eq!((&report["reopened"], &report["phone_number_of_another_lead"]), (&json!(1), &json!([CLAIM])));
    assert!(operator.phone().is_some());
}

#[tokio::test]
async fn a_transaction_that_another_one_hinders_is_repeated() {
    for behaviour in [Conflicting, ConflictingAt(0), ConflictingAt(1), ThrottledInTransaction] {
        let operator = Operator::start().await;
        operator.store_with_phone(Lead(1), CLAIM, Lead(1));
        operator.app.dynamodb.next("TransactWriteItems", behaviour);
        assert_eq!(operator.json(REOPEN).await["phone_number"], json!("freed"), "{behaviour:?}");
        assert_eq!(operator.app.dynamodb.items(TABLE), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn a_transaction_that_is_always_hindered_is_a_failure_of_aws() {
    let operator = Operator::start().await;
    operator.store_with_phone(Lead(1), CLAIM, Lead(1));
    let before = operator.app.dynamodb.items(TABLE);
    operator.app.dynamodb.behave(Conflicting);
    let ran = operator.run(REOPEN).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    for named in ["dynamodb:DeleteItem", TABLE, "TransactionCanceledException", "Run the command again"] {
        assert!(ran.stderr.contains(named), "{named}: {ran:?}");
    }
    operator.app.dynamodb.behave(DynamoBehaviour::Normal);
    operator.app.dynamodb.next("TransactWriteItems", Denied);
    let denied = operator.run(REOPEN).await;
    assert_eq!((denied.code, denied.stderr.contains("AWS denies dynamodb:DeleteItem")), (3, true), "{denied:?}");
    assert_eq!(operator.app.dynamodb.items(TABLE), before);
}

#[tokio::test]
async fn a_lost_answer_does_not_hide_that_the_lead_was_reopened() {
    let operator = Operator::start().await;
    operator.store_with_phone(Lead(1), CLAIM, Lead(1));
    operator.app.dynamodb.next("TransactWriteItems", AppliedReset);
    let reopened = operator.json(REOPEN).await;
    assert_eq!((&reopened["result"], &reopened["phone_number"]), (&json!("reopened"), &json!("freed")));
}

#[tokio::test]
async fn no_phone_number_is_freed_with_a_lead_that_changed_after_the_read() {
    for owner in [Lead(1), Lead(2)] {
        let operator = Operator::start().await;
        operator.store_with_phone(Lead(1), CLAIM, owner);
        // The second read is that before the write.
        operator.app.dynamodb.next("GetItem", DynamoBehaviour::Normal);
        operator.app.dynamodb.next("GetItem", AppliedSlow(Duration::from_secs(1)));
        let (ran, stored) = tokio::join!(operator.run(REOPEN), async {
            operator.app.dynamodb.done("GetItem", 2).await;
            operator.store_with_phone(Lead(1), &CLAIM.replace('a', "b"), owner);
            operator.app.dynamodb.items(TABLE)
        });
        assert_eq!((ran.code, ran.stderr.contains("another claim holds it")), (1, true), "{ran:?}");
        assert_eq!(operator.app.dynamodb.items(TABLE), stored);
        assert!(operator.app.dynamodb.calls().contains(&"TransactWriteItems".to_owned()));
    }
}

#[tokio::test]
async fn reopening_needs_no_other_right_than_deleting() {
    let operator = Operator::start().await;
    operator.store_with_phone(Lead(1), CLAIM, Lead(1));
    operator.store_with_phone(Lead(2), &CLAIM.replace('a', "b"), Lead(1));
    for claim in [CLAIM.to_owned(), CLAIM.replace('a', "b")] {
        operator.json(&["lead", "reopen", "--claim", &claim, "--yes"]).await;
    }
    let expected = ["DeleteItem", "GetItem", "Scan"].map(str::to_owned);
    assert_eq!(operator.app.dynamodb.actions(), BTreeSet::from(expected));
}

#[tokio::test]
async fn a_phone_number_that_has_expired_is_reserved_for_no_lead() {
    let operator = Operator::start().await;
    operator.store_with_phone(Lead(1), CLAIM, Lead(1));
    let show = ["lead", "show", "--claim", CLAIM];
    assert!(operator.json(&show).await["phone_kept_until"].is_string());
    let text = operator.run(&show).await;
    assert!(text.stdout.contains("phone kept until "), "{text:?}");
    operator.put_phone(Lead(1), CLAIM, 0);
    operator.app.dynamodb.set_seconds_ahead(10);
    assert_eq!(operator.json(&show).await["phone_kept_until"], json!(null));
}
