//! What holds for any input at all. The fuzz targets and the tests both end here.

use lendswift_relay::{
    answer::{Answer, Outcome},
    lead::ParsedLead,
    rudder::{Code, Push, UpstreamBody, UpstreamCodes, Verdict, payload, verdict},
};
use serde::Deserialize;

/// Every pointer that a fault may have.
const TOP: [&str; 5] = ["caller_id", "loan_amount", "customer_name", "first_name", "details"];
const DETAILS: [&str; 20] = [
    "had_late_payment",
    "loan_reason",
    "job_title",
    "company_name",
    "years_of_working",
    "pay_type",
    "next_pay_date",
    "pay_time_of_day",
    "number_of_back_account",
    "number_of_bank_account",
    "number_of_bank_accounts",
    "years_of_deposit_bank_account",
    "numbers_of_loan",
    "number_of_loan",
    "number_of_loans",
    "successful_payday_loan",
    "successful_payday_loans",
    "year_of_residence",
    "years_of_residence",
    "status",
];

/// Any body is malformed, or has faults that each name a field of a lead, or is a lead in the contract's form that reads
/// as itself.
pub fn lead(body: &[u8]) {
    let Ok(reading) = ParsedLead::parse(body) else { return };
    assert!(reading.ignored.to_string().len() <= 20 * 50 + 10, "the header is too long");
    match reading.lead {
        Ok(lead) => is_in_the_contracts_form(&payload(&lead)),
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            for fault in faults {
                let known = match fault.field.strip_prefix("/details/") {
                    Some(name) => DETAILS.contains(&name),
                    None => {
                        fault.field.strip_prefix('/').is_some_and(|name| TOP.contains(&name) || DETAILS.contains(&name))
                    }
                };
                assert!(known, "{} is no field of a lead", fault.field);
            }
        }
    }
}

/// The body that goes to AI Rudder, as its contract has it and nothing beside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contract {
    caller_id: u64,
    loan_amount: u32,
    customer_name: String,
    details: Details,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    loan_reason: Option<String>,
    job_title: Option<String>,
    company_name: Option<String>,
    years_of_working: Option<String>,
    pay_type: Option<String>,
    next_pay_date: Option<String>,
    pay_time_of_day: Option<String>,
    number_of_back_account: Option<String>,
    years_of_deposit_bank_account: Option<String>,
    numbers_of_loan: Option<String>,
    successful_payday_loan: Option<String>,
    #[serde(rename = "had_late_payment")]
    _had_late_payment: Option<bool>,
    year_of_residence: Option<String>,
    status: Option<String>,
}

/// What AI Rudder gets keeps to its contract, and reads as itself.
pub fn is_in_the_contracts_form(sent: &[u8]) {
    let contract: Contract = serde_json::from_slice(sent).expect("a lead is sent in the contract's form");
    assert!((12_000_000_000..20_000_000_000).contains(&contract.caller_id), "a US number begins with 1 and 2 to 9");
    assert!((1..=10_000_000).contains(&contract.loan_amount));
    let clean = |text: &str, limit: usize| {
        assert_eq!(text.trim(), text);
        assert!((1..=limit).contains(&text.chars().count()) && !text.chars().any(char::is_control));
    };
    clean(&contract.customer_name, 100);
    let details = contract.details;
    let texts = [
        details.loan_reason,
        details.job_title,
        details.company_name,
        details.years_of_working,
        details.pay_type,
        details.next_pay_date,
        details.pay_time_of_day,
        details.number_of_back_account,
        details.years_of_deposit_bank_account,
        details.numbers_of_loan,
        details.successful_payday_loan,
        details.year_of_residence,
        details.status,
    ];
    texts.iter().flatten().for_each(|text| clean(text, 200));
    let again =
        ParsedLead::parse(sent).ok().and_then(|reading| reading.lead.ok()).expect("what was sent reads as a lead");
    assert_eq!(payload(&again), sent, "what was sent reads as itself");
}

/// Any answer has a verdict; only success said twice is an acceptance, and an envelope is kept byte for byte.
pub fn upstream_answer(answer: &[u8]) {
    let Some((status, bytes)) = answer.split_first_chunk::<2>() else { return };
    let status = u16::from_be_bytes(*status);
    let body = UpstreamBody::read(bytes.to_vec());
    let verdict = verdict(status, body.code(), &UpstreamCodes::default());
    let said_twice = (200..300).contains(&status) && body.code() == Code::Integer(200);
    assert_eq!(verdict == Verdict::Accepted, said_twice, "HTTP {status}, {body:?}");
    if !(200..300).contains(&status) && !(400..500).contains(&status) {
        assert_eq!(verdict, Verdict::Unknown, "HTTP {status}, {body:?}");
    }
    // A doubt in either of the two: AI Rudder may have the lead.
    let doubtful = |number: i64| matches!(number, 300..=399 | 408 | 409 | 418..=420 | 424 | 425 | 427 | 430 | 432..=450 | 452..=599);
    let doubtful_code = match body.code() {
        Code::Integer(code) => doubtful(code),
        Code::Unreadable => true,
        Code::Absent => false,
    };
    if doubtful(i64::from(status)) || doubtful_code {
        assert_eq!(verdict, Verdict::Unknown, "HTTP {status}, {body:?}");
    }
    let outcome = match verdict {
        Verdict::Accepted => Outcome::Accepted,
        Verdict::Refused => Outcome::Refused,
        Verdict::RateLimited | Verdict::TokenRefused => Outcome::NotSent,
        Verdict::Unknown => Outcome::Unknown,
    };
    let theirs = matches!(body, UpstreamBody::Envelope(_)) && verdict != Verdict::TokenRefused;
    let answer = Answer::from(Push { verdict, status, body: body.clone(), retry_after: None });
    assert_eq!(answer.outcome, outcome, "HTTP {status}, {body:?}");
    let told = answer.into_response("an id", 0).body;
    assert_eq!(told.as_bytes() == bytes, theirs, "an envelope is passed on byte for byte, and nothing else");
    if let Some(trace_id) = body.trace_id() {
        assert!((16..=64).contains(&trace_id.len()) && trace_id.is_ascii());
    }
    if let UpstreamBody::Envelope(envelope) = body {
        let printed = format!("{envelope:?}");
        assert_eq!(printed, format!("Envelope {{ code: {:?}, .. }}", envelope.code_for_logs()));
        assert!(bytes.len() <= 65_536 && envelope.into_text().as_bytes() == bytes, "it is kept byte for byte");
    }
}
