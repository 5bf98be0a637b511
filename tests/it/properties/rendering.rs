//! One of the accepted ways to write a lead.

mod form;
mod values;

use std::cell::Cell;

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::json;
use support::TEXT_FIELDS;

use super::CanonicalLead;

/// Numbers that decide every choice of form, in turn.
#[derive(Debug, Clone)]
pub struct Rendering(Vec<Index>, Cell<usize>);

pub fn rendering() -> impl Strategy<Value = Rendering> {
    vec(any::<Index>(), 7..80).prop_map(|choices| Rendering(choices, Cell::default()))
}

/// Values of a text field that is not given.
const NO_TEXT: [&str; 9] =
    ["null", "\"\"", "\" \"", "\"\u{200b}\"", "\"N/A\"", "\"NaN\"", "\"--\"", "\"undefined\"", "\"${value}\""];
/// Values of `had_late_payment` that is not given.
const NO_ANSWER: [&str; 7] = ["null", "\"\"", "\" \"", "\"null\"", "\"None\"", "\"unknown\"", "\"%LATE%\""];

/// Whether a text is a number in its canonical form.
fn is_number(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit()) && !(text.contains('.') && text.ends_with('0'))
}

impl Rendering {
    /// The lead as JSON text in one of the accepted forms.
    pub fn of(&self, lead: &CanonicalLead) -> String {
        let mut top = vec![self.member("utm_source", "{\"ignored\": [1, null]}")];
        self.add_blanks(&mut top, &["caller_id", "loan_amount"], &["null", "\"\"", "\" \""]);
        self.add_blanks(
            &mut top,
            &["customer_name", "first_name"],
            &["\"\"", "\"N/A\"", "\"\u{2014}\"", "\"{{name}}\""],
        );
        for _ in 0..self.times() {
            top.push(self.member("caller_id", &self.phone(lead.national)));
        }
        for _ in 0..self.times() {
            top.push(self.member("loan_amount", &self.amount(lead.dollars)));
        }
        for _ in 0..self.times() {
            top.push(self.member(self.pick(&["customer_name", "first_name"]), &self.string(&self.text(&lead.name))));
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
        match self.pick(&["absent", "null", "list", "object"]) {
            "absent" if is_optional => {}
            "null" if is_optional => top.push(self.member("details", "null")),
            "list" if nested.is_empty() => top.push(self.member("details", self.pick(&["[]", "[ ]"]))),
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
                        self.string(&self.text(&text))
                    }
                    None if self.pick(&[true, false]) => continue,
                    None => self.pick(&NO_TEXT).to_owned(),
                };
                members.push(self.member(self.pick(&names), &value));
            }
            self.add_blanks(&mut members, &names, &NO_TEXT);
        }
        for _ in 0..self.times() {
            let forms = match lead.late {
                Some(true) => {
                    ["true", "1", "1.0", "\"Yes\"", "\"t\"", "\" Y \"", "\"1\"", "\"TRUE\"", "\"on\""].as_slice()
                }
                Some(false) => &["false", "0", "0.00", "\"no\"", "\"F\"", "\"n\"", "\"0\"", "\"False\"", "\"OFF\""],
                None if self.pick(&[true, false]) => continue,
                None => &NO_ANSWER,
            };
            members.push(self.member("had_late_payment", self.pick(forms)));
        }
        self.add_blanks(&mut members, &["had_late_payment"], &NO_ANSWER);
        self.shuffle(&mut members);
        members
    }

    /// Sometimes adds a value that stands for none. In addition to a full one it is not given.
    fn add_blanks(&self, members: &mut Vec<String>, names: &[&str], blanks: &[&str]) {
        if self.pick(&[true, false, false, false]) {
            members.push(self.member(self.pick(names), self.pick(blanks)));
        }
    }

    /// A member of an object. Its value is JSON already.
    fn member(&self, name: &str, value: &str) -> String {
        format!("{}:{value}", self.string(&self.text(name)))
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
