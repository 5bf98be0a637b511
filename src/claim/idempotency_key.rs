//! The caller's idempotency key for a lead.

use std::{borrow::Cow, str::FromStr};

/// A caller's `Idempotency-Key`: 1 to 255 visible ASCII characters. It has no `Debug`, because it may be a phone number.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A string that is not a valid `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    /// Parses the header's value. `"abc"` is the key `abc`: some clients write the header as a structured field.
    fn from_str(value: &str) -> Result<Self, InvalidIdempotencyKey> {
        let key = unquoted(value).map_or(Cow::Borrowed(value), Cow::Owned);
        let is_valid = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if is_valid { Ok(Self(key.into_owned())) } else { Err(InvalidIdempotencyKey) }
    }
}

/// The content of a structured field's string; `None` if the text is no such string (RFC 9651, section 3.3.3).
fn unquoted(text: &str) -> Option<String> {
    let mut content = String::new();
    let mut characters = text.strip_prefix('"')?.strip_suffix('"')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => content.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            plain => content.push(plain),
        }
    }
    Some(content)
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
        for key in ["", " ", "a b", "a\t", "\u{7f}", "\u{e9}", &"a".repeat(256), "\"\"", "\"a b\""] {
            assert_eq!(key.parse::<IdempotencyKey>().err(), Some(InvalidIdempotencyKey), "{key}");
        }
    }

    #[test]
    fn a_structured_fields_string_is_unquoted() {
        let longest = format!("\"{}\"", "a".repeat(255));
        for (value, key) in [
            (r#""infinity-7""#, "infinity-7"),
            (r#""a\"b\\""#, r#"a"b\"#),
            (&longest, &"a".repeat(255)),
            // Not such a string, so the quotes are a part of the key.
            (r#"""#, r#"""#),
            (r#""a"#, r#""a"#),
            (r#"a""#, r#"a""#),
            (r#""a"b""#, r#""a"b""#),
            (r#""a\b""#, r#""a\b""#),
            (r#""a\""#, r#""a\""#),
        ] {
            assert!(value.parse::<IdempotencyKey>().is_ok_and(|parsed| parsed.as_bytes() == key.as_bytes()), "{value}");
        }
    }
}
