//! The consumer's phone number.

use std::str::FromStr;

use super::{
    area_code,
    fault::{FaultCode, FaultKind},
    json::Json,
    personal::Personal,
    spec::Forms,
};

/// A US phone number that a consumer can have: `1` and ten digits, as an integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(Personal<u64>);

impl Phone {
    /// The specification of the field.
    pub(super) const FORMS: Forms = Forms {
        accepted: "integer or string: 10 digits, or 11 that begin with 1; in strings also `+`, spaces, `( ) - .` and `tel:`",
        becomes: "integer `1XXXXXXXXXX`",
        refused: "letters, extensions, other countries (after `+` a country code is required), area codes that begin with 0 or 1, \
                  area codes outside the US and its territories (Canada, Bermuda, the Caribbean), and those that no consumer \
                  has: premium 900, toll-free 8xx, N11, personal and carrier codes",
        faults: &[
            FaultCode::Missing,
            FaultCode::WrongType,
            FaultCode::Empty,
            FaultCode::BrokenText,
            FaultCode::NotAPhoneNumber,
            FaultCode::AreaCodeAbroad,
            FaultCode::AreaCodeOfAService,
            FaultCode::Conflict,
        ],
    };

    /// Parses a `caller_id`; `None` if it is not given.
    pub(super) fn parse_json(json: &Json<'_>) -> Result<Option<Self>, FaultKind> {
        match json {
            Json::Null => Ok(None),
            Json::Number(number) => from_digits(number).map(Some),
            Json::Text(text) => text.parse().map(Some),
            Json::BrokenText => Err(FaultKind::BrokenText),
            Json::Bool(_) | Json::Array | Json::Object(_) => Err(FaultKind::WrongType("an integer or a string")),
        }
    }

    /// The number that AI Rudder receives, `1XXXXXXXXXX`.
    pub(crate) fn as_integer(&self) -> u64 {
        self.0.0
    }
}

/// Accepts `6501231234`, `1 650 123 1234`, `+1 (650) 123-1234`, `tel:+1-650-123-1234`, `650.123.1234`.
impl FromStr for Phone {
    type Err = FaultKind;

    fn from_str(text: &str) -> Result<Self, FaultKind> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FaultKind::Empty);
        }
        let number = match text.split_at_checked(4) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest.trim_start(),
            _ => text,
        };
        // A plus is followed by a country code: `+650…` is not a number in California.
        let (international, number) = match number.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '(' | ')' | '-' | '.')).collect();
        if international && !digits.starts_with('1') {
            return Err(FaultKind::NotAPhoneNumber);
        }
        if international && digits.len() != 11 {
            return Err(FaultKind::NotAPhoneNumber);
        }
        from_digits(&digits)
    }
}

/// Parses ten digits, or eleven that begin with 1, as AI Rudder's contract requires. The exchange code is not checked: the
/// contract's own sample has one that does not exist.
fn from_digits(digits: &str) -> Result<Phone, FaultKind> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FaultKind::NotAPhoneNumber);
    }
    let national = match (digits.len(), digits.strip_prefix('1')) {
        (10, _) => digits,
        (11, Some(national)) => national,
        _ => return Err(FaultKind::NotAPhoneNumber),
    };
    let national: u64 = national.parse().map_err(|_| FaultKind::NotAPhoneNumber)?;
    area_code::check(national / 10_000_000)?;
    Ok(Phone(Personal(10_000_000_000 + national)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Option<u64>, FaultKind> {
        let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
        Phone::parse_json(&Json::from(raw)).map(|phone| phone.map(|phone| phone.as_integer()))
    }

    #[test]
    fn every_accepted_form_becomes_the_same_integer() {
        for form in [
            "6501231234",
            "16501231234",
            r#""6501231234""#,
            r#""16501231234""#,
            r#""+16501231234""#,
            r#""+1 (650) 123-1234""#,
            r#"" 1 650 123 1234 ""#,
            r#""(650)123-1234""#,
            r#""650.123.1234""#,
            r#""tel:+1-650-123-1234""#,
            r#""TEL: 650-123-1234""#,
        ] {
            assert_eq!(read(form), Ok(Some(16_501_231_234)), "{form}");
        }
    }

    #[test]
    fn other_lengths_and_characters_are_refused() {
        for form in [
            "650123123",
            "165012312345",
            "26501231234",
            "16501231234.0",
            "1.6501231234e10",
            "-16501231234",
            "0",
            r#""650 123 123""#,
            r#""650-CALL-NOW""#,
            r#""650 123 1234 x12""#,
            r#""650 123 1234 ext. 12""#,
            r#""650 123 1234;ext=12""#,
            r#""+44 20 7946 0958""#,
            r#""+650 123 1234""#,
            r#""+26501231234""#,
            r#""0016501231234""#,
            r#""65+01231234""#,
            r#""650_123_1234""#,
            r#""650/123/1234""#,
            r#""６５０1231234""#,
            r#""6501231234 6501231235""#,
            r#""tel:""#,
            r#""()-.""#,
        ] {
            assert_eq!(read(form), Err(FaultKind::NotAPhoneNumber), "{form}");
        }
    }

    #[test]
    fn null_is_not_given_and_other_types_are_refused() {
        for form in ["true", "[6501231234]", r#"{"number": 6501231234}"#] {
            assert_eq!(read(form), Err(FaultKind::WrongType("an integer or a string")), "{form}");
        }
        assert_eq!(read(r#""  ""#), Err(FaultKind::Empty));
        assert_eq!(read(r#""\ud800""#), Err(FaultKind::BrokenText));
        assert_eq!(read("null"), Ok(None));
    }

    #[test]
    fn a_forbidden_area_code_is_refused_in_every_form() {
        for form in ["4161231234", "14161231234", r#""+1 416 123 1234""#] {
            assert_eq!(read(form), Err(FaultKind::AreaCodeAbroad), "{form}");
        }
        for form in ["8001231234", r#""(900) 123-1234""#, "2111231234"] {
            assert_eq!(read(form), Err(FaultKind::AreaCodeOfAService), "{form}");
        }
        for form in [r#""0501231234""#, "1150123123", "10501231234"] {
            assert_eq!(read(form), Err(FaultKind::NotAPhoneNumber), "{form}");
        }
    }

    #[test]
    fn a_phone_number_is_not_printed() {
        let phone: Phone = "6501231234".parse().unwrap();
        assert_eq!(format!("{phone:?}"), "Phone(personal)");
    }
}
