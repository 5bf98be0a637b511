//! The text fields of `details`.

use std::borrow::Cow;

use super::{
    fault::{FaultCode, FaultKind},
    field::Detail,
    json::Json,
    number::is_digits,
    personal::Personal,
    placeholder::is_placeholder,
    spec::Forms,
};

/// Free text of 1 to 200 Unicode characters, without control characters. It is borrowed from the body if cleaning changes
/// nothing in it. AI Rudder's contract has no maximum; this one is the relay's own.
///
/// Numbers are normalized, because the lead's fingerprint is a hash of this text, and a caller whose column becomes a float
/// sends `10` first and `10.0` later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a>(Personal<Cow<'a, str>>);

const MAX_CHARACTERS: usize = 200;

impl<'a> Text<'a> {
    /// The specification of a text field.
    pub(super) fn forms(field: Detail) -> Forms {
        let becomes = if field.is_count_or_years() {
            "the text, cleaned; a number in one form, in a string too: `10.0` is `10`, `2.50` is `2.5`, `-0` is `0`"
        } else {
            "the text, cleaned; a JSON number in one form: `10.0` is `10`, `2.50` is `2.5`, `-0` is `0`"
        };
        Forms {
            accepted: "string of at most 200 characters, or number without an exponent; `null`, empty strings, placeholders and \
                       unfilled templates count as not given",
            becomes,
            refused: "over 200 characters, control characters, booleans, arrays, objects",
            faults: &[
                FaultCode::WrongType,
                FaultCode::BrokenText,
                FaultCode::Exponent,
                FaultCode::ControlCharacter,
                FaultCode::TooLong,
                FaultCode::Conflict,
            ],
        }
    }

    /// Parses a text field; `None` if it is not given, empty or a placeholder: AI Rudder expects no empty fields.
    pub(super) fn parse_json(detail: Detail, json: Json<'a>) -> Result<Option<Self>, FaultKind> {
        let text = match json {
            Json::Null => return Ok(None),
            Json::Text(text) if is_placeholder(&text) => return Ok(None),
            // Digits alone have one form.
            Json::Text(text) if detail.is_count_or_years() && !is_digits(&text) && is_plain_number(&text) => match text
            {
                Cow::Borrowed(text) => Cow::Borrowed(normalized(text)),
                Cow::Owned(text) => Cow::Owned(normalized(&text).to_owned()),
            },
            // Elsewhere a number in a string stays as written: `10.10` may be a date or a time.
            Json::Text(text) => text,
            Json::Number(number) if number.contains(['e', 'E']) => return Err(FaultKind::Exponent),
            Json::Number(number) => Cow::Borrowed(normalized(number)),
            Json::BrokenText => return Err(FaultKind::BrokenText),
            Json::ControlCharacter => return Err(FaultKind::ControlCharacter),
            Json::Bool(_) | Json::EmptyArray | Json::Array | Json::Object(_) => {
                return Err(FaultKind::WrongType("a string or a number"));
            }
        };
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > MAX_CHARACTERS && text.chars().count() > MAX_CHARACTERS {
            return Err(FaultKind::TooLong(MAX_CHARACTERS));
        }
        Ok(Some(Self(Personal(text))))
    }

    /// The text that AI Rudder receives.
    pub(crate) fn as_str(&self) -> &str {
        &self.0.0
    }
}

/// Whether a text is a number as JSON writes it (RFC 8259, section 6), without an exponent.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    is_digits(whole) && is_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

/// Normalizes a plain number: removes zeros at the end of its fraction, and the sign of zero. Other digits are kept.
fn normalized(number: &str) -> &str {
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    if number == "-0" { "0" } else { number }
}

#[cfg(test)]
mod tests;
