//! The name of an account.

use std::{fmt, str::FromStr};

/// The name of an account: `[a-z0-9]`, then up to 62 of `[a-z0-9-]`, with at least one letter.
///
/// Without the letter, a phone number in its place would be sent to Secrets Manager, and CloudTrail would record it as part
/// of the secret's name. The bounds are the relay's own, within those of a secret's name (CreateSecret, `Name`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountId(String);

/// A string that cannot be an account's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an account name")]
pub struct InvalidAccountId;

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(name: &str) -> Result<Self, InvalidAccountId> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let well_formed = (1..=63).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-');
        let has_letter = name.bytes().any(|byte| byte.is_ascii_lowercase());
        if well_formed && has_letter { Ok(Self(name.to_owned())) } else { Err(InvalidAccountId) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_letters_digits_and_hyphens() {
        for name in ["a", "7a", "acme", "acme-2", "a-", "0-0-x", &"a".repeat(63)] {
            assert_eq!(name.parse::<AccountId>().map(|id| id.to_string()).as_deref(), Ok(name));
        }
        for name in ["", "-a", "Acme", "a_b", "a.b", "a/b", "a%2db", "é", "a b", &"a".repeat(64)] {
            assert_eq!(name.parse::<AccountId>(), Err(InvalidAccountId), "{name}");
        }
    }

    #[test]
    fn a_phone_number_is_not_an_account_name() {
        for name in ["7", "16501231234", "650-123-1234", "1-650-123-1234", "0-", &"9".repeat(63)] {
            assert_eq!(name.parse::<AccountId>(), Err(InvalidAccountId), "{name}");
        }
    }
}
