//! What holds for any lead and for any request, tried with random ones.

mod canonical_lead;
mod changes;
mod defects;
mod rendering;

use std::collections::BTreeMap;

use http::HeaderValue;
use lendswift_relay::{lead::ParsedLead, request, rudder::payload};
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::RngSeed};
use serde_json::{Value, json};
use support::{LEAD, LETTERS, Request, TEXT_FIELDS, TestApp, invariants};
use tokio::runtime::{Builder, Runtime};

use self::{
    canonical_lead::{CanonicalLead, canonical_lead},
    changes::{any_value, change},
    defects::{Defect, codes, with_defects},
    rendering::rendering,
};
use crate::openapi;

thread_local! {
    /// One app for all cases of a test, since no case leaves anything behind in it. Each test has its own thread.
    static APP: (Runtime, TestApp) = {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let app = runtime.block_on(TestApp::start());
        (runtime, app)
    };
}

/// Any request gets an envelope and an outcome, and AI Rudder gets only leads that it accepts. The relay fails only at what is
/// no request. Returns what AI Rudder got.
fn serve(event: &str) -> Option<String> {
    let (response, sent) = APP.with(|(runtime, app)| {
        let response = runtime.block_on(app.serve(event));
        (response, app.rudder.take_received())
    });
    let response = support::ObservedResponse::from(response);
    let envelope = response.json();
    assert_eq!(envelope.as_object().map(serde_json::Map::len), Some(6), "{envelope}");
    let is_request = serde_json::from_str::<request::Request>(event).is_ok();
    assert_eq!(response.error != "internal_error", is_request, "{response} for {event}");
    let [push] = sent.as_slice() else {
        assert_eq!((response.outcome.as_str(), sent.len()), ("not_sent", 0));
        return None;
    };
    assert!(push.accepted && response.outcome == "accepted", "AI Rudder got what it refuses: {}", push.body);
    invariants::keeps_the_contract(push.body.as_bytes());
    Some(push.body.clone())
}

fn event() -> Value {
    serde_json::from_str(&Request::lead().event()).unwrap()
}

/// What AI Rudder gets of a valid lead.
fn sent(body: &str) -> Vec<u8> {
    payload(&ParsedLead::parse(body.as_bytes()).unwrap().lead.unwrap())
}

/// Any text, half of the time with the letters that the log is searched for.
fn tagged(text: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![text, text.prop_map(|text| format!("{LETTERS}{text}"))]
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        tagged(".{0,20}").prop_map(Value::from),
        "[0-9+() .$,-]{0,14}".prop_map(Value::from),
        "([0-9０-９.,$+eE&#;:pxUS]|&#?[a-z0-9]{1,5};|[\\u{200b}\\u{301}\\u{a0}\\u{2011}<>{}%]){0,12}"
            .prop_map(Value::from),
    ];
    let others = ["caller_id", "loan_amount", "customer_name", "details", "had_late_payment"];
    let names: Vec<&str> = TEXT_FIELDS.iter().map(|field| field.name).collect();
    let name = prop_oneof![prop::sample::select(others.to_vec()), prop::sample::select(names)];
    let name = prop_oneof![name.prop_map(str::to_owned), ".{0,8}"];
    scalar.prop_recursive(4, 40, 12, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..12).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Numbers that AI Rudder may answer with: those that decide, and those that leave a doubt.
fn notable_numbers() -> impl Strategy<Value = u16> {
    prop::sample::select(
        [200, 201, 302, 400, 401, 403, 404, 408, 409, 418, 422, 424, 425, 429, 460, 499, 500, 503].to_vec(),
    )
}

/// This many cases, the same ones each time: new ones are for fuzzing. `PROPTEST_CASES=100000` tries more.
fn cases(cases: u32) -> ProptestConfig {
    let given = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if given { ProptestConfig::default().cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(2026), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn every_rendering_of_a_lead_is_sent_in_its_canonical_form(
        lead in canonical_lead(),
        renderings in vec(rendering(), 2),
    ) {
        let canonical = sent(&lead.body());
        invariants::keeps_the_contract(&canonical);
        // A schema cannot say which names are the same when cleaned.
        prop_assert!(openapi::accepts_lead(&lead.json()), "described: {}", lead.json());
        for rendering in renderings {
            let body = rendering.of(&lead);
            let read = ParsedLead::parse(body.as_bytes()).expect("JSON").lead;
            let sent = payload(&read.map_err(|faults| TestCaseError::fail(format!("{faults:?} in {body}")))?);
            let read: Value = serde_json::from_slice(&sent).unwrap();
            prop_assert_eq!(read.to_string(), lead.json(), "from {}", body);
            prop_assert_eq!(&sent, &canonical, "the same bytes from {}", body);
        }
    }

    #[test]
    fn fixing_exactly_the_named_faults_makes_a_valid_lead(
        lead in canonical_lead(),
        broken in vec((any::<Index>(), any::<Index>()), 0..6),
        details in prop::option::weighted(0.1, any::<Index>()),
    ) {
        let whole: Value = serde_json::from_str(&lead.json()).unwrap();
        let places = defects::places(&whole);
        let defect = |place: &str, index: &Index| (place.to_owned(), index.get(&Defect::all(place, &whole)).clone());
        let mut broken: BTreeMap<String, Defect> =
            broken.iter().map(|(place, index)| defect(&places[place.index(places.len())], index)).collect();
        if let Some(index) = details {
            // Nothing is inside it then.
            broken.retain(|place, _| !place.starts_with("/details/"));
            broken.extend([defect("/details", &index)]);
        }
        let text = with_defects(&whole, &broken);
        let mut expected: Vec<_> =
            broken.iter().map(|(place, defect)| (defect.pointer(place).to_owned(), defect.code())).collect();
        expected.sort();
        prop_assert_eq!(&codes(&text), &expected, "every fault is named once and nothing else, in {}", text);
        let twice = format!("{},{}", &text[..text.len() - 1], &text[1..]);
        prop_assert_eq!(&codes(&twice), &expected, "what is repeated is named once, in {}", twice);
        broken.retain(|place, defect| !expected.iter().any(|(field, _)| field == defect.pointer(place)));
        let fixed = with_defects(&whole, &broken);
        prop_assert!(ParsedLead::parse(fixed.as_bytes()).unwrap().lead.is_ok(), "fixed: {}", fixed);
    }

    #[test]
    fn a_refused_value_is_refused_in_every_rendering(
        refused in prop::sample::select(defects::REFUSED.to_vec()),
        rendering in rendering(),
    ) {
        let (field, text, code) = refused;
        let mut body: Value = serde_json::from_str(LEAD).unwrap();
        body[field] = json!(rendering.text(text));
        prop_assert_eq!(codes(&body.to_string()), [(format!("/{field}"), code)], "{}", body);
    }

    #[test]
    fn any_bytes_and_any_json_are_read_or_refused(bytes in vec(any::<u8>(), 0..300), json in any_json()) {
        invariants::lead(&bytes);
        invariants::lead(json.to_string().as_bytes());
        invariants::upstream_answer(&bytes);
    }

    #[test]
    fn any_doubtful_response_of_ai_rudder_is_unknown(
        status in prop_oneof![any::<u16>(), 100_u16..600, notable_numbers()],
        code in prop_oneof![any::<i64>(), 100_i64..600, notable_numbers().prop_map(i64::from)],
        message in ".{0,20}",
    ) {
        let envelope = json!({"code": code, "message": message}).to_string();
        invariants::upstream_answer(&[&status.to_be_bytes(), envelope.as_bytes()].concat());
        invariants::upstream_answer(&[&status.to_be_bytes(), message.as_bytes()].concat());
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_body_and_any_event_get_a_response_with_an_outcome(bytes in vec(any::<u8>(), 0..300), json in any_json()) {
        let form = |body: Vec<u8>| Request::post(body).header("content-type", "application/x-www-form-urlencoded");
        serve(&form(bytes.clone()).event());
        serve(&form([b"details[status]=", &bytes[..]].concat()).event());
        serve(&Request::post(bytes).event());
        serve(&Request::post(json.to_string()).event());
        prop_assert!(serve(&json.to_string()).is_none(), "the event itself");
    }

    #[test]
    fn any_valid_lead_is_one_accepted_push(lead in canonical_lead(), rendering in rendering()) {
        let pushed = serve(&Request::post(rendering.of(&lead)).event());
        prop_assert_eq!(pushed.map(String::into_bytes), Some(sent(&lead.body())));
    }

    #[test]
    fn any_valid_lead_is_the_same_as_a_form(lead in canonical_lead(), rendering in rendering()) {
        let form = Request::post(rendering.form_of(&lead)).header("content-type", "application/x-www-form-urlencoded");
        prop_assert_eq!(serve(&form.event()).map(String::into_bytes), Some(sent(&lead.body())));
    }

    #[test]
    fn any_path_method_and_header_gets_a_response_with_an_outcome(
        path in prop_oneof![".{0,40}", "/v1/accounts/.{0,30}/leads"],
        method in "[A-Z]{1,9}",
        name in prop::sample::select(
            ["authorization", "content-type", "idempotency-key", "content-encoding", "x-other"].to_vec()
        ),
        value in prop_oneof![tagged(".{0,40}"), tagged("[!-~]{0,40}"), "[!-~]{253,257}", "[ -~]{0,40}"],
        is_base64 in any::<bool>(),
        body in tagged(".{0,60}"),
    ) {
        // Each on a valid lead, so that admission alone is between it and AI Rudder.
        let pushed = |change: &dyn Fn(&mut Value)| {
            let mut event = event();
            change(&mut event);
            serve(&event.to_string()).is_some()
        };
        prop_assert!(pushed(&|_| ()));
        prop_assert!(!pushed(&|event| event["body"] = body.clone().into()));
        let encoded = |event: &mut Value| {
            event["body"] = body.clone().into();
            event["isBase64Encoded"] = is_base64.into();
        };
        prop_assert!(!pushed(&encoded));
        let with_header = pushed(&|event| event["headers"][name] = value.clone().into());
        // An impossible header counts as absent.
        let is_absent = HeaderValue::from_bytes(value.as_bytes()).is_err();
        let value = value.trim_matches([' ', '\t']);
        let is_visible = value.bytes().all(|byte| byte.is_ascii_graphic());
        match name {
            // A quoted key may be longer, as its quotes do not count.
            "idempotency-key" if value.len() > 255 && value.starts_with('"') => {}
            "idempotency-key" => prop_assert_eq!(with_header, is_absent || is_visible && value.len() <= 255),
            "content-encoding" => prop_assert_eq!(with_header, is_absent || value.is_empty()),
            "x-other" => prop_assert!(with_header),
            _ => prop_assert!(!with_header),
        }
        prop_assert!(!pushed(&|event| event["requestContext"]["http"]["method"] = method.clone().into()) || method == "POST");
        prop_assert!(!pushed(&|event| event["rawPath"] = path.clone().into()));
    }

    #[test]
    fn an_event_with_any_changes_gets_a_response_with_an_outcome(changes in vec(change(any_value()), 1..3)) {
        let mut event = event();
        let changed: Vec<_> = changes.iter().map(|change| change.make(&mut event)).collect();
        let sent = serve(&event.to_string());
        prop_assert!(sent.is_none_or(|sent| sent == LEAD), "{:?}", changed);
    }

    #[test]
    fn a_lead_with_any_changes_is_one_accepted_push_or_none(
        lead in canonical_lead(),
        changes in vec(change(any_json()), 1..4),
    ) {
        let mut lead: Value = serde_json::from_str(&lead.json()).unwrap();
        for change in changes {
            change.make(&mut lead);
        }
        let body = lead.to_string();
        let sent = serve(&Request::post(body.clone()).event());
        let expected = ParsedLead::parse(body.as_bytes()).unwrap().lead.ok().map(|lead| payload(&lead));
        prop_assert_eq!(sent.map(String::into_bytes), expected);
    }
}
