//! The consumer's phone number.

use std::{borrow::Cow, str::FromStr};

use super::{
    area_code::AreaCode,
    fault::{FaultCode, FaultKind},
    json::Json,
    number::{Integer, is_digits, is_zeros},
    personal::Personal,
    placeholder::is_dash,
    spec::Forms,
};

/// A US phone number that a consumer can have: `1` and ten digits, as an integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(Personal<Number>);

#[derive(Clone, PartialEq, Eq)]
struct Number {
    /// `1XXXXXXXXXX`.
    integer: u64,
    area_code: AreaCode,
}

impl Phone {
    /// The specification of the field.
    pub(super) const FORMS: Forms = Forms {
        accepted: "integer, also with a zero fraction or as `1.6501231234E10`, or string: 10 digits, or 11 that begin with 1; in strings \
                   also `+1` and `(+1)`, spaces, `( ) .`, any dash, `tel:` or `p:` in front, a zero fraction, and full-width characters",
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
            Json::Number(number) => from_number(number).map(Some),
            Json::Text(text) => text.parse().map(Some),
            Json::BrokenText => Err(FaultKind::BrokenText),
            Json::ControlCharacter => Err(FaultKind::NotAPhoneNumber),
            Json::Bool(_) | Json::EmptyArray | Json::Array | Json::Object(_) => {
                Err(FaultKind::WrongType("an integer or a string"))
            }
        }
    }

    /// The number that AI Rudder receives, `1XXXXXXXXXX`.
    pub(crate) fn as_integer(&self) -> u64 {
        self.0.0.integer
    }

    /// The number's area code.
    #[must_use]
    pub fn area_code(&self) -> AreaCode {
        self.0.0.area_code
    }
}

/// The least number of digits that a number with an exponent must write. A program that has rounded a phone number writes fewer,
/// and the missing ones would be another consumer's number: `1.650123E10` in a spreadsheet, `1.6501232E10` in a
/// single-precision float, which has at most nine (IEEE 754, binary32).
const MIN_WRITTEN_DIGITS: usize = 10;

/// Parses a JSON number: `6501231234`, `16501231234.0`, `1.6501231234E10`.
fn from_number(number: &str) -> Result<Phone, FaultKind> {
    match Integer::parse(number) {
        Ok(Integer { is_negative: false, digits, implied_zeros })
            if implied_zeros == 0 || digits.len() >= MIN_WRITTEN_DIGITS + implied_zeros =>
        {
            from_digits(&digits)
        }
        _ => Err(FaultKind::NotAPhoneNumber),
    }
}

/// Parses a clean text: `6501231234`, `1 650 123 1234`, `(+1) 650-123-1234`, `tel:+1-650-123-1234`, `650.123.1234`,
/// `16501231234.0`.
impl FromStr for Phone {
    type Err = FaultKind;

    fn from_str(text: &str) -> Result<Self, FaultKind> {
        if text.is_empty() {
            return Err(FaultKind::Empty);
        }
        let text = in_ascii(text);
        let number = without_zero_fraction(without_scheme(&text));
        // A plus is followed by a country code: `+650…` is not a number in California.
        let (international, number) = match number.strip_prefix('(').unwrap_or(number).trim_start().strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let digits: String = number.chars().filter(|c| !is_separator(*c)).collect();
        if international && !(digits.len() == 11 && digits.starts_with('1')) {
            return Err(FaultKind::NotAPhoneNumber);
        }
        from_digits(&digits)
    }
}

/// Replaces the full-width forms of ASCII characters, as a Japanese or Chinese keyboard writes them, and every dash. Digits
/// of other scripts stay, and are refused.
fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let ascii = |c| match c {
        // Their order is that of ASCII's `!` to `~`.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + u32::from('!')).unwrap_or(c),
        c if is_dash(c) => '-',
        c => c,
    };
    Cow::Owned(text.chars().map(ascii).collect())
}

/// The text without `tel:` (RFC 3966) or `p:` (an export's mark for a phone number) in front, in any case.
fn without_scheme(text: &str) -> &str {
    match text.split_once(':') {
        Some((scheme, rest)) if ["tel", "p"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            rest.trim_start()
        }
        _ => text,
    }
}

/// The text without the `.0` of a column of floating-point numbers. A single point before four zeros stays, if it may stand
/// before a line number: `(650) 123.0000`.
fn without_zero_fraction(text: &str) -> &str {
    match text.split_once('.') {
        Some((before, zeros)) if is_digits(zeros) && is_zeros(zeros) => {
            let digits = before.bytes().filter(u8::is_ascii_digit).count();
            if zeros.len() == 4 && digits < 8 { text } else { before }
        }
        _ => text,
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '(' | ')' | '-' | '.')
}

/// Parses ten digits, or eleven that begin with 1, as AI Rudder's contract requires. The exchange code is not checked: the
/// contract's own sample has one that does not exist.
fn from_digits(digits: &str) -> Result<Phone, FaultKind> {
    if !is_digits(digits) {
        return Err(FaultKind::NotAPhoneNumber);
    }
    let national = match (digits.len(), digits.strip_prefix('1')) {
        (10, _) => digits,
        (11, Some(national)) => national,
        _ => return Err(FaultKind::NotAPhoneNumber),
    };
    let national: u64 = national.parse().map_err(|_| FaultKind::NotAPhoneNumber)?;
    let area_code = AreaCode::parse(national / 10_000_000)?;
    Ok(Phone(Personal(Number { integer: 10_000_000_000 + national, area_code })))
}

#[cfg(test)]
mod tests;
