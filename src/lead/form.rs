//! The fields of a form post: `application/x-www-form-urlencoded` (WHATWG URL Standard, section 5).
//!
//! Stricter than the standard's decoder, which accepts any bytes: a body that is not a form would be read as the names of
//! fields, and the relay returns the names of unknown fields.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{Malformed, field::Field};

/// A form's fields in their order, decoded, with repeated names.
pub(super) type Pairs<'a> = Vec<(String, Cow<'a, str>)>;

/// What is wrong with a part of a form. It displays as the end of a message for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// It has no `=`.
    #[error("has no =")]
    NoValue,
    /// A `%` is not followed by two hex digits.
    #[error("has a % without two hex digits after it")]
    PercentEncoding,
    /// Decoded, it is not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
}

/// Where a field of a form belongs in a lead.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Position<'a> {
    /// At the top level, under this name.
    Top(&'a str),
    /// In `details`, under this name: `details[job_title]` or `details.job_title`.
    InDetails(&'a str),
}

impl Position<'_> {
    /// The field in this position.
    pub(super) fn field(&self) -> Option<Field> {
        match self {
            Self::Top(name) => Field::at_top_level(name),
            Self::InDetails(name) => Field::in_details(name),
        }
    }
}

/// Decodes a form. Empty parts are skipped.
pub(super) fn pairs(body: &[u8]) -> Result<Pairs<'_>, Malformed> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if body.is_empty() {
        return Err(Malformed::Empty);
    }
    if body.trim_ascii_start().starts_with(b"{") {
        return Err(Malformed::JsonAsForm);
    }
    let parts = (1..).zip(body.split(|byte| *byte == b'&')).filter(|(_, part)| !part.is_empty());
    parts.map(|(number, part)| pair(part).map_err(|fault| Malformed::NotAForm { part: number, fault })).collect()
}

fn pair(part: &[u8]) -> Result<(String, Cow<'_, str>), FormFault> {
    let mut halves = part.splitn(2, |byte| *byte == b'=');
    let (Some(name), Some(value)) = (halves.next(), halves.next()) else { return Err(FormFault::NoValue) };
    Ok((decode(name)?, decode(value)?.into()))
}

fn decode(text: &[u8]) -> Result<String, FormFault> {
    let is_whole = |after: &[u8]| matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !text.split(|byte| *byte == b'%').skip(1).all(is_whole) {
        return Err(FormFault::PercentEncoding);
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).map_err(|_| FormFault::NotUtf8)
}

impl<'a> From<&'a str> for Position<'a> {
    fn from(name: &'a str) -> Self {
        let Some(rest) = name.strip_prefix("details") else { return Self::Top(name) };
        let inner = rest.strip_prefix('.').or_else(|| rest.strip_prefix('[')?.strip_suffix(']'));
        inner.map_or(Self::Top(name), |name| Self::InDetails(name.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, String)> {
        pairs(body.as_bytes()).unwrap().into_iter().map(|(name, value)| (name, value.into_owned())).collect()
    }

    fn fault(body: &[u8]) -> Malformed {
        pairs(body).unwrap_err()
    }

    #[test]
    fn names_and_values_are_decoded() {
        let expected = [("a b", "c=d&e"), ("é", "+"), ("a b", ""), ("", "x")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read("a+b=c=d%26e&%C3%A9=%2B&&a%20b=&=x&"), expected);
        assert_eq!(read("\u{feff}a=1"), [("a".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_field_of_details_has_a_dot_or_brackets() {
        for (name, position) in [
            ("details[job_title]", Position::InDetails("job_title")),
            ("details.job_title", Position::InDetails("job_title")),
            ("details[ job_title ]", Position::InDetails("job_title")),
            ("details. job_title", Position::InDetails("job_title")),
            ("details[]", Position::InDetails("")),
            ("details", Position::Top("details")),
            ("job_title", Position::Top("job_title")),
            ("details[job_title", Position::Top("details[job_title")),
            ("detailsjob_title", Position::Top("detailsjob_title")),
            ("Details.job_title", Position::Top("Details.job_title")),
            ("", Position::Top("")),
        ] {
            assert_eq!(Position::from(name), position);
        }
    }

    #[test]
    fn a_fault_names_the_part() {
        let in_part = |part, fault| Malformed::NotAForm { part, fault };
        for (body, expected) in [
            ("", Malformed::Empty),
            ("\u{feff}", Malformed::Empty),
            (r#"{"caller_id": 1}"#, Malformed::JsonAsForm),
            (" \n{a=b", Malformed::JsonAsForm),
            ("a", in_part(1, FormFault::NoValue)),
            ("a=1&&b", in_part(3, FormFault::NoValue)),
            ("a=1&b=%", in_part(2, FormFault::PercentEncoding)),
            ("a=1&b=%4", in_part(2, FormFault::PercentEncoding)),
            ("a=%4g", in_part(1, FormFault::PercentEncoding)),
            ("%+1=a", in_part(1, FormFault::PercentEncoding)),
            ("a=%ff", in_part(1, FormFault::NotUtf8)),
            ("a=1&%c3=2", in_part(2, FormFault::NotUtf8)),
        ] {
            assert_eq!(fault(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(fault(b"a=\xff"), in_part(1, FormFault::NotUtf8));
        assert_eq!(in_part(2, FormFault::NoValue).to_string(), "is not a form: part 2 has no =");
    }
}
