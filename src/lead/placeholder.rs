//! Texts that stand for no value.

use icu_properties::{CodePointSetData, props::Dash};

/// Words that programs export for no value, in any case.
const WORDS: [&str; 3] = ["n/a", "null", "undefined"];
/// Words that are also names of people when they are written in another case.
const WORDS_IN_THIS_CASE: [&str; 2] = ["NaN", "nan"];
/// The marks of a template's variable that surround a whole text.
const TEMPLATES: [(&str, &str); 4] = [("{{", "}}"), ("${", "}"), ("%", "%"), ("[[", "]]")];

/// Whether a clean text is a placeholder or a template that was not filled in: `N/A`, `—`, `{{contact.firstname}}`.
pub(super) fn is_placeholder(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'n' | b'N' | b'u' | b'U') => {
            WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) || WORDS_IN_THIS_CASE.contains(&text)
        }
        Some(b'{' | b'$' | b'%' | b'[') => TEMPLATES.iter().any(|(open, close)| is_between(text, open, close)),
        Some(b'<') => is_tags(text),
        Some(b'-' | 0x80..) => text.chars().all(|c| c == ' ' || is_dash(c)),
        _ => false,
    }
}

/// Whether a character has Unicode's property `Dash`.
pub(super) fn is_dash(c: char) -> bool {
    c == '-' || (!c.is_ascii() && CodePointSetData::new::<Dash>().contains(c))
}

fn is_between(text: &str, open: &str, close: &str) -> bool {
    text.strip_prefix(open).is_some_and(|rest| rest.ends_with(close))
}

/// Whether a text is only `<…>`, once or more: `<first name> <last name>`, but not `<p>a car</p>`.
fn is_tags(text: &str) -> bool {
    text.split('>').all(|part| {
        let part = part.trim_start();
        part.is_empty() || part.rfind('<') == Some(0)
    }) && text.ends_with('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_dashes_and_unfilled_templates_are_placeholders() {
        for text in [
            "n/a",
            "N/A",
            "N/a",
            "null",
            "NULL",
            "Null",
            "undefined",
            "Undefined",
            "NaN",
            "nan",
            "-",
            "--",
            "- -",
            "–",
            "—",
            "\u{2212}\u{2011}",
            "{{contact.firstname}}",
            "{{first}} {{last}}",
            "{{{name}}}",
            "{{}}",
            "${name}",
            "${first} ${last}",
            "%name%",
            "%FIRST NAME%",
            "%%",
            "[[name]]",
            "<name>",
            "<first name>",
            "<first> <last>",
            "<>",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn names_and_other_texts_are_not() {
        for text in [
            "",
            "Ann",
            "Nan",
            "Na",
            "Nil",
            "NAN",
            "None",
            "Unknown",
            "na",
            "nil",
            "n/a yet",
            "nullable",
            "not undefined",
            "-1",
            "- none",
            "a-b",
            "…",
            "é",
            "{name}",
            "{{name}",
            "Dear {{name}}",
            "{{name}}!",
            "$5",
            "$",
            "%",
            "5%",
            "%5",
            "[name]",
            "[[name]",
            "<p>a car</p>",
            "<3",
            "a<b>",
            "<b>!",
            ">",
            "<<name>",
            "<name",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
