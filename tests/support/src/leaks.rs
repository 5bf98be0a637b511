//! Finds secrets and personal data in text, plain or encoded.

use std::{collections::BTreeSet, fs};

use base64::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use uuid::Uuid;

use crate::{DIGITS, HASH_KEY, KEY, LETTERS, TOKEN, fakes::api_gateway, snapshot};

/// The forms in which a value may occur, in lower case, in addition to its letters and digits alone.
fn forms(value: &str) -> Vec<String> {
    let json = Value::from(value).to_string();
    let bytes = value.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    let mut forms = vec![
        value.to_owned(),
        json.trim_matches('"').to_owned(),
        format!("{value:?}").trim_matches('"').to_owned(),
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        value.replace('/', "%2F"),
        hex::encode(value),
        bytes,
    ];
    // Base64 of the value at each offset; the characters at its edges depend on what is around it.
    for before in ["", "x", "xx"] {
        let encoded = BASE64_STANDARD_NO_PAD.encode(format!("{before}{value}"));
        let inner = encoded.get(4..encoded.len().saturating_sub(4)).unwrap_or_default();
        forms.push(inner.to_owned());
        forms.push(inner.replace('+', "-").replace('/', "_"));
    }
    forms.into_iter().map(|form| form.to_lowercase()).filter(|form| form.len() >= 5).collect()
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The values that a text contains in any form.
pub fn find<'a>(text: &str, values: &[&'a str]) -> Vec<&'a str> {
    let (lower, squeezed) = (text.to_lowercase(), letters_and_digits(text));
    let is_leaked = |value: &&&str| {
        forms(value).iter().any(|form| lower.contains(form.as_str())) || squeezed.contains(&letters_and_digits(value))
    };
    values.iter().filter(is_leaked).copied().collect()
}

/// What the tests send: their own secrets and personal data, and those of the sample events.
pub fn values_of_the_tests() -> BTreeSet<String> {
    let mut values = BTreeSet::from([TOKEN, KEY, HASH_KEY, LETTERS, DIGITS, "6501231235"].map(str::to_owned));
    for path in snapshot::files("events") {
        let event: Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("an event is JSON");
        let decoded = api_gateway::body(&event).unwrap_or_default();
        let decoded = decoded.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&decoded);
        values.extend(event["body"].as_str().and_then(|body| body.get(..40)).map(str::to_owned));
        leaves(&serde_json::from_slice(decoded).unwrap_or_default(), &mut values);
        leaves(&event["headers"]["idempotency-key"], &mut values);
    }
    // A phone number may occur without its country code.
    let national: Vec<String> = values.iter().filter_map(|value| national(value)).collect();
    values.extend(national);
    // Too short to be recognised, or too long to be personal; and a name that the log has for AI Rudder.
    values.retain(|value| (5..300).contains(&letters_and_digits(value).len()) && value != "AI Rudder");
    values
}

/// The ten digits of a phone number with its country code, in whatever form.
fn national(value: &str) -> Option<String> {
    let digits = letters_and_digits(value);
    let national = digits.strip_prefix('1').filter(|digits| digits.len() == 10)?;
    national.bytes().all(|byte| byte.is_ascii_digit()).then(|| national.to_owned())
}

/// The strings and numbers anywhere in a value.
fn leaves(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| leaves(value, into)),
        Value::Object(members) => members.values().for_each(|value| leaves(value, into)),
        Value::String(text) => into.extend([text.trim().to_owned()]),
        Value::Number(number) => into.extend([number.to_string()]),
        Value::Null | Value::Bool(_) => {}
    }
}

/// The lines of the tests' log in which something has leaked.
pub fn scan(log: &str) -> Vec<String> {
    let values = values_of_the_tests();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    // Most lines are like others, so each is searched once.
    let lines: BTreeSet<String> = log.lines().map(without_random_digits).collect();
    let leaked = find(&lines.iter().cloned().collect::<Vec<_>>().join("\n"), &values);
    let is_name = |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Ann");
    lines.into_iter().filter(|line| is_name(line) || !find(line, &leaked).is_empty()).collect()
}

/// A line without its times and UUIDs, whose digits may be any.
fn without_random_digits(line: &str) -> String {
    let line = without_after(line, "\"timestamp\":\"", |c| c != '"');
    let line = without_after(&line, "\"Timestamp\":", |c| c.is_ascii_digit());
    let is_in_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let words = line.split_inclusive(|c| !is_in_word(c));
    words.filter(|word| Uuid::try_parse(word.trim_end_matches(|c| !is_in_word(c))).is_err()).collect()
}

/// A line without the characters of this kind that follow a prefix.
fn without_after(line: &str, prefix: &str, kind: fn(char) -> bool) -> String {
    let Some((before, after)) = line.split_once(prefix) else { return line.to_owned() };
    [before, prefix, after.trim_start_matches(kind)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [&str; 6] = [
        "tOken+cAnary/7f3a==",
        "key-canary-51b9c0",
        "6502587413",
        "Nightingale Canary",
        "text canary \"quoted\" ümlaut",
        "unknown-canary-4410",
    ];

    #[test]
    fn a_leak_is_found_in_every_form() {
        let [token, key, phone, name, text, unknown] = VALUES;
        for leak in [
            format!("caller 1 ({}) {}-{}", &phone[..3], &phone[3..6], &phone[6..]),
            format!("Phone(1{phone})"),
            format!("{:?}", phone.as_bytes()),
            format!("path=/push/{}", utf8_percent_encode(token, NON_ALPHANUMERIC)),
            serde_json::json!({ "a": text }).to_string(),
            format!("{text:?}"),
            name.to_uppercase(),
            BASE64_STANDARD.encode(format!("Bearer {key}")),
            hex::encode(unknown),
        ] {
            assert_eq!(find(&leak, &VALUES).len(), 1, "{leak}");
        }
        assert_eq!(find("nothing to see: 16501231234 Ann", &VALUES), Vec::<&str>::new());
    }

    #[test]
    fn the_values_of_the_tests_are_those_of_every_field() {
        let values = values_of_the_tests();
        for value in ["6501231234", "6501239999", "Ann   Marie", "programmer", "ann@example.com", "infinity-lead-20391"]
        {
            assert!(values.contains(value), "{value} is not in {values:?}");
        }
    }

    #[test]
    fn a_scan_finds_leaks_and_no_random_digits() {
        let uuid = "84739c01-1111-4111-8111-111111111111";
        let harmless = format!(
            r#"{{"timestamp":"2026-11-26T12:03:17.847391234Z","claim":"{uuid}","outcome":"accepted"}}
            {{"_aws":{{"Timestamp":1784739000000}}}}
            ERROR lead{{claim={uuid}}}: answered"#
        );
        assert_eq!(scan(&harmless), Vec::<String>::new());
        for leak in [r#"{"ms":784739}"#, "INFO answered name=Ann", "push/1JqFE7K6ucf94hAvqu%2B7Jg"] {
            assert_eq!(scan(&format!("{harmless}\n{leak}")), [leak]);
        }
    }
}
