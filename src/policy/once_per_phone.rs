//! How often an account's leads may call one phone number.

use std::{fmt, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use serde_json::{Value, value::RawValue};
use sha2::Sha256;

use super::PolicyError;
use crate::lead::Phone;

/// The rule that an account's leads call a phone number at most once in a period.
#[derive(Debug, PartialEq, Eq)]
pub struct OncePerPhone {
    period: Duration,
    hash_key: HashKey,
}

/// The account's key for hashing phone numbers: 32 bytes, with zeros up to SHA-256's block (RFC 2104, section 2).
struct HashKey(SecretBox<[u8; 64]>);

impl OncePerPhone {
    /// Parses the number of hours, 1 to 720, and the secret's member `hash_key`, 64 hex digits.
    pub(super) fn parse(hours: &RawValue, hash_key: Option<&Value>) -> Result<Self, PolicyError> {
        let hours = serde_json::from_str(hours.get()).ok().filter(|hours| (1..=720).contains(hours));
        let hours: u64 = hours.ok_or(PolicyError::OncePerPhoneHours)?;
        let hash_key = HashKey::parse(hash_key.ok_or(PolicyError::NoHashKey)?)?;
        Ok(Self { period: Duration::from_secs(hours * 60 * 60), hash_key })
    }

    /// The period in which a second lead may not call the number.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// The number's HMAC-SHA-256 (RFC 2104) in hex digits. A plain digest would not hide the number: there are few enough
    /// numbers to try them all.
    #[must_use]
    pub fn hash(&self, phone: &Phone) -> String {
        let number = phone.as_integer().to_string();
        let mut mac = Hmac::<Sha256>::new(self.hash_key.0.expose_secret().into());
        mac.update(number.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

impl HashKey {
    fn parse(value: &Value) -> Result<Self, PolicyError> {
        let mut key = [0; 64];
        let (bytes, _) = key.split_at_mut(32);
        let digits = value.as_str().ok_or(PolicyError::HashKey)?;
        hex::decode_to_slice(digits, bytes).map_err(|_| PolicyError::HashKey)?;
        Ok(Self(SecretBox::new(Box::new(key))))
    }
}

impl PartialEq for HashKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for HashKey {}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn parse(hours: &str, hash_key: Option<&Value>) -> Result<OncePerPhone, PolicyError> {
        OncePerPhone::parse(&RawValue::from_string(hours.to_owned()).unwrap(), hash_key)
    }

    #[test]
    fn the_period_is_1_to_720_whole_hours() {
        let key = json!(KEY);
        for (hours, seconds) in [("1", 3600), ("24", 86_400), ("720", 2_592_000)] {
            assert_eq!(parse(hours, Some(&key)).unwrap().period(), Duration::from_secs(seconds));
        }
        for hours in ["0", "721", "-1", "1.5", "24.0", "1e1", "\"24\"", "null", "true", "[24]", "99999999999999999999"]
        {
            assert_eq!(parse(hours, Some(&key)), Err(PolicyError::OncePerPhoneHours), "{hours}");
        }
    }

    #[test]
    fn a_hash_key_of_64_hex_digits_is_required() {
        assert!(parse("24", Some(&json!(KEY.to_uppercase()))).is_ok());
        assert_eq!(parse("24", None), Err(PolicyError::NoHashKey));
        for key in [json!(null), json!(7), json!(""), json!([KEY]), json!("0".repeat(63)), json!(KEY.replace('0', "g"))]
        {
            assert_eq!(parse("24", Some(&key)), Err(PolicyError::HashKey), "{key}");
        }
        let debug = format!("{:?}", parse("24", Some(&json!(KEY))).unwrap());
        assert_eq!(debug, "OncePerPhone { period: 86400s, hash_key: HashKey }");
    }

    #[test]
    fn a_number_is_hashed_under_the_accounts_key() {
        let hash = |key: &str, number: &str| parse("24", Some(&json!(key))).unwrap().hash(&number.parse().unwrap());
        // `printf 16501231234 | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY`
        assert_eq!(hash(KEY, "16501231234"), "fa9d97e5825be5b17a67e91673877647c448e0e58013f2f71015ebfaa2d2e710");
        assert_eq!(hash(KEY, "(650) 123-1234"), hash(KEY, "16501231234"));
        assert_ne!(hash(KEY, "16501231235"), hash(KEY, "16501231234"));
        assert_ne!(hash(&KEY.replace("1f", "1e"), "16501231234"), hash(KEY, "16501231234"));
    }
}
