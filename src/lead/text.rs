//! The text fields of `details`.

use std::borrow::Cow;

use super::{fault::FaultKind, json::Json, personal::Personal};

/// Free text of 1 to 200 characters, trimmed, without control characters. Borrowed from the body, unless it holds an escape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a>(Personal<Cow<'a, str>>);

const MAX_CHARACTERS: usize = 200;

impl<'a> Text<'a> {
    /// Reads a text field; `None` where it isn't given or is empty, since AI Rudder wants no empty field.
    pub(super) fn read(json: Json<'a>) -> Result<Option<Self>, FaultKind> {
        let text = match json {
            Json::Null => return Ok(None),
            Json::Text(Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
            Json::Text(Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
            Json::Number(number) if number.contains(['e', 'E']) => return Err(FaultKind::Exponent),
            Json::Number(number) => Cow::Borrowed(number),
            Json::BrokenText => return Err(FaultKind::BrokenText),
            Json::Bool(_) | Json::Array | Json::Object(_) => return Err(FaultKind::WrongType("a string or a number")),
        };
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().any(char::is_control) {
            return Err(FaultKind::ControlCharacter);
        }
        if text.chars().count() > MAX_CHARACTERS {
            return Err(FaultKind::TooLong(MAX_CHARACTERS));
        }
        Ok(Some(Self(Personal(text))))
    }

    /// The text as AI Rudder gets it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Option<String>, FaultKind> {
        let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
        Text::read(Json::from(raw)).map(|text| text.map(|text| text.as_str().to_owned()))
    }

    #[test]
    fn text_is_trimmed_and_kept_as_it_is_inside() {
        assert_eq!(read(r#""  buy  a car ""#), Ok(Some("buy  a car".to_owned())));
        assert_eq!(read(r#""\u0020caf\u00e9 ""#), Ok(Some("café".to_owned())));
        assert_eq!(read(r#""caf\u00e9 \ud83d\ude42""#), Ok(Some("café 🙂".to_owned())));
    }

    #[test]
    fn a_number_becomes_the_digits_that_were_written() {
        for number in ["10", "2.50", "0", "-1", "12345678901234567890123"] {
            assert_eq!(read(number), Ok(Some(number.to_owned())));
        }
        for number in ["1e3", "1E3", "1.5e-3"] {
            assert_eq!(read(number), Err(FaultKind::Exponent), "{number}");
        }
    }

    #[test]
    fn null_and_empty_are_left_out() {
        for json in ["null", r#""""#, r#""  ""#, r#""\n\t""#] {
            assert_eq!(read(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn text_has_at_most_two_hundred_characters() {
        let longest = "é".repeat(200);
        assert_eq!(read(&format!("\" {longest} \"")), Ok(Some(longest.clone())));
        assert_eq!(read(&format!("\"{longest}é\"")), Err(FaultKind::TooLong(200)));
        assert_eq!(read(&"1".repeat(201)), Err(FaultKind::TooLong(200)));
    }

    #[test]
    fn control_characters_and_other_types_are_refused() {
        for json in [r#""a\u0000b""#, r#""a\nb""#, r#""a\tb""#, "\"a\u{7f}b\"", "\"a\u{85}b\""] {
            assert_eq!(read(json), Err(FaultKind::ControlCharacter), "{json}");
        }
        for json in ["true", "false", "[]", "{}"] {
            assert_eq!(read(json), Err(FaultKind::WrongType("a string or a number")), "{json}");
        }
        assert_eq!(read(r#""\ud800""#), Err(FaultKind::BrokenText));
    }

    #[test]
    fn text_is_not_printed() {
        assert_eq!(format!("{:?}", Text::read(Json::Number("10")).unwrap().unwrap()), "Text(personal)");
    }
}
