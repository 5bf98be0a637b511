//! `curl` commands to try.

use lendswift_relay::rudder::Scenario;
use strum::VariantArray;
use support::{ACCOUNT, KEY, SANDBOX};

const VALID: &str =
    r#"{"caller_id":12125550123,"loan_amount":2500,"customer_name":"Bob","details":{"pay_type":"weekly"}}"#;
/// The same lead, spelled differently.
const RESPELLED: &str =
    r#"{"caller_id":"(212) 555-0123","loan_amount":"$2,500","first_name":"Bob","details":{"pay_type":"weekly"}}"#;
const MESSY: &str = r#"{"caller_id":"+1 (650) 123-1234","loan_amount":"$4,000.00","first_name":"  Ann  Marie ","years_of_working":2.5,"number_of_bank_accounts":3,"had_late_payment":"Yes","status":"","email":"ann@example.com"}"#;
const INVALID: &str = r#"{"caller_id":"650-123","loan_amount":"4k","details":{"had_late_payment":"perhaps"}}"#;

/// A command for each kind of response, to paste into a shell.
pub fn commands(url: &str) -> String {
    let commands = [
        ("A valid lead. Expect 200 and lead-outcome: accepted.", KEY, VALID),
        (
            "The same lead, spelled differently. Expect the same response with idempotent-replayed: true, and no second push.",
            KEY,
            RESPELLED,
        ),
        (
            "Another lead, which the relay normalizes. Expect 200; lead-ignored-fields lists the fields that were not forwarded.",
            KEY,
            MESSY,
        ),
        ("An invalid lead. Expect 422 and lead-outcome: not_sent, with each fault in body.fields.", KEY, INVALID),
        ("A wrong API key. Expect 401 and lead-outcome: not_sent.", "not-the-key", VALID),
    ];
    let commands = commands.map(|(label, key, lead)| format!("# {label}\n{}\n", curl(url, ACCOUNT, key, lead)));
    format!("Try these in another terminal:\n\n{}", commands.join("\n"))
}

/// A command for the sandbox account, and the amounts that choose the outcome.
pub fn sandbox(url: &str) -> String {
    let amounts = Scenario::VARIANTS.iter().filter_map(|scenario| {
        let digits = scenario.digits()?;
        Some(format!("# {digits}: {}\n", scenario.meaning()))
    });
    let refused = VALID.replace("2500", "9001");
    format!(
        "# The sandbox account. The last four digits of loan_amount choose the outcome:\n{}{}\n",
        amounts.collect::<String>(),
        curl(url, SANDBOX, KEY, &refused)
    )
}

/// The arguments are in single quotes, which no lead here contains, so that the shell changes nothing.
fn curl(url: &str, account: &str, key: &str, lead: &str) -> String {
    format!(
        "curl -i {url}/v1/accounts/{account}/leads -H 'authorization: Bearer {key}' \
         -H 'content-type: application/json' -d '{lead}'"
    )
}
