//! JSON numbers as written, without floating point: a phone number has eleven digits, and each of them counts.

use std::borrow::Cow;

/// A JSON number (RFC 8259, section 6) that is an integer, in whatever notation: `4000`, `4000.0`, `4E+3`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Integer<'a> {
    /// Whether it has a minus sign. `-0` has one.
    pub(super) is_negative: bool,
    /// Its digits, without zeros in front.
    pub(super) digits: Cow<'a, str>,
    /// How many zeros at the end come from the exponent alone: 3 in `4E+3`, 0 in `4.000E+3`.
    pub(super) implied_zeros: usize,
}

/// Why a JSON number is no [`Integer`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotAnInteger {
    /// It has a fraction other than zero.
    Fraction,
    /// It has more than [`MAX_DIGITS`] digits.
    TooLarge,
}

/// Enough for every integer of a lead. `1e999999999` must not become a billion digits.
const MAX_DIGITS: usize = 64;

impl<'a> Integer<'a> {
    /// Reads a number that is valid JSON.
    pub(super) fn parse(number: &'a str) -> Result<Self, NotAnInteger> {
        let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if exponent == "0" && is_zeros(fraction) {
            return Ok(Self { is_negative, digits: Cow::Borrowed(whole), implied_zeros: 0 });
        }
        let written = [whole, fraction].concat();
        let significant = written.trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self { is_negative, digits: Cow::Borrowed("0"), implied_zeros: 0 });
        }
        // Where the point stands in the written digits. An exponent beyond 64 bits is as good as infinite.
        let infinite = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let point = exponent.parse().unwrap_or(infinite).saturating_add_unsigned(whole.len() as u64);
        let point = usize::try_from(point).unwrap_or(0);
        if significant.len() > point {
            return Err(NotAnInteger::Fraction);
        }
        if point > MAX_DIGITS {
            return Err(NotAnInteger::TooLarge);
        }
        let digits = format!("{significant:0<point$}").trim_start_matches('0').to_owned();
        Ok(Self { is_negative, digits: Cow::Owned(digits), implied_zeros: point.saturating_sub(written.len()) })
    }
}

/// Whether a text is any number of zeros, or empty.
pub(super) fn is_zeros(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// Whether a text is one or more ASCII digits.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(number: &str) -> Result<(bool, String, usize), NotAnInteger> {
        assert!(serde_json::from_str::<&serde_json::value::RawValue>(number).is_ok(), "{number} is not JSON");
        Integer::parse(number).map(|read| (read.is_negative, read.digits.into_owned(), read.implied_zeros))
    }

    #[test]
    fn an_integer_has_one_form() {
        for (number, digits, implied_zeros) in [
            ("0", "0", 0),
            ("4000", "4000", 0),
            ("4000.0", "4000", 0),
            ("4000.000", "4000", 0),
            ("4000e0", "4000", 0),
            ("4e3", "4000", 3),
            ("4E+3", "4000", 3),
            ("4.0e3", "4000", 2),
            ("4.000E+03", "4000", 0),
            ("4.0000e3", "4000", 0),
            ("40000e-1", "4000", 0),
            ("0.4e4", "4000", 3),
            ("0.004e6", "4000", 3),
            ("1.6501231234E10", "16501231234", 0),
            ("1.6501E10", "16501000000", 6),
            ("0e999999999999999999999", "0", 0),
            ("0.00e-5", "0", 0),
        ] {
            assert_eq!(integer(number), Ok((false, digits.to_owned(), implied_zeros)), "{number}");
            assert_eq!(integer(&format!("-{number}")), Ok((true, digits.to_owned(), implied_zeros)), "-{number}");
        }
    }

    #[test]
    fn a_fraction_is_not_an_integer() {
        for number in ["0.5", "4000.5", "4000.0001", "4.0005e3", "4e-1", "40000e-5", "1e-99999999999999999999", "-0.1"]
        {
            assert_eq!(integer(number), Err(NotAnInteger::Fraction), "{number}");
        }
    }

    #[test]
    fn an_exponent_cannot_make_a_number_long() {
        for number in ["1e64", "1e300", "1.5e999999999", "1e99999999999999999999", "-1E+400"] {
            assert_eq!(integer(number), Err(NotAnInteger::TooLarge), "{number}");
        }
        assert_eq!(integer("1e63").unwrap().1.len(), MAX_DIGITS);
    }
}
