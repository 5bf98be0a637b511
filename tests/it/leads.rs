//! The table of fields, row by row, from what Infinity posts to the body that AI Rudder receives. The forms that each
//! field takes and refuses are tested one by one beside its type; here is that nothing is lost on the way.

use crate::{
    request::{Request, TEXTS},
    stage::Stage,
};

/// The body that AI Rudder receives, or the faults that the sender is told.
async fn sent(body: &str) -> Result<String, Vec<String>> {
    let stage = Stage::start().await;
    let answer = stage.serve(&Request::post(body).event()).await;
    let received = stage.rudder.take_received();
    match received.as_slice() {
        [push] => {
            assert!(push.accepted, "AI Rudder refused {}", push.body);
            Ok(push.body.clone())
        }
        [] => {
            let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            let faults = answer["body"]["fields"].as_array().unwrap().iter();
            let pair = |fault: &serde_json::Value| {
                format!("{} {}", fault["field"].as_str().unwrap(), fault["code"].as_str().unwrap())
            };
            Err(faults.map(pair).collect())
        }
        _ => panic!("{} pushes", received.len()),
    }
}

fn lead(caller_id: &str, amount: &str, name: &str, details: &str) -> String {
    format!(r#"{{"caller_id":{caller_id},"loan_amount":{amount},"customer_name":{name},"details":{details}}}"#)
}

#[tokio::test]
async fn caller_id() {
    for accepted in ["6501231234", "16501231234", r#""+1 (650) 123-1234""#, r#""tel:650.123.1234""#] {
        let body = sent(&lead(accepted, "4000", r#""Ann""#, "{}")).await;
        assert_eq!(body.as_deref(), Ok(lead("16501231234", "4000", r#""Ann""#, "{}").as_str()), "{accepted}");
    }
    for (refused, code) in [
        (r#""650-CALL-NOW""#, "not_a_phone_number"),
        (r#""6501231234 x1""#, "not_a_phone_number"),
        (r#""+44 20 7946 0958""#, "not_a_phone_number"),
        ("1501231234", "not_a_phone_number"),
        ("4161231234", "area_code_abroad"),
        ("8761231234", "area_code_abroad"),
        ("9001231234", "area_code_of_a_service"),
        ("8881231234", "area_code_of_a_service"),
        ("9111231234", "area_code_of_a_service"),
        ("5001231234", "area_code_of_a_service"),
        ("7001231234", "area_code_of_a_service"),
        ("true", "wrong_type"),
        ("null", "missing"),
    ] {
        let faults = sent(&lead(refused, "4000", r#""Ann""#, "{}")).await.unwrap_err();
        assert_eq!(faults, [format!("/caller_id {code}")], "{refused}");
    }
}

#[tokio::test]
async fn loan_amount() {
    for accepted in ["4000", "4000.0", r#""$4,000.00""#, r#"" 4000 USD ""#] {
        let body = sent(&lead("16501231234", accepted, r#""Ann""#, "{}")).await;
        assert_eq!(body.as_deref(), Ok(lead("16501231234", "4000", r#""Ann""#, "{}").as_str()), "{accepted}");
    }
    for (refused, code) in [
        ("4000.5", "not_whole_dollars"),
        ("-1", "out_of_range"),
        ("0", "out_of_range"),
        ("10000001", "out_of_range"),
        (r#""4k""#, "not_an_amount"),
        (r#""1e3""#, "not_an_amount"),
        (r#""1.000,50""#, "not_an_amount"),
        (r#""3000-4000""#, "not_an_amount"),
        (r#""3000 4000""#, "not_an_amount"),
        ("[4000]", "wrong_type"),
    ] {
        let faults = sent(&lead("16501231234", refused, r#""Ann""#, "{}")).await.unwrap_err();
        assert_eq!(faults, [format!("/loan_amount {code}")], "{refused}");
    }
}

#[tokio::test]
async fn customer_name() {
    let body = sent(&lead("16501231234", "4000", r#""  Ann \t Lee ""#, "{}")).await;
    assert_eq!(body, Ok(lead("16501231234", "4000", r#""Ann Lee""#, "{}")));
    let body = sent(r#"{"caller_id":16501231234,"loan_amount":4000,"first_name":"Ann","details":{}}"#).await;
    assert_eq!(body, Ok(lead("16501231234", "4000", r#""Ann""#, "{}")));
    let too_long = format!("\"{}\"", "a".repeat(101));
    for (refused, code) in [
        ("null", "missing"),
        (r#""""#, "empty"),
        (too_long.as_str(), "too_long"),
        (r#""A\u0000""#, "control_character"),
        (r#""12""#, "no_letter"),
        ("12", "wrong_type"),
    ] {
        let faults = sent(&lead("16501231234", "4000", refused, "{}")).await.unwrap_err();
        assert_eq!(faults, [format!("/customer_name {code}")], "{refused}");
    }
}

#[tokio::test]
async fn every_text_field_of_details_under_every_spelling_flat_and_nested() {
    for (theirs, corrected) in TEXTS {
        let expected = lead("16501231234", "4000", r#""Ann""#, &format!(r#"{{"{theirs}":"84739.5"}}"#));
        for name in corrected.iter().chain([&theirs]) {
            for value in ["84739.5", r#"" 84739.5 ""#] {
                let nested = lead("16501231234", "4000", r#""Ann""#, &format!(r#"{{"{name}":{value}}}"#));
                assert_eq!(sent(&nested).await.as_ref(), Ok(&expected), "{name} nested");
                let flat = nested.replace(r#""details":{"#, "").replace("}}", "}");
                assert_eq!(sent(&flat).await.as_ref(), Ok(&expected), "{name} flat");
            }
            for (refused, code) in [("true", "wrong_type"), ("1e3", "exponent"), (r#""a\nb""#, "control_character")] {
                let nested = lead("16501231234", "4000", r#""Ann""#, &format!(r#"{{"{name}":{refused}}}"#));
                assert_eq!(sent(&nested).await, Err(vec![format!("/details/{name} {code}")]));
            }
        }
        for left_out in ["null", r#""""#, r#"" ""#] {
            let nested = lead("16501231234", "4000", r#""Ann""#, &format!(r#"{{"{theirs}":{left_out}}}"#));
            assert_eq!(sent(&nested).await, Ok(lead("16501231234", "4000", r#""Ann""#, "{}")));
        }
    }
}

#[tokio::test]
async fn had_late_payment() {
    for (given, expected) in [("true", "true"), ("0", "false"), (r#""Yes""#, "true"), (r#""n""#, "false")] {
        let details = |value: &str| format!(r#"{{"had_late_payment":{value}}}"#);
        let body = sent(&lead("16501231234", "4000", r#""Ann""#, &details(given))).await;
        assert_eq!(body, Ok(lead("16501231234", "4000", r#""Ann""#, &details(expected))), "{given}");
    }
    for left_out in ["null", r#""""#] {
        let body =
            sent(&lead("16501231234", "4000", r#""Ann""#, &format!(r#"{{"had_late_payment":{left_out}}}"#))).await;
        assert_eq!(body, Ok(lead("16501231234", "4000", r#""Ann""#, "{}")));
    }
    let faults = sent(&lead("16501231234", "4000", r#""Ann""#, r#"{"had_late_payment":"maybe"}"#)).await;
    assert_eq!(faults, Err(vec!["/details/had_late_payment not_a_boolean".to_owned()]));
}

#[tokio::test]
async fn details() {
    let required = r#""caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann""#;
    let plain = lead("16501231234", "4000", r#""Ann""#, "{}");
    assert_eq!(sent(&format!(r#"{{{required},"details":{{}}}}"#)).await, Ok(plain.clone()));
    assert_eq!(sent(&format!(r#"{{{required},"status":null}}"#)).await, Ok(plain));
    assert_eq!(sent(&format!("{{{required}}}")).await, Err(vec!["/details missing".to_owned()]));
    assert_eq!(sent(&format!(r#"{{{required},"details":[]}}"#)).await, Err(vec!["/details wrong_type".to_owned()]));
}
