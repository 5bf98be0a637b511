//! Random changes to JSON.

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

/// One change to a value: the place, and what it is replaced by, or `None` to remove it.
#[derive(Debug, Clone)]
pub struct Change(Index, Option<Value>);

pub fn change(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Change> {
    (any::<Index>(), prop::option::weighted(0.8, value)).prop_map(|(place, value)| Change(place, value))
}

/// A value of any type. Without the letters that the log is searched for: it may replace what is never personal, such as the
/// request's id.
pub fn any_value() -> impl Strategy<Value = Value> {
    let values =
        [json!(null), json!(true), json!(-1), json!(0.5), json!([]), json!([null]), json!({}), json!({"a": "b"})];
    prop_oneof![prop::sample::select(values.to_vec()), ".{0,20}".prop_map(Value::from)]
}

impl Change {
    /// Makes it, and returns where.
    pub fn make(&self, value: &mut Value) -> String {
        let mut places = Vec::new();
        all_places(value, "", &mut places);
        let Some(place) = (!places.is_empty()).then(|| self.0.get(&places)) else { return String::new() };
        match &self.1 {
            Some(new) => *value.pointer_mut(place).unwrap() = new.clone(),
            None => remove(value, place),
        }
        place.clone()
    }
}

/// The pointers to everything in a value but itself.
fn all_places(value: &Value, at: &str, into: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Array(values) => values.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in members {
        let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        all_places(value, &place, into);
        into.push(place);
    }
}

/// Removes what is at a place.
pub fn remove(value: &mut Value, place: &str) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Array(values) => drop(values.remove(name.parse().unwrap())),
        Value::Object(members) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        _ => panic!("only containers have places"),
    }
}
