//! Requests as Infinity makes them, and as API Gateway hands them on.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use stand_ins::api_gateway;

use crate::stage::{ACCOUNT, KEY};

/// Letters and digits that stand nowhere but in what the suite sends as personal data, to be searched for in its log.
pub const LETTERS: &str = "zqxjkvwyp";
/// The same for what has to be digits.
pub const DIGITS: &str = "84739";
/// A lead that has nothing but what is required.
pub const LEAD: &str = r#"{"caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann Zqxjkvwyp","details":{}}"#;
/// The text fields of `details`: AI Rudder's name for each, and the corrected ones.
pub const TEXTS: [(&str, &[&str]); 13] = [
    ("loan_reason", &[]),
    ("job_title", &[]),
    ("company_name", &[]),
    ("years_of_working", &[]),
    ("pay_type", &[]),
    ("next_pay_date", &[]),
    ("pay_time_of_day", &[]),
    ("number_of_back_account", &["number_of_bank_account", "number_of_bank_accounts"]),
    ("years_of_deposit_bank_account", &[]),
    ("numbers_of_loan", &["number_of_loan", "number_of_loans"]),
    ("successful_payday_loan", &["successful_payday_loans"]),
    ("year_of_residence", &["years_of_residence"]),
    ("status", &[]),
];
/// The id that API Gateway gives to every request here.
pub const REQUEST_ID: &str = "JKJaXmPLvHcESHA=";

/// One HTTP request.
#[derive(Clone)]
pub struct Request {
    method: &'static str,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// A post of this body, right in everything else.
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {KEY}")).expect("a header")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        Self { method: "POST", path: format!("/v1/accounts/{ACCOUNT}/leads"), headers, body: body.into() }
    }

    /// The same with another method.
    pub fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    /// The same to another path.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// The same to another account.
    pub fn account(self, account: &str) -> Self {
        self.path(format!("/v1/accounts/{account}/leads"))
    }

    /// The same with a header set.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"));
        self
    }

    /// The same with another key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// The same without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The event that API Gateway makes of it.
    pub fn event(&self) -> String {
        api_gateway::event(self.method, &self.path, &self.headers, &self.body, REQUEST_ID).to_string()
    }
}
