//! The caller's idempotency key for a lead.

use std::str::FromStr;

/// A caller's `Idempotency-Key`: 1 to 255 visible ASCII characters. It has no `Debug`, because it may be a phone number.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A string that is not a valid `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(key: &str) -> Result<Self, InvalidIdempotencyKey> {
        let is_valid = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if is_valid { Ok(Self(key.to_owned())) } else { Err(InvalidIdempotencyKey) }
    }
}

impl IdempotencyKey {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_is_1_to_255_visible_ascii_characters() {
        let longest = "a".repeat(255);
        for key in ["7", "infinity-7", "!~", longest.as_str()] {
            assert!(key.parse::<IdempotencyKey>().is_ok_and(|parsed| parsed.as_bytes() == key.as_bytes()), "{key}");
        }
        for key in ["", " ", "a b", "a\t", "\u{7f}", "\u{e9}", &"a".repeat(256)] {
            assert_eq!(key.parse::<IdempotencyKey>().err(), Some(InvalidIdempotencyKey), "{key}");
        }
    }
}
