//! A lead's item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use lendswift_relay::claim::{
    Settled,
    items::{self, Item, Record},
    protocol::State,
};
use serde_json::{Value, json};

use crate::{
    decision::{Found, LeadState, state},
    output::time,
};

/// A lead's item: what the relay reads in it, and what the operator sees.
pub(crate) struct Entry {
    pub(crate) pk: String,
    pub(crate) found: Found,
    /// `claim` and `request_id`, also of an item that the relay cannot read.
    pub(crate) claim: String,
    pub(crate) request_id: String,
    pub(crate) claimed_at: Option<u64>,
    settled_at: Option<u64>,
}

impl Entry {
    /// The item with this `pk`.
    pub(super) fn new(pk: &str, item: &Item) -> Self {
        let text =
            |name| if let Some(items::AttributeValue::S(text)) = item.get(name) { text.clone() } else { String::new() };
        Self {
            pk: pk.to_owned(),
            found: Found { record: Record::parse(item), lease_until: number(item, "lease_until") },
            claim: text("claim"),
            request_id: text("request_id"),
            claimed_at: number(item, "claimed_at"),
            settled_at: number(item, "settled_at"),
        }
    }

    /// The account's name.
    pub(crate) fn account(&self) -> &str {
        self.pk.split('#').next().unwrap_or_default()
    }

    /// Whether the account was a sandbox.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.pk.split('#').nth(1) == Some("sandbox")
    }

    /// Whether the relay remembers the lead.
    pub(crate) fn is_current(&self, now: u64) -> bool {
        self.found.record.as_ref().is_none_or(|record| now < record.expires)
    }

    /// The state at `now`.
    pub(crate) fn state(&self, now: u64) -> LeadState {
        state(&self.found, now)
    }

    /// The error of an `unknown` lead, as its first response had it.
    pub(crate) fn error(&self, now: u64) -> &str {
        match (&self.found.record, self.state(now)) {
            (Some(Record { state: State::Settled(Settled::Unknown { error, .. }), .. }), _) => {
                error.as_deref().unwrap_or_default()
            }
            (_, LeadState::Interrupted) => "interrupted",
            (_, LeadState::Unreadable) => "internal_error",
            _ => "",
        }
    }

    /// The members of [`Self::json`] for people, and that of `lead show` alone.
    pub(crate) const MEMBERS: [&str; 11] = [
        "state",
        "error",
        "account",
        "claimed_at",
        "request_id",
        "claim",
        "lead",
        "lease_until",
        "settled_at",
        "expires",
        "phone_kept_until",
    ];

    /// All of it but the stored response, which may be AI Rudder's own.
    pub(crate) fn json(&self, now: u64) -> Value {
        let expires = self.found.record.as_ref().map(|record| record.expires);
        json!({
            "lead": self.pk,
            "claim": self.claim,
            "account": self.account(),
            "sandbox": self.is_sandbox(),
            "state": self.state(now),
            "error": Some(self.error(now)).filter(|error| !error.is_empty()),
            "request_id": self.request_id,
            "claimed_at": self.claimed_at.map(time),
            "lease_until": self.found.lease_until.map(time),
            "settled_at": self.settled_at.map(time),
            "expires": expires.map(time),
        })
    }
}

/// An item's whole number.
pub(super) fn number(item: &Item, name: &str) -> Option<u64> {
    if let items::AttributeValue::N(number) = item.get(name)? { number.parse().ok() } else { None }
}

/// An item in the relay's own types.
pub(super) fn item(item: HashMap<String, AttributeValue>) -> Item {
    let value = |value| match value {
        AttributeValue::S(text) => items::AttributeValue::S(text),
        AttributeValue::N(number) => items::AttributeValue::N(number),
        _ => items::AttributeValue::Other(Value::Null),
    };
    item.into_iter().map(|(name, attribute)| (name, value(attribute))).collect()
}
