//! The fields of a form post: `application/x-www-form-urlencoded` (WHATWG URL Standard, section 5).

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::Malformed;

/// A form's fields in their order, decoded, with repeated names.
pub(super) type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Where a field of a form belongs in a lead.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Position<'a> {
    /// At the top level, under this name.
    Top(&'a str),
    /// In `details`, under this name: `details[job_title]` or `details.job_title`.
    InDetails(&'a str),
    /// `details` itself.
    Details,
}

/// Decodes a form. Stricter than a browser's decoder: a body that is no form could be read as names of fields, and the relay
/// returns the names of unknown fields.
pub(super) fn pairs(body: &[u8]) -> Result<Pairs<'_>, Malformed> {
    if body.trim_ascii_start().starts_with(b"{") {
        return Err(Malformed::NotAForm("begins with {, so it is JSON under a form's content type"));
    }
    let parts = body.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let at = part.iter().position(|byte| *byte == b'=').ok_or(Malformed::NotAForm("has a part without ="))?;
            let (name, value) = part.split_at(at);
            Ok((decode(name)?, decode(value.get(1..).unwrap_or_default())?))
        })
        .collect()
}

impl<'a> From<&'a str> for Position<'a> {
    fn from(name: &'a str) -> Self {
        match name.strip_prefix("details") {
            Some("") => Self::Details,
            Some(rest) => rest
                .strip_prefix('.')
                .or_else(|| rest.strip_prefix('[')?.strip_suffix(']'))
                .map_or(Self::Top(name), Self::InDetails),
            None => Self::Top(name),
        }
    }
}

fn decode(text: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let is_whole = |after: &[u8]| matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let mut escapes = text.split(|byte| *byte == b'%').skip(1);
    if !escapes.all(is_whole) {
        return Err(Malformed::NotAForm("has a % that two hex digits do not follow"));
    }
    let spaced = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<_>>();
    let decoded = percent_decode(&spaced).collect::<Vec<_>>();
    let text = String::from_utf8(decoded).map_err(|_| Malformed::NotAForm("has a part that is not UTF-8"))?;
    Ok(Cow::Owned(text))
}
