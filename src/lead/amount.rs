//! The amount of the loan.

use std::str::FromStr;

use super::{
    fault::{FaultCode, FaultKind},
    json::Json,
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
        accepted: "integer, number with a zero fraction, or string with `$`, thousands commas, `.00`, spaces or `USD`",
        becomes: "integer dollars, 1 to 10,000,000",
        refused: "cents, negative amounts, zero, `4k`, `1e3`, `1.000,50`, `4.000` in a string, ranges, two numbers",
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
            Json::Bool(_) | Json::Array | Json::Object(_) => Err(FaultKind::WrongType("an integer or a string")),
        }
    }

    /// The amount in US dollars.
    pub(crate) fn dollars(&self) -> u32 {
        self.0.0
    }
}

/// Parses a JSON number, with any number of zeros after its point: `4000`, `4000.0`.
fn from_number(number: &str) -> Result<Amount, FaultKind> {
    if number.contains(['e', 'E']) {
        return Err(FaultKind::NotAnAmount);
    }
    if number.starts_with('-') {
        return Err(FaultKind::OutOfRange);
    }
    let (dollars, cents) = number.split_once('.').unwrap_or((number, ""));
    if !cents.bytes().all(|digit| digit == b'0') {
        return Err(FaultKind::NotWholeDollars);
    }
    from_dollars(dollars)
}

/// Accepts `4000`, `$4,000`, `4,000.00`, `$ 4000 USD`, `USD 4,000`. After a point, only one or two zeros are accepted: in
/// some countries `4.000` is four thousand.
impl FromStr for Amount {
    type Err = FaultKind;

    fn from_str(text: &str) -> Result<Self, FaultKind> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FaultKind::Empty);
        }
        let text = without_currency_code(text);
        let number = text.strip_prefix('$').unwrap_or(text).trim_start();
        let (dollars, cents) = number.split_once('.').unwrap_or((number, "00"));
        let dollars = without_thousands_commas(dollars).ok_or(FaultKind::NotAnAmount)?;
        match cents {
            "0" | "00" => from_dollars(&dollars),
            _ if cents.len() <= 2 && !cents.is_empty() && is_digits(cents) => Err(FaultKind::NotWholeDollars),
            _ => Err(FaultKind::NotAnAmount),
        }
    }
}

/// The text without one `USD` before or after it, in any case.
fn without_currency_code(text: &str) -> &str {
    if let Some((code, rest)) = text.split_at_checked(3)
        && code.eq_ignore_ascii_case("USD")
    {
        return rest.trim_start();
    }
    if let Some((rest, code)) = text.len().checked_sub(3).and_then(|at| text.split_at_checked(at))
        && code.eq_ignore_ascii_case("USD")
    {
        return rest.trim_end();
    }
    text
}

/// The digits of `4000` or `4,000`; `None` if the commas do not separate groups of three digits, or there are no digits.
fn without_thousands_commas(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next().filter(|first| is_digits(first))?;
    if first.len() == text.len() {
        return Some(text.to_owned());
    }
    let rest_is_well_formed = groups.all(|group| group.len() == 3 && is_digits(group));
    (first.len() <= 3 && rest_is_well_formed).then(|| text.replace(',', ""))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The amount of a string of digits. A number that does not fit into a `u32` is out of range too.
fn from_dollars(digits: &str) -> Result<Amount, FaultKind> {
    match digits.parse() {
        Ok(dollars @ 1..=MAX_DOLLARS) => Ok(Amount(Personal(dollars))),
        _ => Err(FaultKind::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Option<u32>, FaultKind> {
        let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
        Amount::parse_json(&Json::from(raw)).map(|amount| amount.map(|amount| amount.dollars()))
    }

    #[test]
    fn every_accepted_form_becomes_the_same_integer() {
        for form in [
            "4000",
            "4000.0",
            "4000.000",
            r#""4000""#,
            r#"" 4000 ""#,
            r#""$4000""#,
            r#""$4,000""#,
            r#""$ 4,000.00""#,
            r#""4000.0""#,
            r#""4,000 USD""#,
            r#""usd 4000""#,
            r#""USD $4,000.00""#,
            r#""$4,000USD""#,
            r#""04000""#,
        ] {
            assert_eq!(read(form), Ok(Some(4000)), "{form}");
        }
    }

    #[test]
    fn the_bounds_are_one_dollar_and_ten_million() {
        for (form, dollars) in [("1", 1), ("10000000", MAX_DOLLARS), (r#""10,000,000""#, MAX_DOLLARS)] {
            assert_eq!(read(form), Ok(Some(dollars)), "{form}");
        }
        for form in ["0", "-1", "-0.5", "0.0", "10000001", "99999999999999999999", r#""0""#, r#""$10,000,001""#] {
            assert_eq!(read(form), Err(FaultKind::OutOfRange), "{form}");
        }
    }

    #[test]
    fn cents_are_refused() {
        for form in ["4000.5", "0.99", r#""4000.50""#, r#""$4,000.99""#, r#""4000.5""#] {
            assert_eq!(read(form), Err(FaultKind::NotWholeDollars), "{form}");
        }
    }

    #[test]
    fn ambiguous_amounts_are_refused() {
        for form in [
            "4e3",
            "4E3",
            r#""4k""#,
            r#""1e3""#,
            r#""1.000,50""#,
            r#""4.000""#,
            r#""4000.""#,
            r#""4,00""#,
            r#""40,00""#,
            r#""4000,000""#,
            r#""4,,000""#,
            r#"",000""#,
            r#""4,000,""#,
            r#""3000-4000""#,
            r#""3000 4000""#,
            r#""4 000""#,
            r#""-4000""#,
            r#""+4000""#,
            r#""$-4000""#,
            r#""$$4000""#,
            r#""€4000""#,
            r#""4000 EUR""#,
            r#""USD 4000 USD""#,
            r#""USD""#,
            r#""$""#,
            r#""four thousand""#,
            r#""٤٠٠٠""#,
        ] {
            assert_eq!(read(form), Err(FaultKind::NotAnAmount), "{form}");
        }
    }

    #[test]
    fn null_is_not_given_and_other_types_are_refused() {
        for form in ["true", "[4000]", r#"{"amount": 4000}"#] {
            assert_eq!(read(form), Err(FaultKind::WrongType("an integer or a string")), "{form}");
        }
        assert_eq!(read(r#""""#), Err(FaultKind::Empty));
        assert_eq!(read(r#""\udc00""#), Err(FaultKind::BrokenText));
        assert_eq!(read("null"), Ok(None));
    }

    #[test]
    fn an_amount_is_not_printed() {
        let amount: Amount = "4000".parse().unwrap();
        assert_eq!(format!("{amount:?}"), "Amount(personal)");
    }
}
