//! The table's items, as they are written and parsed.

use std::time::SystemTime;

use http::StatusCode;

use super::{
    Claim, Settled,
    dynamodb::{AttributeValue, Item},
    protocol::State,
};
use crate::unix_time::seconds;

/// The item of a lead that was claimed before.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The claim's id.
    pub claim: String,
    /// The id of the request that made it.
    pub request_id: String,
    /// Whether the lead is being sent or was sent.
    pub state: State<Settled>,
    /// The `pk` of the idempotency key's item that was written with it.
    pub key_item: Option<String>,
    /// When it expires, in Unix seconds.
    pub expires: u64,
}

/// The item of a new claim.
pub(super) fn claim_item(claim: &Claim, now: SystemTime, expires: u64) -> Item {
    let attributes = [
        ("pk", text(&claim.lead)),
        ("claim", text(&claim.id)),
        ("request_id", text(&claim.request_id)),
        ("claimed_at", number(seconds(now))),
        // Rounded up: no other request may treat the lease as over before its holder does.
        ("lease_until", number(seconds(claim.lease.until()) + 1)),
        ("expires", number(expires)),
    ];
    let key_item = claim.key_item.as_ref().map(|pk| ("pointer", text(pk)));
    attributes.into_iter().chain(key_item).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The item of an idempotency key, which contains the `pk` of its lead.
pub(super) fn key_item(pk: &str, lead: &str, expires: u64) -> Item {
    let attributes = [("pk", text(pk)), ("lead_pk", text(lead)), ("expires", number(expires))];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

impl Record {
    /// Parses an item; `None` if it is not a claim, or contradicts itself.
    #[must_use]
    pub fn parse(item: &Item) -> Option<Self> {
        let state = match item.get("outcome") {
            None if ["http_status", "body", "settled_at", "lead_error"].iter().any(|name| item.contains_key(*name)) => {
                return None;
            }
            None => State::Sending { lease_until: number_of(item, "lease_until")? },
            Some(_) => State::Settled(settled(item)?),
        };
        Some(Self {
            claim: text_of(item, "claim")?,
            request_id: text_of(item, "request_id")?,
            state,
            key_item: text_of(item, "pointer"),
            expires: expires(item)?,
        })
    }
}

/// The item of an idempotency key.
pub struct KeyRecord {
    /// The `pk` of the lead that it belongs to.
    pub lead: String,
}

impl KeyRecord {
    /// Parses an item; `None` if it names no lead.
    #[must_use]
    pub fn parse(item: &Item) -> Option<Self> {
        Some(Self { lead: text_of(item, "lead_pk")? })
    }
}

/// When an item expires, in Unix seconds.
pub(super) fn expires(item: &Item) -> Option<u64> {
    number_of(item, "expires")
}

/// The result of a settled claim; `None` if it contradicts itself. An accepted lead has HTTP 200, an unknown one a server
/// error.
fn settled(item: &Item) -> Option<Settled> {
    let body = text_of(item, "body")?;
    let status = number_of(item, "http_status")?;
    let status = StatusCode::from_u16(status.try_into().ok()?).ok()?;
    match text_of(item, "outcome")?.as_str() {
        "accepted" if status == StatusCode::OK => Some(Settled::Accepted { body }),
        "unknown" if status.is_server_error() => {
            Some(Settled::Unknown { status, error: text_of(item, "lead_error"), body })
        }
        _ => None,
    }
}

fn text_of(item: &Item, name: &str) -> Option<String> {
    if let AttributeValue::S(text) = item.get(name)? { Some(text.clone()) } else { None }
}

fn number_of(item: &Item, name: &str) -> Option<u64> {
    if let AttributeValue::N(number) = item.get(name)? { number.parse().ok() } else { None }
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

#[cfg(test)]
mod tests {
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
                void: "acme#void#an id".to_owned(),
                request_id: "a request".to_owned(),
                is_sandbox: false,
                lease: Budget::with_deadline(deadline, Clock::starting_at(UNIX_EPOCH + Duration::from_secs(100)))
                    .lease(),
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
        let settled = |outcome, status| {
            state(&[("outcome", text(outcome)), ("http_status", number(status)), ("body", text("{}"))])
        };
        let body = || "{}".to_owned();
        assert_eq!(settled("accepted", 200), Some(State::Settled(Settled::Accepted { body: body() })));
        for (status, code) in [(500, StatusCode::INTERNAL_SERVER_ERROR), (504, StatusCode::GATEWAY_TIMEOUT)] {
            let unknown = Settled::Unknown { status: code, error: None, body: body() };
            assert_eq!(settled("unknown", status), Some(State::Settled(unknown)));
        }
        for (outcome, status) in [
            ("accepted", 201),
            ("accepted", 500),
            ("unknown", 200),
            ("unknown", 422),
            ("refused", 422),
            ("unknown", 99),
        ] {
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
        let whole = [
            ("claim", text("id")),
            ("request_id", text("request")),
            ("expires", number(9)),
            ("lease_until", number(7)),
        ];
        assert!(Record::parse(&item(&whole)).is_some());
        for missing in 0..whole.len() {
            let mut rest = whole.to_vec();
            let (name, _) = rest.remove(missing);
            assert_eq!(Record::parse(&item(&rest)), None, "{name}");
        }
    }
}
