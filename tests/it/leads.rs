//! Leads from the event to AI Rudder. The forms that each field accepts and refuses are tested next to its type, and all of
//! them together in `properties`; here is that nothing is lost on the way under any name.

use serde_json::Value;
use support::{Request, TEXT_FIELDS, TestApp};

/// The body that AI Rudder receives, or the faults in the response.
async fn sent(body: &str) -> Result<String, Vec<String>> {
    let app = TestApp::start().await;
    let response = app.post(&Request::post(body)).await;
    let received = app.rudder.take_received();
    match received.as_slice() {
        [push] => {
            assert!(push.accepted, "AI Rudder refused {}", push.body);
            Ok(push.body.clone())
        }
        [] => {
            let text = |fault: &Value, member| fault[member].as_str().unwrap().to_owned();
            let faults = response.json()["body"]["fields"].as_array().unwrap().clone();
            Err(faults.iter().map(|fault| [text(fault, "field"), text(fault, "code")].join(" ")).collect())
        }
        _ => panic!("{} pushes", received.len()),
    }
}

fn lead(details: &str) -> String {
    format!(r#"{{"caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann","details":{details}}}"#)
}

#[tokio::test]
async fn every_text_field_is_accepted_under_every_name() {
    for field in TEXT_FIELDS {
        let name = field.name;
        let expected = Ok(lead(&format!(r#"{{"{name}":"84739.5"}}"#)));
        for name in field.aliases.iter().chain([&name]) {
            for value in ["84739.5", r#"" 84739.5 ""#] {
                let nested = lead(&format!(r#"{{"{name}":{value}}}"#));
                assert_eq!(sent(&nested).await, expected, "{name} nested");
                let flat = nested.replace(r#""details":{"#, "").replace("}}", "}");
                assert_eq!(sent(&flat).await, expected, "{name} flat");
            }
            for (refused, code) in [("true", "wrong_type"), ("1e3", "exponent"), (r#""a\u0007b""#, "control_character")]
            {
                let nested = lead(&format!(r#"{{"{name}":{refused}}}"#));
                assert_eq!(sent(&nested).await, Err(vec![format!("/details/{name} {code}")]));
            }
        }
        for left_out in ["null", r#""""#, r#"" ""#, r#""n/a""#, r#""{{value}}""#] {
            assert_eq!(sent(&lead(&format!(r#"{{"{name}":{left_out}}}"#))).await, Ok(lead("{}")));
        }
    }
}
