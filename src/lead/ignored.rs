//! The names of fields that the relay does not know, for the header `lead-ignored-fields`.

use std::fmt;

/// How many names are listed. The other fields are counted.
const MAX_NAMES: usize = 20;
/// The longest name that is listed.
const MAX_LENGTH: usize = 40;

/// Names of unknown fields, never their values. Displays as `email, details.shoe_size, +2`, where the last part is the
/// number of fields that are not listed: those after the first twenty, and those whose name is not
/// `[A-Za-z0-9_.-]{1,40}`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    names: Vec<String>,
    others: usize,
}

impl Ignored {
    /// The number of ignored fields. A listed name counts once, even if the body repeats it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.names.len() + self.others
    }

    pub(super) fn add(&mut self, parent: &str, name: &str) {
        let full = format!("{parent}{name}");
        if self.names.contains(&full) {
            return;
        }
        if self.names.len() < MAX_NAMES && is_word(name) {
            self.names.push(full);
        } else {
            self.others += 1;
        }
    }
}

/// Whether a name can be listed in a header: `[A-Za-z0-9_.-]{1,40}`.
fn is_word(name: &str) -> bool {
    (1..=MAX_LENGTH).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))?;
        match (self.others, self.names.is_empty()) {
            (0, _) => Ok(()),
            (others, true) => write!(f, "+{others}"),
            (others, false) => write!(f, ", +{others}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
        let mut ignored = Ignored::default();
        names.into_iter().for_each(|name| ignored.add("", name));
        ignored.to_string()
    }

    #[test]
    fn plain_names_are_listed_and_others_are_counted() {
        assert_eq!(ignored(["email", "utm.source", "lead-id_2"]), "email, utm.source, lead-id_2");
        assert_eq!(ignored(["email", "lead score!", "", "naïve", "a\r\nset-cookie: b"]), "email, +4");
        assert_eq!(ignored(["lead score!"]), "+1");
        assert_eq!(ignored([]), "");
    }

    #[test]
    fn a_repeated_name_is_listed_and_counted_once() {
        let mut all = Ignored::default();
        for (parent, name) in [("", "email"), ("", "email"), ("details.", "email"), ("", "lead score!")] {
            all.add(parent, name);
        }
        assert_eq!((all.to_string().as_str(), all.count()), ("email, details.email, +1", 3));
    }

    #[test]
    fn a_listed_name_has_at_most_forty_characters() {
        let (longest, too_long) = ("a".repeat(40), "a".repeat(41));
        assert_eq!(ignored([longest.as_str(), &too_long]), format!("{longest}, +1"));
    }

    #[test]
    fn twenty_names_are_listed_and_the_rest_are_counted() {
        let names: Vec<String> = (1..=23).map(|n| format!("f{n}")).collect();
        let mut all = Ignored::default();
        for name in &names {
            all.add("", name);
        }
        assert_eq!((all.count(), Ignored::default().count()), (23, 0));
        let expected = format!("{}, +3", names[..20].join(", "));
        assert_eq!(ignored(names.iter().map(String::as_str)), expected);
    }
}
