//! The policy of an account: when its leads may be sent.
//!
//! Pure: every instant is an argument. An account has a policy only if its secret contains one.

mod calling_hours;
mod error;
mod object;
mod window;
mod zone;

use serde_json::value::RawValue;

use self::object::Object;
pub use self::{calling_hours::CallingHours, error::PolicyError};

/// The policy of an account. The default allows every lead at any time.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Policy {
    calling_hours: Option<CallingHours>,
}

impl Policy {
    /// Parses the member `policy` of a secret.
    pub fn parse(json: &RawValue) -> Result<Self, PolicyError> {
        let Object(members) = serde_json::from_str(json.get()).map_err(|_| PolicyError::NotAnObject)?;
        let mut policy = Self::default();
        for (name, value) in members {
            let is_repeated = match name.as_str() {
                "calling_hours" => policy.calling_hours.replace(CallingHours::parse(value)?).is_some(),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Policy, PolicyError> {
        Policy::parse(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn a_policy_is_an_object_and_each_member_is_optional() {
        assert_eq!(parse("{}"), Ok(Policy::default()));
        assert!(parse(r#"{"calling_hours": "federal"}"#).unwrap().calling_hours().is_some());
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
        ] {
            assert_eq!(parse(json), Err(expected), "{json}");
        }
    }
}
