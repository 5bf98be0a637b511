//! The consumer's name.

use std::borrow::Cow;

use super::{
    fault::{FaultCode, FaultKind},
    json::Json,
    personal::Personal,
    placeholder::is_placeholder,
    spec::Forms,
};

/// A name that the robot can speak: 1 to 100 Unicode characters with at least one letter. AI Rudder's contract has no maximum; this one is the relay's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(Personal<String>);

const MAX_CHARACTERS: usize = 100;

impl Name {
    /// The specification of the field.
    pub(super) const FORMS: Forms = Forms {
        accepted: "string of 1 to 100 characters with at least one letter",
        becomes: "the string, cleaned",
        refused: "empty, over 100 characters, control characters, no letter, placeholders and unfilled templates, any other JSON type",
        faults: &[
            FaultCode::Missing,
            FaultCode::WrongType,
            FaultCode::Empty,
            FaultCode::Placeholder,
            FaultCode::BrokenText,
            FaultCode::ControlCharacter,
            FaultCode::TooLong,
            FaultCode::NoLetter,
            FaultCode::Conflict,
        ],
    };

    /// Parses a `customer_name`; `None` if it is not given.
    pub(super) fn parse_json(json: Json<'_>) -> Result<Option<Self>, FaultKind> {
        match json {
            Json::Null => Ok(None),
            Json::Text(name) => Self::from_clean(name).map(Some),
            Json::BrokenText => Err(FaultKind::BrokenText),
            Json::ControlCharacter => Err(FaultKind::ControlCharacter),
            Json::Bool(_) | Json::Number(_) | Json::EmptyArray | Json::Array | Json::Object(_) => {
                Err(FaultKind::WrongType("a string"))
            }
        }
    }

    fn from_clean(name: Cow<'_, str>) -> Result<Self, FaultKind> {
        if name.is_empty() {
            return Err(FaultKind::Empty);
        }
        if is_placeholder(&name) {
            return Err(FaultKind::Placeholder);
        }
        if name.len() > MAX_CHARACTERS && name.chars().count() > MAX_CHARACTERS {
            return Err(FaultKind::TooLong(MAX_CHARACTERS));
        }
        if !name.chars().any(char::is_alphabetic) {
            return Err(FaultKind::NoLetter);
        }
        Ok(Self(Personal(name.into_owned())))
    }

    /// The name that AI Rudder receives.
    pub(crate) fn as_str(&self) -> &str {
        &self.0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<String, FaultKind> {
        let json = serde_json::to_string(text).unwrap();
        let raw: &serde_json::value::RawValue = serde_json::from_str(&json).unwrap();
        Name::parse_json(Json::from(raw)).map(|name| name.unwrap().as_str().to_owned())
    }

    #[test]
    fn a_name_is_cleaned() {
        for text in [
            "Ann O'Neill",
            "  Ann O'Neill ",
            "Ann   O'Neill",
            "Ann\u{a0}O'Neill",
            "\nAnn\tO'Neill\r\n",
            "Ann O&#039;Neill",
            "Ann&nbsp;O&apos;Neill",
            "\u{202d}Ann O'Neill\u{202c}",
            "\u{feff}Ann \u{200b}O'Neill",
        ] {
            assert_eq!(name(text).as_deref(), Ok("Ann O'Neill"), "{text:?}");
        }
        for text in ["José", "Jose\u{301}", "Jos&eacute;", "Jose&#x301;"] {
            assert_eq!(name(text).as_deref(), Ok("José"), "{text:?}");
        }
    }

    #[test]
    fn names_in_any_script_are_accepted() {
        for text in ["José", "O'Neill-Smith Jr.", "李", "Ann 2", "Ann & Bob", "AT&T"] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_name_has_at_most_a_hundred_characters() {
        assert!(name(&"é".repeat(100)).is_ok());
        assert_eq!(name(&"é".repeat(101)), Err(FaultKind::TooLong(100)));
        for text in [format!(" {} ", "a".repeat(100)), "e\u{301}".repeat(100), "&eacute;".repeat(100)] {
            assert!(name(&text).is_ok(), "counted after cleaning");
        }
    }

    #[test]
    fn names_that_cannot_be_spoken_are_refused() {
        for text in ["", " ", "\t\n", "\u{200b}", "&nbsp;"] {
            assert_eq!(name(text), Err(FaultKind::Empty), "{text:?}");
        }
        for text in ["Ann\0", "A\u{7}nn", "Ann\u{7f}", "\u{1b}[31mAnn", "A&#7;nn", "Ann&#0;", "Ann&#x81;"] {
            assert_eq!(name(text), Err(FaultKind::ControlCharacter), "{text:?}");
        }
        for text in ["123", ".", "🙂", "-1"] {
            assert_eq!(name(text), Err(FaultKind::NoLetter), "{text:?}");
        }
    }

    #[test]
    fn placeholders_are_refused_and_names_like_them_are_not() {
        for text in
            ["N/A", "null", "NaN", "-", "—", "{{contact.firstname}}", "<first name>", "&lt;name&gt;", " n/a\u{200b}"]
        {
            assert_eq!(name(text), Err(FaultKind::Placeholder), "{text:?}");
        }
        for text in ["Nan", "Na", "Nil", "None", "Unknown", "Null Smith"] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn null_is_not_given_and_other_types_are_refused() {
        for json in ["1", "true", "[]", "[\"Ann\"]", "{}"] {
            let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(Name::parse_json(Json::from(raw)), Err(FaultKind::WrongType("a string")), "{json}");
        }
        assert_eq!(Name::parse_json(Json::Null), Ok(None));
        assert_eq!(Name::parse_json(Json::BrokenText), Err(FaultKind::BrokenText));
    }

    #[test]
    fn a_name_is_not_printed() {
        assert_eq!(format!("{:?}", Name::from_clean("Ann".into()).unwrap()), "Name(personal)");
    }
}
