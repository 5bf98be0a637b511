//! The properties that hold for any input. The fuzz targets and the tests both check them.

use lendswift_relay::{
    answer::{Answer, Outcome},
    lead::ParsedLead,
    rudder::{Code, Push, UpstreamBody, UpstreamCodes, Verdict, payload, verdict},
};
use serde_json::Value;

use crate::{TEXT_FIELDS, fakes::check_contract};

/// Whether a fault can have this pointer.
fn is_field(pointer: &str) -> bool {
    let is_detail = |name| {
        name == "had_late_payment"
            || TEXT_FIELDS.iter().any(|field| field.name == name || field.aliases.contains(&name))
    };
    let is_top = |name| ["caller_id", "loan_amount", "customer_name", "first_name", "details"].contains(&name);
    match pointer.strip_prefix("/details/") {
        Some(name) => is_detail(name),
        None => pointer.strip_prefix('/').is_some_and(|name| is_top(name) || is_detail(name)),
    }
}

/// Any body is malformed, or has faults that each name a field of a lead, or is a lead that is sent as the contract requires.
pub fn lead(body: &[u8]) {
    for reading in [ParsedLead::parse(body), ParsedLead::parse_form(body)].into_iter().flatten() {
        parsed(reading);
    }
}

fn parsed(reading: ParsedLead<'_>) {
    assert!(reading.ignored.to_string().len() <= 20 * 50 + 10, "the header is too long");
    match reading.lead {
        Ok(lead) => keeps_the_contract(&payload(&lead)),
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            for fault in faults {
                assert!(is_field(&fault.field), "{} is no field of a lead", fault.field);
            }
        }
    }
}

/// What AI Rudder gets keeps its contract and the relay's own bounds, and reads as itself.
pub fn keeps_the_contract(sent: &[u8]) {
    check_contract(sent).expect("AI Rudder accepts every lead that is sent");
    let lead: Value = serde_json::from_slice(sent).expect("a lead is JSON");
    let number = |name: &str| lead[name].as_u64().unwrap_or_default();
    assert!((12_000_000_000..20_000_000_000).contains(&number("caller_id")), "a US number begins with 1 and 2 to 9");
    assert!((1..=10_000_000).contains(&number("loan_amount")));
    let is_clean = |text: &str, limit| {
        let is_spaced = text.split_whitespace().collect::<Vec<_>>().join(" ") == text;
        is_spaced && (1..=limit).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    assert!(lead["customer_name"].as_str().is_some_and(|name| is_clean(name, 100)), "{lead}");
    let texts = lead["details"].as_object().into_iter().flat_map(|details| details.values()).filter_map(Value::as_str);
    assert!(texts.into_iter().all(|text| is_clean(text, 200)), "{lead}");
    // A text that still has a character reference was given with its `&` as one, which is decoded once.
    let escaped = String::from_utf8_lossy(sent).replace('&', "&amp;");
    let again = ParsedLead::parse(escaped.as_bytes()).ok().and_then(|reading| reading.lead.ok());
    let again = again.expect("a sent lead is a valid lead");
    assert_eq!(payload(&again), sent, "a sent lead reads as itself");
}

/// Any response has a verdict. Only success in both status and code is an acceptance, and an envelope is kept byte for byte.
pub fn upstream_answer(answer: &[u8]) {
    let Some((status, bytes)) = answer.split_first_chunk::<2>() else { return };
    let status = u16::from_be_bytes(*status);
    let body = UpstreamBody::parse(bytes.to_vec());
    let verdict = verdict(status, body.code(), &UpstreamCodes::default());
    let is_success = (200..300).contains(&status) && body.code() == Code::Integer(200);
    assert_eq!(verdict == Verdict::Accepted, is_success, "HTTP {status}, {body:?}");
    // AI Rudder may have the lead if either of the two leaves a doubt.
    let is_doubtful = |number: i64| matches!(number, 300..=399 | 408 | 409 | 418..=420 | 424 | 425 | 427 | 430 | 432..=450 | 452..=599);
    let has_doubtful_code = match body.code() {
        Code::Integer(code) => is_doubtful(code),
        Code::Unreadable => true,
        Code::Absent => false,
    };
    let is_final = (200..300).contains(&status) || (400..500).contains(&status);
    if !is_final || is_doubtful(i64::from(status)) || has_doubtful_code {
        assert_eq!(verdict, Verdict::Unknown, "HTTP {status}, {body:?}");
    }
    let outcome = match verdict {
        Verdict::Accepted => Outcome::Accepted,
        Verdict::Refused => Outcome::Refused,
        Verdict::RateLimited | Verdict::TokenRefused => Outcome::NotSent,
        Verdict::Unknown => Outcome::Unknown,
    };
    let is_passed_on = matches!(body, UpstreamBody::Envelope(_)) && verdict != Verdict::TokenRefused;
    let answer = Answer::from(Push { verdict, status, body: body.clone(), retry_after: None });
    assert_eq!(answer.outcome, outcome, "HTTP {status}, {body:?}");
    let response = answer.into_response("an id", 0).body;
    assert_eq!(response.as_bytes() == bytes, is_passed_on, "an envelope is passed on byte for byte, and nothing else");
    if let Some(trace_id) = body.trace_id() {
        assert!((16..=64).contains(&trace_id.len()) && trace_id.is_ascii());
    }
    if let UpstreamBody::Envelope(envelope) = body {
        assert_eq!(format!("{envelope:?}"), format!("Envelope {{ code: {:?}, .. }}", envelope.loggable_code()));
        assert!(bytes.len() <= 65_536 && envelope.into_text().as_bytes() == bytes, "it is kept byte for byte");
    }
}
