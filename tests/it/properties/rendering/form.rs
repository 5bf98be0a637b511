//! One of the accepted ways to write a lead as a form.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use support::TEXT_FIELDS;

use super::{CanonicalLead, Rendering};

impl Rendering {
    /// The lead as a form. Each value is a string; a number in another form than a string's is only for JSON.
    pub fn form_of(&self, lead: &CanonicalLead) -> String {
        let mut pairs = vec![self.pair("utm_source", "ignored"), self.pair("details", "")];
        for _ in 0..self.times() {
            pairs.push(self.pair("caller_id", &text_among(|| self.phone(lead.national), &lead.national)));
        }
        for _ in 0..self.times() {
            pairs.push(self.pair("loan_amount", &text_among(|| self.amount(lead.dollars), &lead.dollars)));
        }
        for _ in 0..self.times() {
            pairs.push(self.pair(self.pick(&["customer_name", "first_name"]), &self.text(&lead.name)));
        }
        for (field, text) in TEXT_FIELDS.iter().zip(&lead.texts) {
            let names: Vec<&str> = [&field.name].into_iter().chain(field.aliases).copied().collect();
            let value = text.as_ref().map_or_else(|| self.pick(&["", " ", "N/A"]).to_owned(), |text| self.text(text));
            pairs.push(self.pair(&self.in_details(self.pick(&names)), &value));
        }
        let late = match lead.late {
            Some(true) => ["true", "Yes", "on", "1"].as_slice(),
            Some(false) => &["FALSE", "no", "off", "0"],
            None => &["", "none"],
        };
        pairs.push(self.pair(&self.in_details("had_late_payment"), self.pick(late)));
        self.shuffle(&mut pairs);
        pairs.join(self.pick(&["&", "&&"]))
    }

    fn in_details(&self, name: &str) -> String {
        self.pick(&[name.to_owned(), format!("details[{name}]"), format!("details.{name}")])
    }

    /// A pair, with more or fewer of its characters encoded.
    fn pair(&self, name: &str, value: &str) -> String {
        let encode = |text: &str| {
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            match self.pick(&["all", "plus", "browser"]) {
                "all" => encoded,
                "plus" => encoded.replace("%20", "+"),
                _ => encoded.replace("%20", "+").replace("%5F", "_").replace("%2E", ".").replace("%2D", "-"),
            }
        };
        format!("{}={}", encode(name), encode(value))
    }
}

/// The content of the first JSON string among some renderings of a number, or its digits.
fn text_among(render: impl Fn() -> String, number: &dyn ToString) -> String {
    let text = |json: String| serde_json::from_str::<Value>(&json).ok()?.as_str().map(str::to_owned);
    (0..20).find_map(|_| text(render())).unwrap_or_else(|| number.to_string())
}
