use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::{budget::Budget, clock::Clock};

#[tokio::test(start_paused = true)]
async fn no_other_request_sees_a_lease_end_before_its_holder() {
    let claimed = |deadline| {
        let claim = Claim {
            id: "an id".to_owned(),
            lead: "acme#lead#1".to_owned(),
            key_item: None,
            phone_item: None,
            void: "acme#void#an id".to_owned(),
            request_id: "a request".to_owned(),
            is_sandbox: false,
            lease: Budget::with_deadline(deadline, Clock::starting_at(UNIX_EPOCH + Duration::from_secs(100))).lease(),
        };
        claim_item(&claim, UNIX_EPOCH, 0).remove("lease_until")
    };
    assert_eq!(claimed(100_000), Some(number(106)));
    assert_eq!(claimed(100_999), Some(number(106)));
    assert_eq!(claimed(101_000), Some(number(107)));
}

fn item(attributes: &[(&str, AttributeValue)]) -> Item {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// The state of a claim's item with these additional attributes.
fn state(attributes: &[(&str, AttributeValue)]) -> Option<State<Settled>> {
    let claim = [("claim", text("id")), ("request_id", text("request")), ("expires", number(9))];
    Record::parse(&item(&[&claim, attributes].concat())).map(|record| record.state)
}

#[test]
fn an_item_is_sending_or_settled() {
    assert_eq!(state(&[("lease_until", number(7))]), Some(State::Sending { lease_until: 7 }));
    let settled =
        |outcome, status| state(&[("outcome", text(outcome)), ("http_status", number(status)), ("body", text("{}"))]);
    let body = || "{}".to_owned();
    assert_eq!(settled("accepted", 200), Some(State::Settled(Settled::Accepted { body: body() })));
    for (status, code) in [(500, StatusCode::INTERNAL_SERVER_ERROR), (504, StatusCode::GATEWAY_TIMEOUT)] {
        let unknown = Settled::Unknown { status: code, error: None, body: body() };
        assert_eq!(settled("unknown", status), Some(State::Settled(unknown)));
    }
    for (outcome, status) in
        [("accepted", 201), ("accepted", 500), ("unknown", 200), ("unknown", 422), ("refused", 422), ("unknown", 99)]
    {
        assert_eq!(settled(outcome, status), None, "{outcome} {status}");
    }
}

#[test]
fn an_item_that_contradicts_itself_is_unreadable() {
    let lease = ("lease_until", number(7));
    assert_eq!(state(&[]), None);
    for attribute in
        [("http_status", number(200)), ("body", text("{}")), ("settled_at", number(1)), ("lead_error", text("a"))]
    {
        assert_eq!(state(&[lease.clone(), attribute.clone()]), None, "{attribute:?}");
    }
    assert_eq!(state(&[("outcome", text("accepted")), ("http_status", number(200))]), None);
    assert_eq!(state(&[("outcome", text("accepted")), ("body", text("{}"))]), None);
    assert_eq!(state(&[("outcome", number(1)), ("http_status", number(200)), ("body", text("{}"))]), None);
}

#[test]
fn an_item_without_a_claim_is_unreadable() {
    let whole =
        [("claim", text("id")), ("request_id", text("request")), ("expires", number(9)), ("lease_until", number(7))];
    assert!(Record::parse(&item(&whole)).is_some());
    for missing in 0..whole.len() {
        let mut rest = whole.to_vec();
        let (name, _) = rest.remove(missing);
        assert_eq!(Record::parse(&item(&rest)), None, "{name}");
    }
}
