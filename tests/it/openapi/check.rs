//! Whether requests and responses are as the written description says.

use std::{
    collections::BTreeMap,
    fs,
    sync::{LazyLock, Mutex},
};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use support::{api_gateway::Response, in_repository};

use super::{
    routes::Route,
    yaml::{json as json_of, parse},
};

/// `docs/openapi.yaml`, as its readers get it.
pub static WRITTEN: LazyLock<Value> =
    LazyLock::new(|| json_of(&parse(&fs::read_to_string(in_repository("docs/openapi.yaml")).unwrap())));

/// What the relay itself may send: no response of API Gateway, and no member that is not described.
static STRICT: LazyLock<Value> = LazyLock::new(|| strict(&WRITTEN));

fn strict(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: serde_json::Map<_, _> =
                members.iter().map(|(name, value)| (name.clone(), strict(value))).collect();
            // An open schema describes a request or AI Rudder's envelope: only envelopes and faults have titles and messages.
            let is_own = members.get("properties").is_some_and(|properties| {
                ["trace_id", "outcome", "code"].iter().any(|name| properties.get(*name).is_some())
            });
            // Of a lead, only the one in the response has bounds and no alternatives.
            let is_pushed = members.get("properties").is_some_and(|properties| {
                properties["caller_id"]["minimum"].is_u64() || properties["had_late_payment"]["type"] == "boolean"
            });
            if is_pushed || is_own && members["required"] != json!(["code"]) {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            Value::Object(members)
        }
        Value::Array(items) => {
            let is_gateways = |item: &Value| item["$ref"] == "#/components/schemas/GatewayMessage";
            items.iter().filter(|item| !is_gateways(item)).map(strict).collect()
        }
        scalar => scalar.clone(),
    }
}

/// A component, if the node refers to one.
pub fn resolved(node: &'static Value) -> &'static Value {
    node["$ref"].as_str().map_or(node, |reference| WRITTEN.pointer(reference.strip_prefix('#').unwrap()).unwrap())
}

/// The description of a route's response; `None` if it does not have the status.
pub fn described(route: Route, status: u16) -> Option<&'static Value> {
    WRITTEN["paths"][route.path()]["post"]["responses"].get(status.to_string()).map(resolved)
}

fn validator(schema: &Value, document: &Value) -> Validator {
    let whole = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(&whole).unwrap()
}

/// Whether a value matches a schema without references.
pub fn matches(schema: &Value, value: &Value) -> Result<(), String> {
    let faults: Vec<_> = validator(schema, &Value::Null).iter_errors(value).map(|error| error.to_string()).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// The schema of a component.
pub fn schema(name: &str) -> Validator {
    validator(&json!({"$ref": format!("#/components/schemas/{name}")}), &WRITTEN)
}

/// Whether a lead matches its schema.
pub fn accepts_lead(json: &str) -> bool {
    static LEAD: LazyLock<Validator> = LazyLock::new(|| schema("Lead"));
    LEAD.is_valid(&serde_json::from_str(json).unwrap())
}

/// The text of a header as the JSON value that its schema describes.
fn header_value(schema: &Value, text: &str) -> Value {
    let is_text = schema["type"] == "string";
    (!is_text).then(|| serde_json::from_str(text).ok()).flatten().unwrap_or_else(|| text.into())
}

/// Fails if the relay's response to a request to this route is not as described: status, headers or body.
pub fn assert_described(route: Route, response: &Response) {
    let headers = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_parts(route, response.status, &headers, &serde_json::from_slice(&response.body).unwrap());
}

pub fn assert_parts(route: Route, status: u16, headers: &BTreeMap<&str, &str>, body: &Value) {
    let context = || format!("{status} of {route:?}: {headers:?} {body}");
    let response = described(route, status).unwrap_or_else(|| panic!("not described: {}", context()));
    let described = response["headers"].as_object().unwrap();
    for (name, header) in described {
        let header = resolved(header);
        let always = header["required"] == true || ["lead-outcome", "request-id"].contains(&name.as_str());
        match headers.get(name.as_str()) {
            Some(text) => {
                let value = header_value(&header["schema"], text);
                let faults = faults(&header["schema"], false, &value);
                assert!(faults.is_empty(), "{name}: {faults:?}, {}", context());
            }
            None => assert!(!always, "{name} is absent: {}", context()),
        }
    }
    let is_described = |name: &&str| *name == "content-type" || described.contains_key(*name);
    assert!(headers.keys().all(is_described), "{}", context());

    // The relay's own envelope is more than one that AI Rudder may send.
    let is_own = body["body"]["outcome"] == headers["lead-outcome"];
    let faults = faults(&response["content"]["application/json"]["schema"], is_own, body);
    assert!(faults.is_empty(), "{faults:?}: {}", context());
}

/// Validators take longer to build than to use, and many responses have the same.
static VALIDATORS: Mutex<BTreeMap<(String, bool), Validator>> = Mutex::new(BTreeMap::new());

fn faults(schema: &Value, is_own: bool, value: &Value) -> Vec<String> {
    let build = || {
        let mut schema = strict(schema);
        if is_own && let Some(any) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
            any.retain(|one| one["$ref"] != "#/components/schemas/RudderEnvelope");
        }
        validator(&schema, &STRICT)
    };
    let mut validators = VALIDATORS.lock().unwrap();
    let validator = validators.entry((schema.to_string(), is_own)).or_insert_with(build);
    validator.iter_errors(value).map(|error| error.to_string()).collect()
}
