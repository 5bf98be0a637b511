//! Strings without the traces of how they were entered, stored and exported.
//!
//! [`clean`] is the only place that does this, and [`super::json`] applies it to every string of a lead, once, before a
//! field reads it. So the fields see one form of each text, and the fingerprint of a lead does not depend on the
//! program that sent it.

mod references;

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

/// A text contains a control character, other than white space.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ControlCharacter;

/// Kinds of characters, as a set of bits. Those of kind 0 are clean wherever they stand: ASCII without the other kinds, and
/// U+00C0 to U+02FF, which are letters and signs that no step changes. So is almost every string of a lead.
type Kinds = u8;
const SPACE: Kinds = 1;
const AMPERSAND: Kinds = 2;
const CONTROL: Kinds = 4;
const OTHER: Kinds = 8;

/// The kind of a character, by its leading byte in UTF-8. A trailing byte adds none.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const KINDS: [Kinds; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte {
            0x20 => SPACE,
            0x26 => AMPERSAND,
            0x00..0x20 | 0x7f => CONTROL,
            0x21..0x7f | 0x80..=0xbf | 0xc3..=0xcb => 0,
            _ => OTHER,
        };
        byte += 1;
    }
    kinds
};

/// The kinds that a step is for, and the step, which returns the changed text, or `None` if it changes nothing.
type Step = (Kinds, fn(&str) -> Option<String>);

/// Their order is essential: a reference may stand for an invisible character, an invisible character may separate a letter
/// from its accent, and NFC turns some kinds of white space into others.
const STEPS: [Step; 4] =
    [(AMPERSAND, references::decoded), (OTHER, visible), (OTHER, composed), (SPACE | CONTROL | OTHER, spaced)];

/// Decodes HTML character references once, drops invisible characters, composes (NFC), makes each run of white space one
/// space, and trims. A clean text is not copied, nor one that is clean after trimming.
pub(super) fn clean(text: Cow<'_, str>) -> Result<Cow<'_, str>, ControlCharacter> {
    let mut kinds = kinds_in(&text);
    if is_clean_of(kinds, &text) {
        return Ok(text);
    }
    let mut text = trimmed(text);
    if is_clean_of(kinds, &text) {
        return Ok(text);
    }
    for (concerned, step) in STEPS {
        if kinds & concerned != 0
            && let Some(changed) = step(&text)
        {
            kinds = kinds_in(&changed);
            text = Cow::Owned(changed);
        }
    }
    let has_control = kinds & (CONTROL | OTHER) != 0 && text.contains(char::is_control);
    if has_control { Err(ControlCharacter) } else { Ok(text) }
}

/// Whether [`clean`] changes nothing in a text, as can be seen without looking closely.
pub(super) fn is_clean(text: &str) -> bool {
    is_clean_of(kinds_in(text), text)
}

/// Whether nothing must be changed in a text that has only these kinds of characters.
fn is_clean_of(kinds: Kinds, text: &str) -> bool {
    kinds == 0 || (kinds == SPACE && is_single_spaced(text))
}

fn kinds_in(text: &str) -> Kinds {
    text.bytes().fold(0, |kinds, byte| kinds | KINDS.get(usize::from(byte)).copied().unwrap_or(OTHER))
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
    let is_spaced = is_single_spaced(text) && !text.contains(|c: char| c != ' ' && c.is_whitespace());
    (!is_spaced).then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether each space is alone and between other characters.
fn is_single_spaced(text: &str) -> bool {
    !text.starts_with(' ') && !text.ends_with(' ') && !text.as_bytes().windows(2).any(|pair| pair == b"  ")
}

#[cfg(test)]
mod tests;
