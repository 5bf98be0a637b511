//! The ledger: a lead is pushed once, no matter how many relays receive it, how often, and with which idempotency key.

use std::time::Duration;

use futures_util::future::join_all;
use lambda_http::Context;
use serde_json::{Value, json};
use support::{
    DynamoBehaviour, KEY, LEAD, Lead, ObservedResponse, ProcessHarness, REQUEST_ID, Reply, Request, TABLE, TOKEN,
    TestApp, now, post, secret,
};

/// The item of [`LEAD`].
const LEAD_PK: &str = "acme#lead#ea97f520366dd62e15aff765e09dc8f49941fdbce26518f008e02e3bb22b5eac";
/// `printf %s infinity-7 | sha256sum`
const KEY_PK: &str = "acme#key#094691fce15f53c19ea949babb6bbec646844a4c953a85d39b6b6fce6b9c5949";
/// A claim of an earlier request.
const EARLIER: &str = "11111111-1111-4111-8111-111111111111";

const ACCEPTED: &str = "200 accepted";
const PENDING: &str = "409 pending in_progress";

fn keyed(key: &str) -> Request {
    Request::lead().idempotency_key(key)
}

/// Another lead with the same key.
fn other_lead(key: &str) -> Request {
    Lead(5000).post().idempotency_key(key)
}

/// The item of a lead that was claimed and not settled.
fn claimed(lease_until: u64) -> Value {
    json!({
        "pk": {"S": LEAD_PK},
        "claim": {"S": EARLIER},
        "request_id": {"S": "earlier-request"},
        "claimed_at": {"N": (lease_until - 35).to_string()},
        "lease_until": {"N": lease_until.to_string()},
        "expires": {"N": (lease_until + 604_800).to_string()},
    })
}

/// The item of the lead, after that of its key if there is one.
fn lead_item(app: &TestApp) -> Value {
    app.dynamodb.items(TABLE).pop().unwrap()
}

/// An attribute of an item, as text.
fn attribute<'a>(item: &'a Value, name: &str) -> &'a str {
    let value = &item[name];
    value["S"].as_str().or(value["N"].as_str()).unwrap_or_else(|| panic!("no {name} in {item}"))
}

#[tokio::test]
async fn a_lead_takes_three_write_units_and_five_with_a_key() {
    for (lead, units) in [(Request::lead(), 3.0), (keyed("infinity-7"), 5.0)] {
        let app = TestApp::with_ledger().await;
        assert_eq!(app.post(&lead).await, ACCEPTED);
        assert!((app.dynamodb.write_units() - units).abs() < f64::EPSILON, "{}", app.dynamodb.write_units());
        assert_eq!(app.dynamodb.calls(), ["TransactWriteItems", "UpdateItem"]);
    }
}

#[tokio::test]
async fn a_repeated_lead_is_pushed_once_and_replayed_byte_for_byte() {
    let app = TestApp::with_ledger().await;
    let first = app.post(&keyed("infinity-7")).await;
    assert_eq!(first, ACCEPTED);
    let other_form =
        r#"{"loan_amount": "$4,000", "first_name": " Ann  Zqxjkvwyp", "caller_id": "650-123-1234", "details": {}}"#;
    for request in [
        keyed("infinity-7"),
        Request::post(other_form).idempotency_key("infinity-7"),
        keyed("another"),
        Request::lead(),
    ] {
        assert_eq!(app.post(&request).await, first.again());
    }
    assert_eq!(app.rudder.received().len(), 1);
}

#[tokio::test]
async fn lead_and_key_are_free_after_not_sent_and_refused() {
    for (code, outcome) in [(422, "refused"), (429, "not_sent"), (401, "not_sent")] {
        let app = TestApp::with_ledger().await;
        app.rudder.answer_next(Reply::new(code, format!(r#"{{"code":{code}}}"#)));
        assert_eq!(app.post(&keyed("infinity-7")).await.outcome, outcome);
        assert_eq!(app.dynamodb.items(TABLE), Vec::<Value>::new());
        assert_eq!(app.post(&other_lead("infinity-7")).await, ACCEPTED, "the key");
        assert_eq!(app.post(&Request::lead()).await, ACCEPTED, "the lead");
    }
}

#[tokio::test]
async fn a_lead_is_pending_for_all_others_while_it_is_pushed() {
    let app = TestApp::with_ledger().await;
    app.rudder.hang_next();
    let first_post = keyed("infinity-7");
    let others = async {
        app.rudder.arrived(1).await;
        let another_relay = app.relay(&[("CLAIMS_TABLE", TABLE)]);
        for request in [&first_post, &keyed("other"), &Request::lead()] {
            for relay in [&app.relay, &another_relay] {
                let response = post(relay, request, Context::default()).await;
                assert_eq!(response, PENDING);
                assert_eq!(response.header("retry-after"), "5");
            }
        }
    };
    let (first, ()) = tokio::join!(app.post_within(&first_post, 4000), others);
    assert_eq!(first, "504 unknown upstream_timeout");
    assert_eq!(app.rudder.received().len(), 1);
}

#[tokio::test]
async fn a_lead_whose_sender_died_is_never_sent_again() {
    for (lease_until, expected) in [(now() - 2, "504 unknown interrupted"), (now() + 60, PENDING)] {
        let app = TestApp::with_ledger().await;
        app.dynamodb.put(TABLE, claimed(lease_until));
        for request in [Request::lead(), keyed("infinity-7")] {
            assert_eq!(app.post(&request).await, expected);
        }
        assert_eq!(app.dynamodb.items(TABLE), [claimed(lease_until)], "it is read, not written");
        assert_eq!(app.rudder.received().len(), 0);
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_lead() {
    let app = TestApp::with_ledger().await;
    let reused = "422 not_sent idempotency_key_reused";
    assert_eq!(app.post(&keyed("infinity-7")).await, ACCEPTED);
    assert_eq!(app.post(&other_lead("infinity-7")).await, reused);
    // A second key that the lead was replayed to belongs to it too.
    assert_eq!(app.post(&keyed("second")).await, "200 accepted (again)");
    assert_eq!(app.post(&other_lead("second")).await, reused);
    assert_eq!(app.rudder.received().len(), 1);
}

#[tokio::test]
async fn a_sent_lead_is_replayed_even_under_another_leads_key() {
    let app = TestApp::with_ledger().await;
    assert_eq!(app.post(&Request::lead()).await, ACCEPTED);
    assert_eq!(app.post(&other_lead("infinity-7")).await, ACCEPTED);
    assert_eq!(app.post(&keyed("infinity-7")).await, "200 accepted (again)", "not_sent would be wrong");
    assert_eq!(app.post(&other_lead("infinity-7")).await, "200 accepted (again)", "the key still belongs to its lead");
    assert_eq!(app.rudder.received().len(), 2);
}

#[tokio::test]
async fn accounts_share_neither_leads_nor_keys() {
    let app = TestApp::with_ledger().await;
    app.secrets.put("lendswift/other", secret(TOKEN, &[KEY]));
    for request in [keyed("infinity-7"), keyed("infinity-7").account("other")] {
        assert_eq!(app.post(&request).await, ACCEPTED);
    }
    assert_eq!(app.rudder.received().len(), 2);
}

#[tokio::test]
async fn the_table_holds_these_attributes_and_no_others() {
    let app = TestApp::with_ledger().await;
    let before = now();
    let response = app.post_within(&keyed("infinity-7"), 20_000).await;
    let items = app.dynamodb.items(TABLE);
    let [pointer, lead] = items.as_slice() else { panic!("{items:?}") };
    let time = |name, after| {
        let seconds: u64 = attribute(lead, name).parse().unwrap();
        assert!((before + after..=now() + after + 1).contains(&seconds), "{name}: {seconds}");
        seconds.to_string()
    };
    let expires = time("expires", 604_825);
    let expected = json!({
        "pk": {"S": LEAD_PK},
        "claim": {"S": attribute(lead, "claim")},
        "request_id": {"S": REQUEST_ID},
        "claimed_at": {"N": time("claimed_at", 0)},
        "lease_until": {"N": time("lease_until", 25)},
        "expires": {"N": expires},
        "pointer": {"S": KEY_PK},
        "outcome": {"S": "accepted"},
        "http_status": {"N": "200"},
        "body": {"S": response.body},
        "settled_at": {"N": time("settled_at", 0)},
    });
    assert_eq!(*lead, expected);
    assert_eq!(*pointer, json!({"pk": {"S": KEY_PK}, "lead_pk": {"S": LEAD_PK}, "expires": {"N": expires}}));
}

#[tokio::test]
async fn an_expired_item_counts_as_deleted() {
    for (in_seconds, pushes) in [(0, 1), (60, 0)] {
        let expires = json!({"N": (now() + in_seconds).to_string()});
        let app = TestApp::with_ledger().await;
        let mut lead = claimed(now() - 700_000);
        lead["expires"] = expires.clone();
        app.dynamodb.put(TABLE, lead);
        let pointer = json!({"pk": {"S": KEY_PK}, "lead_pk": {"S": "acme#lead#other"}, "expires": expires});
        app.dynamodb.put(TABLE, pointer);
        app.post(&keyed("infinity-7")).await;
        assert_eq!(app.rudder.received().len(), pushes, "expires in {in_seconds} s");
    }
}

#[tokio::test]
async fn a_lead_with_an_unreadable_item_may_have_been_sent() {
    let app = TestApp::with_ledger().await;
    for (attribute, value) in [("claim", json!({"BOOL": true})), ("outcome", json!({"S": "refused"}))] {
        let mut item = claimed(now() + 10);
        item[attribute] = value;
        app.dynamodb.put(TABLE, item);
        assert_eq!(app.post(&Request::lead()).await, "500 unknown internal_error", "{attribute}");
        assert_eq!(app.rudder.received().len(), 0);
    }
}

#[tokio::test]
async fn a_lead_has_the_same_fingerprint_for_ever() {
    let lead = r#"{
        "caller_id": 16501231234, "loan_amount": 4000, "customer_name": "Zo\u00eb O'Neil", "details": {
            "loan_reason": "a car", "job_title": "programmer", "company_name": "AI Rudder", "years_of_working": "2",
            "pay_type": "biweekly", "next_pay_date": "Friday", "pay_time_of_day": "Midnight",
            "number_of_back_account": "3", "years_of_deposit_bank_account": "10", "numbers_of_loan": "1",
            "successful_payday_loan": "1", "year_of_residence": "10", "status": "new", "had_late_payment": false
        }
    }"#;
    let app = TestApp::with_ledger().await;
    app.post(&Request::post(lead)).await;
    // `printf %s` of what AI Rudder got, to `sha256sum`. Two versions of the function may run at the same time, so that this
    // must never change.
    assert_eq!(
        attribute(&lead_item(&app), "pk"),
        "acme#lead#ff086be18e8005eb6b714b02738f011865ae86f8ccaeeca601c8fe048910862c"
    );
}

#[tokio::test]
async fn numbers_in_every_form_have_the_same_fingerprint_for_ever() {
    let lead = |working: &str, loans: &str, residence: &str, time: &str| {
        let details = format!(
            r#"{{"years_of_working":{working},"number_of_loans":{loans},"years_of_residence":{residence},"pay_time_of_day":{time}}}"#
        );
        Request::post(LEAD.replace("{}", &details))
    };
    let app = TestApp::with_ledger().await;
    for (nth, request) in [
        lead("10", "2.5", "0", "10.1"),
        lead("10.0", "2.50", "-0", "10.10"),
        lead("10.00", r#""2.500""#, "-0.0", r#""10.1""#),
        lead(r#"" 10.0 ""#, r#""2.5""#, r#""-0.00""#, "10.100"),
        lead("10.0", "2.50", r#""0.0""#, "10.1").idempotency_key("infinity-7"),
        lead("10", "2.5", r#""0""#, "10.1").idempotency_key("infinity-7"),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(app.post(request).await, if nth > 0 { "200 accepted (again)" } else { ACCEPTED }, "{nth}");
    }
    let pushes = app.rudder.received();
    assert_eq!(pushes.len(), 1);
    let details =
        r#"{"years_of_working":"10","pay_time_of_day":"10.1","numbers_of_loan":"2.5","year_of_residence":"0"}"#;
    assert_eq!(pushes[0].body, LEAD.replace("{}", details));
    // `printf %s` of that, to `sha256sum`: as of 0.2.0, see CHANGELOG.md.
    assert_eq!(
        attribute(&lead_item(&app), "pk"),
        "acme#lead#cfe5f1aa53f5d2a1564065fab544c0d1f5f0b5f7cb8fc75059d259ba73102e01"
    );
    // In a string that need not be a number, the zeros have a meaning.
    assert_eq!(app.post(&lead("10", "2.5", "0", r#""10.10""#)).await, ACCEPTED);
}

#[tokio::test]
async fn an_invalid_lead_is_not_claimed() {
    let app = TestApp::with_ledger().await;
    assert_eq!(app.post(&Request::post("{}")).await, "422 not_sent invalid_lead");
    assert_eq!(app.dynamodb.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn concurrent_posts_of_one_lead_are_one_push() {
    for keys in [|_: usize| Some("one".to_owned()), |n| Some(format!("key-{n}")), |_| None] {
        let app = TestApp::with_ledger().await;
        let with_key = |n| keys(n).iter().fold(Request::lead(), |request, key| request.idempotency_key(key));
        let posts: Vec<_> = (0..12).map(with_key).collect();
        let responses = join_all(posts.iter().map(|request| app.post(request))).await;
        assert_eq!(app.rudder.received().len(), 1);
        assert_eq!(responses.iter().filter(|response| **response == ACCEPTED).count(), 1);
        for response in responses {
            assert!([ACCEPTED, "200 accepted (again)", PENDING].contains(&response.to_string().as_str()), "{response}");
        }
    }
}

#[tokio::test]
async fn a_claim_whose_lease_ended_meanwhile_is_settled_by_its_id() {
    let app = TestApp::with_ledger().await;
    app.rudder.hang_next();
    let lead = Request::lead();
    let meanwhile = async {
        app.rudder.arrived(1).await;
        Lead(4000).end_lease(&app.dynamodb);
        assert_eq!(app.post(&lead).await, "504 unknown interrupted");
    };
    let (first, ()) = tokio::join!(app.post_within(&lead, 4000), meanwhile);
    assert_eq!(app.post(&lead).await, first.again());
}

/// Posts the lead, and lets an operator replace its item after this reply of AI Rudder and before the claim is closed.
/// Returns the item that is left.
async fn replaced_before_its_end(reply: Reply, replace: impl FnOnce(Value) -> Value) -> (TestApp, Value) {
    let app = TestApp::with_ledger().await;
    app.rudder.answer_next(reply);
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Normal);
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Slow(Duration::from_millis(200)));
    let lead = keyed("infinity-7");
    let meanwhile = async {
        app.dynamodb.called(ProcessHarness::WRITE, 2).await;
        app.dynamodb.put(TABLE, replace(lead_item(&app)));
    };
    let _: (ObservedResponse, ()) = tokio::join!(app.post(&lead), meanwhile);
    let left = lead_item(&app);
    (app, left)
}

#[tokio::test]
async fn an_operators_settlement_is_undone_by_no_late_sender() {
    let settled = |mut lead: Value| {
        lead["outcome"] = json!({"S": "accepted"});
        lead["http_status"] = json!({"N": "200"});
        lead["body"] = json!({"S": r#"{"code":200,"message":"the operator's"}"#});
        lead
    };
    for reply in [Reply::new(422, r#"{"code":422}"#), Reply::new(500, "")] {
        let (_, lead) = replaced_before_its_end(reply, settled).await;
        assert_eq!(attribute(&lead, "body"), r#"{"code":200,"message":"the operator's"}"#);
        assert_eq!(attribute(&lead, "outcome"), "accepted");
    }
    // Only a sender that has AI Rudder's own acceptance replaces the operator's.
    let (_, lead) = replaced_before_its_end(Reply::new(200, r#"{"code":200}"#), settled).await;
    assert_eq!(attribute(&lead, "body"), r#"{"code":200}"#);
}

#[tokio::test]
async fn a_claim_taken_over_is_neither_settled_nor_released() {
    for reply in [Reply::new(200, r#"{"code":200}"#), Reply::new(422, r#"{"code":422}"#)] {
        let (app, lead) = replaced_before_its_end(reply, |_| claimed(now() + 30)).await;
        assert_eq!(attribute(&lead, "claim"), EARLIER);
        assert!(lead.get("outcome").is_none());
        assert_eq!(app.dynamodb.items(TABLE).len(), 2, "a refused transaction leaves the item of the key too");
    }
}
