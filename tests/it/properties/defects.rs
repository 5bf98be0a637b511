//! Leads with faults, and the faults that they must have.

use std::collections::BTreeMap;

use lendswift_relay::lead::ParsedLead;
use serde_json::{Value, json};

use super::changes::remove;

/// Texts that could mean two things, or nothing: the field, the text and the code of its fault.
pub const REFUSED: [(&str, &str, &str); 24] = [
    ("caller_id", "6501231234 x5", "not_a_phone_number"),
    ("caller_id", "6501231234 6501231235", "not_a_phone_number"),
    ("caller_id", "650123123.0", "not_a_phone_number"),
    ("caller_id", "+44 20 7946 0958", "not_a_phone_number"),
    ("caller_id", "650123123\u{2074}", "not_a_phone_number"),
    ("caller_id", "\u{666}501231234", "not_a_phone_number"),
    ("caller_id", "(+1) 416 123 1234", "area_code_abroad"),
    ("caller_id", "p: 900 123 1234", "area_code_of_a_service"),
    ("loan_amount", "500 600", "not_an_amount"),
    ("loan_amount", "100 000", "not_an_amount"),
    ("loan_amount", "4.000", "not_an_amount"),
    ("loan_amount", "$4.000", "not_an_amount"),
    ("loan_amount", "4e3", "not_an_amount"),
    ("loan_amount", "4000-5000", "not_an_amount"),
    ("loan_amount", "4000\u{b2}", "not_an_amount"),
    ("loan_amount", "4,000.50", "not_whole_dollars"),
    ("loan_amount", "10 000 001", "out_of_range"),
    ("customer_name", "<first name>", "placeholder"),
    ("customer_name", "N/A", "placeholder"),
    ("customer_name", "", "empty"),
    ("customer_name", "1234", "no_letter"),
    ("customer_name", "A\u{7}nn", "control_character"),
    ("status", "a\u{1b}b", "control_character"),
    ("had_late_payment", "yes and no", "not_a_boolean"),
];

/// What is wrong at a place.
#[derive(Debug, Clone)]
pub enum Defect {
    /// This value is there, and the fault has that code.
    Value(Value, &'static str),
    /// Nothing is there.
    Missing,
    /// The same field is at that place too, with this value.
    Conflict(String, Value),
}

impl Defect {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Value(_, code) => code,
            Self::Missing => "missing",
            Self::Conflict(..) => "conflict",
        }
    }

    /// The pointer of its fault: the second of two values is the one in conflict.
    pub fn pointer<'a>(&'a self, place: &'a str) -> &'a str {
        if let Self::Conflict(other, _) = self { other } else { place }
    }

    /// All that can be wrong at a place of this lead.
    pub fn all(place: &str, whole: &Value) -> Vec<Self> {
        let values = |code, values: &[Value]| values.iter().map(|value| Self::Value(value.clone(), code)).collect();
        let conflict = |pointer: &str, value: Value| Self::Conflict(pointer.to_owned(), value);
        let (array, object) = (json!([]), json!({"a": 1}));
        let (long, control) = (json!("x".repeat(300)), json!("a\u{7}"));
        let defects: Vec<Vec<Self>> = match place {
            "/caller_id" => vec![
                values("wrong_type", &[array, json!(true)]),
                values("not_a_phone_number", &[long, control, json!("650 123 1234 x5"), json!(6_501_231_234.5)]),
                values("area_code_abroad", &[json!(4_161_231_234_u64)]),
                values("area_code_of_a_service", &[json!("+1 900 123 1234")]),
                vec![Self::Missing, conflict("/caller_id", json!(2_125_550_100_u64))],
            ],
            "/loan_amount" => vec![
                values("wrong_type", &[array]),
                values("not_an_amount", &[control, json!("500 600"), json!("4.000")]),
                values("not_whole_dollars", &[json!(4000.5), json!("$4,000.50")]),
                values("out_of_range", &[json!(0), json!(10_000_001)]),
                vec![Self::Missing, conflict("/loan_amount", json!(if whole["loan_amount"] == 1 { 2 } else { 1 }))],
            ],
            "/customer_name" => vec![
                values("wrong_type", &[object]),
                values("too_long", &[long]),
                values("control_character", &[control]),
                values("empty", &[json!(" "), json!("\u{200b}&nbsp;")]),
                values("placeholder", &[json!("N/A"), json!("—"), json!("{{contact.firstname}}")]),
                values("no_letter", &[json!("12")]),
                vec![Self::Missing, conflict("/first_name", json!("another"))],
            ],
            "/details" => vec![values("wrong_type", &[json!([1]), json!("{}")]), vec![Self::Missing]],
            "/details/had_late_payment" => vec![
                values("not_a_boolean", &[array, long, control]),
                vec![conflict("/had_late_payment", json!(whole["details"]["had_late_payment"] == false))],
            ],
            _ => vec![
                values("wrong_type", &[array, object]),
                values("too_long", &[long]),
                values("control_character", &[control, json!("a&#7;")]),
                values("exponent", &[json!(1e300)]),
                vec![conflict(place.strip_prefix("/details").unwrap(), json!("another"))],
            ],
        };
        defects.concat()
    }
}

/// The places of a lead's fields.
pub fn places(lead: &Value) -> Vec<String> {
    let mut places: Vec<String> = ["/caller_id", "/loan_amount", "/customer_name"].map(str::to_owned).to_vec();
    places.extend(lead["details"].as_object().unwrap().keys().map(|name| format!("/details/{name}")));
    places
}

/// A lead with defects, as JSON text.
pub fn with_defects(whole: &Value, broken: &BTreeMap<String, Defect>) -> String {
    let mut body = whole.clone();
    let mut conflicts = Vec::new();
    for (place, defect) in broken {
        match defect {
            Defect::Value(value, _) => *body.pointer_mut(place).unwrap() = value.clone(),
            Defect::Missing => remove(&mut body, place),
            Defect::Conflict(other, value) => conflicts.push(format!(",{}:{value}", json!(other[1..]))),
        }
    }
    let body = body.to_string();
    format!("{}{}}}", &body[..body.len() - 1], conflicts.concat())
}

/// The pointers and codes of a lead's faults, sorted.
pub fn codes(body: &str) -> Vec<(String, &'static str)> {
    let faults = ParsedLead::parse(body.as_bytes()).unwrap().lead.err().unwrap_or_default();
    let mut codes: Vec<_> = faults.iter().map(|fault| (fault.field.clone(), fault.kind.code())).collect();
    codes.sort();
    codes
}
