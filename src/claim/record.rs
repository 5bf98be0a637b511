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
    /// The `pk` of the phone number's item that was written with it.
    pub phone_item: Option<String>,
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
        ("lease_until", lease_until(claim)),
        ("expires", number(expires)),
    ];
    let key_item = claim.key_item.as_ref().map(|pk| ("pointer", text(pk)));
    let phone_item = claim.phone_item.as_ref().map(|phone| ("phone_pk", text(&phone.pk)));
    attributes.into_iter().chain(key_item).chain(phone_item).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The item of an idempotency key, which contains the `pk` of its lead.
pub(super) fn key_item(pk: &str, lead: &str, expires: u64) -> Item {
    let attributes = [("pk", text(pk)), ("lead_pk", text(lead)), ("expires", number(expires))];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The item of a claim's phone number.
pub(super) fn phone_item(pk: &str, claim: &Claim, expires: u64) -> Item {
    let attributes = [
        ("pk", text(pk)),
        ("lead_pk", text(&claim.lead)),
        // Other names than in a claim, which `claim` and `lease_until` identify.
        ("lead_claim", text(&claim.id)),
        ("lead_lease_until", lease_until(claim)),
        ("expires", number(expires)),
    ];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Rounded up: no other request may treat the lease as over before its holder does.
fn lease_until(claim: &Claim) -> AttributeValue {
    number(seconds(claim.lease.until()) + 1)
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
            phone_item: text_of(item, "phone_pk"),
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

/// The item of a phone number.
pub struct PhoneRecord {
    /// The `pk` of the lead that it belongs to.
    pub lead: String,
    /// The claim under which that lead was sent, or is being sent.
    pub claim: String,
    /// The end of that claim's lease, in Unix seconds.
    pub lease_until: u64,
    /// When it expires, in Unix seconds.
    pub expires: u64,
}

impl PhoneRecord {
    /// Parses an item; `None` if it is not a phone number's.
    #[must_use]
    pub fn parse(item: &Item) -> Option<Self> {
        Some(Self {
            lead: text_of(item, "lead_pk")?,
            claim: text_of(item, "lead_claim")?,
            lease_until: number_of(item, "lead_lease_until")?,
            expires: expires(item)?,
        })
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
mod tests;
