//! The boolean field of `details`.

use super::{
    fault::{FaultCode, FaultKind},
    json::Json,
    personal::Personal,
    spec::Forms,
};

/// A boolean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag(Personal<bool>);

impl Flag {
    /// The specification of the field.
    pub(super) const FORMS: Forms = Forms {
        accepted: "boolean; 1 or 0; `true t yes y 1` or `false f no n 0` in any case; `null` and empty strings count as not given",
        becomes: "boolean",
        refused: "anything else",
        faults: &[FaultCode::NotABoolean, FaultCode::BrokenText, FaultCode::Conflict],
    };

    /// Parses a boolean in the forms of HTML forms and spreadsheets; `None` if it is not given or empty.
    pub(super) fn parse_json(json: &Json<'_>) -> Result<Option<Self>, FaultKind> {
        let flag = match json {
            Json::Null => return Ok(None),
            Json::Bool(flag) => Some(*flag),
            Json::Number(number) => from_word(number),
            Json::Text(text) if text.trim().is_empty() => return Ok(None),
            Json::Text(text) => from_word(text.trim()),
            Json::BrokenText => return Err(FaultKind::BrokenText),
            Json::Array | Json::Object(_) => None,
        };
        flag.map(|flag| Some(Self(Personal(flag)))).ok_or(FaultKind::NotABoolean)
    }

    /// The value that AI Rudder receives.
    pub(crate) fn as_bool(&self) -> bool {
        self.0.0
    }
}

fn from_word(word: &str) -> Option<bool> {
    let is = |known: &&str| word.eq_ignore_ascii_case(known);
    if ["1", "true", "t", "yes", "y"].iter().any(is) {
        Some(true)
    } else if ["0", "false", "f", "no", "n"].iter().any(is) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Option<bool>, FaultKind> {
        let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
        Flag::parse_json(&Json::from(raw)).map(|flag| flag.map(|flag| flag.as_bool()))
    }

    #[test]
    fn true_is_accepted_in_many_forms() {
        for json in ["true", "1", r#""true""#, r#""T""#, r#""Yes""#, r#"" y ""#, r#""1""#, r#""TRUE""#] {
            assert_eq!(read(json), Ok(Some(true)), "{json}");
        }
    }

    #[test]
    fn false_is_accepted_in_many_forms() {
        for json in ["false", "0", r#""False""#, r#""f""#, r#""NO""#, r#""n""#, r#""0""#] {
            assert_eq!(read(json), Ok(Some(false)), "{json}");
        }
    }

    #[test]
    fn null_and_empty_are_not_given() {
        for json in ["null", r#""""#, r#"" ""#] {
            assert_eq!(read(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for json in ["2", "-1", "1.0", "1e0", r#""maybe""#, r#""on""#, r#""yes please""#, "[]", "[true]", "{}"] {
            assert_eq!(read(json), Err(FaultKind::NotABoolean), "{json}");
        }
        assert_eq!(read(r#""\ud800""#), Err(FaultKind::BrokenText));
    }

    #[test]
    fn a_flag_is_not_printed() {
        assert_eq!(format!("{:?}", Flag::parse_json(&Json::Bool(true)).unwrap().unwrap()), "Flag(personal)");
    }
}
