//! The body of a push: the contract's fields, in its order and spelling.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::lead::Lead;

/// The JSON that AI Rudder receives. The same lead gives the same bytes.
#[must_use]
pub fn payload(lead: &Lead<'_>) -> Vec<u8> {
    // Enough for most leads, so that the buffer does not grow.
    let mut json = Vec::with_capacity(1024);
    // Serializing strings and integers into memory cannot fail.
    let _ = serde_json::to_writer(&mut json, &Payload(lead));
    json
}

struct Payload<'a>(&'a Lead<'a>);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(lead) = self;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("caller_id", &lead.caller_id.as_integer())?;
        map.serialize_entry("loan_amount", &lead.loan_amount.dollars())?;
        map.serialize_entry("customer_name", lead.customer_name.as_str())?;
        map.serialize_entry("details", &Details(lead))?;
        map.end()
    }
}

struct Details<'a>(&'a Lead<'a>);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(lead) = self;
        let mut map = serializer.serialize_map(None)?;
        for (detail, text) in &lead.texts {
            map.serialize_entry(detail.wire_name(), text.as_str())?;
        }
        if let Some(flag) = &lead.had_late_payment {
            map.serialize_entry("had_late_payment", &flag.as_bool())?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::ParsedLead;

    fn sent(body: &str) -> String {
        String::from_utf8(payload(&ParsedLead::parse(body.as_bytes()).unwrap().lead.unwrap())).unwrap()
    }

    #[test]
    fn every_field_has_the_contracts_name_and_type() {
        let body = r#"{
            "caller_id": "650-123-1234", "loan_amount": "$4,000", "first_name": "Ann", "status": "new",
            "years_of_residence": 10, "had_late_payment": "no", "successful_payday_loans": 1, "number_of_loans": 1,
            "years_of_deposit_bank_account": 10, "number_of_bank_accounts": 3, "pay_time_of_day": "Midnight",
            "next_pay_date": "Friday", "pay_type": "biweekly", "years_of_working": 2.5, "company_name": "AI Rudder",
            "job_title": "programmer", "loan_reason": "buy \"car\""
        }"#;
        assert_eq!(
            sent(body),
            concat!(
                r#"{"caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann","details":{"#,
                r#""loan_reason":"buy \"car\"","job_title":"programmer","company_name":"AI Rudder","#,
                r#""years_of_working":"2.5","pay_type":"biweekly","next_pay_date":"Friday","#,
                r#""pay_time_of_day":"Midnight","number_of_back_account":"3","years_of_deposit_bank_account":"10","#,
                r#""numbers_of_loan":"1","successful_payday_loan":"1","year_of_residence":"10","status":"new","#,
                r#""had_late_payment":false}}"#
            )
        );
    }

    #[test]
    fn a_lead_without_details_has_an_empty_object() {
        assert_eq!(
            sent(r#"{"caller_id": 6501231234, "loan_amount": 1, "customer_name": "Ann", "details": {"status": null}}"#),
            r#"{"caller_id":16501231234,"loan_amount":1,"customer_name":"Ann","details":{}}"#
        );
    }

    #[test]
    fn a_payload_parses_to_itself() {
        let once = sent(
            r#"{"caller_id": "6501231234", "loan_amount": 4000.0, "customer_name": " Ann ", "number_of_loan": 2}"#,
        );
        assert_eq!(sent(&once), once);
    }
}
