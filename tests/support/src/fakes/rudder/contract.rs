//! The request body that AI Rudder documents, and nothing else.

use std::{fmt, marker::PhantomData, num::NonZeroU64};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Whether AI Rudder would accept this body.
pub fn check_contract(body: &[u8]) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let Lead { .. } = object(&mut json)?;
    json.end()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "reading a field is what checks it")]
struct Lead {
    caller_id: CallerId,
    loan_amount: NonZeroU64,
    customer_name: Text,
    #[serde(deserialize_with = "object")]
    details: Details,
}

// No `Option`: serde would take `null` for one.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Details {
    loan_reason: Text,
    job_title: Text,
    company_name: Text,
    years_of_working: Text,
    pay_type: Text,
    next_pay_date: Text,
    pay_time_of_day: Text,
    number_of_back_account: Text,
    years_of_deposit_bank_account: Text,
    numbers_of_loan: Text,
    successful_payday_loan: Text,
    had_late_payment: bool,
    year_of_residence: Text,
    status: Text,
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct CallerId;

impl TryFrom<u64> for CallerId {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        match number {
            10_000_000_000..=19_999_999_999 => Ok(Self),
            _ => Err("caller_id must be 1 and ten digits"),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(try_from = "String")]
struct Text;

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Err("a string must not be empty");
        }
        Ok(Self)
    }
}

/// A derived struct would take an array of its fields' values as well.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(fields))
        }
    }

    deserializer.deserialize_map(Object(PhantomData))
}
