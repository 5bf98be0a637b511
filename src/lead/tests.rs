//! Whole request bodies.

use super::*;

/// Parses a body. Returns the lead's fields as text, or its faults.
fn lead(body: &str) -> Result<String, Vec<(String, &'static str)>> {
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
fn with(rest: &str) -> String {
    format!(r#"{{"caller_id": 6501231234, "loan_amount": 4000, "customer_name": "Ann"{rest}}}"#)
}

fn fault<T>(field: &str, code: &'static str) -> Result<T, Vec<(String, &'static str)>> {
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
fn a_repeated_field_with_equal_values_is_accepted() {
    for rest in [
        r#", "details": {}, "caller_id": "+1 (650) 123-1234""#,
        r#", "details": {}, "first_name": " Ann ""#,
        r#", "details": {}, "loan_amount": "$4,000.00""#,
        r#", "details": {"had_late_payment": false}, "had_late_payment": "no""#,
        r#", "details": {"number_of_back_account": "3", "number_of_bank_accounts": 3}"#,
        r#", "details": {"status": ""}, "status": "new""#,
        r#", "details": {"years_of_working": 10, "number_of_loans": "2.50"}, "years_of_working": 10.0, "numbers_of_loan": 2.5"#,
        r#", "details": {"year_of_residence": "-0.0", "years_of_residence": 0}"#,
        r#", "details": {"pay_time_of_day": 10.10}, "pay_time_of_day": 10.1"#,
    ] {
        assert!(lead(&with(rest)).is_ok(), "{rest}");
    }
}

#[test]
fn a_repeated_field_with_different_values_is_a_conflict() {
    for (rest, place) in [
        (r#", "details": {}, "caller_id": 6501231235"#, "/caller_id"),
        (r#", "details": {}, "first_name": "Bob""#, "/first_name"),
        (r#", "details": {}, "loan_amount": 4001"#, "/loan_amount"),
        (r#", "details": {"had_late_payment": false}, "had_late_payment": true"#, "/had_late_payment"),
        (
            r#", "details": {"number_of_back_account": "3", "number_of_bank_accounts": 4}"#,
            "/details/number_of_bank_accounts",
        ),
        (r#", "status": "new", "details": {"status": "old"}"#, "/details/status"),
        (r#", "years_of_working": 10, "details": {"years_of_working": 10.5}"#, "/details/years_of_working"),
        (r#", "pay_time_of_day": "10.10", "details": {"pay_time_of_day": "10.1"}"#, "/details/pay_time_of_day"),
    ] {
        assert_eq!(lead(&with(rest)), fault(place, "conflict"), "{rest}");
    }
}

#[test]
fn a_conflict_names_the_first_place() {
    let body = with(r#", "status": "new", "details": {"status": "old"}"#);
    let faults = ParsedLead::parse(body.as_bytes()).unwrap().lead.unwrap_err();
    assert_eq!(
        serde_json::to_string(&faults).unwrap(),
        r#"[{"field":"/details/status","code":"conflict","message":"is given more than once with different values, first at /status"}]"#
    );
}

#[test]
fn a_valid_value_does_not_hide_a_fault_of_the_same_field() {
    assert_eq!(lead(&with(r#", "details": {}, "first_name": 7"#)), fault("/first_name", "wrong_type"));
    assert_eq!(lead(&with(r#", "details": {}, "first_name": "12""#)), fault("/first_name", "no_letter"));
}

#[test]
fn a_blank_value_in_addition_to_a_full_one_is_not_given() {
    let expected = r#"16501231234 4000 Ann ["Status=new"] Some(true)"#;
    let full = r#", "details": {"status": "new", "had_late_payment": true}"#;
    for blank in [
        r#", "first_name": """#,
        r#", "first_name": "\n \u200b&nbsp;""#,
        r#", "first_name": null"#,
        r#", "first_name": "N/A""#,
        r#", "first_name": "{{contact.firstname}}", "first_name": "-""#,
        r#", "caller_id": "", "loan_amount": " ""#,
        r#", "status": "n/a", "had_late_payment": "unknown""#,
        r#", "status": "", "had_late_payment": """#,
        r#", "details": {"status": "—", "had_late_payment": "none"}"#,
    ] {
        assert_eq!(lead(&with(&format!("{full}{blank}"))).as_deref(), Ok(expected), "{blank} last");
        let first = with(full).replacen('{', &format!("{{{},", blank.trim_start_matches(',')), 1);
        assert_eq!(lead(&first).as_deref(), Ok(expected), "{blank} first");
    }
}

#[test]
fn a_field_with_only_blank_values_is_a_fault() {
    let body = r#"{"caller_id": "", "loan_amount": " ", "loan_amount": "", "customer_name": "", "first_name": "N/A", "details": {}}"#;
    let expected = [
        ("/caller_id", "empty"),
        ("/loan_amount", "empty"),
        ("/customer_name", "empty"),
        ("/first_name", "placeholder"),
    ];
    assert_eq!(lead(body), Err(expected.map(|(field, code)| (field.to_owned(), code)).to_vec()));
    let body = r#"{"caller_id": "", "caller_id": 0, "loan_amount": 4000, "customer_name": "Ann", "details": {}}"#;
    let expected = [("/caller_id", "empty"), ("/caller_id", "not_a_phone_number")];
    assert_eq!(lead(body), Err(expected.map(|(field, code)| (field.to_owned(), code)).to_vec()));
}

#[test]
fn an_empty_list_is_an_empty_details_object() {
    for (rest, texts) in [
        (r#", "details": []"#, "[]"),
        (r#", "details": [ ]"#, "[]"),
        (r#", "details": [], "status": "new""#, r#"["Status=new"]"#),
        (r#", "details": [], "details": {"status": "new"}"#, r#"["Status=new"]"#),
    ] {
        assert_eq!(lead(&with(rest)).unwrap(), format!("16501231234 4000 Ann {texts} None"), "{rest}");
    }
    for details in ["[[]]", "[{}]", "[\"status\"]", "\"\"", "\"{}\"", "0", "false"] {
        assert_eq!(lead(&with(&format!(r#", "details": {details}"#))), fault("/details", "wrong_type"), "{details}");
    }
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
