//! Whole request bodies.

use super::*;

/// Parses a body. Returns the lead's fields as text, or its faults.
pub(super) fn lead(body: &str) -> Result<String, Vec<(String, &'static str)>> {
    match ParsedLead::parse(body.as_bytes()).unwrap().lead {
        Ok(lead) => {
            let texts: Vec<String> =
                lead.texts.iter().map(|(detail, text)| format!("{detail:?}={}", text.as_str())).collect();
            let late = lead.had_late_payment.as_ref().map(Flag::as_bool);
            Ok(format!(
                "{} {} {} {texts:?} {late:?}",
                lead.caller_id.as_integer(),
                lead.loan_amount.dollars(),
                lead.customer_name.as_str()
            ))
        }
        Err(faults) => Err(faults.into_iter().map(|fault| (fault.field.clone(), fault.kind.code())).collect()),
    }
}

/// A body with the required fields except `details`, and with the members in `rest`.
pub(super) fn with(rest: &str) -> String {
    format!(r#"{{"caller_id": 6501231234, "loan_amount": 4000, "customer_name": "Ann"{rest}}}"#)
}

pub(super) fn fault<T>(field: &str, code: &'static str) -> Result<T, Vec<(String, &'static str)>> {
    Err(vec![(field.to_owned(), code)])
}

#[test]
fn a_lead_needs_no_detail() {
    assert_eq!(lead(&with(r#", "details": {}"#)).unwrap(), "16501231234 4000 Ann [] None");
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert!(lead(&format!("\u{feff}{}", with(r#", "details": {}"#))).is_ok());
}

#[test]
fn details_may_be_flat_nested_or_both() {
    let expected = r#"16501231234 4000 Ann ["JobTitle=programmer", "Status=new"] Some(true)"#;
    for rest in [
        r#", "details": {"job_title": "programmer", "status": "new", "had_late_payment": true}"#,
        r#", "job_title": "programmer", "status": "new", "had_late_payment": "yes""#,
        r#", "status": "new", "details": {"had_late_payment": 1}, "job_title": "programmer""#,
        r#", "details": null, "job_title": "programmer", "status": "new", "had_late_payment": true"#,
        r#", "details": {"status": "new"}, "details": {"job_title": "programmer", "had_late_payment": true}"#,
    ] {
        assert_eq!(lead(&with(rest)).as_deref(), Ok(expected), "{rest}");
    }
}

#[test]
fn one_detail_at_the_top_level_makes_details_present() {
    for (rest, expected) in [
        (r#", "had_late_payment": true"#, "16501231234 4000 Ann [] Some(true)"),
        (r#", "status": "new""#, r#"16501231234 4000 Ann ["Status=new"] None"#),
    ] {
        assert_eq!(lead(&with(rest)).as_deref(), Ok(expected), "{rest}");
    }
}

#[test]
fn a_repeated_fault_is_reported_once() {
    let body = with(&r#", "status": [], "details": {"status": [], "status": 1e3}, "loan_amount": 1"#.repeat(500));
    let expected = [
        ("/loan_amount", "conflict"),
        ("/status", "wrong_type"),
        ("/details/status", "wrong_type"),
        ("/details/status", "exponent"),
    ];
    assert_eq!(lead(&body), Err(expected.map(|(field, code)| (field.to_owned(), code)).to_vec()));
}

#[test]
fn details_are_missing_without_any_of_their_fields() {
    assert_eq!(lead(&with("")), fault("/details", "missing"));
    assert_eq!(lead(&with(r#", "details": null"#)), fault("/details", "missing"));
    assert_eq!(lead(&with(r#", "details": [0], "status": "new""#)), fault("/details", "wrong_type"));
    assert!(lead(&with(r#", "status": null"#)).is_ok(), "a null field counts as present");
}

#[test]
fn required_fields_that_are_absent_or_null_are_missing() {
    let missing = |fields: &[&str]| Err(fields.iter().map(|field| ((*field).to_owned(), "missing")).collect());
    assert_eq!(lead("{}"), missing(&["/caller_id", "/loan_amount", "/customer_name", "/details"]));
    assert_eq!(
        lead(r#"{"caller_id": null, "loan_amount": null, "customer_name": null, "details": {}}"#),
        missing(&["/caller_id", "/loan_amount", "/customer_name"])
    );
}

#[test]
fn first_name_is_the_customers_name() {
    let body = r#"{"caller_id": 6501231234, "loan_amount": 4000, "first_name": "Ann", "details": {}}"#;
    assert!(lead(body).is_ok());
}

#[test]
fn names_of_members_are_cleaned() {
    let body = r#"{
        "\ufeffcaller_id": 6501231234, " loan_amount\t": 4000, "customer&lowbar;name": "Ann",
        "\u200bdetails": {"job_title\u2060": "programmer", " sta&#116;us": "new"}
    }"#;
    assert_eq!(lead(body).unwrap(), r#"16501231234 4000 Ann ["JobTitle=programmer", "Status=new"] None"#);
}

#[test]
fn names_that_are_equal_after_cleaning_are_one_field() {
    for (rest, place) in [
        (r#", "details": {}, "caller&#95;id": 6501231235"#, "/caller_id"),
        (r#", "details": {}, "\ufefffirst_name": "Bob""#, "/first_name"),
        (r#", "details": {"status": "new", "status\u200b": "old"}"#, "/details/status"),
        (r#", "details": {"status": "new"}, "\n details": {" status": "old"}"#, "/details/status"),
    ] {
        assert_eq!(lead(&with(rest)), fault(place, "conflict"), "{rest}");
        let same = rest.replace("6501231235", "6501231234").replace("Bob", "Ann").replace("old", "new");
        assert!(lead(&with(&same)).is_ok(), "{same}");
    }
}

#[test]
fn a_pointer_has_the_clean_name() {
    let body = with(r#", "details": {"\u200bstatus": []}, "had&lowbar;late_payment": 2"#);
    let expected = [("/details/status", "wrong_type"), ("/had_late_payment", "not_a_boolean")];
    assert_eq!(lead(&body), Err(expected.map(|(field, code)| (field.to_owned(), code)).to_vec()));
}

#[test]
fn all_faults_are_reported_in_the_contracts_order() {
    let body = r#"{
        "status": ["new"], "had_late_payment": "maybe", "details": {"job_title": "a\u0000b", "loan_reason": 1e3},
        "customer_name": 7, "loan_amount": "4k", "caller_id": "+44 20 7946 0958"
    }"#;
    let expected = [
        ("/caller_id", "not_a_phone_number"),
        ("/loan_amount", "not_an_amount"),
        ("/customer_name", "wrong_type"),
        ("/details/loan_reason", "exponent"),
        ("/details/job_title", "control_character"),
        ("/status", "wrong_type"),
        ("/had_late_payment", "not_a_boolean"),
    ];
    assert_eq!(lead(body), Err(expected.map(|(field, code)| (field.to_owned(), code)).to_vec()));
}

#[test]
fn unknown_fields_are_named_with_their_object() {
    let body = with(
        r#", "\ufeffemail": "a@b.c", " email": 1, "details": {"shoe size": 9, "hat_size": {"unknown": 7}, "caller_id": 1}"#,
    );
    let parsed = ParsedLead::parse(body.as_bytes()).unwrap();
    assert!(parsed.lead.is_ok());
    assert_eq!(parsed.ignored.to_string(), "email, details.hat_size, details.caller_id, +1");
}

#[test]
fn a_body_that_is_not_an_object_is_malformed() {
    let malformed = |body: &[u8]| ParsedLead::parse(body).unwrap_err();
    for body in ["[]", "1", "null", "\"{}\"", "true"] {
        assert_eq!(malformed(body.as_bytes()), Malformed::NotAnObject, "{body}");
    }
    for empty in [&b""[..], "\u{feff}".as_bytes()] {
        assert_eq!(malformed(empty), Malformed::Empty);
    }
    assert_eq!(malformed(b" "), Malformed::NotJson { line: 1, column: 1 });
    assert_eq!(malformed(b"{\n  \"caller_id\": 650123,,\n"), Malformed::NotJson { line: 2, column: 23 });
    assert_eq!(malformed(b"{} {}"), Malformed::NotJson { line: 1, column: 4 });
    assert_eq!(malformed(b"{\"a\": \"\xff\"}"), Malformed::NotUtf8(7));
    assert_eq!(malformed(b"{\"caller_id\": 0123}").to_string(), "is not JSON at line 1, column 16");
}

#[test]
fn a_field_name_that_is_not_unicode_is_refused() {
    assert!(matches!(ParsedLead::parse(br#"{"\ud800": 1}"#), Err(Malformed::NotJson { .. })));
    assert_eq!(lead(&with(r#", "details": {"\ud800": 1}"#)), fault("/details", "broken_text"));
    let body = with(r#", "details": {"\ud800": 1, "status": []}"#);
    let faults = ParsedLead::parse(body.as_bytes()).unwrap().lead.unwrap_err();
    let named: Vec<_> = faults.iter().map(|fault| (fault.field.as_str(), fault.kind.code())).collect();
    assert_eq!(named, [("/details", "broken_text"), ("/details/status", "wrong_type")]);
}

#[test]
fn a_lead_does_not_print_its_values() {
    let body = with(r#", "details": {"job_title": "programmer", "had_late_payment": true}"#);
    let lead = ParsedLead::parse(body.as_bytes()).unwrap().lead.unwrap();
    let printed = format!("{lead:?}");
    for value in ["650123", "4000", "Ann", "programmer", "true"] {
        assert!(!printed.contains(value), "{value} in {printed}");
    }
}
