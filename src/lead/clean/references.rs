//! HTML character references, as a web form or a page that was copied leaves them in a text: `O&#039;Neill`.

use html_escape::NAMED_ENTITIES;

/// The longest name, `CounterClockwiseContourIntegral`, has 31 characters; the longest number, `x0010FFFF`, can have any
/// number of zeros in front. What is longer stays as it is.
const MAX_LENGTH: usize = 32;

/// Decodes each reference that has its semicolon, once: `&amp;lt;` is `&lt;`. What is no reference to a character stays as
/// it is: `AT&T;`. `None` if the text has no `&`.
pub(super) fn decoded(text: &str) -> Option<String> {
    let (before, mut rest) = text.split_once('&')?;
    let mut decoded = String::with_capacity(text.len());
    decoded.push_str(before);
    loop {
        match reference(rest) {
            Some((character, after)) => {
                character.push_to(&mut decoded);
                rest = after;
            }
            None => decoded.push('&'),
        }
        let Some((before, after)) = rest.split_once('&') else { break };
        decoded.push_str(before);
        rest = after;
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// What a reference stands for: one character, or the one or two of a name.
enum Referent {
    Character(char),
    Text(&'static str),
}

impl Referent {
    fn push_to(self, text: &mut String) {
        match self {
            Self::Character(character) => text.push(character),
            Self::Text(named) => text.push_str(named),
        }
    }
}

/// The reference that begins before `text`, with its `&`, and what follows it.
fn reference(text: &str) -> Option<(Referent, &str)> {
    let end = text.bytes().take(MAX_LENGTH + 1).position(|byte| byte == b';')?;
    let (name, rest) = text.split_at_checked(end)?;
    let referent = match name.strip_prefix('#') {
        Some(number) => Referent::Character(numbered(number)?),
        None => Referent::Text(named(name)?),
    };
    Some((referent, rest.strip_prefix(';')?))
}

/// HTML's names and their texts, one after the other. A table of pointers would be relocated at each start of the process.
struct Names {
    bytes: [u8; BYTES],
    /// For each entry, where its name and its text begin. The next entry begins where the text ends.
    starts: [(u16, u16); COUNT + 1],
}

const COUNT: usize = NAMED_ENTITIES.len();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const BYTES: usize = {
    let (mut at, mut bytes) = (0, 0);
    while at < COUNT {
        bytes += NAMED_ENTITIES[at].0.len() + NAMED_ENTITIES[at].1.len();
        at += 1;
    }
    bytes
};
const _: () = assert!(BYTES <= u16::MAX as usize);

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static NAMES: Names = {
    let mut names = Names { bytes: [0; BYTES], starts: [(0, 0); COUNT + 1] };
    let (mut at, mut end) = (0, 0);
    while at < COUNT {
        let (name, text) = NAMED_ENTITIES[at];
        names.starts[at].0 = position(end);
        end = append(&mut names.bytes, end, name);
        names.starts[at].1 = position(end);
        end = append(&mut names.bytes, end, text.as_bytes());
        at += 1;
    }
    names.starts[COUNT] = (position(end), position(end));
    names
};

#[expect(clippy::cast_possible_truncation, reason = "at most BYTES")]
const fn position(at: usize) -> u16 {
    at as u16
}

/// Writes a part at a position, and returns where it ends.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn append(bytes: &mut [u8; BYTES], mut end: usize, part: &[u8]) -> usize {
    let mut at = 0;
    while at < part.len() {
        bytes[end] = part[at];
        at += 1;
        end += 1;
    }
    end
}

fn named(name: &str) -> Option<&'static str> {
    let part = |from: u16, to: u16| NAMES.bytes.get(usize::from(from)..usize::from(to)).unwrap_or_default();
    let names = NAMES.starts.get(..COUNT)?;
    let at = names.binary_search_by_key(&name.as_bytes(), |(name, text)| part(*name, *text)).ok()?;
    let ((_, text), (next, _)) = (NAMES.starts.get(at)?, NAMES.starts.get(at + 1)?);
    std::str::from_utf8(part(*text, *next)).ok()
}

/// The character with a number, `39` or `x27`. Zero is a control character and is refused like one, although HTML replaces
/// it.
fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // `from_str_radix` accepts a sign.
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
    match code {
        0x80..=0x9f => WINDOWS_1252.chars().nth(usize::try_from(code - 0x80).ok()?),
        _ => char::from_u32(code),
    }
}

/// The characters that the numbers 128 to 159 stand for: those of Windows-1252, where it has one (HTML Living Standard,
/// section 13.2.5.80, "Numeric character reference end state"). `&#146;` is the apostrophe of old word processors.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_decimal_and_hexadecimal_references_are_decoded() {
        for (text, expected) in [
            ("O&#039;Neill", "O'Neill"),
            ("O&#39;Neill", "O'Neill"),
            ("O&#x27;Neill", "O'Neill"),
            ("O&#X0027;Neill", "O'Neill"),
            ("O&apos;Neill", "O'Neill"),
            ("O&rsquo;Neill", "O’Neill"),
            ("Jos&eacute; &amp; Zo&euml;", "José & Zoë"),
            ("&Aacute;&aacute;", "Áá"),
            ("&#128578;&#x1f642;", "🙂🙂"),
            ("&NotEqualTilde;", "\u{2242}\u{338}"),
            ("&CounterClockwiseContourIntegral;", "∳"),
            ("&semi;;&num;&#59;", ";;#;"),
            ("&nbsp;&ZeroWidthSpace;&shy;", "\u{a0}\u{200b}\u{ad}"),
            ("&#0;&#7;&#x1b;&#10;&#xfeff;", "\0\u{7}\u{1b}\n\u{feff}"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn every_named_reference_is_decoded() {
        for (name, text) in NAMED_ENTITIES {
            let name = std::str::from_utf8(name).unwrap();
            assert!(name.len() <= MAX_LENGTH);
            assert_eq!(decoded(&format!("a&{name};b")), Some(format!("a{text}b")));
        }
    }

    #[test]
    fn a_reference_is_decoded_once() {
        for (text, expected) in [
            ("&amp;lt;", "&lt;"),
            ("&amp;amp;", "&amp;"),
            ("&#38;#39;", "&#39;"),
            ("&amp;&amp;#39;", "&&#39;"),
            ("&&amp;lt;", "&&lt;"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_reference_stays_as_it_is() {
        for text in [
            "AT&T",
            "AT&T;",
            "a & b",
            "a & b; c",
            "&",
            "&;",
            "&&;",
            "&#;",
            "&#x;",
            "&#x",
            "&#39",
            "&apos",
            "&lt &gt",
            "&#+39;",
            "&#x+27;",
            "&#-1;",
            "&# 39;",
            "&#3 9;",
            "&#abc;",
            "&#xg;",
            "&Apos;",
            "&LT ;",
            "&notit;",
            "é&é;",
            // Half of a surrogate pair, beyond Unicode, beyond 32 bits, and one character too long.
            "&#xd800;",
            "&#57343;",
            "&#x110000;",
            "&#1114112;",
            "&#99999999999;",
            "&#00000000000000000000000000000039;",
        ] {
            assert_eq!(decoded(text).unwrap_or_else(|| text.to_owned()), text);
        }
        assert_eq!(decoded("no reference; here"), None);
    }

    #[test]
    fn numbers_of_windows_1252_are_its_characters() {
        assert_eq!(decoded("&#146;&#x80;&#150;&#159;").as_deref(), Some("’€–Ÿ"));
        assert_eq!(WINDOWS_1252.chars().count(), 32);
        // Those that it leaves out are control characters.
        for code in [0x81_u32, 0x8d, 0x8f, 0x90, 0x9d] {
            assert_eq!(decoded(&format!("&#{code};")), char::from_u32(code).map(String::from));
        }
        assert_eq!(decoded("&#127;&#160;").as_deref(), Some("\u{7f}\u{a0}"));
    }
}
