//! Who may send leads, and with which token they go to AI Rudder.
//!
//! An account is one secret in Secrets Manager. [`Accounts`] reads it through a cache and opens it with an [`ApiKey`].

mod accounts;
mod auth;
mod cause;
mod entry;
mod key;
mod secret;
mod store;

use std::{fmt, str::FromStr};

pub use self::{
    accounts::Accounts,
    auth::{Account, AuthError, Source},
    key::{ApiKey, KeyDigest},
    secret::{Secret, SecretError},
};

/// The name of an account: `[a-z0-9]`, then up to 62 of `[a-z0-9-]`, with at least one letter.
///
/// A sender who puts a phone number in its place must not have it sent to Secrets Manager, whose calls CloudTrail records
/// with the secret's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountId(String);

/// A string that can't be an account's name.
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
    fn an_account_name_is_lower_case_letters_digits_and_hyphens() {
        for name in ["a", "7a", "acme", "acme-2", "a-", "0-0-x", &"a".repeat(63)] {
            assert_eq!(name.parse::<AccountId>().map(|id| id.to_string()).as_deref(), Ok(name));
        }
        for name in ["", "-a", "Acme", "a_b", "a.b", "a/b", "a%2db", "é", "a b", &"a".repeat(64)] {
            assert_eq!(name.parse::<AccountId>(), Err(InvalidAccountId), "{name}");
        }
    }

    #[test]
    fn an_account_name_has_a_letter_so_that_no_phone_number_is_one() {
        for name in ["7", "16501231234", "650-123-1234", "1-650-123-1234", "0-", &"9".repeat(63)] {
            assert_eq!(name.parse::<AccountId>(), Err(InvalidAccountId), "{name}");
        }
    }
}
