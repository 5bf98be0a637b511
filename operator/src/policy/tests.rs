use super::*;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn rules(json: &str) -> Rules {
    Rules::parse(Some(&raw(json))).unwrap()
}

fn change(calling_hours: Option<Rule>, once_per_phone_hours: Option<Rule>) -> PolicyChange {
    PolicyChange { calling_hours, once_per_phone_hours, new_hash_key: false }
}

const BOTH: &str = r#"{"calling_hours": "federal", "once_per_phone_hours": 24}"#;

#[test]
fn a_change_keeps_the_rule_that_is_not_given() {
    let on = |json: &str| Some(Rule::On(raw(json)));
    for (change, expected) in [
        (change(None, None), Some(r#"{"calling_hours":"federal","once_per_phone_hours":24}"#)),
        (change(None, on("48")), Some(r#"{"calling_hours":"federal","once_per_phone_hours":48}"#)),
        (
            change(on(r#"{"mon-sun": "09:00-20:00"}"#), None),
            Some(r#"{"calling_hours":{"mon-sun": "09:00-20:00"},"once_per_phone_hours":24}"#),
        ),
        (change(Some(Rule::Off), None), Some(r#"{"once_per_phone_hours":24}"#)),
        (change(Some(Rule::Off), Some(Rule::Off)), None),
    ] {
        let after = rules(BOTH).with(&change).unwrap();
        assert_eq!(after.json().as_ref().map(|json| json.get()), expected);
    }
    assert!(rules("{}").is_empty() && Rules::parse(None).is_ok_and(|rules| rules.is_empty()));
    assert_eq!(rules(BOTH).with(&change(on("\"9-5\""), None)).err(), Some(PolicyError::CallingHours));
}

#[test]
fn a_policy_is_loosened_if_it_can_allow_more() {
    let hours = |hours: &str| format!(r#"{{"calling_hours": {hours}, "once_per_phone_hours": 24}}"#);
    for (after, expected) in [
        (BOTH, false),
        ("{}", true),
        (r#"{"calling_hours": "federal"}"#, true),
        (r#"{"once_per_phone_hours": 24}"#, true),
        (r#"{"calling_hours": "federal", "once_per_phone_hours": 23}"#, true),
        (r#"{"calling_hours": "federal", "once_per_phone_hours": 25}"#, false),
        (&hours(r#"{"mon-fri": "09:00-20:00"}"#), false),
        (&hours(r#"{"mon-fri": "07:00-20:00"}"#), true),
    ] {
        assert_eq!(rules(BOTH).is_loosened_by(&rules(after)), expected, "{after}");
    }
    assert!(!Rules::default().is_loosened_by(&rules(BOTH)));
}

#[test]
fn the_same_hours_in_other_words_are_the_same() {
    let weekly =
        rules(r#"{"once_per_phone_hours": 24, "calling_hours": {"mon-fri": "08:00-21:00", "sat-sun": "08:00-21:00"}}"#);
    assert!(weekly.is_same_as(&rules(BOTH)));
    assert!(!weekly.is_same_as(&rules("{}")));
}

#[test]
fn a_policy_is_described_in_the_order_of_the_week() {
    for (json, expected) in [
        (BOTH, "calling hours 08:00-21:00 on every day (federal); at most one lead per phone number in 24 hours"),
        (
            r#"{"calling_hours": {"sat": "10:00-18:00", "mon-fri": "09:00-20:00"}}"#,
            "calling hours mon-fri 09:00-20:00, sat 10:00-18:00",
        ),
        (r#"{"once_per_phone_hours": 1}"#, "at most one lead per phone number in an hour"),
        ("{}", "none"),
    ] {
        assert_eq!(rules(json).to_string(), expected);
    }
}

#[test]
fn a_hash_key_is_64_hex_digits() {
    for (member, expected) in [
        (None, HashKey::Missing),
        (Some(Value::from("5".repeat(64))), HashKey::Valid),
        (Some(Value::from("5".repeat(63))), HashKey::Malformed),
        (Some(Value::Null), HashKey::Malformed),
    ] {
        assert_eq!(HashKey::of(member.as_ref()), expected);
    }
}

#[test]
fn a_valid_hash_key_is_replaced_only_on_request() {
    let once = rules(r#"{"once_per_phone_hours": 24}"#);
    for (key, is_new, expected) in [
        (HashKey::Missing, false, Ok(KeyChange::Created)),
        (HashKey::Missing, true, Ok(KeyChange::Created)),
        (HashKey::Valid, false, Ok(KeyChange::Kept)),
        (HashKey::Valid, true, Ok(KeyChange::Replaced)),
        (HashKey::Malformed, false, Err(KeyRefusal::Malformed)),
        (HashKey::Malformed, true, Ok(KeyChange::Replaced)),
    ] {
        assert_eq!(key.change(false, &once, is_new), expected);
        let without = if is_new { Err(KeyRefusal::NotNeeded) } else { Ok(KeyChange::NotNeeded) };
        assert_eq!(key.change(true, &Rules::default(), is_new), without);
        if key != HashKey::Missing {
            assert_eq!(key.change(true, &once, is_new), expected);
        }
    }
    assert_eq!(HashKey::Missing.change(true, &once, false), Err(KeyRefusal::Lost));
    assert_eq!(HashKey::Missing.change(true, &once, true), Ok(KeyChange::Replaced));
    assert_eq!(HashKey::Missing.fault(&once), Some(PolicyError::NoHashKey));
    assert_eq!(HashKey::Malformed.fault(&once), Some(PolicyError::HashKey));
    assert_eq!(HashKey::Malformed.fault(&Rules::default()), None);
}
