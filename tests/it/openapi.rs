//! `docs/openapi.yaml`, generated from the code: `SNAPSHOTS=overwrite cargo test openapi` writes it.

mod check;
mod document;
mod events;
mod lead;
mod responses;
mod routes;
mod yaml;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
};

use lendswift_relay::{
    account::AccountId,
    answer::{Kind, Outcome},
    claim::IdempotencyKey,
    lead::{FaultCode, ParsedLead, fields},
    rudder::{Scenario, payload},
};
use serde_json::{Value, json};
use strum::VariantArray;
use support::{LEAD, Request, SANDBOX, TABLE, TestApp, in_repository, sources};

use self::{
    check::{WRITTEN, assert_parts, described, matches, resolved, schema},
    events::{FORM, JSON, Sample, samples},
};
pub use self::{
    check::{accepts_lead, assert_described},
    routes::Route,
};
use crate::template;

#[test]
fn the_openapi_description_is_up_to_date() {
    let file = in_repository("docs/openapi.yaml");
    let text = document::file();
    if env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        fs::write(&file, &text).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == text, "docs/openapi.yaml is out of date: SNAPSHOTS=overwrite cargo test openapi");
}

fn set<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn keys(node: &Value) -> BTreeSet<String> {
    node.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn openapi_has_the_routes_of_the_template() {
    let paths = WRITTEN["paths"].as_object().unwrap();
    let methods = |path: &Value| keys(path).into_iter().filter(|key| key != "parameters").collect::<Vec<_>>();
    let described = paths.iter().flat_map(|(path, item)| {
        methods(item).into_iter().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let described: BTreeSet<_> = described.collect();
    let own: BTreeSet<_> = Route::VARIANTS.iter().map(|route| format!("POST {}", route.path())).collect();
    assert_eq!(described, own);
    let mut deployed = template::routes();
    assert!(deployed.remove("$default"));
    assert_eq!(described, deployed);
}

/// Every response of every route.
fn responses() -> impl Iterator<Item = &'static Value> {
    let operations = Route::VARIANTS.iter().map(|route| &WRITTEN["paths"][route.path()]["post"]["responses"]);
    operations.flat_map(|responses| responses.as_object().unwrap().values().map(resolved))
}

/// The values that a header, or the member of this name in the relay's envelopes, may have.
fn values(header: &str, member: &str) -> [BTreeSet<String>; 2] {
    let strings = |node: &Value| -> Vec<String> {
        node.as_array().into_iter().flatten().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    let headers = responses().flat_map(|response| strings(&response["headers"][header]["schema"]["enum"]));
    let schemas = WRITTEN["components"]["schemas"].as_object().unwrap().values();
    let bodies = schemas.flat_map(|schema| strings(&schema["properties"]["body"]["properties"][member]["enum"]));
    [headers.collect(), bodies.collect()]
}

#[test]
fn openapi_has_every_error_and_outcome_and_no_other() {
    let errors = set(Kind::VARIANTS.iter().map(|kind| kind.row().error));
    assert_eq!(values("lead-error", "error"), [errors.clone(), errors]);
    let outcomes = set(Outcome::VARIANTS.iter().map(|outcome| outcome.as_str()));
    assert_eq!(values("lead-outcome", "outcome"), [outcomes.clone(), outcomes]);
    for kind in Kind::VARIANTS {
        let routes: Vec<_> = Route::VARIANTS.iter().filter(|route| route.step(*kind).is_some()).collect();
        assert!(!routes.is_empty(), "{kind:?}");
        for route in routes {
            let text = described(*route, kind.row().status.as_u16()).unwrap()["description"].as_str().unwrap();
            assert!(text.contains(kind.row().when), "{kind:?} of {route:?}");
        }
    }
}

#[test]
fn openapi_has_every_header_that_the_code_sends() {
    let code: String = sources("src")
        .into_iter()
        .filter(|(name, _)| name.ends_with("src/answer.rs") || name.ends_with("src/answer/problem.rs"))
        .map(|(_, text)| text)
        .collect();
    let own =
        code.split("HeaderName::from_static(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    let standard = code.split("header::").skip(1).map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
        name.to_lowercase().replace('_', "-")
    });
    let sent: BTreeSet<String> = own.chain(standard).filter(|name| !name.is_empty()).collect();
    let headers = responses().flat_map(|response| response["headers"].as_object().into_iter().flatten());
    let described: BTreeSet<String> = headers.map(|(name, _)| name.clone()).collect();
    // OpenAPI describes the content type as the name of the content.
    assert_eq!(sent, &described | &set(["content-type"]));
    assert!(responses().all(|response| keys(&response["content"]) == set([JSON])));
}

#[test]
fn openapi_has_every_field_alias_and_fault_and_no_other() {
    let schemas = &WRITTEN["components"]["schemas"];
    let names = |in_details: bool| -> BTreeSet<String> {
        let fields = fields().into_iter().filter(|field| field.in_details == in_details);
        fields.flat_map(|field| set(field.names.iter().copied())).collect()
    };
    let both = &names(true) | &names(false);
    assert_eq!(keys(&schemas["Lead"]["properties"]), both);
    assert_eq!(keys(&schemas["Lead"]["properties"]["details"]["properties"]), names(true));
    assert_eq!(keys(&schemas["LeadForm"]["properties"]), both);
    for name in names(true) {
        let form = |key: String| json!({"caller_id": "", "loan_amount": "", "first_name": "", key: 1});
        for key in [format!("details[{name}]"), format!("details.{name}")] {
            assert!(!schema("LeadForm").is_valid(&form(key.clone())), "{key} is described");
        }
    }
    let codes = set(FaultCode::VARIANTS.iter().map(|code| code.as_str()));
    let described = schemas["Fault"]["properties"]["code"]["enum"].as_array().unwrap();
    assert_eq!(described.iter().map(|code| code.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), codes);
}

#[test]
fn openapi_accepts_the_parameters_that_the_relay_accepts() {
    let parameter = |name: &str| &WRITTEN["components"]["parameters"][name]["schema"];
    let accounts = ["a", "7a", "acme-2", "a-", "0-0-x", "", "-a", "Acme", "a_b", "a b", "7", "650-123-1234", "é"];
    for name in accounts.map(str::to_owned).into_iter().chain([63, 64].map(|length| "a".repeat(length))) {
        let is_described = matches(parameter("Account"), &json!(name)).is_ok();
        assert_eq!(is_described, name.parse::<AccountId>().is_ok(), "{name}");
    }
    let keys = ["7", "infinity-7", "!~", "a b", "é", r#""a""#, r#""a b""#, r#""a\"b""#, r#""a\b"#, "\""];
    let lengths = [255, 256].map(|length| "a".repeat(length));
    let quoted = lengths.clone().map(|key| format!("\"{key}\""));
    for key in keys.map(str::to_owned).into_iter().chain(lengths).chain(quoted) {
        let is_described = matches(parameter("IdempotencyKey"), &json!(key)).is_ok();
        assert_eq!(is_described, key.parse::<IdempotencyKey>().is_ok(), "{key}");
    }
}

#[test]
fn openapi_describes_the_sample_events_and_their_responses() {
    for Sample { name, route, status, headers, response, .. } in samples() {
        let Some(route) = route else { continue };
        let body: Value = serde_json::from_str(&response.replace(r#""now""#, "1683135757")).unwrap();
        let uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        let value = |value: &'_ String| if value == "a UUID" { uuid.to_owned() } else { value.clone() };
        let headers: BTreeMap<_, _> = headers.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_parts(route, status, &headers, &body);
        let examples = described(route, status).unwrap()["content"][JSON]["examples"].as_object().unwrap();
        assert_eq!(examples.get(&name).map(|example| &example["value"]), Some(&body), "{name} is an example");
    }
}

#[test]
fn openapi_accepts_the_valid_leads_of_the_sample_events() {
    let (mut valid, mut invalid) = (0, 0);
    for sample in samples() {
        let Some(body) = sample.json().filter(|_| [JSON, FORM].contains(&sample.media_type())) else { continue };
        let schema = schema(if sample.media_type() == FORM { "LeadForm" } else { "Lead" });
        if sample.has_valid_lead() {
            valid += 1;
            assert!(schema.is_valid(&body), "{}", sample.name);
        } else if !schema.is_valid(&body) {
            invalid += 1;
        }
    }
    assert!(valid > 5 && invalid > 2, "{valid} {invalid}");
}

/// Leads with one value that is unlike the others in type or bounds.
fn variants() -> Vec<Value> {
    let lead: Value = serde_json::from_str(LEAD).unwrap();
    let mut values = vec![json!(null), json!(true), json!([]), json!({}), json!([1]), json!(1), json!(0), json!(-1)];
    values.extend([json!(1.5), json!(2.0), json!("1"), json!("yes"), json!("Ann"), json!("4,000"), json!("")]);
    let mut leads = Vec::new();
    for field in fields() {
        for (name, value) in field.names.iter().flat_map(|name| values.iter().map(move |value| (*name, value))) {
            let mut with = lead.clone();
            with[name] = value.clone();
            leads.push(with.clone());
            with["details"] = Value::Null;
            leads.push(with);
            let mut within = lead.clone();
            within["details"][name] = value.clone();
            leads.push(within);
        }
        let mut without = lead.clone();
        without.as_object_mut().unwrap().remove(field.names[0]);
        leads.push(without);
    }
    leads
}

#[test]
fn openapi_accepts_every_valid_lead_and_no_wrong_type() {
    let [lead, pushed, fault] = ["Lead", "PushedLead", "Fault"].map(schema);
    for body in variants() {
        let text = body.to_string();
        match ParsedLead::parse(text.as_bytes()).unwrap().lead {
            Ok(valid) => {
                assert!(lead.is_valid(&body), "{text}");
                assert!(pushed.is_valid(&serde_json::from_slice(&payload(&valid)).unwrap()), "{text}");
            }
            Err(faults) => {
                let is_of_type =
                    |fault: &&lendswift_relay::lead::Fault| ["wrong_type", "missing"].contains(&fault.kind.code());
                assert!(faults.iter().find(is_of_type).is_none() || !lead.is_valid(&body), "{text}");
                for one in faults {
                    assert!(fault.is_valid(&serde_json::to_value(one).unwrap()), "{text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_response_of_a_sandbox_is_as_described() {
    let app = TestApp::with(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_TIMEOUT_MS", "1000")]).await;
    let mut seen = BTreeSet::new();
    for digits in Scenario::VARIANTS.iter().map(|scenario| scenario.digits().unwrap_or(4000)) {
        let lead = Request::post(LEAD.replace("4000", &digits.to_string())).account(SANDBOX);
        let actions = [("status", Route::Status), ("", Route::Send), ("validate", Route::Validate)];
        for (action, route) in actions.into_iter().chain(actions) {
            let request = if action.is_empty() { lead.clone() } else { lead.clone().action(action) };
            let response = app.post(&request.header("idempotency-key", &digits.to_string())).await;
            assert_described(route, &response.response);
            seen.insert(response.status);
        }
    }
    assert_eq!(seen, BTreeSet::from([200, 404, 422, 429, 500, 502, 503, 504]));
}
