//! The schemas of a lead. What the parser accepts is found by parsing.

use lendswift_relay::lead::{Detail, FaultCode, FieldSpec, ParsedLead, fields};
use strum::VariantArray;

use super::{
    responses::sentence,
    yaml::{IntoNode, Node, extended, map, mapping, reference, with},
};

/// The types of JSON, with a value that a field accepts if it accepts the type.
const TYPES: [(&str, &[&str]); 7] = [
    ("object", &["{}"]),
    ("array", &["[]"]),
    ("boolean", &["true"]),
    ("integer", &["1", "6501231234"]),
    ("number", &["1.5"]),
    ("string", &[r#""1""#, r#""6501231234""#, r#""Ann""#]),
    ("null", &["null"]),
];

fn is_accepted(lead: &str) -> bool {
    ParsedLead::parse(lead.as_bytes()).unwrap().lead.is_ok()
}

/// A valid lead, with this JSON as the value of a field under its first name.
fn lead_with(field: &FieldSpec, json: &str) -> String {
    let mut members = vec![("caller_id", "6501231234"), ("loan_amount", "1")];
    let name = field.names[0];
    // A second name and a field at the top level, so that `null` is accepted where it counts as not given.
    members.extend([("first_name", r#""Ann""#)].into_iter().filter(|_| name != "customer_name" || json == "null"));
    members.extend((name != "status").then_some(("status", r#""""#)));
    members.retain(|(other, _)| *other != name);
    members.push((name, json));
    format!("{{{}}}", members.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect::<Vec<_>>().join(","))
}

/// The largest number that is accepted, below a bound.
fn largest(bound: u32, accepts: impl Fn(u32) -> bool) -> i64 {
    let (mut yes, mut no) = (1, bound);
    assert!(accepts(yes) && !accepts(no) && !accepts(0));
    while no - yes > 1 {
        let middle = yes.midpoint(no);
        if accepts(middle) { yes = middle } else { no = middle }
    }
    yes.into()
}

fn largest_amount(field: &FieldSpec) -> i64 {
    largest(u32::MAX, |amount| is_accepted(&lead_with(field, &amount.to_string())))
}

fn longest_text(field: &FieldSpec) -> i64 {
    // An empty text of `details` is accepted, and not sent.
    largest(10_000, |length| {
        length > 0 && is_accepted(&lead_with(field, &format!("\"{}\"", "a".repeat(length as usize))))
    })
}

/// The types of JSON that a field accepts.
fn types(field: &FieldSpec) -> Vec<&'static str> {
    let accepts = |values: &[&str]| values.iter().any(|value| is_accepted(&lead_with(field, value)));
    let all: Vec<_> = TYPES.iter().filter(|(_, values)| accepts(values)).map(|(name, _)| *name).collect();
    assert!(!all.is_empty(), "{}", field.names[0]);
    let has_numbers = all.contains(&"number");
    all.into_iter().filter(|name| *name != "integer" || !has_numbers).collect()
}

fn type_of(field: &FieldSpec) -> Node {
    match types(field)[..] {
        [only] => only.into_node(),
        ref types => types.to_vec().into_node(),
    }
}

fn description(field: &FieldSpec) -> String {
    let forms = field.forms;
    format!("Accepted: {}.\n\nAI Rudder receives: {}.\n\nRefused: {}.", forms.accepted, forms.becomes, forms.refused)
}

/// The name of the schema of a field's value. Text fields share theirs.
fn schema_name(field: &FieldSpec) -> String {
    let detail = Detail::VARIANTS.iter().find(|detail| field.in_details && detail.names() == field.names);
    match detail {
        Some(detail) if detail.is_count_or_years() => "CountOrYears".to_owned(),
        Some(_) => "Text".to_owned(),
        None => field.names[0].split('_').map(sentence).collect(),
    }
}

/// The schemas of the fields' values.
pub fn values() -> Vec<(String, Node)> {
    let mut schemas: Vec<(String, Node)> = Vec::new();
    for field in fields().iter().filter(|field| field.names[0] != "details") {
        let (name, schema) = (schema_name(field), map! {"description" => description(field), "type" => type_of(field)});
        match schemas.iter().find(|(other, _)| *other == name) {
            Some((_, other)) => assert_eq!(*other, schema, "{name}"),
            None => schemas.push((name, schema)),
        }
    }
    schemas
}

/// The properties of these fields, under all their names.
fn properties<'a>(fields: impl IntoIterator<Item = &'a FieldSpec>) -> Vec<(String, Node)> {
    let property = |field: &FieldSpec| {
        let (first, schema) = (field.names[0], reference("schemas", &schema_name(field)));
        let alias = ("description".to_owned(), format!("Another name of `{first}`.").into_node());
        let own = |name: &&'static str| {
            let more = (*name != first).then(|| alias.clone());
            ((*name).to_owned(), extended(schema.clone(), more))
        };
        field.names.iter().map(own).collect::<Vec<_>>()
    };
    fields.into_iter().flat_map(property).collect()
}

fn split(all: &[FieldSpec]) -> (Vec<&FieldSpec>, Vec<&FieldSpec>) {
    all.iter().partition(|field| !field.in_details)
}

fn names<'a>(fields: &[&'a FieldSpec]) -> Vec<&'a str> {
    fields.iter().flat_map(|field| field.names.iter().copied()).collect()
}

fn required(name: &str) -> Node {
    map! {"required" => vec![name]}
}

/// The fields with one name are required; of those with several, one must be given.
fn required_names(top: &[&FieldSpec]) -> (Vec<&'static str>, Vec<Node>) {
    let is_text = |name: &str| mapping([(name.to_owned(), map! {"type" => "string"})]);
    let given = |name: &&str| with(required(name), "properties", is_text(name));
    let required = top.iter().filter(|field| field.required && field.names[0] != "details");
    let (single, several): (Vec<_>, Vec<_>) = required.partition(|field| field.names.len() == 1);
    let any =
        several.iter().map(|field: &&&FieldSpec| map! {"anyOf" => field.names.iter().map(given).collect::<Vec<_>>()});
    (single.iter().map(|field| field.names[0]).collect(), any.collect())
}

/// `details` must be given, or one of its fields at the top level.
fn some_details(given: Node, details: &[&FieldSpec]) -> Node {
    let first = with(required("details"), "properties", map! {"details" => given});
    map! {"anyOf" => [first].into_iter().chain(names(details).into_iter().map(required)).collect::<Vec<_>>()}
}

/// With these types, where an array must be empty.
fn as_empty_list(schema: Node, types: &[&str]) -> Node {
    if types.contains(&"array") { with(with(schema, "maxItems", 0), "items", map! {}) } else { schema }
}

/// A lead as JSON.
pub fn lead(intro: &str) -> Node {
    let all = fields();
    let (top, details) = split(&all);
    let (single, mut conditions) = required_names(&top);
    let Some(field) = top.iter().find(|field| field.names[0] == "details") else { panic!("details") };
    let own: Vec<_> = top.iter().copied().filter(|field| field.names[0] != "details").collect();
    let given = types(field).into_iter().filter(|name| *name != "null").collect::<Vec<_>>();
    conditions.push(some_details(as_empty_list(map! {"type" => given.clone()}, &given), &details));
    let inner = map! {
        "type" => type_of(field),
        "description" => description(field),
        "properties" => mapping(properties(details.iter().copied())),
    };
    let inner = as_empty_list(inner, &types(field));
    let all = properties(own).into_iter().chain([("details".to_owned(), inner)]);
    map! {
        "description" => intro,
        "type" => "object",
        "required" => single,
        "properties" => mapping(all.chain(properties(details))),
        "allOf" => conditions,
    }
}

/// A lead as a form post. All values are strings.
pub fn form(intro: &str) -> Node {
    let all = fields();
    let (top, details) = split(&all);
    let (single, conditions) = required_names(&top);
    let patterns = [("\\[", "\\]"), ("\\.", "")]
        .map(|(open, close)| format!("^details{open}({}){close}$", names(&details).join("|")));
    let inner = |pattern: &String| (pattern.clone(), map! {"type" => "string"});
    let text = |field: &FieldSpec| {
        let first = field.names[0];
        field.names.iter().map(move |name| {
            let text =
                if *name == first { format!("As `{first}` in JSON.") } else { format!("Another name of `{first}`.") };
            ((*name).to_owned(), map! {"type" => "string", "description" => text})
        })
    };
    let own = top.iter().filter(|field| field.names[0] != "details").chain(&details).flat_map(|field| text(field));
    let empty =
        map! {"type" => "string", "const" => "", "description" => "Empty: it stands for an object without fields."};
    map! {
        "description" => intro,
        "type" => "object",
        "required" => single,
        "properties" => with(mapping(own), "details", empty),
        "patternProperties" => mapping(patterns.iter().map(inner)),
        "allOf" => conditions,
    }
}

/// A lead as AI Rudder receives it.
pub fn pushed() -> Node {
    let all = fields();
    let find = |name: &str| all.iter().find(|field| field.names[0] == name).unwrap();
    let text = |field: &FieldSpec| map! {"type" => "string", "minLength" => 1, "maxLength" => longest_text(field)};
    // Only text fields accept fractions.
    let is_text = |field: &FieldSpec| types(field).contains(&"number");
    let detail = |field: &FieldSpec| {
        if is_text(field) {
            text(field)
        } else {
            map! {"type" => "boolean"}
        }
    };
    let details = all.iter().filter(|field| field.in_details);
    let details = details.map(|field| (field.names[0].to_owned(), detail(field)));
    map! {
        "type" => "object",
        "required" => vec!["caller_id", "loan_amount", "customer_name", "details"],
        "properties" => map! {
            "caller_id" => map! {
                "type" => "integer", "format" => "int64", "minimum" => 10_000_000_000, "maximum" => 19_999_999_999,
            },
            "loan_amount" => map! {
                "type" => "integer", "minimum" => 1, "maximum" => largest_amount(find("loan_amount")),
            },
            "customer_name" => text(find("customer_name")),
            "details" => map! {
                "type" => "object", "properties" => mapping(details),
            },
        },
    }
}

/// A fault of an invalid lead.
pub fn fault() -> Node {
    let all = fields();
    let (top, details) = split(&all);
    let codes: Vec<_> = FaultCode::VARIANTS.iter().map(|code| code.as_str()).collect();
    let meanings = FaultCode::VARIANTS.iter().map(|code| format!("- `{}`: {}", code.as_str(), code.meaning()));
    let places = format!("^/({}|(details/)?({}))$", names(&top).join("|"), names(&details).join("|"));
    map! {
        "type" => "object",
        "required" => vec!["field", "code", "message"],
        "properties" => map! {
            "field" => map! {
                "type" => "string",
                "description" => "The field's place in the request body, as a JSON pointer (RFC 6901).",
                "pattern" => places,
            },
            "code" => map! {
                "type" => "string",
                "description" => meanings.collect::<Vec<_>>().join("\n"),
                "enum" => codes,
            },
            "message" => map! {
                "type" => "string",
                "description" => "For people. It may change, and never contains the value.",
            },
        },
    }
}
