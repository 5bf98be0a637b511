//! Requests to try by hand.

use support::{ACCOUNT, KEY};

const GOOD: &str =
    r#"{"caller_id":12125550123,"loan_amount":2500,"customer_name":"Bob","details":{"pay_type":"weekly"}}"#;
/// The same, as another system would write it.
const AGAIN: &str =
    r#"{"caller_id":"(212) 555-0123","loan_amount":"$2,500","first_name":"Bob","details":{"pay_type":"weekly"}}"#;
const MESSY: &str = r#"{"caller_id":"+1 (650) 123-1234","loan_amount":"$4,000.00","first_name":"  Ann  Marie ","years_of_working":2.5,"number_of_bank_accounts":3,"had_late_payment":"Yes","status":"","email":"ann@example.com"}"#;
const BROKEN: &str = r#"{"caller_id":"650-123","loan_amount":"4k","details":{"had_late_payment":"perhaps"}}"#;

/// A line for each kind of answer, to paste into a shell.
pub fn lines(front: &str) -> String {
    let lines = [
        ("A good lead: 200, accepted.", KEY, GOOD),
        ("The same again: the same answer, idempotent-replayed, and no second push.", KEY, AGAIN),
        (
            "A messy one, which the relay tidies: 200, accepted, and lead-ignored-fields names what was left out.",
            KEY,
            MESSY,
        ),
        ("A broken one: 422, not_sent, with each fault named.", KEY, BROKEN),
        ("A wrong key: 401, not_sent.", "not-the-key", GOOD),
    ];
    let lines = lines.map(|(label, key, lead)| format!("# {label}\n{}\n", curl(front, key, lead)));
    format!("Try these in another terminal:\n\n{}", lines.join("\n"))
}

/// In single quotes, where a shell changes nothing; no lead here has one.
fn curl(front: &str, key: &str, lead: &str) -> String {
    format!(
        "curl -i {front}/v1/accounts/{ACCOUNT}/leads -H 'authorization: Bearer {key}' \
         -H 'content-type: application/json' -d '{lead}'"
    )
}
