//! JSON as written: repeated names and the digits of numbers are kept. Text is [clean](super::clean), and borrowed if possible.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::clean::clean;

/// The members of a JSON object in their order, with repeated names. If `N` is `&RawValue`, a name that is not Unicode text
/// is accepted like any other.
pub(super) struct Members<'a, N = MemberName<'a>>(pub(super) Vec<(N, &'a RawValue)>);

/// A member's name, clean, and borrowed unless it has escapes.
pub(super) struct MemberName<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for MemberName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawText::deserialize(deserializer).map(|RawText(text)| Self(clean(text)))
    }
}

/// A string as it is written, borrowed unless it has escapes.
#[derive(Deserialize)]
struct RawText<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Members<'de, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<N>(PhantomData<N>);

        impl<'de, N: Deserialize<'de>> Visitor<'de> for ObjectVisitor<N> {
            type Value = Members<'de, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(20);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// One JSON value, parsed no deeper than a lead needs.
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// A number as it is written.
    Number(&'a str),
    /// A string, clean.
    Text(Cow<'a, str>),
    /// A string whose escapes are not Unicode text, such as half of a surrogate pair.
    BrokenText,
    /// `[]`.
    EmptyArray,
    Array,
    Object(&'a RawValue),
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => serde_json::from_str(text).map_or(Self::BrokenText, |MemberName(text)| Self::Text(text)),
            Some(b'[') if text.get(1..).is_some_and(|rest| rest.trim_start().starts_with(']')) => Self::EmptyArray,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object(raw),
            _ => Self::Number(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(json: &str) -> Vec<(String, String)> {
        let Members(members) = serde_json::from_str(json).unwrap();
        members.into_iter().map(|(MemberName(name), value)| (name.into_owned(), value.get().to_owned())).collect()
    }

    #[test]
    fn repeated_names_are_kept() {
        assert_eq!(
            members(r#"{"a": 1, "b": [2, {}], "a" : 1.50}"#),
            [("a", "1"), ("b", "[2, {}]"), ("a", "1.50")].map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn an_escaped_name_is_unescaped() {
        assert_eq!(members(r#"{"\u0061": 1}"#), [("a".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn names_and_texts_are_clean() {
        assert_eq!(members("{\"\u{feff}a&#98; \": 1}"), [("ab".to_owned(), "1".to_owned())]);
        let Members(members): Members<'_> = serde_json::from_str(r#"{"a": " Zoe\u0308&#33;\n"}"#).unwrap();
        assert!(matches!(Json::from(members[0].1), Json::Text(text) if text == "Zoë!"));
    }

    #[test]
    fn an_empty_array_is_recognized() {
        for (json, is_empty) in [("[]", true), ("[ \r\n\t]", true), ("[[]]", false), ("[\"]\"]", false), ("[0]", false)]
        {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(matches!(Json::from(raw), Json::EmptyArray), is_empty, "{json}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_not_text() {
        let Members(members): Members<'_> = serde_json::from_str(r#"{"a": "\ud83d", "b": "\ud83d\ude00"}"#).unwrap();
        let read: Vec<Json<'_>> = members.iter().map(|(_, value)| Json::from(*value)).collect();
        assert!(matches!(read[0], Json::BrokenText));
        assert!(matches!(&read[1], Json::Text(text) if text == "\u{1F600}"));
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!(r#"{{"a": {}{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(members(&deep).len(), 1);
    }
}
