//! The rule that an account's leads call a phone number once in a period.

use std::time::{Duration, UNIX_EPOCH};

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::DynamoBehaviour::{AppliedReset, Down, Normal, Slow};
use support::{
    ACCOUNT, DIGITS, HASH_KEY, KEY, LEAD, Lead, LogCapture, ObservedResponse, ProcessHarness, Reply, Request, SANDBOX,
    TABLE, TestApp, once_per_phone_secret, post, sandbox_secret, secret_with,
};
use tracing::level_filters::LevelFilter;

use crate::policy::context;

const LEDGER: (&str, &str) = ("CLAIMS_TABLE", TABLE);
const ACCEPTED: &str = "200 accepted";
const RECENTLY_CALLED: &str = "409 not_sent recently_called";

/// The item of the phone number of all leads here:
/// `printf 16501231234 | openssl dgst -sha256 -mac HMAC -macopt hexkey:$HASH_KEY`
const PHONE_PK: &str = "acme#phone#37c493697af3fcc19b01162a75c87b07614b143e96707798b44b79da50c41037";

/// When the first lead is posted, in Unix seconds.
const START: u64 = 1_815_732_000;
/// The end of its lease in its item: 5 s after Lambda's deadline, rounded up.
const LEASE_UNTIL: u64 = START + 35;
/// When its phone number is free again.
const FREE_AT: u64 = START + 34 + 24 * 60 * 60;

/// Two leads with the same phone number.
const FIRST: Lead = Lead(4000);
const OTHER: Lead = Lead(5000);

/// Fakes with a policy of 24 hours in the account's secret.
async fn app() -> TestApp {
    let app = TestApp::with_ledger().await;
    app.secrets.put(format!("lendswift/{ACCOUNT}"), once_per_phone_secret());
    app
}

/// Posts a request to a new process at that time, in Unix seconds, with 29 s to the deadline.
async fn post_at(app: &TestApp, second: u64, request: &Request) -> ObservedResponse {
    post_with(app, second, &[LEDGER], request).await
}

async fn post_with(app: &TestApp, second: u64, variables: &[(&str, &str)], request: &Request) -> ObservedResponse {
    let now = UNIX_EPOCH + Duration::from_secs(second);
    post(&app.relay_at(now, variables), request, context(now, Duration::from_secs(29))).await
}

/// Checks that a request is not sent because of another lead's call. Its `retry-after` must be this number of seconds, less
/// the time that the test takes.
async fn assert_recently_called(app: &TestApp, second: u64, request: &Request, delay: u64) {
    let response = post_at(app, second, request).await;
    assert_eq!(response, RECENTLY_CALLED);
    assert_eq!(response.header("lead-error"), "recently_called");
    assert_eq!(response.json()["show_err"], false);
    let retry_after: u64 = response.header("retry-after").parse().unwrap();
    assert!((delay.saturating_sub(3)..=delay).contains(&retry_after), "{retry_after}, expected {delay}");
}

fn item(app: &TestApp, pk: &str) -> Option<Value> {
    app.dynamodb.items(TABLE).into_iter().find(|item| item["pk"]["S"] == pk)
}

#[tokio::test]
async fn another_lead_with_the_same_number_is_sent_after_the_period() {
    let app = app().await;
    assert_eq!(post_at(&app, START, &FIRST.post()).await, ACCEPTED);
    assert_eq!(app.dynamodb.calls(), ["TransactWriteItems", "UpdateItem"]);
    for second in [LEASE_UNTIL + 1, FREE_AT - 4] {
        assert_recently_called(&app, second, &OTHER.post(), FREE_AT - second).await;
    }
    assert_eq!(app.dynamodb.calls()[2..], ["TransactWriteItems", "TransactWriteItems"], "nothing is read");
    assert_eq!(app.rudder.received().len(), 1);
    assert_eq!(post_at(&app, FREE_AT, &OTHER.post()).await, ACCEPTED);
    assert_recently_called(&app, FREE_AT + 60, &Lead(6000).post(), FREE_AT - START - 60).await;
}

#[tokio::test]
async fn a_lead_takes_two_write_units_more_than_without_the_rule() {
    for (lead, units) in [(FIRST.post(), 5.0), (FIRST.post().idempotency_key("infinity-7"), 7.0)] {
        let app = app().await;
        assert_eq!(app.post(&lead).await, ACCEPTED);
        assert!((app.dynamodb.write_units() - units).abs() < f64::EPSILON, "{}", app.dynamodb.write_units());
        assert_eq!(app.dynamodb.calls(), ["TransactWriteItems", "UpdateItem"]);
    }
}

#[tokio::test]
async fn a_lead_that_is_released_takes_as_many_write_units_as_the_documents_say() {
    for (lead, units) in [(FIRST.post(), 8.0), (FIRST.post().idempotency_key("infinity-7"), 12.0)] {
        let app = app().await;
        app.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
        assert_eq!(app.post(&lead).await, "422 refused");
        assert!((app.dynamodb.write_units() - units).abs() < f64::EPSILON, "{}", app.dynamodb.write_units());
    }
}

#[tokio::test]
async fn the_number_is_stored_as_a_hash_under_the_accounts_key() {
    let app = app().await;
    assert_eq!(post_at(&app, START, &FIRST.post()).await, ACCEPTED);
    let claim = FIRST.item(&app.dynamodb).unwrap();
    assert_eq!(claim["phone_pk"]["S"], PHONE_PK);
    let expected = json!({
        "pk": {"S": PHONE_PK},
        "lead_pk": {"S": FIRST.pk()},
        "lead_claim": claim["claim"],
        "lead_lease_until": {"N": LEASE_UNTIL.to_string()},
        "expires": {"N": FREE_AT.to_string()},
    });
    assert_eq!(item(&app, PHONE_PK), Some(expected));
    let table = json!(app.dynamodb.items(TABLE)).to_string();
    assert!(!table.contains("6501231234"));
}

#[tokio::test]
async fn a_leads_record_lives_as_long_as_its_number_is_taken() {
    for (window, hours, seconds) in [("3600", 24, 86_400), ("604800", 24, 604_800), ("604800", 720, 2_592_000)] {
        let app = app().await;
        let policy = json!({"policy": {"once_per_phone_hours": hours}, "hash_key": HASH_KEY});
        app.secrets.put(format!("lendswift/{ACCOUNT}"), secret_with(&policy));
        let variables = [LEDGER, ("DUPLICATE_WINDOW_SECONDS", window)];
        assert_eq!(post_with(&app, START, &variables, &FIRST.post()).await, ACCEPTED);
        let expires: u64 = FIRST.item(&app.dynamodb).unwrap()["expires"]["N"].as_str().unwrap().parse().unwrap();
        assert_eq!(expires, START + 34 + seconds);
        let again = post_with(&app, START + seconds, &variables, &FIRST.post()).await;
        assert_eq!(again, "200 accepted (again)");
    }
}

#[tokio::test]
async fn the_same_lead_gets_its_first_response() {
    let app = app().await;
    let first = post_at(&app, START, &FIRST.post().idempotency_key("infinity-7")).await;
    assert_eq!(first, ACCEPTED);
    for request in
        [FIRST.post(), FIRST.post().idempotency_key("infinity-7"), FIRST.post().idempotency_key("infinity-8")]
    {
        assert_eq!(post_at(&app, START + 60, &request).await, first.again());
    }
    assert_eq!(app.rudder.received().len(), 1);
}

#[tokio::test]
async fn of_several_leads_at_once_one_is_sent() {
    let app = app().await;
    let requests: Vec<_> = (4000..4012)
        .map(|amount| match (Lead(amount).post(), amount % 3) {
            (post, 0) => post,
            (post, key) => post.idempotency_key(&format!("infinity-{amount}-{key}")),
        })
        .collect();
    let responses = join_all(requests.iter().map(|request| app.post_within(request, 29_000))).await;
    let (accepted, others): (Vec<_>, Vec<_>) =
        responses.into_iter().partition(|response| response.outcome == "accepted");
    assert_eq!((accepted.len(), others.len(), app.rudder.received().len()), (1, 11, 1));
    for response in others {
        assert_eq!(response, RECENTLY_CALLED);
    }
}

#[tokio::test]
async fn while_the_other_lead_is_sent_its_lease_is_the_delay() {
    let app = app().await;
    app.rudder.hang_next();
    let request = FIRST.post();
    let first = post_with(&app, START, &[LEDGER, ("UPSTREAM_TIMEOUT_MS", "2500")], &request);
    let others = async {
        app.rudder.arrived(1).await;
        assert_recently_called(&app, START + 1, &OTHER.post(), LEASE_UNTIL + 1 - (START + 1)).await;
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first, "504 unknown upstream_timeout");
    // The consumer may have been called.
    assert_recently_called(&app, START + 3, &OTHER.post(), FREE_AT - (START + 3)).await;
    assert_eq!(app.rudder.received().len(), 1);
}

#[tokio::test]
async fn a_number_is_free_after_not_sent_and_refused() {
    for (code, outcome) in [(422, "refused"), (429, "not_sent"), (401, "not_sent")] {
        for request in [FIRST.post(), FIRST.post().idempotency_key("infinity-7")] {
            let app = app().await;
            app.rudder.answer_next(Reply::new(code, format!(r#"{{"code":{code}}}"#)));
            assert_eq!(post_at(&app, START, &request).await.outcome, outcome);
            assert_eq!(app.dynamodb.items(TABLE), Vec::<Value>::new());
            assert_eq!(post_at(&app, START + 1, &OTHER.post()).await, ACCEPTED);
        }
    }
}

#[tokio::test]
async fn a_claim_in_doubt_does_not_keep_the_number() {
    let app = app().await;
    for _ in 0..4 {
        app.dynamodb.next(ProcessHarness::WRITE, AppliedReset);
    }
    assert_eq!(app.post_within(&FIRST.post(), 29_000).await, ACCEPTED, "the repeated request has the same token");
    let app = self::app().await;
    app.dynamodb.next(ProcessHarness::WRITE, AppliedReset);
    app.dynamodb.behave(Down);
    let response = app.post_within(&FIRST.post(), 4000).await;
    assert_eq!(response, "503 not_sent temporarily_unavailable");
    assert!(item(&app, PHONE_PK).is_some(), "the claim is written and could not be deleted");
    app.dynamodb.behave(Normal);
    // The process keeps the claim, and deletes it after the next event's own.
    assert_eq!(app.post(&Request::post(LEAD.replace("1650", "1212"))).await, ACCEPTED);
    assert_eq!(item(&app, PHONE_PK), None);
    assert_eq!(app.post(&OTHER.post()).await, ACCEPTED);
}

/// A process that could not close its claim of the first lead. `in_doubt`: whether the claim's own attempt got no reply.
/// Another lead has the phone number by now.
async fn left_without_its_number(in_doubt: bool) -> TestApp {
    let app = app().await;
    if !in_doubt {
        app.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
    }
    app.dynamodb.next(ProcessHarness::WRITE, if in_doubt { AppliedReset } else { Normal });
    app.dynamodb.behave(Down);
    let expected = if in_doubt { "503 not_sent temporarily_unavailable" } else { "422 refused" };
    assert_eq!(app.post_within(&FIRST.post(), 4000).await, expected);
    let mut phone = item(&app, PHONE_PK).unwrap();
    phone["lead_pk"] = json!({"S": OTHER.pk()});
    app.dynamodb.put(TABLE, phone);
    // After the claim of another lead, the process tries to close the one that it left.
    app.dynamodb.behave(Normal);
    assert_eq!(app.post(&Request::post(LEAD.replace("1650", "1212"))).await, ACCEPTED);
    assert_eq!(item(&app, PHONE_PK).unwrap()["lead_pk"]["S"], OTHER.pk());
    app
}

#[tokio::test]
async fn a_claim_that_was_left_is_released_without_a_number_that_another_lead_has() {
    assert_eq!(FIRST.item(&left_without_its_number(false).await.dynamodb), None);
}

#[tokio::test]
async fn a_claim_in_doubt_is_not_released_without_its_number() {
    // Its token was used, so it cannot be voided. An operator reopens the lead.
    assert!(FIRST.item(&left_without_its_number(true).await.dynamodb).is_some());
}

#[tokio::test]
async fn a_number_that_another_lead_has_by_now_does_not_hinder_the_release() {
    for request in [FIRST.post(), FIRST.post().idempotency_key("infinity-7")] {
        let app = app().await;
        app.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
        let hold = async {
            app.rudder.arrived(1).await;
            let mut phone = item(&app, PHONE_PK).unwrap();
            phone["lead_pk"] = json!({"S": OTHER.pk()});
            app.dynamodb.put(TABLE, phone);
        };
        app.dynamodb.next(ProcessHarness::WRITE, Normal);
        app.dynamodb.next(ProcessHarness::WRITE, Slow(Duration::from_millis(300)));
        let (response, ()) = tokio::join!(app.post(&request), hold);
        assert_eq!(response, "422 refused");
        let left = app.dynamodb.items(TABLE);
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0]["lead_pk"]["S"], OTHER.pk());
    }
}

#[tokio::test]
async fn an_item_that_was_changed_by_hand_frees_nothing() {
    let unavailable = "503 not_sent temporarily_unavailable";
    let huge = json!({"N": "99999999999999999"});
    for (attribute, value, expected) in [
        ("lead_claim", None, unavailable),
        ("lead_lease_until", None, unavailable),
        ("expires", None, unavailable),
        ("lead_pk", None, unavailable),
        ("lead_lease_until", Some(json!({"S": "soon"})), unavailable),
        ("expires", Some(huge.clone()), RECENTLY_CALLED),
        ("lead_lease_until", Some(huge), RECENTLY_CALLED),
    ] {
        let app = app().await;
        assert_eq!(post_at(&app, START, &FIRST.post()).await, ACCEPTED);
        let mut phone = item(&app, PHONE_PK).unwrap();
        match value {
            Some(value) => phone[attribute] = value,
            None => _ = phone.as_object_mut().unwrap().remove(attribute),
        }
        app.dynamodb.put(TABLE, phone);
        assert_eq!(post_at(&app, START + 60, &OTHER.post()).await, expected, "{attribute}");
        assert_eq!(app.rudder.received().len(), 1);
    }
}

#[tokio::test]
async fn a_lead_whose_item_cannot_be_read_keeps_its_number() {
    let app = app().await;
    assert_eq!(post_at(&app, START, &FIRST.post()).await, ACCEPTED);
    let mut lead = FIRST.item(&app.dynamodb).unwrap();
    lead.as_object_mut().unwrap().remove("request_id");
    app.dynamodb.put(TABLE, lead);
    assert_recently_called(&app, START + 1, &OTHER.post(), FREE_AT - (START + 1)).await;
    // If DynamoDB cannot be read, the lead may still be sent.
    app.dynamodb.next("TransactWriteItems", Normal);
    app.dynamodb.behave(Down);
    assert_recently_called(&app, START + 2, &OTHER.post(), LEASE_UNTIL + 1 - (START + 2)).await;
}

#[tokio::test]
async fn lead_and_key_are_checked_before_the_number() {
    let app = app().await;
    let first = post_at(&app, START, &FIRST.post().idempotency_key("infinity-7")).await;
    let reused = post_at(&app, START + 60, &OTHER.post().idempotency_key("infinity-7")).await;
    assert_eq!(reused, "422 not_sent idempotency_key_reused");
    assert_recently_called(&app, START + 60, &OTHER.post().idempotency_key("infinity-8"), FREE_AT - START - 60).await;
    // The key that was not used is free.
    let elsewhere = Request::post(LEAD.replace("1650", "1212")).idempotency_key("infinity-8");
    assert_eq!(post_at(&app, START + 60, &elsewhere).await, ACCEPTED);
    assert_eq!(post_at(&app, START + 60, &FIRST.post()).await, first.again());
}

#[tokio::test]
async fn calling_hours_are_checked_first() {
    let app = app().await;
    let policy = json!({
        "policy": {"once_per_phone_hours": 24, "calling_hours": {"mon-sun": "00:00-12:00"}}, "hash_key": HASH_KEY,
    });
    app.secrets.put(format!("lendswift/{ACCOUNT}"), secret_with(&policy));
    // 10:00 UTC is 03:00 in California.
    assert_eq!(post_at(&app, START, &FIRST.post()).await, ACCEPTED);
    assert_recently_called(&app, START + 60, &OTHER.post(), FREE_AT - START - 60).await;
    assert_eq!(post_at(&app, START + 12 * 3600, &OTHER.post()).await, "409 not_sent outside_calling_hours");
}

#[tokio::test]
async fn inquiries_do_not_know_the_rule() {
    let app = app().await;
    assert_eq!(post_at(&app, START, &FIRST.post()).await, ACCEPTED);
    assert_eq!(post_at(&app, START, &OTHER.post().action("validate")).await, "200 not_sent");
    assert_eq!(post_at(&app, START, &OTHER.post().action("status")).await, "404 not_sent no_record");
    assert_eq!(post_at(&app, START, &FIRST.post().action("status")).await, "200 accepted (again)");
}

#[tokio::test]
async fn each_account_has_numbers_of_its_own() {
    let app = app().await;
    app.secrets.put("lendswift/other", once_per_phone_secret());
    let mut sandbox: Value = serde_json::from_str(&sandbox_secret(&[KEY])).unwrap();
    sandbox["policy"] = json!({"once_per_phone_hours": 24});
    sandbox["hash_key"] = json!(HASH_KEY);
    app.secrets.put(format!("lendswift/{SANDBOX}"), sandbox.to_string());
    for account in [ACCOUNT, "other", SANDBOX] {
        assert_eq!(app.post(&FIRST.post().account(account)).await, ACCEPTED);
        assert_eq!(app.post(&OTHER.post().account(account)).await, RECENTLY_CALLED);
    }
    assert!(item(&app, &PHONE_PK.replace("acme#", "acme-sandbox#sandbox#")).is_some());
    assert_eq!(app.rudder.received().len(), 2);
}

#[tokio::test]
async fn without_a_ledger_or_a_hash_key_nothing_is_sent() {
    let hours = json!({"once_per_phone_hours": 24});
    for (members, table, cause) in [
        (json!({"policy": hours, "hash_key": HASH_KEY}), "off", "policy.once_per_phone_hours needs the ledger"),
        (json!({"policy": hours}), TABLE, "policy.once_per_phone_hours needs hash_key"),
        (json!({"policy": hours, "hash_key": DIGITS}), TABLE, "hash_key is not 64 hex digits"),
        (
            json!({"policy": {"once_per_phone_hours": 0}, "hash_key": HASH_KEY}),
            TABLE,
            "policy.once_per_phone_hours is not",
        ),
    ] {
        let app = app().await;
        app.secrets.put(format!("lendswift/{ACCOUNT}"), secret_with(&members));
        let log = LogCapture::start(LevelFilter::INFO, true);
        for request in [FIRST.post(), FIRST.post().action("validate"), FIRST.post().action("status")] {
            let response = post_with(&app, START, &[("CLAIMS_TABLE", table)], &request).await;
            assert_eq!(response, "500 not_sent account_misconfigured");
        }
        let logged = log.lines()[0]["cause"].as_str().unwrap().to_owned();
        assert!(logged.contains(cause) && !logged.contains(DIGITS) && !logged.contains(HASH_KEY), "{logged}");
        assert!(app.rudder.received().is_empty());
    }
}

#[tokio::test]
async fn the_log_names_the_claim_that_has_the_number() {
    let app = app().await;
    let first = app.post(&FIRST.post()).await;
    let log = LogCapture::start(LevelFilter::INFO, true);
    assert_eq!(app.post(&OTHER.post()).await, RECENTLY_CALLED);
    let line = log.lines().pop().unwrap();
    assert_eq!(line["span"]["claim"], first.header("lead-id"));
    assert!(line.to_string().find("6501231234").is_none());
}
