//! The policy of an account: when its leads may be sent, and how often one phone number may be called.
//!
//! Pure: every instant is an argument. An account has a policy only if its secret contains one.

mod calling_hours;
mod error;
mod object;
mod once_per_phone;
mod window;
mod zone;

use serde_json::{Value, value::RawValue};

use self::object::Object;
pub use self::{calling_hours::CallingHours, error::PolicyError, once_per_phone::OncePerPhone};

/// The policy of an account. The default allows every lead at any time.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Policy {
    calling_hours: Option<CallingHours>,
    once_per_phone: Option<OncePerPhone>,
}

impl Policy {
    /// Parses the members `policy` and `hash_key` of a secret. Without a rule that needs it, `hash_key` is not read.
    pub fn parse(json: &RawValue, hash_key: Option<&Value>) -> Result<Self, PolicyError> {
        let Object(members) = serde_json::from_str(json.get()).map_err(|_| PolicyError::NotAnObject)?;
        let mut policy = Self::default();
        for (name, value) in members {
            let is_repeated = match name.as_str() {
                "calling_hours" => policy.calling_hours.replace(CallingHours::parse(value)?).is_some(),
                "once_per_phone_hours" => {
                    policy.once_per_phone.replace(OncePerPhone::parse(value, hash_key)?).is_some()
                }
                _ => return Err(PolicyError::UnknownMember),
            };
            if is_repeated {
                return Err(PolicyError::Repeated);
            }
        }
        Ok(policy)
    }

    /// The hours in which the account's consumers may be called; `None` if they may be called at any time.
    #[must_use]
    pub fn calling_hours(&self) -> Option<&CallingHours> {
        self.calling_hours.as_ref()
    }

    /// How often a phone number may be called; `None` if leads with the same number do not hinder each other.
    #[must_use]
    pub fn once_per_phone(&self) -> Option<&OncePerPhone> {
        self.once_per_phone.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Policy, PolicyError> {
        let hash_key = Value::from("5".repeat(64));
        Policy::parse(&RawValue::from_string(json.to_owned()).unwrap(), Some(&hash_key))
    }

    #[test]
    fn a_policy_is_an_object_and_each_member_is_optional() {
        assert_eq!(parse("{}"), Ok(Policy::default()));
        let hours = parse(r#"{"calling_hours": "federal"}"#).unwrap();
        assert!(hours.calling_hours().is_some() && hours.once_per_phone().is_none());
        let once = parse(r#"{"once_per_phone_hours": 24}"#).unwrap();
        assert!(once.calling_hours().is_none() && once.once_per_phone().is_some());
    }

    #[test]
    fn anything_else_is_malformed() {
        for (json, expected) in [
            ("null", PolicyError::NotAnObject),
            ("\"federal\"", PolicyError::NotAnObject),
            ("[]", PolicyError::NotAnObject),
            (r#"{"calling_hour": "federal"}"#, PolicyError::UnknownMember),
            (r#"{"calling_hours": "federal", "note": 1}"#, PolicyError::UnknownMember),
            (r#"{"calling_hours": "federal", "calling_hours": "federal"}"#, PolicyError::Repeated),
            (r#"{"calling_hours": null}"#, PolicyError::CallingHours),
            (r#"{"once_per_phone_hours": 1, "once_per_phone_hours": 1}"#, PolicyError::Repeated),
            (r#"{"once_per_phone_hours": "24"}"#, PolicyError::OncePerPhoneHours),
        ] {
            assert_eq!(parse(json), Err(expected), "{json}");
        }
    }
}
