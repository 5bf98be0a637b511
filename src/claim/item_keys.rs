//! The primary keys of the ledger's items.

use std::{fmt, time::Duration};

use sha2::{Digest, Sha256};

use super::IdempotencyKey;
use crate::account::AccountId;

/// The prefix of all items of one account. A sandbox has its own, so that a lead that was tried in the sandbox is sent once the
/// account goes live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    prefix: String,
    pub(super) is_sandbox: bool,
}

/// The primary keys of a lead's item and of its idempotency key's item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemKeys {
    pub(super) lead: String,
    pub(super) key_item: Option<String>,
}

/// The item of a lead's phone number, which no other lead may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneItem {
    /// Its primary key.
    pub(super) pk: String,
    /// How long it is kept after the lead's lease.
    pub(super) period: Duration,
}

impl ItemKeys {
    /// The primary key of the lead's item.
    #[must_use]
    pub fn lead(&self) -> &str {
        &self.lead
    }
}

/// What a status request looks up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The state of a lead, as a request with this idempotency key would find it.
    Lead(ItemKeys),
    /// The state of the lead that an idempotency key belongs to, by the primary key of the idempotency key's item.
    IdempotencyKey(String),
}

impl Namespace {
    /// The items of an account whose leads go to AI Rudder.
    #[must_use]
    pub fn live(account: &AccountId) -> Self {
        Self { prefix: account.to_string(), is_sandbox: false }
    }

    /// The items of a sandbox account.
    #[must_use]
    pub fn sandbox(account: &AccountId) -> Self {
        Self { prefix: format!("{account}#sandbox"), is_sandbox: true }
    }

    /// The items of a lead's payload.
    #[must_use]
    pub fn items(&self, payload: &[u8], key: Option<&IdempotencyKey>) -> ItemKeys {
        let lead = format!("{self}#lead#{}", hex::encode(Sha256::digest(payload)));
        ItemKeys { lead, key_item: key.map(|key| self.key_item(key)) }
    }

    /// The item of a phone number with this hash, which is kept for this period.
    #[must_use]
    pub fn phone_item(&self, hash: &str, period: Duration) -> PhoneItem {
        PhoneItem { pk: format!("{self}#phone#{hash}"), period }
    }

    /// Looks up the lead that an idempotency key belongs to.
    #[must_use]
    pub fn lookup(&self, key: &IdempotencyKey) -> Lookup {
        Lookup::IdempotencyKey(self.key_item(key))
    }

    fn key_item(&self, key: &IdempotencyKey) -> String {
        format!("{self}#key#{}", hex::encode(Sha256::digest(key.as_bytes())))
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_has_items_of_its_own() {
        let account = "acme".parse().unwrap();
        let key = "infinity-7".parse().unwrap();
        let live = Namespace::live(&account).items(b"a lead", Some(&key));
        let sandbox = Namespace::sandbox(&account).items(b"a lead", Some(&key));
        assert!(live.lead.starts_with("acme#lead#") && sandbox.lead.starts_with("acme#sandbox#lead#"));
        assert_eq!(live.lead.replace("acme#", "acme#sandbox#"), sandbox.lead);
        assert_eq!(live.key_item.map(|key| key.replace("acme#", "acme#sandbox#")), sandbox.key_item);
        assert_eq!(Namespace::sandbox(&account).lookup(&key), Lookup::IdempotencyKey(sandbox.key_item.unwrap()));
        assert_eq!(Namespace::sandbox(&account).phone_item("ab", Duration::ZERO).pk, "acme#sandbox#phone#ab");
    }
}
