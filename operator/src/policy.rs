//! An account's policy, as the operator reads and changes it, without I/O. The relay's parser decides what is valid.

mod words;

use lendswift_relay::policy::{OncePerPhone, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use crate::cli::{PolicyChange, Rule};

/// The rules of a valid policy. Without a rule, leads are sent at any time.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    members: Members,
    /// With a key of zeros in place of the secret's.
    parsed: Policy,
}

/// The members of a policy, in the text that the operator gave them.
#[derive(Debug, Default, Clone, Deserialize, Serialize)]
struct Members {
    #[serde(skip_serializing_if = "Option::is_none")]
    calling_hours: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    once_per_phone_hours: Option<Box<RawValue>>,
}

/// The state of a secret's member `hash_key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashKey {
    Missing,
    Valid,
    /// Not 64 hex digits. Leads are refused as long as the policy needs it.
    Malformed,
}

/// What a change does with the secret's member `hash_key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyChange {
    /// The policy does not need it. An existing one stays: with another one, the relay would not recognize the phone
    /// numbers that it recorded.
    NotNeeded,
    Kept,
    Created,
    Replaced,
}

/// Why a change of `hash_key` is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyRefusal {
    Malformed,
    /// It is missing, although the policy before the change needs it.
    Lost,
    /// The operator asks for another one, and the policy would not have a rule that needs it.
    NotNeeded,
}

impl Rules {
    /// Parses a secret's member `policy`; none is a policy without rules. Whether `hash_key` suits it is another
    /// question: [`HashKey`].
    pub(crate) fn parse(policy: Option<&RawValue>) -> Result<Self, PolicyError> {
        let Some(json) = policy else { return Ok(Self::default()) };
        let parsed = Policy::parse(json, Some(&Value::from("0".repeat(64))))?;
        let members = serde_json::from_str(json.get()).map_err(|_| PolicyError::NotAnObject)?;
        Ok(Self { members, parsed })
    }

    /// The rules after a change.
    pub(crate) fn with(&self, change: &PolicyChange) -> Result<Self, PolicyError> {
        let changed = |rule: &Option<Rule>, old: &Option<Box<RawValue>>| match rule {
            None => old.clone(),
            Some(Rule::Off) => None,
            Some(Rule::On(json)) => Some(json.clone()),
        };
        let members = Members {
            calling_hours: changed(&change.calling_hours, &self.members.calling_hours),
            once_per_phone_hours: changed(&change.once_per_phone_hours, &self.members.once_per_phone_hours),
        };
        Self::parse(Self { members, parsed: Policy::default() }.json().as_deref())
    }

    /// The secret's member `policy`; `None` without a rule.
    pub(crate) fn json(&self) -> Option<Box<RawValue>> {
        if self.is_empty() { None } else { to_raw_value(&self.members).ok() }
    }

    /// [`Self::json`], for the output.
    pub(crate) fn value(&self) -> Value {
        serde_json::to_value(self.json()).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.calling_hours.is_none() && self.members.once_per_phone_hours.is_none()
    }

    /// Whether it has the rule that needs `hash_key` and the ledger.
    pub(crate) fn has_once_per_phone(&self) -> bool {
        self.parsed.once_per_phone().is_some()
    }

    /// Whether other rules allow the same leads at the same times.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.parsed == other.parsed
    }

    /// Whether the rules `after` a change can allow a lead that these refuse.
    pub(crate) fn is_loosened_by(&self, after: &Self) -> bool {
        let hours = match (self.parsed.calling_hours(), after.parsed.calling_hours()) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(after)) => !before.includes(after),
        };
        let period = |rules: &Self| rules.parsed.once_per_phone().map(OncePerPhone::period);
        hours || period(after) < period(self)
    }
}

impl HashKey {
    /// The state of this member, by the relay's own parser.
    pub(crate) fn of(member: Option<&Value>) -> Self {
        let policy = RawValue::from_string(r#"{"once_per_phone_hours": 1}"#.to_owned());
        match policy.map(|policy| Policy::parse(&policy, member)) {
            Ok(Ok(_)) => Self::Valid,
            Ok(Err(PolicyError::NoHashKey)) => Self::Missing,
            _ => Self::Malformed,
        }
    }

    /// The fault of a secret with these rules.
    pub(crate) fn fault(self, rules: &Rules) -> Option<PolicyError> {
        match self {
            _ if !rules.has_once_per_phone() => None,
            Self::Valid => None,
            Self::Missing => Some(PolicyError::NoHashKey),
            Self::Malformed => Some(PolicyError::HashKey),
        }
    }

    /// What a change to these rules does with it. One under which phone numbers may be recorded is replaced only if the
    /// operator asks for it: valid, malformed or lost. `was_needed`: whether the policy before the change needs it.
    pub(crate) fn change(self, was_needed: bool, after: &Rules, is_new: bool) -> Result<KeyChange, KeyRefusal> {
        match (after.has_once_per_phone(), self, is_new) {
            (false, _, true) => Err(KeyRefusal::NotNeeded),
            (false, _, false) => Ok(KeyChange::NotNeeded),
            (true, Self::Missing, _) if !was_needed => Ok(KeyChange::Created),
            (true, Self::Missing, false) => Err(KeyRefusal::Lost),
            (true, Self::Malformed, false) => Err(KeyRefusal::Malformed),
            (true, Self::Valid, false) => Ok(KeyChange::Kept),
            (true, _, true) => Ok(KeyChange::Replaced),
        }
    }

    /// Its state, for the output; `None` if it does not exist.
    pub(crate) fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Valid => Some("valid"),
            Self::Malformed => Some("malformed"),
        }
    }
}

#[cfg(test)]
mod tests;
