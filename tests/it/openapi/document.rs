//! The description: `template.yaml` with its generated parts.

use lendswift_relay::{answer::Outcome, rudder::Scenario};
use saphyr::{Scalar, Yaml};
use strum::VariantArray;

use super::{
    events::{FORM, JSON, Sample, samples},
    lead, responses,
    routes::Route,
    yaml::{IntoNode, Node, extended, map, mapping, parse, reference, text},
};

const COMMENT: &str = "Generated from the code by tests/it/openapi.rs: SNAPSHOTS=overwrite cargo test openapi";

/// The whole description.
pub fn document() -> Node {
    filled(parse(include_str!("template.yaml")))
}

/// Its text.
pub fn file() -> String {
    text(COMMENT, &document())
}

/// The template with all generated parts in place.
fn filled(node: Node) -> Node {
    match node {
        Yaml::Tagged(tag, value) => generated(&tag.suffix, filled(*value)),
        Yaml::Mapping(members) => {
            Yaml::Mapping(members.into_iter().map(|(name, value)| (name, filled(value))).collect())
        }
        Yaml::Sequence(items) => items.into_iter().map(filled).collect::<Vec<_>>().into_node(),
        Yaml::Value(Scalar::String(text)) if text.contains("{{") => replaced(&text).into_node(),
        other => other,
    }
}

fn replaced(text: &str) -> String {
    text.replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{outcomes}}", &outcomes())
        .replace("{{scenarios}}", &scenarios())
}

fn outcomes() -> String {
    let rows = Outcome::VARIANTS
        .iter()
        .map(|outcome| format!("| `{}` | {} | {} |", outcome.as_str(), outcome.meaning(), outcome.next_step()));
    let head = ["| `lead-outcome` | meaning | what to do |", "| --- | --- | --- |"].map(str::to_owned);
    head.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

fn scenarios() -> String {
    let rows = Scenario::VARIANTS.iter().map(|scenario| {
        let digits = scenario.digits().map_or("any others".to_owned(), |digits| format!("`{digits:04}`"));
        format!("| {digits} | {} |", scenario.meaning())
    });
    let head = ["| last digits | what happens |", "| --- | --- |"].map(str::to_owned);
    head.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// The part that a tag stands for.
fn generated(tag: &str, argument: Node) -> Node {
    let route = || {
        let name = argument.as_str().unwrap();
        Route::VARIANTS.iter().copied().find(|route| format!("{route:?}") == name).unwrap()
    };
    match tag {
        "body" => body(route()),
        "responses" => responses::of_route(route()),
        "components" => extended(argument, responses::components()),
        "schemas" => schemas(argument),
        _ => panic!("{tag}"),
    }
}

/// All schemas: the hand-written ones, those of a lead with their hand-written introductions, and the envelopes.
fn schemas(hand_written: Node) -> Node {
    let Yaml::Mapping(members) = hand_written else { panic!("a mapping") };
    let (intros, schemas): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, value)| value.as_str().is_some());
    let intros = intros.iter().map(|(name, text)| {
        let (name, text) = (name.as_str().unwrap(), text.as_str().unwrap());
        (name.to_owned(), if name == "Lead" { lead::lead(text) } else { lead::form(text) })
    });
    let others = [("PushedLead".to_owned(), lead::pushed()), ("Fault".to_owned(), lead::fault())];
    let schemas = schemas.into_iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), value));
    mapping(intros.chain(lead::values()).chain(others).chain(schemas).chain(responses::envelopes()))
}

/// The request body of a route, with the valid leads of the sample events.
fn body(route: Route) -> Node {
    let samples = samples();
    let required = route != Route::Status;
    let description = if required {
        "The lead, at most 64 KiB, in UTF-8. Any `application/*+json` counts as `application/json`."
    } else {
        "The lead as it was sent. It may be absent if the request has an `Idempotency-Key`."
    };
    let media_type = |name: &str, schema: &str| {
        let schema = reference("schemas", schema);
        (name.to_owned(), map! {"schema" => schema, "examples" => mapping(examples(&samples, route, name))})
    };
    let content = mapping([media_type(JSON, "Lead"), media_type(FORM, "LeadForm")]);
    map! {"description" => description, "required" => required, "content" => content}
}

/// The valid leads of the sample events of a media type: those of the route, or of all routes if it has none. Each lead once.
fn examples(samples: &[Sample], route: Route, media_type: &str) -> Vec<(String, Node)> {
    let usable = samples.iter().filter(|sample| sample.media_type() == media_type && sample.has_valid_lead());
    // Requests that fail for another reason than their lead are no examples.
    let usable = usable.filter(|sample| [200, 404, 422].contains(&sample.status));
    let (own, others): (Vec<_>, Vec<_>) = usable.partition(|sample| sample.route == Some(route));
    let mut seen = Vec::new();
    let distinct = if own.is_empty() { others } else { own }.into_iter().filter(|sample| {
        let is_new = !seen.contains(&sample.json());
        seen.push(sample.json());
        is_new
    });
    let example = |sample: &Sample| {
        let value = parse(sample.text().as_deref().unwrap_or_default());
        (sample.name.clone(), map! {"summary" => sample.title(), "value" => value})
    };
    distinct.map(example).collect()
}
