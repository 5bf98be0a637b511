//! The amount of the loan.

use std::{borrow::Cow, str::FromStr};

use super::{
    fault::{FaultCode, FaultKind},
    json::Json,
    number::{Integer, NotAnInteger, is_digits, is_zeros},
    personal::Personal,
    spec::Forms,
};

/// Whole US dollars, 1 to 10,000,000. AI Rudder's contract has no maximum; this one is the relay's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount(Personal<u32>);

const MAX_DOLLARS: u32 = 10_000_000;

impl Amount {
    /// The specification of the field.
    pub(super) const FORMS: Forms = Forms {
        accepted: "integer, number with a zero fraction or an exponent, or string with `$`, `US$` or `USD` before or after it, thousands \
                   separated by commas or (`4 000`, `10 000`, but not `100 000`) by spaces, a fraction of zeros, or a leading `+`",
        becomes: "integer dollars, 1 to 10,000,000",
        refused: "cents, negative amounts, zero, `4k`; in a string also `1e3`, `1.000,50`, `4.000`, `100 000`, ranges, two numbers",
        faults: &[
            FaultCode::Missing,
            FaultCode::WrongType,
            FaultCode::Empty,
            FaultCode::BrokenText,
            FaultCode::NotAnAmount,
            FaultCode::NotWholeDollars,
            FaultCode::OutOfRange,
            FaultCode::Conflict,
        ],
    };

    /// Parses a `loan_amount`; `None` if it is not given.
    pub(super) fn parse_json(json: &Json<'_>) -> Result<Option<Self>, FaultKind> {
        match json {
            Json::Null => Ok(None),
            Json::Number(number) => from_number(number).map(Some),
            Json::Text(text) => text.parse().map(Some),
            Json::BrokenText => Err(FaultKind::BrokenText),
            Json::ControlCharacter => Err(FaultKind::NotAnAmount),
            Json::Bool(_) | Json::EmptyArray | Json::Array | Json::Object(_) => {
                Err(FaultKind::WrongType("an integer or a string"))
            }
        }
    }

    /// The amount in US dollars.
    pub(crate) fn dollars(&self) -> u32 {
        self.0.0
    }
}

/// Parses a JSON number in any notation: `4000`, `4000.0`, `4E+3`.
fn from_number(number: &str) -> Result<Amount, FaultKind> {
    match Integer::parse(number) {
        _ if number.starts_with('-') => Err(FaultKind::OutOfRange),
        Ok(integer) => from_dollars(&integer.digits),
        Err(NotAnInteger::Fraction) => Err(FaultKind::NotWholeDollars),
        Err(NotAnInteger::TooLarge) => Err(FaultKind::OutOfRange),
    }
}

/// Parses a clean text: `4000`, `$4,000`, `4 000.00 US$`, `+4000 USD`.
impl FromStr for Amount {
    type Err = FaultKind;

    fn from_str(text: &str) -> Result<Self, FaultKind> {
        if text.is_empty() {
            return Err(FaultKind::Empty);
        }
        let unsigned = text.strip_prefix('+').map_or(text, str::trim_start);
        let number = without_dollar_sign(without_currency_code(unsigned));
        let (dollars, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = without_thousands_separators(dollars).ok_or(FaultKind::NotAnAmount)?;
        // In some countries `4.000` is four thousand. After a separator of another kind, a point separates no thousands.
        let may_be_thousands = fraction.len() == 3 && dollars.len() <= 3;
        if !is_digits(fraction) || may_be_thousands {
            return Err(FaultKind::NotAnAmount);
        }
        if is_zeros(fraction) { from_dollars(&digits) } else { Err(FaultKind::NotWholeDollars) }
    }
}

/// The text without one `USD` before or after it, in any case.
fn without_currency_code(text: &str) -> &str {
    without_prefix(text, "USD").or_else(|| without_suffix(text, "USD")).unwrap_or(text)
}

/// The text without one `$` or `US$` before or after it.
fn without_dollar_sign(text: &str) -> &str {
    let before = || text.strip_prefix('$').or_else(|| without_prefix(text, "US")?.strip_prefix('$'));
    let after = || text.strip_suffix('$').map(|rest| without_suffix(rest.trim_end(), "US").unwrap_or(rest));
    before().or_else(after).unwrap_or(text).trim()
}

/// What follows a prefix of ASCII letters in any case, and spaces.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (found, rest) = text.split_at_checked(prefix.len())?;
    found.eq_ignore_ascii_case(prefix).then(|| rest.trim_start())
}

/// What stands before spaces and a suffix of ASCII letters in any case.
fn without_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, found) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    found.eq_ignore_ascii_case(suffix).then(|| rest.trim_end())
}

/// The digits of `4000`, `4,000` or `4 000`; `None` if the separators do not separate groups of three digits, or there are
/// no digits. A first group of three digits before a space may be a number of its own: `500 600`.
fn without_thousands_separators(text: &str) -> Option<Cow<'_, str>> {
    if is_digits(text) {
        return Some(Cow::Borrowed(text));
    }
    let (separator, longest) = if text.contains(',') { (',', 3) } else { (' ', 2) };
    let mut groups = text.split(separator);
    let first = groups.next().filter(|first| is_digits(first) && first.len() <= longest)?;
    let rest_is_well_formed = groups.all(|group| group.len() == 3 && is_digits(group));
    (first.len() < text.len() && rest_is_well_formed).then(|| Cow::Owned(text.replace(separator, "")))
}

/// The amount of a string of digits. A number that does not fit into a `u32` is out of range too.
fn from_dollars(digits: &str) -> Result<Amount, FaultKind> {
    match digits.parse() {
        Ok(dollars @ 1..=MAX_DOLLARS) => Ok(Amount(Personal(dollars))),
        _ => Err(FaultKind::OutOfRange),
    }
}

#[cfg(test)]
mod tests;
