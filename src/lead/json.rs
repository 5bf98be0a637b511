//! JSON as written: repeated names and the digits of numbers are kept. Text is [clean](super::clean), and borrowed if possible.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::clean::{clean, is_clean};

/// The members of a JSON object in their order, with repeated names. If `N` is `&RawValue`, a name that is not Unicode text
/// is accepted like any other.
pub(super) struct Members<'a, N = MemberName<'a>>(pub(super) Vec<(N, &'a RawValue)>);

/// A member's name as it is written, borrowed unless it has escapes.
#[derive(Deserialize)]
pub(super) struct MemberName<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'a> MemberName<'a> {
    /// The name in its JSON form; `None` if its escapes are not Unicode text.
    pub(super) fn parse(name: &'a RawValue) -> Option<Self> {
        serde_json::from_str(name.get()).ok()
    }

    /// What `find` knows by this name, as it is written (known names are clean) or else cleaned; and that name.
    pub(super) fn find<T>(self, find: impl Fn(&str) -> Option<T>) -> (Option<T>, Cow<'a, str>) {
        let Self(name) = self;
        match find(&name) {
            Some(found) => (Some(found), name),
            None if is_clean(&name) => (None, name),
            None => clean(name).map_or((None, Cow::Borrowed("")), |name| (find(&name), name)),
        }
    }
}

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

/// A string as it is written, borrowed unless it has escapes.
#[derive(Deserialize)]
struct RawText<'a>(#[serde(borrow)] Cow<'a, str>);

/// One JSON value, parsed no deeper than a lead needs.
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// A number as it is written.
    Number(&'a str),
    /// A string, [clean].
    Text(Cow<'a, str>),
    /// A string whose escapes are not Unicode text, such as half of a surrogate pair.
    BrokenText,
    /// A string with a control character.
    ControlCharacter,
    /// `[]`.
    EmptyArray,
    Array,
    Object(&'a RawValue),
}

impl<'a> Json<'a> {
    /// A string, as it is written.
    pub(super) fn text(text: Cow<'a, str>) -> Self {
        clean(text).map_or(Self::ControlCharacter, Self::Text)
    }

    /// Whether it is an empty string.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => unescaped(text).map_or(Self::BrokenText, Self::text),
            Some(b'[') if text.get(1..).is_some_and(|rest| rest.trim_start().starts_with(']')) => Self::EmptyArray,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object(raw),
            _ => Self::Number(text),
        }
    }
}

/// The text of a JSON string whose syntax is valid; `None` if its escapes are not Unicode text. Without escapes, it is what
/// stands between the quotes.
fn unescaped(string: &str) -> Option<Cow<'_, str>> {
    let between = string.get(1..string.len() - 1)?;
    if between.contains('\\') {
        serde_json::from_str(string).ok().map(|RawText(text)| text)
    } else {
        Some(Cow::Borrowed(between))
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
    fn texts_are_clean() {
        let json = |text| Json::from(serde_json::from_str::<&RawValue>(text).unwrap());
        assert!(matches!(json(r#"" Zoe\u0308&#33;\n""#), Json::Text(text) if text == "Zoë!"));
        assert!(matches!(json(r#""Zoe\u0007""#), Json::ControlCharacter));
    }

    #[test]
    fn a_name_is_found_as_written_and_cleaned() {
        let find = |name: &'static str| {
            let (found, name) = MemberName(name.into()).find(|name| (name == "status").then_some(()));
            (found.is_some(), name)
        };
        for name in ["status", " status", "\u{feff}status", "sta&#116;us"] {
            assert_eq!(find(name), (true, "status".into()), "{name}");
        }
        for (name, clean) in [("Status", "Status"), ("\u{feff}email", "email"), ("status\0", "")] {
            assert_eq!(find(name), (false, clean.into()), "{name}");
        }
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
