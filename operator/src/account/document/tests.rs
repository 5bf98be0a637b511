use super::*;

const DIGEST: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

fn set(result: Result<(), Failure>) {
    result.unwrap_or_else(|_| panic!("valid"));
}

fn parse(text: &str) -> Document {
    Document::parse(&text.to_owned().into()).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_change_keeps_the_members_that_the_command_does_not_know() {
    let mut document = parse(&format!(
        r#"{{"lendswift_token": "a", "api_key_sha256": "{}", "policy": {{"calling_hours": "federal"}}, "note": "00"}}"#,
        DIGEST.to_uppercase()
    ));
    assert_eq!((document.digests(), document.other_members()), (vec![DIGEST.to_owned()], vec!["note"]));
    set(document.add_digest(&"0".repeat(64)));
    set(document.set_token(&"b".to_owned().into()));
    let text = document.into_secret().unwrap_or_else(|_| panic!("valid"));
    let expected = serde_json::json!({
        "lendswift_token": "b", "api_key_sha256": [DIGEST, "0".repeat(64)], "policy": {"calling_hours": "federal"}, "note": "00"
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(text.expose_secret()).ok(), Some(expected));
}

#[test]
fn a_number_keeps_its_digits() {
    let members = r#""note":12345678901234567890123,"api_key_sha256":"#;
    let mut document = parse(&format!(r#"{{"lendswift_token": "a", {members}"{DIGEST}"}}"#));
    set(document.set_token(&"b".to_owned().into()));
    let text = document.into_secret().unwrap_or_else(|_| panic!("valid"));
    assert!(text.expose_secret().contains(r#""note":12345678901234567890123"#));
}

#[test]
fn an_entry_that_is_no_digest_is_not_among_the_digests() {
    let document = parse(&format!(r#"{{"sandbox": true, "api_key_sha256": ["hunter2", "{DIGEST}", "b9f1"]}}"#));
    assert_eq!((document.digests(), document.malformed()), (vec![DIGEST.to_owned()], 2));
}

#[test]
fn only_true_makes_a_sandbox() {
    for (sandbox, expected) in
        [("\"note\": 1", Some(false)), ("\"sandbox\": true", Some(true)), ("\"sandbox\": false", None)]
    {
        let document = parse(&format!("{{{sandbox}, \"api_key_sha256\": \"{DIGEST}\"}}"));
        assert_eq!(document.is_sandbox(), expected, "{sandbox}");
    }
}

#[test]
fn nothing_is_written_that_the_relay_would_not_read() {
    let mut both = parse(&format!(r#"{{"sandbox": true, "api_key_sha256": "{DIGEST}"}}"#));
    set(both.set_token(&"a".to_owned().into()));
    assert!(both.into_secret().is_err());
    assert!(Document::sandbox().and_then(Document::into_secret).is_err(), "no API key");
    let mut spaced = Document::with_token(&"a b".to_owned().into()).unwrap_or_else(|_| panic!("valid"));
    set(spaced.add_digest(DIGEST));
    assert!(spaced.into_secret().is_err());
    assert!(Document::parse(&"{}".to_owned().into()).is_err());
}

#[test]
fn a_secret_with_a_faulty_token_can_be_repaired() {
    let mut document = parse(&format!("\u{feff}{{\"lendswift_token\": \"\", \"api_key_sha256\": [\"{DIGEST}\"]}}"));
    set(document.set_token(&"a".to_owned().into()));
    assert!(document.into_secret().is_ok_and(|text| kind(&text) == Ok(Kind::Live)));
}

#[test]
fn a_change_may_leave_other_faults_and_may_not_add_one() {
    let text = format!(
        r#"{{"lendswift_token": "", "api_key_sha256": ["hunter2", "{DIGEST}"], "policy": null, "hash_key": 7}}"#
    );
    let changed = |change: &dyn Fn(&mut Document) -> Result<(), Failure>| {
        let mut document = parse(&text);
        set(change(&mut document));
        document.into_secret().is_ok()
    };
    assert!(changed(&|document| document.set_digests(&[DIGEST.to_owned()])));
    assert!(changed(&|document| document.set_token(&"a".to_owned().into())));
    assert!(!changed(&|document| document.set_token(&"a b".to_owned().into())));
    assert!(!changed(&|document| document.set_digests(&[])));
}
