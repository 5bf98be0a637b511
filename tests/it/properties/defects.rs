//! Leads with faults, and the faults that they must have.

use std::collections::BTreeMap;

use lendswift_relay::lead::ParsedLead;
use serde_json::{Value, json};

use super::changes::remove;

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
                values("not_a_phone_number", &[long]),
                values("area_code_abroad", &[json!(4_161_231_234_u64)]),
                values("area_code_of_a_service", &[json!("+1 900 123 1234")]),
                vec![Self::Missing, conflict("/caller_id", json!(2_125_550_100_u64))],
            ],
            "/loan_amount" => vec![
                values("wrong_type", &[array]),
                values("not_an_amount", &[control]),
                values("not_whole_dollars", &[json!(4000.5), json!("$4,000.50")]),
                values("out_of_range", &[json!(0), json!(10_000_001)]),
                vec![Self::Missing, conflict("/loan_amount", json!(if whole["loan_amount"] == 1 { 2 } else { 1 }))],
            ],
            "/customer_name" => vec![
                values("wrong_type", &[object]),
                values("too_long", &[long]),
                values("control_character", &[control]),
                values("empty", &[json!(" ")]),
                values("no_letter", &[json!("12")]),
                vec![Self::Missing, conflict("/first_name", json!("another"))],
            ],
            "/details" => vec![values("wrong_type", &[array, json!("{}")]), vec![Self::Missing]],
            "/details/had_late_payment" => vec![
                values("not_a_boolean", &[array, long]),
                vec![conflict("/had_late_payment", json!(whole["details"]["had_late_payment"] == false))],
            ],
            _ => vec![
                values("wrong_type", &[array, object]),
                values("too_long", &[long]),
                values("control_character", &[control]),
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
