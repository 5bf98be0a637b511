//! The boolean field of `details`.

use super::{
    fault::{FaultCode, FaultKind},
    json::Json,
    number::is_zeros,
    personal::Personal,
    placeholder::is_placeholder,
    spec::Forms,
};

/// A boolean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag(Personal<bool>);

impl Flag {
    /// The specification of the field.
    pub(super) const FORMS: Forms = Forms {
        accepted: "boolean; 1 or 0, also with a zero fraction; `true t yes y on` or `false f no n off` in any case; `null`, empty \
                   strings, placeholders (also `none` and `unknown`) and unfilled templates count as not given",
        becomes: "boolean",
        refused: "anything else",
        faults: &[FaultCode::NotABoolean, FaultCode::BrokenText, FaultCode::Conflict],
    };

    /// Parses a boolean in the forms of HTML forms and spreadsheets; `None` if it is not given, empty or a placeholder.
    pub(super) fn parse_json(json: &Json<'_>) -> Result<Option<Self>, FaultKind> {
        let flag = match json {
            Json::Null => return Ok(None),
            Json::Bool(flag) => Some(*flag),
            Json::Number(number) => from_word(number),
            Json::Text(text) if is_no_answer(text) => return Ok(None),
            Json::Text(text) => from_word(text),
            Json::BrokenText => return Err(FaultKind::BrokenText),
            Json::ControlCharacter | Json::EmptyArray | Json::Array | Json::Object(_) => None,
        };
        flag.map(|flag| Some(Self(Personal(flag)))).ok_or(FaultKind::NotABoolean)
    }

    /// The value that AI Rudder receives.
    pub(crate) fn as_bool(&self) -> bool {
        self.0.0
    }
}

/// Whether a text says that the answer is missing. `none` and `unknown` would be answers to other questions.
fn is_no_answer(text: &str) -> bool {
    text.is_empty() || is_placeholder(text) || ["none", "unknown"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn from_word(word: &str) -> Option<bool> {
    // `1.0` is a 1 from a column of floating-point numbers.
    let word = match word.split_once('.') {
        Some((whole @ ("0" | "1"), fraction)) if !fraction.is_empty() && is_zeros(fraction) => whole,
        _ => word,
    };
    let is = |known: &&str| word.eq_ignore_ascii_case(known);
    if ["1", "true", "t", "yes", "y", "on"].iter().any(is) {
        Some(true)
    } else if ["0", "false", "f", "no", "n", "off"].iter().any(is) {
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
        for json in [
            "true",
            "1",
            "1.0",
            "1.00",
            r#""true""#,
            r#""T""#,
            r#""Yes""#,
            r#"" y ""#,
            r#""1""#,
            r#""1.0""#,
            r#""TRUE""#,
            r#""on""#,
            r#""On""#,
            r#""\u200byes&nbsp;""#,
        ] {
            assert_eq!(read(json), Ok(Some(true)), "{json}");
        }
    }

    #[test]
    fn false_is_accepted_in_many_forms() {
        for json in [
            "false",
            "0",
            "0.0",
            "0.000",
            r#""False""#,
            r#""f""#,
            r#""NO""#,
            r#""n""#,
            r#""0""#,
            r#""0.0""#,
            r#""off""#,
            r#""OFF""#,
            r#""n&#111;""#,
        ] {
            assert_eq!(read(json), Ok(Some(false)), "{json}");
        }
    }

    #[test]
    fn null_empty_and_placeholders_are_not_given() {
        for json in [
            "null",
            r#""""#,
            r#"" ""#,
            r#""\u200b""#,
            r#""N/A""#,
            r#""null""#,
            r#""Undefined""#,
            r#""NaN""#,
            r#""-""#,
            r#""none""#,
            r#""Unknown""#,
            r#""{{contact.had_late_payment}}""#,
        ] {
            assert_eq!(read(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for json in [
            "2",
            "-1",
            "-0",
            "1.5",
            "1e0",
            "10.0",
            r#""maybe""#,
            r#""1.""#,
            r#""01""#,
            r#""no.0""#,
            r#""yes please""#,
            r#""on/off""#,
            "[]",
            "[true]",
            "{}",
        ] {
            assert_eq!(read(json), Err(FaultKind::NotABoolean), "{json}");
        }
        assert_eq!(read(r#""\ud800""#), Err(FaultKind::BrokenText));
    }

    #[test]
    fn a_flag_is_not_printed() {
        assert_eq!(format!("{:?}", Flag::parse_json(&Json::Bool(true)).unwrap().unwrap()), "Flag(personal)");
    }
}
