//! What holds for any lead and for any request, tried with some that nobody thought of.

use std::collections::BTreeMap;

use lendswift_relay::{lead::ParsedLead, rudder::payload};
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::RngSeed};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    invariants,
    request::{DIGITS, LEAD, LETTERS, Request, TEXTS},
    stage::Stage,
};

/// A lead as it is meant, before anybody writes it down.
#[derive(Debug, Clone)]
struct Meant {
    national: u64,
    dollars: u32,
    name: String,
    texts: Vec<Option<String>>,
    late: Option<bool>,
}

/// How one person writes it down: a number that decides every choice of form.
#[derive(Debug, Clone)]
struct Hand(Vec<Index>, std::cell::Cell<usize>);

impl Hand {
    /// One of some forms.
    fn pick<T: Clone>(&self, forms: &[T]) -> T {
        let turn = self.1.get();
        self.1.set(turn + 1);
        forms[self.0[turn % self.0.len()].index(forms.len())].clone()
    }

    /// How often something is said: mostly once.
    fn times(&self) -> usize {
        self.pick(&[1, 1, 1, 2])
    }
}

fn meant() -> impl Strategy<Value = Meant> {
    let area = prop::sample::select(vec![201_u64, 212, 415, 650, 787, 340, 989]);
    // A letter first: À to ÿ has two signs of arithmetic in it.
    let word = format!("[A-Za-z][A-Za-zÀ-ÿ '.]{{0,10}}{LETTERS}[A-Za-zÀ-ÿ '.]{{0,10}}[A-Za-zÀ-ÿ]");
    let name = proptest::string::string_regex(&word)
        .unwrap()
        .prop_map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
    // Digits too, which a sender may write as a number.
    let some = "[a-zÀ-ÿ\"\\\\/{}]{0,15}";
    let words = format!("{some}{LETTERS}{some}");
    let numbers = [format!("-?[1-9][0-9]{{0,3}}{DIGITS}"), format!("-?{DIGITS}\\.[0-9]{{0,2}}[1-9]"), "0".to_owned()];
    // May be a date or a time, so its zeros say something.
    let with_zeros = format!("{DIGITS}\\.[0-9]{{0,2}}0");
    let texts = TEXTS.map(|(name, _)| {
        let texts = [words.clone()].into_iter().chain(numbers.clone());
        let texts = texts.chain((!COUNTS.contains(&name)).then(|| with_zeros.clone()));
        let texts = texts.map(|text| proptest::string::string_regex(&text).unwrap());
        prop::option::of(proptest::strategy::Union::new(texts))
    });
    let subscriber = (20_u64..100).prop_map(|exchange| format!("{exchange}{DIGITS}").parse::<u64>().unwrap());
    (area, subscriber, 1_u32..=10_000_000, name, texts, prop::option::of(any::<bool>())).prop_map(
        |(area, subscriber, dollars, name, texts, late)| Meant {
            national: area * 10_000_000 + subscriber,
            dollars,
            name,
            texts: texts.into(),
            late,
        },
    )
}

/// The text fields that count something or give years.
const COUNTS: [&str; 6] = [
    "years_of_working",
    "number_of_back_account",
    "years_of_deposit_bank_account",
    "numbers_of_loan",
    "successful_payday_loan",
    "year_of_residence",
];

/// Whether a text is a number in its one form.
fn is_number(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit()) && !(text.contains('.') && text.ends_with('0'))
}

/// A number in one of its forms.
fn number(text: &str, hand: &Hand) -> String {
    let sign = if text == "0" { hand.pick(&["", "-"]) } else { "" };
    let zeros = hand.pick(&["", "", "0", "00", "00000"]);
    let point = if text.contains('.') || zeros.is_empty() { "" } else { "." };
    format!("{sign}{text}{point}{zeros}")
}

fn hand() -> impl Strategy<Value = Hand> {
    vec(any::<Index>(), 7..40).prop_map(|choices| Hand(choices, std::cell::Cell::default()))
}

fn with_commas(dollars: u32) -> String {
    let digits = dollars.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

impl Meant {
    /// The one form that AI Rudder gets.
    fn normal(&self) -> String {
        let mut details = serde_json::Map::new();
        for ((name, _), text) in TEXTS.iter().zip(&self.texts) {
            details.extend(text.as_ref().map(|text| ((*name).to_owned(), json!(text))));
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

    /// The same in one of the forms that are accepted, as JSON text.
    fn written(&self, hand: &Hand) -> String {
        let mut top = vec![member("utm_source", "{\"ignored\": [1, null]}", hand)];
        for _ in 0..hand.times() {
            top.push(member("caller_id", &self.phone(hand), hand));
        }
        for _ in 0..hand.times() {
            top.push(member("loan_amount", &self.amount(hand), hand));
        }
        for _ in 0..hand.times() {
            let name = self.name.replace(' ', hand.pick(&[" ", "  ", " \t "]));
            let name = format!("{}{name}{}", hand.pick(&["", " ", "\n"]), hand.pick(&["", "  "]));
            top.push(member(hand.pick(&["customer_name", "first_name"]), &string(&name, hand), hand));
        }
        let mut details = self.details(hand);
        let mut nested = match hand.pick(&["flat", "nested", "both"]) {
            "flat" => Vec::new(),
            "nested" => std::mem::take(&mut details),
            _ => details.split_off(hand.pick(&[0, 1, 2, 3, 4]).min(details.len())),
        };
        // Where a field of it stands at the top level, there need be no object.
        let object_may_lack = !details.is_empty() && nested.is_empty();
        top.append(&mut details);
        match hand.pick(&["absent", "null", "object"]) {
            "absent" if object_may_lack => {}
            "null" if object_may_lack => top.push(member("details", "null", hand)),
            _ => top.push(member("details", &object(&mut nested, hand), hand)),
        }
        format!("{}{}", hand.pick(&["", "\u{feff}"]), object(&mut top, hand))
    }

    /// The members of `details`, in one order or another.
    fn details(&self, hand: &Hand) -> Vec<String> {
        let mut members = Vec::new();
        for ((name, others), text) in TEXTS.iter().zip(&self.texts) {
            let spellings: Vec<&str> = [*name].into_iter().chain(others.iter().copied()).collect();
            for _ in 0..hand.times() {
                let written = match text {
                    Some(text) if is_number(text) && hand.pick(&[true, false]) => number(text, hand),
                    Some(text) => {
                        let counts = COUNTS.contains(name) && is_number(text);
                        let text = if counts { number(text, hand) } else { text.clone() };
                        string(&format!("{}{text}{}", hand.pick(&["", " "]), hand.pick(&["", "\t"])), hand)
                    }
                    None if hand.pick(&[true, false]) => continue,
                    None => hand.pick(&["null", "\"\"", "\" \""]).to_owned(),
                };
                members.push(member(hand.pick(&spellings), &written, hand));
            }
        }
        for _ in 0..hand.times() {
            let forms = match self.late {
                Some(true) => ["true", "1", "\"Yes\"", "\"t\"", "\" Y \"", "\"1\"", "\"TRUE\""].as_slice(),
                Some(false) => &["false", "0", "\"no\"", "\"F\"", "\"n\"", "\"0\"", "\"False\""],
                None if hand.pick(&[true, false]) => continue,
                None => &["null", "\"\"", "\" \""],
            };
            members.push(member("had_late_payment", hand.pick(forms), hand));
        }
        shuffle(&mut members, hand);
        members
    }

    fn phone(&self, hand: &Hand) -> String {
        let digits = self.national.to_string();
        let (area, exchange, line) = (&digits[..3], &digits[3..6], &digits[6..]);
        hand.pick(&[
            digits.clone(),
            format!("1{digits}"),
            format!("\"{digits}\""),
            format!("\"+1{digits}\""),
            format!("\"({area}) {exchange}-{line}\""),
            format!("\" +1 ({area}) {exchange}-{line} \""),
            format!("\"{area}.{exchange}.{line}\""),
            format!("\"tel:+1-{area}-{exchange}-{line}\""),
        ])
    }

    fn amount(&self, hand: &Hand) -> String {
        let (plain, commas) = (self.dollars.to_string(), with_commas(self.dollars));
        hand.pick(&[
            plain.clone(),
            format!("{plain}.0"),
            format!("{plain}.000"),
            format!("\"{plain}\""),
            format!("\"${commas}\""),
            format!("\" $ {commas}.00 USD\""),
            format!("\"usd {plain}.0\""),
        ])
    }
}

/// A member of an object, its value being JSON already.
fn member(name: &str, value: &str, hand: &Hand) -> String {
    format!("{}:{value}", string(name, hand))
}

/// A JSON string, with some, all or none of its characters escaped.
fn string(text: &str, hand: &Hand) -> String {
    let every = hand.pick(&[usize::MAX, usize::MAX, 1, 2, 5]);
    let written = text.chars().enumerate().map(|(at, c)| match at % every {
        0 if every < usize::MAX => {
            let units: Vec<String> = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
            units.concat()
        }
        _ => {
            let quoted = json!(c).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
    });
    format!("\"{}\"", written.collect::<String>())
}

/// An object of members, in one order or another, with white space or without.
fn object(members: &mut [String], hand: &Hand) -> String {
    shuffle(members, hand);
    let space = hand.pick(&["", " ", "\n  ", "\r\n\t"]);
    format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")))
}

fn shuffle(members: &mut [String], hand: &Hand) {
    for at in (1..members.len()).rev() {
        members.swap(at, hand.pick(&(0..=at).collect::<Vec<_>>()));
    }
}

thread_local! {
    /// One stage for all cases of a test, since what is tried leaves nothing behind in it. Each test has a thread.
    static STAGE: (Runtime, Stage) = {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let stage = runtime.block_on(Stage::start());
        (runtime, stage)
    };
}

/// Any request gets an envelope and an outcome, and AI Rudder gets nothing but a lead that it accepts. Nothing but what
/// is no request at all makes the relay fail. Returns what AI Rudder got.
fn answered_with_an_outcome(event: &str) -> Option<String> {
    let (answer, sent) = STAGE.with(|(runtime, stage)| {
        let answer = runtime.block_on(stage.serve(event));
        (answer, stage.rudder.take_received())
    });
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields.len(), 6, "an envelope has six fields, not {fields:?}");
    let is_request = serde_json::from_str::<lendswift_relay::request::Request>(event).is_ok();
    assert_eq!(body["body"]["error"] != "internal_error", is_request, "{body} for {event}");
    let header = |name: &str| answer.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
    let outcome = header("lead-outcome").expect("every answer has an outcome");
    match sent.as_slice() {
        [] => {
            assert_eq!(outcome, "not_sent");
            None
        }
        [push] => {
            assert!(push.accepted && outcome == "accepted", "AI Rudder got what it refuses: {}", push.body);
            invariants::is_in_the_contracts_form(push.body.as_bytes());
            Some(push.body.clone())
        }
        _ => panic!("{} pushes", sent.len()),
    }
}

/// Any text, every other time with letters in it that the log is searched for.
fn marked(text: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![text, text.prop_map(|text| format!("{LETTERS}{text}"))]
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        marked(".{0,20}").prop_map(Value::from),
        "[0-9+() .$,-]{0,14}".prop_map(Value::from),
    ];
    let names: Vec<&str> = TEXTS.iter().map(|(name, _)| *name).collect();
    let name = prop_oneof![
        prop::sample::select(["caller_id", "loan_amount", "customer_name", "details", "had_late_payment"].to_vec()),
        prop::sample::select(names),
    ];
    let name = prop_oneof![name.prop_map(str::to_owned), ".{0,8}"];
    scalar.prop_recursive(4, 40, 12, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..12).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// One change to a JSON value: the place, and what comes there; nothing where the member is dropped.
#[derive(Debug, Clone)]
struct Change(Index, Option<Value>);

fn change(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Change> {
    (any::<Index>(), prop::option::weighted(0.8, value)).prop_map(|(place, value)| Change(place, value))
}

impl Change {
    /// Makes it, and says where.
    fn make(&self, value: &mut Value) -> String {
        let mut places = Vec::new();
        all_places(value, "", &mut places);
        let Some(place) = (!places.is_empty()).then(|| self.0.get(&places)) else { return String::new() };
        let (parent, name) = place.rsplit_once('/').unwrap();
        match &self.1 {
            Some(new) => *value.pointer_mut(place).unwrap() = new.clone(),
            None => drop_member(value.pointer_mut(parent).unwrap(), name),
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

fn drop_member(parent: &mut Value, name: &str) {
    match parent {
        Value::Array(values) => drop(values.remove(name.parse().unwrap())),
        Value::Object(members) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        _ => panic!("only what is in something has a place"),
    }
}

/// A value of any type. Without the letters that the log is searched for: it may come to stand where no lead ever does,
/// such as for the request's id.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(
            [json!(null), json!(true), json!(-1), json!(0.5), json!([]), json!([null]), json!({}), json!({"a": "b"})]
                .to_vec()
        ),
        ".{0,20}".prop_map(Value::from),
    ]
}

/// So many cases, the same each time: what is tried anew each time is for fuzzing. `PROPTEST_CASES=100000` tries more.
fn cases(cases: u32) -> ProptestConfig {
    let given = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if given { ProptestConfig::default().cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(2026), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_lead_in_any_accepted_form_is_sent_in_the_same_normal_form(meant in meant(), hands in vec(hand(), 2)) {
        for hand in hands {
            let body = meant.written(&hand);
            let reading = ParsedLead::parse(body.as_bytes()).expect("JSON");
            let lead = reading.lead.map_err(|faults| TestCaseError::fail(format!("{faults:?} in {body}")))?;
            let sent = payload(&lead);
            let read: Value = serde_json::from_slice(&sent).unwrap();
            prop_assert_eq!(read.to_string(), meant.normal(), "from {}", body);
            let normal = payload(&ParsedLead::parse(meant.normal().as_bytes()).unwrap().lead.unwrap());
            prop_assert_eq!(sent, normal, "the same bytes whoever wrote it: {}", body);
        }
    }

    #[test]
    fn what_was_sent_reads_as_itself(meant in meant()) {
        let once = payload(&ParsedLead::parse(meant.normal().as_bytes()).unwrap().lead.unwrap());
        let twice = payload(&ParsedLead::parse(&once).unwrap().lead.unwrap());
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn mending_exactly_the_faults_that_are_named_makes_a_lead(
        meant in meant(),
        broken in vec((any::<Index>(), any::<Index>()), 0..6),
        details in prop::option::weighted(0.1, any::<Index>()),
    ) {
        let whole: Value = serde_json::from_str(&meant.normal()).unwrap();
        let names = pointers(&whole);
        let mut broken: BTreeMap<String, Wrong> = broken
            .iter()
            .map(|(place, wrong)| {
                let place = &names[place.index(names.len())];
                (place.clone(), wrong.get(&wrongs(place, &whole)).clone())
            })
            .collect();
        if let Some(wrong) = details {
            // What would stand inside it is not there.
            broken.retain(|place, _| !place.starts_with("/details/"));
            broken.insert("/details".to_owned(), wrong.get(&wrongs("/details", &whole)).clone());
        }
        let text = with_faults(&whole, &broken);
        let named = |text: &str| {
            let faults = ParsedLead::parse(text.as_bytes()).unwrap().lead.err().unwrap_or_default();
            let mut named: Vec<_> = faults.iter().map(|fault| (fault.field.clone(), fault.kind.code())).collect();
            named.sort();
            named
        };
        let mut expected: Vec<_> =
            broken.iter().map(|(place, wrong)| (wrong.named(place).to_owned(), wrong.code())).collect();
        expected.sort();
        prop_assert_eq!(&named(&text), &expected, "every fault is named once and nothing else, in {}", text);
        let twice = format!("{},{}", &text[..text.len() - 1], &text[1..]);
        prop_assert_eq!(&named(&twice), &expected, "what is repeated is named once, in {}", twice);
        broken.retain(|place, wrong| !expected.iter().any(|(field, _)| field == wrong.named(place)));
        let mended = with_faults(&whole, &broken);
        prop_assert!(ParsedLead::parse(mended.as_bytes()).unwrap().lead.is_ok(), "mended: {}", mended);
    }

    #[test]
    fn any_bytes_and_any_json_are_read_or_refused(bytes in vec(any::<u8>(), 0..300), json in any_json()) {
        invariants::lead(&bytes);
        invariants::lead(json.to_string().as_bytes());
        invariants::upstream_answer(&bytes);
    }

    #[test]
    fn any_answer_of_ai_rudder_that_leaves_a_doubt_is_unknown(
        status in prop_oneof![any::<u16>(), 100_u16..600, doubts()],
        code in prop_oneof![any::<i64>(), 100_i64..600, doubts().prop_map(i64::from)],
        message in ".{0,20}",
    ) {
        let envelope = json!({"code": code, "message": message}).to_string();
        invariants::upstream_answer(&[&status.to_be_bytes(), envelope.as_bytes()].concat());
        invariants::upstream_answer(&[&status.to_be_bytes(), message.as_bytes()].concat());
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone)]
enum Wrong {
    /// This stands there, and the fault has that code.
    Value(Value, &'static str),
    /// Nothing stands there.
    Missing,
    /// The same field stands at that place too, and says this.
    Conflict(String, Value),
}

impl Wrong {
    fn code(&self) -> &'static str {
        match self {
            Self::Value(_, code) => code,
            Self::Missing => "missing",
            Self::Conflict(..) => "conflict",
        }
    }

    /// The pointer that the fault has: what is said second is in conflict with what is said first.
    fn named<'a>(&'a self, place: &'a str) -> &'a str {
        if let Self::Conflict(other, _) = self { other } else { place }
    }
}

/// All that can be wrong at a place of this lead.
fn wrongs(place: &str, whole: &Value) -> Vec<Wrong> {
    let value = |value: Value, code| Wrong::Value(value, code);
    let (array, long, control) = (json!([]), json!("x".repeat(300)), json!("a\u{7}"));
    match place {
        "/caller_id" => vec![
            value(array, "wrong_type"),
            value(json!(true), "wrong_type"),
            value(long, "not_a_phone_number"),
            value(json!(4_161_231_234_u64), "area_code_abroad"),
            value(json!("+1 900 123 1234"), "area_code_of_a_service"),
            Wrong::Missing,
            Wrong::Conflict("/caller_id".to_owned(), json!(2_125_550_100_u64)),
        ],
        "/loan_amount" => vec![
            value(array, "wrong_type"),
            value(control, "not_an_amount"),
            value(json!(4000.5), "not_whole_dollars"),
            value(json!("$4,000.50"), "not_whole_dollars"),
            value(json!(0), "out_of_range"),
            value(json!(10_000_001), "out_of_range"),
            Wrong::Missing,
            Wrong::Conflict("/loan_amount".to_owned(), json!(if whole["loan_amount"] == 1 { 2 } else { 1 })),
        ],
        "/customer_name" => vec![
            value(json!({"a": 1}), "wrong_type"),
            value(long, "too_long"),
            value(control, "control_character"),
            value(json!(" "), "empty"),
            value(json!("12"), "no_letter"),
            Wrong::Missing,
            Wrong::Conflict("/first_name".to_owned(), json!("another")),
        ],
        "/details" => vec![value(array, "wrong_type"), value(json!("{}"), "wrong_type"), Wrong::Missing],
        "/details/had_late_payment" => vec![
            value(array, "not_a_boolean"),
            value(long, "not_a_boolean"),
            Wrong::Conflict("/had_late_payment".to_owned(), json!(whole["details"]["had_late_payment"] == false)),
        ],
        _ => {
            let name = place.strip_prefix("/details").unwrap();
            vec![
                value(array, "wrong_type"),
                value(json!({"a": 1}), "wrong_type"),
                value(long, "too_long"),
                value(control, "control_character"),
                value(json!(1e300), "exponent"),
                Wrong::Conflict(name.to_owned(), json!("another")),
            ]
        }
    }
}

/// A lead with what is wrong in it, as JSON text.
fn with_faults(whole: &Value, broken: &BTreeMap<String, Wrong>) -> String {
    let mut body = whole.clone();
    let mut conflicts = Vec::new();
    for (place, wrong) in broken {
        let (parent, name) = place.rsplit_once('/').unwrap();
        match wrong {
            Wrong::Value(value, _) => *body.pointer_mut(place).unwrap() = value.clone(),
            Wrong::Missing => drop_member(body.pointer_mut(parent).unwrap(), name),
            Wrong::Conflict(other, value) => conflicts.push(format!(",{}:{value}", json!(other[1..]))),
        }
    }
    let body = body.to_string();
    format!("{}{}}}", &body[..body.len() - 1], conflicts.concat())
}

/// Numbers that AI Rudder may answer with: those that decide, and those that leave a doubt.
fn doubts() -> impl Strategy<Value = u16> {
    prop::sample::select(
        [200, 201, 302, 400, 401, 403, 404, 408, 409, 418, 422, 424, 425, 429, 460, 499, 500, 503].to_vec(),
    )
}

/// The places of a lead's fields.
fn pointers(lead: &Value) -> Vec<String> {
    let mut pointers: Vec<String> = ["/caller_id", "/loan_amount", "/customer_name"].map(str::to_owned).to_vec();
    pointers.extend(lead["details"].as_object().unwrap().keys().map(|name| format!("/details/{name}")));
    pointers
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_body_gets_an_answer_with_an_outcome(bytes in vec(any::<u8>(), 0..300), json in any_json()) {
        answered_with_an_outcome(&Request::post(bytes).event());
        answered_with_an_outcome(&Request::post(json.to_string()).event());
    }

    #[test]
    fn any_lead_in_order_is_one_accepted_push(meant in meant(), hand in hand()) {
        let sent = answered_with_an_outcome(&Request::post(meant.written(&hand)).event());
        let normal = payload(&ParsedLead::parse(meant.normal().as_bytes()).unwrap().lead.unwrap());
        prop_assert_eq!(sent.map(String::into_bytes), Some(normal));
    }

    #[test]
    fn any_path_method_and_header_get_an_answer_with_an_outcome(
        path in prop_oneof![".{0,40}", "/v1/accounts/.{0,30}/leads"],
        method in "[A-Z]{1,9}",
        name in prop::sample::select(["authorization", "content-type", "idempotency-key", "content-encoding", "x-other"].to_vec()),
        value in prop_oneof![marked(".{0,40}"), marked("[!-~]{0,40}"), "[!-~]{253,257}", "[ -~]{0,40}"],
        is_base64 in any::<bool>(),
        body in marked(".{0,60}"),
    ) {
        // Each on a lead in order, so that the door alone stands between it and AI Rudder.
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut event: Value = serde_json::from_str(&Request::post(LEAD).event()).unwrap();
            change(&mut event);
            answered_with_an_outcome(&event.to_string())
        };
        prop_assert!(changed(&|_| ()).is_some());
        prop_assert!(changed(&|event| event["body"] = body.clone().into()).is_none());
        let encoded = |event: &mut Value| {
            event["body"] = body.clone().into();
            event["isBase64Encoded"] = is_base64.into();
        };
        prop_assert!(changed(&encoded).is_none());
        let pushed = changed(&|event| event["headers"][name] = value.clone().into()).is_some();
        let visible = value.bytes().all(|byte| byte.is_ascii_graphic());
        // What no header can hold counts as absent.
        let is_absent = http::HeaderValue::from_bytes(value.as_bytes()).is_err();
        match name {
            "idempotency-key" => prop_assert_eq!(pushed, is_absent || visible && (1..=255).contains(&value.len())),
            "content-encoding" => prop_assert_eq!(pushed, is_absent),
            "x-other" => prop_assert!(pushed),
            _ => prop_assert!(!pushed),
        }
        prop_assert!(changed(&|event| event["requestContext"]["http"]["method"] = method.clone().into()).is_none() || method == "POST");
        prop_assert!(changed(&|event| event["rawPath"] = path.clone().into()).is_none());
    }

    #[test]
    fn any_event_gets_an_answer_with_an_outcome(event in any_json()) {
        prop_assert!(answered_with_an_outcome(&event.to_string()).is_none());
    }

    #[test]
    fn an_event_with_anything_in_any_place_gets_an_answer_with_an_outcome(changes in vec(change(any_value()), 1..3)) {
        let mut event: Value = serde_json::from_str(&Request::post(LEAD).event()).unwrap();
        let mut changed = Vec::new();
        for change in changes {
            changed.push(change.make(&mut event));
        }
        let sent = answered_with_an_outcome(&event.to_string());
        prop_assert!(sent.is_none_or(|sent| sent == LEAD), "{:?}", changed);
    }

    #[test]
    fn any_lead_with_anything_in_any_place_is_one_accepted_push_or_none(
        meant in meant(),
        changes in vec(change(any_json()), 1..4),
    ) {
        let mut lead: Value = serde_json::from_str(&meant.normal()).unwrap();
        for change in changes {
            change.make(&mut lead);
        }
        let body = lead.to_string();
        let sent = answered_with_an_outcome(&Request::post(body.clone()).event());
        let expected = ParsedLead::parse(body.as_bytes()).unwrap().lead.ok().map(|lead| payload(&lead));
        prop_assert_eq!(sent.map(String::into_bytes), expected);
    }
}
