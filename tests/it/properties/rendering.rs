//! One of the accepted ways to write a lead.

use std::cell::Cell;

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::json;
use support::TEXT_FIELDS;

use super::CanonicalLead;

/// Numbers that decide every choice of form, in turn.
#[derive(Debug, Clone)]
pub struct Rendering(Vec<Index>, Cell<usize>);

pub fn rendering() -> impl Strategy<Value = Rendering> {
    vec(any::<Index>(), 7..40).prop_map(|choices| Rendering(choices, Cell::default()))
}

/// Whether a text is a number in its canonical form.
fn is_number(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit()) && !(text.contains('.') && text.ends_with('0'))
}

impl Rendering {
    /// The lead as JSON text in one of the accepted forms.
    pub fn of(&self, lead: &CanonicalLead) -> String {
        let mut top = vec![self.member("utm_source", "{\"ignored\": [1, null]}")];
        for _ in 0..self.times() {
            top.push(self.member("caller_id", &self.phone(lead.national)));
        }
        for _ in 0..self.times() {
            top.push(self.member("loan_amount", &self.amount(lead.dollars)));
        }
        for _ in 0..self.times() {
            let name = lead.name.replace(' ', self.pick(&[" ", "  ", " \t "]));
            let name = format!("{}{name}{}", self.pick(&["", " ", "\n"]), self.pick(&["", "  "]));
            top.push(self.member(self.pick(&["customer_name", "first_name"]), &self.string(&name)));
        }
        let mut details = self.details(lead);
        let mut nested = match self.pick(&["flat", "nested", "both"]) {
            "flat" => Vec::new(),
            "nested" => std::mem::take(&mut details),
            _ => details.split_off(self.pick(&[0, 1, 2, 3, 4]).min(details.len())),
        };
        // The object is optional if one of its fields is at the top level.
        let is_optional = !details.is_empty() && nested.is_empty();
        top.append(&mut details);
        match self.pick(&["absent", "null", "object"]) {
            "absent" if is_optional => {}
            "null" if is_optional => top.push(self.member("details", "null")),
            _ => top.push(self.member("details", &self.object(&mut nested))),
        }
        format!("{}{}", self.pick(&["", "\u{feff}"]), self.object(&mut top))
    }

    /// One of some forms.
    fn pick<T: Clone>(&self, forms: &[T]) -> T {
        let turn = self.1.get();
        self.1.set(turn + 1);
        self.0[turn % self.0.len()].get(forms).clone()
    }

    /// How often a field is repeated: mostly once.
    fn times(&self) -> usize {
        self.pick(&[1, 1, 1, 2])
    }

    /// The members of `details`, in any order.
    fn details(&self, lead: &CanonicalLead) -> Vec<String> {
        let mut members = Vec::new();
        for (field, text) in TEXT_FIELDS.iter().zip(&lead.texts) {
            let names: Vec<&str> = [&field.name].into_iter().chain(field.aliases).copied().collect();
            for _ in 0..self.times() {
                let value = match text {
                    Some(text) if is_number(text) && self.pick(&[true, false]) => self.number(text),
                    Some(text) => {
                        let text = if field.counts && is_number(text) { self.number(text) } else { text.clone() };
                        self.string(&format!("{}{text}{}", self.pick(&["", " "]), self.pick(&["", "\t"])))
                    }
                    None if self.pick(&[true, false]) => continue,
                    None => self.pick(&["null", "\"\"", "\" \""]).to_owned(),
                };
                members.push(self.member(self.pick(&names), &value));
            }
        }
        for _ in 0..self.times() {
            let forms = match lead.late {
                Some(true) => ["true", "1", "\"Yes\"", "\"t\"", "\" Y \"", "\"1\"", "\"TRUE\""].as_slice(),
                Some(false) => &["false", "0", "\"no\"", "\"F\"", "\"n\"", "\"0\"", "\"False\""],
                None if self.pick(&[true, false]) => continue,
                None => &["null", "\"\"", "\" \""],
            };
            members.push(self.member("had_late_payment", self.pick(forms)));
        }
        self.shuffle(&mut members);
        members
    }

    fn number(&self, canonical: &str) -> String {
        let sign = if canonical == "0" { self.pick(&["", "-"]) } else { "" };
        let zeros = self.pick(&["", "", "0", "00", "00000"]);
        let point = if canonical.contains('.') || zeros.is_empty() { "" } else { "." };
        format!("{sign}{canonical}{point}{zeros}")
    }

    fn phone(&self, national: u64) -> String {
        let digits = national.to_string();
        let (area, exchange, line) = (&digits[..3], &digits[3..6], &digits[6..]);
        self.pick(&[
            digits.clone(),
            format!("1{digits}"),
            format!("\"{digits}\""),
            format!("\"+1{digits}\""),
            format!("\"({area}) {exchange}-{line}\""),
            format!("\" +1 ({area}) {exchange}-{line} \""),
            format!("\"{area}.{exchange}.{line}\""),
            format!("\"tel:+1-{area}-{exchange}-{line}\""),
        ])
    }

    fn amount(&self, dollars: u32) -> String {
        let plain = dollars.to_string();
        let groups = plain.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap());
        let commas = groups.collect::<Vec<_>>().join(",");
        self.pick(&[
            plain.clone(),
            format!("{plain}.0"),
            format!("{plain}.000"),
            format!("\"{plain}\""),
            format!("\"${commas}\""),
            format!("\" $ {commas}.00 USD\""),
            format!("\"usd {plain}.0\""),
        ])
    }

    /// A member of an object. Its value is JSON already.
    fn member(&self, name: &str, value: &str) -> String {
        format!("{}:{value}", self.string(name))
    }

    /// A JSON string, with some, all or none of its characters escaped.
    fn string(&self, text: &str) -> String {
        let every = self.pick(&[usize::MAX, usize::MAX, 1, 2, 5]);
        let escape = |c: char| {
            let units: Vec<_> = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
            units.concat()
        };
        let written = text.chars().enumerate().map(|(at, c)| match at % every {
            0 if every < usize::MAX => escape(c),
            _ => {
                let quoted = json!(c).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
        });
        format!("\"{}\"", written.collect::<String>())
    }

    /// An object of members in any order, with or without white space.
    fn object(&self, members: &mut [String]) -> String {
        self.shuffle(members);
        let space = self.pick(&["", " ", "\n  ", "\r\n\t"]);
        format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")))
    }

    fn shuffle(&self, members: &mut [String]) {
        for at in (1..members.len()).rev() {
            members.swap(at, self.pick(&(0..=at).collect::<Vec<_>>()));
        }
    }
}
