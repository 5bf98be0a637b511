//! The consumer's name.

use std::str::FromStr;

use super::{
    fault::{FaultCode, FaultKind},
    json::Json,
    personal::Personal,
    spec::Forms,
};

/// A name that the robot can speak: 1 to 100 Unicode characters with at least one letter, trimmed, with single spaces
/// inside. AI Rudder's contract has no maximum; this one is the relay's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(Personal<String>);

const MAX_CHARACTERS: usize = 100;

impl Name {
    /// The specification of the field.
    pub(super) const FORMS: Forms = Forms {
        accepted: "string of 1 to 100 characters with at least one letter",
        becomes: "the string, trimmed, with single spaces inside",
        refused: "empty, over 100 characters, control characters, no letter, any other JSON type",
        faults: &[
            FaultCode::Missing,
            FaultCode::WrongType,
            FaultCode::Empty,
            FaultCode::BrokenText,
            FaultCode::ControlCharacter,
            FaultCode::TooLong,
            FaultCode::NoLetter,
            FaultCode::Conflict,
        ],
    };

    /// Parses a `customer_name`; `None` if it is not given.
    pub(super) fn parse_json(json: &Json<'_>) -> Result<Option<Self>, FaultKind> {
        match json {
            Json::Null => Ok(None),
            Json::Text(text) => text.parse().map(Some),
            Json::BrokenText => Err(FaultKind::BrokenText),
            Json::Bool(_) | Json::Number(_) | Json::Array | Json::Object(_) => Err(FaultKind::WrongType("a string")),
        }
    }

    /// The name that AI Rudder receives.
    pub(crate) fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl FromStr for Name {
    type Err = FaultKind;

    fn from_str(text: &str) -> Result<Self, FaultKind> {
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            return Err(FaultKind::Empty);
        }
        if name.chars().any(char::is_control) {
            return Err(FaultKind::ControlCharacter);
        }
        if name.chars().count() > MAX_CHARACTERS {
            return Err(FaultKind::TooLong(MAX_CHARACTERS));
        }
        if !name.chars().any(char::is_alphabetic) {
            return Err(FaultKind::NoLetter);
        }
        Ok(Self(Personal(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<String, FaultKind> {
        text.parse().map(|name: Name| name.as_str().to_owned())
    }

    #[test]
    fn white_space_is_trimmed_and_collapsed() {
        for text in ["Ann Lee", "  Ann Lee ", "Ann   Lee", "Ann\u{a0}Lee", "Ann\tLee", "\nAnn\r\nLee\n"] {
            assert_eq!(name(text).as_deref(), Ok("Ann Lee"), "{text:?}");
        }
    }

    #[test]
    fn names_in_any_script_are_accepted() {
        for text in ["José", "O'Neill-Smith Jr.", "李", "Ann 2"] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_name_has_at_most_a_hundred_characters() {
        assert!(name(&"é".repeat(100)).is_ok());
        assert_eq!(name(&"é".repeat(101)), Err(FaultKind::TooLong(100)));
        assert!(name(&format!(" {} ", "a".repeat(100))).is_ok(), "counted after trimming");
    }

    #[test]
    fn names_that_cannot_be_spoken_are_refused() {
        for text in ["", " ", "\t\n"] {
            assert_eq!(name(text), Err(FaultKind::Empty), "{text:?}");
        }
        for text in ["Ann\0", "A\u{7}nn", "Ann\u{7f}", "\u{1b}[31mAnn"] {
            assert_eq!(name(text), Err(FaultKind::ControlCharacter), "{text:?}");
        }
        for text in ["123", "-", "🙂"] {
            assert_eq!(name(text), Err(FaultKind::NoLetter), "{text:?}");
        }
    }

    #[test]
    fn null_is_not_given_and_other_types_are_refused() {
        for json in ["1", "true", "[\"Ann\"]", "{}"] {
            let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(Name::parse_json(&Json::from(raw)), Err(FaultKind::WrongType("a string")), "{json}");
        }
        assert_eq!(Name::parse_json(&Json::Null), Ok(None));
        assert_eq!(Name::parse_json(&Json::BrokenText), Err(FaultKind::BrokenText));
    }

    #[test]
    fn a_name_is_not_printed() {
        assert_eq!(format!("{:?}", "Ann".parse::<Name>().unwrap()), "Name(personal)");
    }
}
