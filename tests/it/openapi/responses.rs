//! The responses of the routes, with their headers and envelopes.

use std::collections::BTreeSet;

use http::StatusCode;
use lendswift_relay::answer::{Advice, Kind, Outcome};
use serde_json::json;
use strum::VariantArray;

use super::{
    events::{Sample, samples},
    routes::{Route, Step},
    yaml::{Node, map, mapping, parse, reference, with},
};

/// The statuses that API Gateway sends too, without the relay.
const GATEWAYS: [u16; 7] = [400, 413, 429, 500, 502, 503, 504];
/// The time of the sample events.
const TIMESTAMP: u64 = 1_683_135_757;

/// A response of a route.
struct Described {
    route: Route,
    status: StatusCode,
    kinds: Vec<Kind>,
}

impl Described {
    fn of(route: Route) -> Vec<Self> {
        let statuses: BTreeSet<_> =
            Kind::VARIANTS.iter().map(|kind| kind.row().status).chain([StatusCode::OK]).collect();
        let described = statuses.into_iter().map(|status| Self { route, status, kinds: route.kinds(status) });
        described.filter(|response| response.status == StatusCode::OK || !response.kinds.is_empty()).collect()
    }

    fn is_gateways(&self) -> bool {
        GATEWAYS.contains(&self.status.as_u16())
    }

    fn outcomes(&self) -> Vec<&'static str> {
        let own = self.kinds.iter().map(|kind| kind.row().outcome);
        let success = (self.status == StatusCode::OK).then(|| self.route.success());
        let all: Vec<_> = own.chain(success).collect();
        Outcome::VARIANTS.iter().filter(|outcome| all.contains(outcome)).map(|outcome| outcome.as_str()).collect()
    }

    fn errors(&self) -> Vec<&'static str> {
        let mut errors: Vec<&str> = Vec::new();
        for kind in &self.kinds {
            if !errors.contains(&kind.row().error) {
                errors.push(kind.row().error);
            }
        }
        errors
    }

    fn step(&self) -> Step {
        let success = match self.route {
            _ if self.status != StatusCode::OK => Step::Admission,
            Route::Send | Route::Status => Step::Claimed,
            Route::Validate => Step::Parsed,
        };
        self.kinds.iter().filter_map(|kind| self.route.step(*kind)).chain([success]).max().unwrap_or(Step::Admission)
    }

    fn description(&self) -> String {
        let success = match self.route {
            _ if self.status != StatusCode::OK => None,
            Route::Send => Some("AI Rudder took the lead."),
            Route::Validate => Some("The lead is valid. Nothing was sent."),
            Route::Status => Some("AI Rudder took the lead, in response to an earlier request."),
        };
        let success = success.map(|text| format!("- `{}`: {text}", self.route.success().as_str()));
        let kinds = self.kinds.iter().map(|kind| kind.row());
        let kinds = kinds.map(|row| format!("- `{}`, `{}`: {}", row.outcome.as_str(), row.error, row.when));
        let gateway = self.is_gateways().then(|| {
            let advice = match (self.status.as_u16(), self.route) {
                (400 | 413, _) => "Check the request.",
                (_, Route::Send) => "Send the lead again.",
                (_, Route::Validate | Route::Status) => "Send the request again.",
            };
            format!("- without `lead-outcome`: API Gateway responded, or the function crashed. {advice}")
        });
        success.into_iter().chain(kinds).chain(gateway).collect::<Vec<_>>().join("\n")
    }

    fn headers(&self) -> Node {
        let one_of = |values: Vec<&'static str>| map! {"type" => "string", "enum" => values};
        let always = !self.is_gateways();
        let outcome = if always {
            "The outcome. `not_sent` is about this request only, every other value about the lead. Read this header first."
        } else {
            "The outcome. `not_sent` is about this request only, every other value about the lead. Read this header first. \
             It is absent if API Gateway responded."
        };
        let header = |text: &str, required: bool, schema: Node| {
            map! {"description" => text, "required" => required, "schema" => schema}
        };
        let mut headers = vec![("lead-outcome", header(outcome, always, one_of(self.outcomes())))];
        if !self.kinds.is_empty() {
            headers.push(("lead-error", header("The error, for programs.", always, one_of(self.errors()))));
        }
        headers.extend(self.advice());
        let shared = |name, component| (name, reference("headers", component));
        if self.route.replays(self.status) {
            headers.push(shared("idempotent-replayed", "IdempotentReplayed"));
        }
        headers.extend((self.step() >= Step::Claimed).then(|| shared("lead-id", "LeadId")));
        headers.extend((self.step() >= Step::Parsed).then(|| shared("lead-ignored-fields", "LeadIgnoredFields")));
        headers.extend((self.step() >= Step::Authenticated).then(|| shared("lead-sandbox", "LeadSandbox")));
        let request_id = if always {
            reference("headers", "RequestId")
        } else {
            header("The id of this request. Absent if API Gateway responded.", false, map! {"type" => "string"})
        };
        headers.extend([("request-id", request_id), shared("cache-control", "CacheControl")]);
        mapping(headers.into_iter().map(|(name, node)| (name.to_owned(), node)))
    }

    /// The header that instructs the caller's HTTP client.
    fn advice(&self) -> Option<(&'static str, Node)> {
        let advice = self.kinds.iter().find_map(|kind| kind.row().advice)?;
        // The two are the same header.
        let same = |other| match other {
            Some(Advice::RetryWhenPolicyAllows) => advice == Advice::RetrySoon,
            other => other == Some(advice),
        };
        let always = !self.is_gateways() && self.kinds.iter().all(|kind| same(kind.row().advice));
        let (name, text, schema) = match advice {
            Advice::Allow => ("allow", "The method of this route.", map! {"type" => "string", "const" => "POST"}),
            Advice::Authenticate => ("www-authenticate", "The authentication scheme.", map! {"type" => "string"}),
            Advice::RetrySoon | Advice::RetryWhenPolicyAllows => {
                ("retry-after", "Seconds to wait before the next request.", map! {"type" => "integer", "minimum" => 0})
            }
            Advice::RetryWhenUpstreamSays => {
                let text = "AI Rudder's delay, in seconds or as an HTTP date. Absent if AI Rudder sent none.";
                ("retry-after", text, map! {"type" => "string"})
            }
        };
        Some((name, map! {"description" => text, "required" => always, "schema" => schema}))
    }

    /// The relay's own envelope.
    fn envelope(&self) -> Node {
        let fixable: BTreeSet<_> = self.kinds.iter().map(|kind| kind.is_client_fixable()).collect();
        let mut show_err = map! {"type" => "boolean", "description" => "Whether the caller can fix the request."};
        if fixable.len() < 2 {
            show_err = with(show_err, "const", fixable.contains(&true));
        }
        let timestamp = "When the response was generated, in Unix seconds.";
        let trace_id = "The `request-id` of the request that first got this envelope.";
        map! {
            "type" => "object",
            "required" => vec!["code", "message", "show_err", "timestamp", "body", "trace_id"],
            "properties" => map! {
                "code" => map! {
                    "type" => "integer", "const" => i64::from(self.status.as_u16()), "description" => "The HTTP status.",
                },
                "message" => map! {"type" => "string", "description" => "For people. It may change."},
                "show_err" => show_err,
                "timestamp" => map! {"type" => "integer", "minimum" => 0, "description" => timestamp},
                "body" => self.details(),
                "trace_id" => map! {"type" => "string", "description" => trace_id},
            },
        }
    }

    /// The `body` of the relay's own envelope.
    fn details(&self) -> Node {
        let mut fields = map! {
            "type" => "array", "description" => "The faults of an invalid lead.", "items" => reference("schemas", "Fault"),
        };
        if !self.kinds.contains(&Kind::InvalidLead) {
            fields = with(fields, "maxItems", 0);
        }
        let one_of = |values: Vec<&'static str>| map! {"type" => "string", "enum" => values};
        let is_valid = self.kinds.is_empty() && self.route == Route::Validate;
        let error = (!self.kinds.is_empty()).then(|| ("error", one_of(self.errors())));
        let lead = is_valid.then(|| ("lead", reference("schemas", "PushedLead")));
        let always = [("outcome", one_of(self.outcomes())), ("fields", fields)];
        let members: Vec<_> = error.into_iter().chain(always).chain(lead).collect();
        map! {
            "type" => "object",
            "required" => members.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "properties" => mapping(members.into_iter().map(|(name, node)| (name.to_owned(), node))),
        }
    }

    /// Its name as a component: the reason phrase, after the route's name if the routes with this status differ.
    fn name(&self) -> String {
        let reason = self.status.canonical_reason().unwrap_or_default().replace(' ', "");
        if self.is_shared() { reason } else { format!("{:?}{reason}", self.route) }
    }

    /// Whether all routes that have this status give the same responses under it.
    fn is_shared(&self) -> bool {
        let others = Route::VARIANTS.iter().map(|route| Self {
            route: *route,
            status: self.status,
            kinds: route.kinds(self.status),
        });
        let is_same = |other: Self| other.kinds == self.kinds && other.step() == self.step();
        self.status != StatusCode::OK && others.filter(|other| !other.kinds.is_empty()).all(is_same)
    }

    fn response(&self, samples: &[Sample]) -> Node {
        let mut bodies = vec![reference("schemas", &format!("{}Envelope", self.name()))];
        bodies.extend(self.route.forwards(self.status).then(|| reference("schemas", "RudderEnvelope")));
        bodies.extend(self.is_gateways().then(|| reference("schemas", "GatewayMessage")));
        let schema = match &bodies[..] {
            [only] => only.clone(),
            _ => map! {"anyOf" => bodies},
        };
        let content = map! {"schema" => schema, "examples" => self.examples(samples)};
        map! {
            "description" => self.description(),
            "headers" => self.headers(),
            "content" => map! {"application/json" => content},
        }
    }

    /// The responses to the sample events, and one for each error that they lack.
    fn examples(&self, samples: &[Sample]) -> Node {
        let of_status = samples.iter().filter(|sample| sample.status == self.status.as_u16());
        // A component that all routes share has the examples of all.
        let own: Vec<_> = of_status.filter(|sample| self.is_shared() || sample.route == Some(self.route)).collect();
        let mut examples: Vec<_> = own
            .iter()
            .map(|sample| {
                let body = sample.response.replace(r#""now""#, &TIMESTAMP.to_string());
                (sample.name.clone(), map! {"summary" => sample.title(), "value" => parse(&body)})
            })
            .collect();
        for kind in &self.kinds {
            let row = kind.row();
            let is_shown = |sample: &&Sample| sample.error.as_deref() == Some(row.error);
            let name = row.error.replace('_', "-");
            if !own.iter().any(is_shown) && examples.iter().all(|(other, _)| *other != name) {
                examples.push((name, map! {"summary" => sentence(row.error), "value" => self.example(*kind)}));
            }
        }
        if examples.is_empty() {
            let accepted = samples.iter().find(|sample| sample.name == "accepted").unwrap();
            examples
                .push(("accepted".to_owned(), map! {"summary" => "Accepted", "value" => parse(&accepted.response)}));
        }
        mapping(examples)
    }

    fn example(&self, kind: Kind) -> Node {
        let row = kind.row();
        let missing = json!({"field": "/customer_name", "code": "missing", "message": "is required"});
        let fields = if kind == Kind::InvalidLead { vec![missing] } else { Vec::new() };
        map! {
            "code" => i64::from(self.status.as_u16()),
            "message" => row.message,
            "show_err" => kind.is_client_fixable(),
            "timestamp" => parse(&TIMESTAMP.to_string()),
            "body" => parse(&json!({"error": row.error, "outcome": row.outcome.as_str(), "fields": fields}).to_string()),
            "trace_id" => "JKJaXmPLvHcESHA=",
        }
    }
}

/// `in_progress` as `In progress`.
pub fn sentence(name: &str) -> String {
    let text = name.replace(['_', '-'], " ");
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// The responses of a route.
pub fn of_route(route: Route) -> Node {
    let own = Described::of(route);
    let own =
        own.iter().map(|response| (response.status.as_u16().to_string(), reference("responses", &response.name())));
    mapping(own.chain([("default".to_owned(), reference("responses", "Gateway"))]))
}

fn all() -> Vec<(String, Described)> {
    let mut all: Vec<(String, Described)> = Vec::new();
    for response in Route::VARIANTS.iter().flat_map(|route| Described::of(*route)) {
        let name = response.name();
        if all.iter().all(|(other, _)| *other != name) {
            all.push((name, response));
        }
    }
    all
}

/// All responses, by their names.
pub fn components() -> Vec<(String, Node)> {
    let samples = samples();
    all().into_iter().map(|(name, response)| (name, response.response(&samples))).collect()
}

/// The envelopes of all responses, by their names.
pub fn envelopes() -> Vec<(String, Node)> {
    all().into_iter().map(|(name, response)| (format!("{name}Envelope"), response.envelope())).collect()
}
