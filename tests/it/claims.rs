//! The ledger: nobody is called twice for one lead, whoever posts it how often and under which key.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use lambda_http::Context;
use serde_json::{Value, json};
use support::fakes::{DynamoBehaviour, Reply, api_gateway::Response};

use crate::{
    request::{LEAD, REQUEST_ID, Request},
    sending::{expected, header, seen},
    stage::{Stage, TABLE, serve, with_deadline},
};

/// The item of `LEAD`.
const LEAD_PK: &str = "acme#lead#ea97f520366dd62e15aff765e09dc8f49941fdbce26518f008e02e3bb22b5eac";
/// `printf %s infinity-7 | sha256sum`
const KEY_PK: &str = "acme#key#094691fce15f53c19ea949babb6bbec646844a4c953a85d39b6b6fce6b9c5949";

fn keyed(key: &str) -> Request {
    Request::post(LEAD).header("idempotency-key", key)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn post(stage: &Stage, request: &Request) -> Response {
    stage.serve(&request.event()).await
}

fn replayed(answer: &Response) -> bool {
    header(answer, "idempotent-replayed") == "true"
}

/// The item of a lead that was claimed and not answered.
fn sending(lease_until: u64) -> Value {
    json!({
        "pk": {"S": LEAD_PK},
        "claim": {"S": "11111111-1111-4111-8111-111111111111"},
        "request_id": {"S": "earlier-request"},
        "claimed_at": {"N": (lease_until - 35).to_string()},
        "lease_until": {"N": lease_until.to_string()},
        "expires": {"N": (lease_until + 604_800).to_string()},
    })
}

#[tokio::test]
async fn the_same_lead_is_pushed_once_and_its_answer_given_again_byte_for_byte() {
    let stage = Stage::with_ledger().await;
    let first = post(&stage, &keyed("infinity-7")).await;
    assert_eq!(seen(&first), expected(200, "accepted", ""));
    assert!(!replayed(&first));
    // In another form, under the same key, another one, and none.
    let other_form =
        r#"{"loan_amount": "$4,000", "first_name": " Ann  Zqxjkvwyp", "caller_id": "650-123-1234", "details": {}}"#;
    for request in [
        keyed("infinity-7"),
        Request::post(other_form).header("idempotency-key", "infinity-7"),
        keyed("another"),
        Request::post(LEAD),
    ] {
        let again = post(&stage, &request).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(header(&again, "lead-outcome"), "accepted");
        assert!(replayed(&again));
    }
    assert_eq!(stage.rudder.received().len(), 1);
}

#[tokio::test]
async fn what_nobody_knows_is_not_tried_again_and_said_again_byte_for_byte() {
    let stage = Stage::with_ledger().await;
    stage.rudder.answer_next(Reply::new(500, "<html>"));
    let first = post(&stage, &Request::post(LEAD)).await;
    assert_eq!(seen(&first), expected(502, "unknown", "bad_upstream_answer"));
    let again = post(&stage, &keyed("infinity-7")).await;
    assert_eq!((again.status, &again.body), (502, &first.body));
    assert_eq!(header(&again, "lead-outcome"), "unknown");
    assert!(replayed(&again));
    assert_eq!(stage.rudder.received().len(), 1);
}

#[tokio::test]
async fn where_nobody_was_called_lead_and_key_are_free_again() {
    for (reply, outcome) in [
        (Reply::new(422, r#"{"code":422}"#), "refused"),
        (Reply::new(429, r#"{"code":429}"#), "not_sent"),
        (Reply::new(401, r#"{"code":401}"#), "not_sent"),
    ] {
        let stage = Stage::with_ledger().await;
        stage.rudder.answer_next(reply);
        let first = post(&stage, &keyed("infinity-7")).await;
        assert_eq!(header(&first, "lead-outcome"), outcome);
        assert_eq!(stage.dynamodb.items(TABLE), Vec::<Value>::new());
        let other = Request::post(LEAD.replace("4000", "5000")).header("idempotency-key", "infinity-7");
        assert_eq!(seen(&post(&stage, &other).await), expected(200, "accepted", ""), "the key");
        assert_eq!(seen(&post(&stage, &Request::post(LEAD)).await), expected(200, "accepted", ""), "the lead");
    }
}

#[tokio::test]
async fn a_connection_that_was_never_made_frees_the_lead() {
    let stage = Stage::with_ledger().await;
    let nowhere = stage.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", "http://127.0.0.1:1/push")]);
    let answer = serve(&nowhere, &keyed("infinity-7").event(), Context::default()).await;
    assert_eq!(seen(&answer), expected(503, "not_sent", "upstream_unreachable"));
    assert_eq!(stage.dynamodb.items(TABLE), Vec::<Value>::new());
}

#[tokio::test]
async fn a_lead_that_is_being_pushed_is_pending_for_everyone_else() {
    let stage = Stage::with_ledger().await;
    stage.rudder.hang_next();
    let (request, other_key, no_key) =
        (keyed("infinity-7").event(), keyed("other").event(), Request::post(LEAD).event());
    let first = serve(&stage.relay, &request, with_deadline(4000));
    let others = async {
        stage.rudder.arrived(1).await;
        let relay = stage.relay(&[("CLAIMS_TABLE", TABLE)]);
        for event in [&request, &other_key, &no_key] {
            for relay in [&stage.relay, &relay] {
                let answer = serve(relay, event, Context::default()).await;
                assert_eq!(seen(&answer), expected(409, "pending", "in_progress"));
                assert_eq!(header(&answer, "retry-after"), "5");
            }
        }
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(seen(&first), expected(504, "unknown", "upstream_timeout"));
    assert_eq!(stage.rudder.received().len(), 1);
}

#[tokio::test]
async fn a_lead_whose_sender_died_is_never_sent_again() {
    let stage = Stage::with_ledger().await;
    let claimed = sending(now() - 2);
    stage.dynamodb.put(TABLE, claimed.clone());
    for request in [Request::post(LEAD), keyed("infinity-7")] {
        let answer = post(&stage, &request).await;
        assert_eq!(seen(&answer), expected(504, "unknown", "interrupted"));
        assert!(!replayed(&answer));
    }
    assert_eq!(stage.dynamodb.items(TABLE), [claimed], "it is read, not written");
    assert_eq!(stage.rudder.received().len(), 0);
}

#[tokio::test]
async fn a_clock_that_is_a_minute_off_delays_no_more_than_the_word_interrupted() {
    let stage = Stage::with_ledger().await;
    stage.dynamodb.put(TABLE, sending(now() + 60));
    assert_eq!(seen(&post(&stage, &Request::post(LEAD)).await), expected(409, "pending", "in_progress"));
    assert_eq!(stage.rudder.received().len(), 0);
}

#[tokio::test]
async fn a_key_stands_for_one_lead() {
    let stage = Stage::with_ledger().await;
    let other_lead = LEAD.replace("4000", "5000");
    let other = Request::post(other_lead.clone()).header("idempotency-key", "infinity-7");
    assert_eq!(seen(&post(&stage, &keyed("infinity-7")).await), expected(200, "accepted", ""));
    assert_eq!(seen(&post(&stage, &other).await), expected(422, "not_sent", "idempotency_key_reused"));
    // A second key that got the lead's answer stands for it from then on too.
    assert!(replayed(&post(&stage, &keyed("second")).await));
    let second = Request::post(other_lead).header("idempotency-key", "second");
    assert_eq!(seen(&post(&stage, &second).await), expected(422, "not_sent", "idempotency_key_reused"));
    assert_eq!(stage.rudder.received().len(), 1);
}

#[tokio::test]
async fn of_a_lead_that_was_sent_the_truth_is_told_under_the_key_of_another_too() {
    let stage = Stage::with_ledger().await;
    let other = Request::post(LEAD.replace("4000", "5000")).header("idempotency-key", "infinity-7");
    assert_eq!(seen(&post(&stage, &Request::post(LEAD)).await), expected(200, "accepted", ""));
    assert_eq!(seen(&post(&stage, &other).await), expected(200, "accepted", ""));
    let answer = post(&stage, &keyed("infinity-7")).await;
    assert_eq!(seen(&answer), expected(200, "accepted", ""), "not_sent would be a lie");
    assert!(replayed(&answer));
    assert!(replayed(&post(&stage, &other).await), "and the key still stands for its own lead");
    assert_eq!(stage.rudder.received().len(), 2);
}

#[tokio::test]
async fn accounts_share_neither_leads_nor_keys() {
    let stage = Stage::with_ledger().await;
    stage.secrets.put("lendswift/other", crate::stage::secret(crate::stage::TOKEN, &[crate::stage::KEY]));
    for request in [keyed("infinity-7"), keyed("infinity-7").account("other")] {
        let answer = post(&stage, &request).await;
        assert_eq!(seen(&answer), expected(200, "accepted", ""));
        assert!(!replayed(&answer));
    }
    assert_eq!(stage.rudder.received().len(), 2);
}

/// An attribute of an item, as text.
fn attribute<'a>(item: &'a Value, name: &str) -> &'a str {
    let value = &item[name];
    value["S"].as_str().or(value["N"].as_str()).unwrap_or_else(|| panic!("no {name} in {item}"))
}

#[tokio::test]
async fn the_table_holds_this_and_no_more() {
    let stage = Stage::with_ledger().await;
    let before = now();
    let answer = serve(&stage.relay, &keyed("infinity-7").event(), with_deadline(20_000)).await;
    let items = stage.dynamodb.items(TABLE);
    let [pointer, lead] = items.as_slice() else { panic!("{items:?}") };
    let time = |name, after| {
        let seconds: u64 = attribute(lead, name).parse().unwrap();
        assert!((before + after..=now() + after + 1).contains(&seconds), "{name}: {seconds}");
        seconds.to_string()
    };
    let claim = attribute(lead, "claim");
    let expires = time("expires", 604_825);
    let mut expected = json!({
        "pk": {"S": LEAD_PK},
        "claim": {"S": claim},
        "request_id": {"S": REQUEST_ID},
        "claimed_at": {"N": time("claimed_at", 0)},
        "lease_until": {"N": time("lease_until", 25)},
        "expires": {"N": expires},
        "pointer": {"S": KEY_PK},
        "outcome": {"S": "accepted"},
        "http_status": {"N": "200"},
        "body": {"S": String::from_utf8(answer.body).unwrap()},
        "settled_at": {"N": time("settled_at", 0)},
    });
    assert_eq!(*lead, expected);
    expected = json!({
        "pk": {"S": KEY_PK}, "lead_pk": {"S": LEAD_PK}, "expires": {"N": expires},
    });
    assert_eq!(*pointer, expected);
}

#[tokio::test]
async fn what_has_expired_is_fresh_even_where_dynamodb_has_not_deleted_it_yet() {
    for (in_seconds, pushes) in [(0, 1), (60, 0)] {
        let expires = now() + in_seconds;
        let stage = Stage::with_ledger().await;
        let mut claimed = sending(now() - 700_000);
        claimed["expires"] = json!({"N": expires.to_string()});
        stage.dynamodb.put(TABLE, claimed);
        let pointer = json!({
            "pk": {"S": KEY_PK}, "lead_pk": {"S": "acme#lead#other"}, "expires": {"N": expires.to_string()},
        });
        stage.dynamodb.put(TABLE, pointer);
        post(&stage, &keyed("infinity-7")).await;
        assert_eq!(stage.rudder.received().len(), pushes, "expires in {in_seconds} s");
    }
}

#[tokio::test]
async fn a_lead_whose_item_can_not_be_read_may_have_been_sent() {
    let mut broken = vec![json!({"pk": {"S": LEAD_PK}, "expires": {"N": "9999999999"}})];
    for attribute in ["claim", "request_id", "lease_until"] {
        let mut item = sending(now() + 10);
        item[attribute] = json!({"BOOL": true});
        broken.push(item);
    }
    for (outcome, status, body) in [("refused", "200", "S"), ("accepted", "99", "S"), ("unknown", "504", "B")] {
        let mut item = sending(now() + 10);
        item["outcome"] = json!({"S": outcome});
        item["http_status"] = json!({"N": status});
        item["body"] = json!({body: "e30="});
        broken.push(item);
    }
    for item in broken {
        let stage = Stage::with_ledger().await;
        stage.dynamodb.put(TABLE, item.clone());
        let answer = post(&stage, &Request::post(LEAD)).await;
        assert_eq!(seen(&answer), expected(500, "unknown", "internal_error"), "{item}");
        assert_eq!(stage.rudder.received().len(), 0);
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
    let stage = Stage::with_ledger().await;
    post(&stage, &Request::post(lead)).await;
    let items = stage.dynamodb.items(TABLE);
    // `printf %s` of what AI Rudder got, to `sha256sum`. Two versions of the function may run side by side, so that this
    // must never change.
    assert_eq!(
        attribute(&items[0], "pk"),
        "acme#lead#ff086be18e8005eb6b714b02738f011865ae86f8ccaeeca601c8fe048910862c"
    );
}

#[tokio::test]
async fn a_lead_with_numbers_has_the_same_fingerprint_in_every_form_for_ever() {
    let lead = |working: &str, loans: &str, residence: &str, time: &str| {
        let details = format!(
            r#"{{"years_of_working":{working},"number_of_loans":{loans},"years_of_residence":{residence},"pay_time_of_day":{time}}}"#
        );
        Request::post(LEAD.replace("{}", &details))
    };
    let stage = Stage::with_ledger().await;
    for (nth, request) in [
        lead("10", "2.5", "0", "10.1"),
        lead("10.0", "2.50", "-0", "10.10"),
        lead("10.00", r#""2.500""#, "-0.0", r#""10.1""#),
        lead(r#"" 10.0 ""#, r#""2.5""#, r#""-0.00""#, "10.100"),
        lead("10.0", "2.50", r#""0.0""#, "10.1").header("idempotency-key", "infinity-7"),
        lead("10", "2.5", r#""0""#, "10.1").header("idempotency-key", "infinity-7"),
    ]
    .iter()
    .enumerate()
    {
        let answer = post(&stage, request).await;
        assert_eq!(seen(&answer), expected(200, "accepted", ""), "{nth}");
        assert_eq!(replayed(&answer), nth > 0, "{nth}");
    }
    let pushes = stage.rudder.received();
    assert_eq!(pushes.len(), 1);
    assert_eq!(
        pushes[0].body,
        LEAD.replace(
            "{}",
            r#"{"years_of_working":"10","pay_time_of_day":"10.1","numbers_of_loan":"2.5","year_of_residence":"0"}"#
        )
    );
    // `printf %s` of that, to `sha256sum`: as of 0.2.0, see CHANGELOG.md.
    let items = stage.dynamodb.items(TABLE);
    let [_key, lead_item] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(
        attribute(lead_item, "pk"),
        "acme#lead#cfe5f1aa53f5d2a1564065fab544c0d1f5f0b5f7cb8fc75059d259ba73102e01"
    );
    // In a string that need not be a number, the zeros say something.
    assert!(!replayed(&post(&stage, &lead("10", "2.5", "0", r#""10.10""#)).await));
}

#[tokio::test]
async fn a_lead_that_is_not_in_order_is_not_claimed() {
    let stage = Stage::with_ledger().await;
    assert_eq!(post(&stage, &Request::post("{}")).await.status, 422);
    assert_eq!(serve(&stage.relay, &Request::post(LEAD).event(), with_deadline(2400)).await.status, 503);
    assert_eq!(stage.dynamodb.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn many_posts_of_one_lead_at_once_are_one_push() {
    for keys in [|_: usize| Some("one".to_owned()), |n| Some(format!("key-{n}")), |_| None] {
        let stage = Stage::with_ledger().await;
        let posts = (0..12).map(|n| {
            let request = Request::post(LEAD);
            let request = keys(n).iter().fold(request, |request, key| request.header("idempotency-key", key));
            let event = request.event();
            let stage = &stage;
            async move { stage.serve(&event).await }
        });
        let answers = join_all(posts).await;
        assert_eq!(stage.rudder.received().len(), 1);
        let fresh = answers.iter().filter(|answer| answer.status == 200 && !replayed(answer)).count();
        assert_eq!(fresh, 1);
        for answer in answers {
            let (status, outcome, _) = seen(&answer);
            assert!(matches!((status, outcome.as_str()), (200, "accepted") | (409, "pending")), "{status} {outcome}");
        }
    }
}

#[tokio::test]
async fn a_claim_that_is_slow_to_settle_wins_by_its_id() {
    let stage = Stage::with_ledger().await;
    stage.rudder.hang_next();
    let event = Request::post(LEAD).event();
    let first = serve(&stage.relay, &event, with_deadline(4000));
    let meanwhile = async {
        stage.rudder.arrived(1).await;
        // As if its lease were over while it waits.
        let mut lead = stage.dynamodb.items(TABLE).remove(0);
        lead["lease_until"] = json!({"N": (now() - 60).to_string()});
        stage.dynamodb.put(TABLE, lead);
        assert_eq!(seen(&post(&stage, &Request::post(LEAD)).await), expected(504, "unknown", "interrupted"));
    };
    let (first, ()) = tokio::join!(first, meanwhile);
    let again = post(&stage, &Request::post(LEAD)).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert!(replayed(&again));
}

/// What an operator makes of a lead's item while its sender is still at work.
async fn settled_by_an_operator_before(reply: Reply) -> Value {
    let stage = Stage::with_ledger().await;
    stage.rudder.answer_next(reply);
    stage.dynamodb.next("TransactWriteItems", DynamoBehaviour::Normal);
    stage.dynamodb.next("TransactWriteItems", DynamoBehaviour::Slow(std::time::Duration::from_millis(200)));
    let event = Request::post(LEAD).event();
    let meanwhile = async {
        stage.dynamodb.called("TransactWriteItems", 2).await;
        let mut lead = stage.dynamodb.items(TABLE).remove(0);
        lead["outcome"] = json!({"S": "accepted"});
        lead["http_status"] = json!({"N": "200"});
        lead["body"] = json!({"S": "{\"code\":200,\"message\":\"the operator's\"}"});
        stage.dynamodb.put(TABLE, lead);
    };
    tokio::join!(stage.serve(&event), meanwhile);
    stage.dynamodb.items(TABLE).remove(0)
}

#[tokio::test]
async fn what_an_operator_has_settled_no_late_sender_undoes() {
    for reply in [Reply::new(422, r#"{"code":422}"#), Reply::new(500, "")] {
        let lead = settled_by_an_operator_before(reply).await;
        assert_eq!(attribute(&lead, "body"), r#"{"code":200,"message":"the operator's"}"#);
        assert_eq!(attribute(&lead, "outcome"), "accepted");
    }
    // Only a sender who has AI Rudder's own word writes it down beside the operator's.
    let lead = settled_by_an_operator_before(Reply::new(200, r#"{"code":200}"#)).await;
    assert_eq!(attribute(&lead, "body"), r#"{"code":200}"#);
}

#[tokio::test]
async fn a_claim_that_is_another_s_by_now_is_neither_settled_nor_released() {
    for reply in [Reply::new(200, r#"{"code":200}"#), Reply::new(422, r#"{"code":422}"#)] {
        let stage = Stage::with_ledger().await;
        // The push waits for the settling that is told to be slow, so that the claim can change hands before it.
        stage.rudder.answer_next(reply);
        stage.dynamodb.next("TransactWriteItems", DynamoBehaviour::Normal);
        stage.dynamodb.next("TransactWriteItems", DynamoBehaviour::Slow(std::time::Duration::from_millis(200)));
        let event = keyed("infinity-7").event();
        let meanwhile = async {
            stage.dynamodb.called("TransactWriteItems", 2).await;
            stage.dynamodb.put(TABLE, sending(now() + 30));
        };
        tokio::join!(stage.serve(&event), meanwhile);
        let items = stage.dynamodb.items(TABLE);
        assert_eq!(attribute(&items[1], "claim"), "11111111-1111-4111-8111-111111111111");
        assert!(items[1].get("outcome").is_none());
        assert_eq!(items.len(), 2, "a transaction that is refused leaves the pointer too");
    }
}
