//! A lead in its canonical form.

use proptest::{prelude::*, strategy::Union, string::string_regex};
use serde_json::{Map, json};
use support::{DIGITS, LETTERS, TEXT_FIELDS};

/// What a lead means, however it is written.
#[derive(Debug, Clone)]
pub struct CanonicalLead {
    pub national: u64,
    pub dollars: u32,
    pub name: String,
    /// One per field of [`TEXT_FIELDS`].
    pub texts: Vec<Option<String>>,
    pub late: Option<bool>,
}

pub fn canonical_lead() -> impl Strategy<Value = CanonicalLead> {
    let area = prop::sample::select(vec![201_u64, 212, 415, 650, 787, 340, 989]);
    let subscriber = (20_u64..100).prop_map(|exchange| format!("{exchange}{DIGITS}").parse::<u64>().unwrap());
    // A letter first: À to ÿ includes two arithmetic signs.
    let name = format!("[A-Za-z][A-Za-zÀ-ÿ '.&;]{{0,10}}{LETTERS}[A-Za-zÀ-ÿễ한 '.&;]{{0,10}}[A-Za-zÀ-ÿ]");
    let name = string_regex(&name).unwrap().prop_map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
    let texts = TEXT_FIELDS.map(|field| {
        let some = "[a-zÀ-ÿễ한🙂\"\\\\/{}<>%$&#;]";
        let mut texts = vec![
            // A letter first, so that it is no placeholder. It may have what looks like a reference.
            format!("[a-z]{some}{{0,10}}{LETTERS}(&lt;|&#39;)?{some}{{0,10}}( {some}{{1,10}})?"),
            // Digits too, which may be written as a number.
            format!("-?[1-9][0-9]{{0,3}}{DIGITS}"),
            format!("-?{DIGITS}\\.[0-9]{{0,2}}[1-9]"),
            "0".to_owned(),
        ];
        if !field.counts {
            // May be a date or a time, whose zeros have a meaning.
            texts.push(format!("{DIGITS}\\.[0-9]{{0,2}}0"));
        }
        prop::option::of(Union::new(texts.iter().map(|text| string_regex(text).unwrap())))
    });
    let late = prop::option::of(any::<bool>());
    (area, subscriber, 1_u32..=10_000_000, name, texts, late).prop_map(
        |(area, subscriber, dollars, name, texts, late)| CanonicalLead {
            national: area * 10_000_000 + subscriber,
            dollars,
            name,
            texts: texts.into(),
            late,
        },
    )
}

impl CanonicalLead {
    /// It as a body: what may look like a reference is escaped.
    pub fn body(&self) -> String {
        self.json().replace('&', "&amp;")
    }

    /// What AI Rudder gets, except for the order of the details.
    pub fn json(&self) -> String {
        let mut details = Map::new();
        for (field, text) in TEXT_FIELDS.iter().zip(&self.texts) {
            details.extend(text.as_ref().map(|text| (field.name.to_owned(), json!(text))));
        }
        details.extend(self.late.map(|late| ("had_late_payment".to_owned(), json!(late))));
        let lead = json!({
            "caller_id": 10_000_000_000 + self.national,
            "loan_amount": self.dollars,
            "customer_name": self.name,
            "details": details,
        });
        lead.to_string()
    }
}
