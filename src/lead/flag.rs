//! The yes-or-no field of `details`.

use super::{fault::FaultKind, json::Json, personal::Personal};

/// An answer to a yes-or-no question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag(Personal<bool>);

impl Flag {
    /// Reads a boolean in the forms that forms have; `None` where it isn't given or is empty.
    pub(super) fn read(json: &Json<'_>) -> Result<Option<Self>, FaultKind> {
        let flag = match json {
            Json::Null => return Ok(None),
            Json::Bool(flag) => Some(*flag),
            Json::Number(number) => from_word(number),
            Json::Text(text) if text.trim().is_empty() => return Ok(None),
            Json::Text(text) => from_word(text.trim()),
            Json::BrokenText => return Err(FaultKind::BrokenText),
            Json::Array | Json::Object(_) => None,
        };
        flag.map(|flag| Some(Self(Personal(flag)))).ok_or(FaultKind::NotAFlag)
    }

    /// The answer as AI Rudder gets it.
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
        Flag::read(&Json::from(raw)).map(|flag| flag.map(|flag| flag.as_bool()))
    }

    #[test]
    fn yes_has_these_forms() {
        for json in ["true", "1", r#""true""#, r#""T""#, r#""Yes""#, r#"" y ""#, r#""1""#, r#""TRUE""#] {
            assert_eq!(read(json), Ok(Some(true)), "{json}");
        }
    }

    #[test]
    fn no_has_these_forms() {
        for json in ["false", "0", r#""False""#, r#""f""#, r#""NO""#, r#""n""#, r#""0""#] {
            assert_eq!(read(json), Ok(Some(false)), "{json}");
        }
    }

    #[test]
    fn null_and_empty_are_left_out() {
        for json in ["null", r#""""#, r#"" ""#] {
            assert_eq!(read(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for json in ["2", "-1", "1.0", "1e0", r#""maybe""#, r#""on""#, r#""yes please""#, "[]", "[true]", "{}"] {
            assert_eq!(read(json), Err(FaultKind::NotAFlag), "{json}");
        }
        assert_eq!(read(r#""\ud800""#), Err(FaultKind::BrokenText));
    }

    #[test]
    fn a_flag_is_not_printed() {
        assert_eq!(format!("{:?}", Flag::read(&Json::Bool(true)).unwrap().unwrap()), "Flag(personal)");
    }
}
