//! Strings without the traces of how they were entered, stored and exported.
//!
//! [`clean`] is the only place that does this, and [`super::json`] applies it to every string of a lead, once, before a
//! field reads it. So the fields see one form of each text, and the fingerprint of a lead does not depend on the
//! program that sent it.

mod references;

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

/// Each step returns the changed text, or `None` if it changes nothing. The order is essential: a reference may stand for an
/// invisible character, an invisible character may separate a letter from its accent, and NFC turns some kinds of white
/// space into others.
const STEPS: [fn(&str) -> Option<String>; 4] = [references::decoded, visible, composed, spaced];

/// Decodes HTML character references once, drops invisible characters, composes (NFC), makes each run of white space one
/// space, and trims. Control characters stay, except for those that are white space: the fields refuse them.
pub(super) fn clean(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_clean_ascii(&text) {
        return text;
    }
    let text = trimmed(text);
    if is_clean_ascii(&text) {
        return text;
    }
    STEPS.iter().fold(text, |text, step| step(&text).map_or(text, Cow::Owned))
}

/// Whether [`clean`] would change nothing, for ASCII without a `&`, which is almost every string of a lead.
fn is_clean_ascii(text: &str) -> bool {
    // A space before the text makes a leading space a double one.
    let mut last = b' ';
    for byte in text.bytes() {
        if !matches!(byte, b' '..=b'%' | b'\''..=b'~') || (byte == b' ' && last == b' ') {
            return false;
        }
        last = byte;
    }
    last != b' ' || text.is_empty()
}

/// Trims white space. A borrowed text stays borrowed.
fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// Drops zero-width characters, bidirectional marks, variation selectors, byte order marks and fillers: Unicode's property
/// `Default_Ignorable_Code_Point`.
fn visible(text: &str) -> Option<String> {
    text.contains(is_invisible).then(|| text.replace(is_invisible, ""))
}

fn is_invisible(c: char) -> bool {
    // The first two code points of the set, so that Latin text is not looked up in it.
    matches!(c, '\u{ad}' | '\u{34f}'..) && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Normalizes to NFC (Unicode Standard Annex 15).
fn composed(text: &str) -> Option<String> {
    match ComposingNormalizerBorrowed::new_nfc().normalize(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// Makes each run of white space (Unicode's property `White_Space`, line breaks included) one space, and trims.
fn spaced(text: &str) -> Option<String> {
    let mut was_space = true;
    let is_spaced = text.chars().all(|c| {
        let is_allowed = !c.is_whitespace() || (c == ' ' && !was_space);
        was_space = c.is_whitespace();
        is_allowed
    });
    let is_unchanged = text.is_empty() || (is_spaced && !was_space);
    (!is_unchanged).then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests;
