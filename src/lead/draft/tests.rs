//! Fields that are given several times, or blank.

use crate::lead::{
    ParsedLead,
    tests::{fault, lead, with},
};

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
