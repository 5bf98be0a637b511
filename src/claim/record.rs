//! A claim as an item of the table: what is written, and what is read from an item that stands in the way.

use std::time::SystemTime;

use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;

use super::{Claim, Settled, table::Item};
use crate::unix_time::seconds;

/// What the ledger knows of a lead that was claimed before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The claim's id.
    pub(super) claim: String,
    /// The request that made it.
    pub(super) request_id: String,
    pub(super) state: State,
    /// The pointer that was written with it.
    pub(super) pointer: Option<String>,
    /// When it is forgotten, in Unix seconds.
    pub(super) expires: u64,
}

/// How far its sender has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Claimed, until this time in Unix seconds.
    Sending { lease_until: u64 },
    /// Sent, and answered.
    Answered(Settled),
}

/// The item of a claim that is made now.
pub(super) fn claim(claim: &Claim, now: SystemTime, expires: u64) -> Item {
    let attributes = [
        ("pk", text(&claim.lead)),
        ("claim", text(&claim.id)),
        ("request_id", text(&claim.request_id)),
        ("claimed_at", number(seconds(now))),
        // Rounded up: nobody may take it for over before its sender does.
        ("lease_until", number(seconds(claim.lease_until) + 1)),
        ("expires", number(expires)),
    ];
    let pointer = claim.pointer.as_ref().map(|pointer| ("pointer", text(pointer)));
    attributes.into_iter().chain(pointer).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The item by which a key stands for a lead.
pub(super) fn pointer(pk: &str, lead: &str, expires: u64) -> Item {
    let attributes = [("pk", text(pk)), ("lead_pk", text(lead)), ("expires", number(expires))];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

impl Record {
    /// Reads the item of a claim, if it is one.
    pub(super) fn read(item: &Item) -> Option<Self> {
        let text = |name| item.get(name)?.as_s().ok().cloned();
        let number = |name: &str| item.get(name)?.as_n().ok()?.parse::<u64>().ok();
        let state = match item.get("outcome") {
            None => State::Sending { lease_until: number("lease_until")? },
            Some(outcome) => State::Answered(Settled {
                accepted: match outcome.as_s().ok()?.as_str() {
                    "accepted" => true,
                    "unknown" => false,
                    _ => return None,
                },
                status: StatusCode::from_u16(number("http_status")?.try_into().ok()?).ok()?,
                body: text("body")?,
            }),
        };
        Some(Self {
            claim: text("claim")?,
            request_id: text("request_id")?,
            state,
            pointer: text("pointer"),
            expires: number("expires")?,
        })
    }
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
