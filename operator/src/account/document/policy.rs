//! The members of a secret that make up its policy.

use lendswift_relay::policy::PolicyError;
use secrecy::{ExposeSecret, SecretString};

use super::Document;
use crate::{
    failure::Failure,
    policy::{HashKey, Rules},
};

pub(super) const POLICY: &str = "policy";
pub(super) const HASH_KEY: &str = "hash_key";

impl Document {
    /// The policy; `Err` if it is malformed, whatever `hash_key` is.
    pub(in crate::account) fn rules(&self) -> Result<Rules, PolicyError> {
        Rules::parse(self.members.get(POLICY).map(|policy| &**policy))
    }

    /// Whether it has a member `policy`.
    pub(in crate::account) fn has_policy(&self) -> bool {
        self.members.contains_key(POLICY)
    }

    /// The state of `hash_key`.
    pub(in crate::account) fn hash_key(&self) -> HashKey {
        // `null` is a member too.
        let member = self.members.get(HASH_KEY).map(|member| serde_json::from_str(member.get()).unwrap_or_default());
        HashKey::of(member.as_ref())
    }

    /// Replaces the policy. Without a rule, there is no member `policy`.
    pub(in crate::account) fn set_rules(&mut self, rules: &Rules) {
        match rules.json() {
            Some(json) => _ = self.members.insert(POLICY.to_owned(), json),
            None => _ = self.members.remove(POLICY),
        }
    }

    pub(in crate::account) fn set_hash_key(&mut self, hash_key: &SecretString) -> Result<(), Failure> {
        self.set(HASH_KEY, hash_key.expose_secret())
    }
}
