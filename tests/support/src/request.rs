//! Requests as Infinity sends them, and as API Gateway passes them on.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{ACCOUNT, KEY, fakes::api_gateway};

/// Letters that occur only in what the tests send as personal data, so that logs can be searched for them.
pub const LETTERS: &str = "zqxjkvwyp";
/// As [`LETTERS`], for fields of digits.
pub const DIGITS: &str = "84739";
/// A lead with the required fields alone.
pub const LEAD: &str = r#"{"caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann Zqxjkvwyp","details":{}}"#;
/// The id that API Gateway gives to every request here.
pub const REQUEST_ID: &str = "JKJaXmPLvHcESHA=";

/// A text field of `details`.
pub struct TextField {
    /// AI Rudder's name for it.
    pub name: &'static str,
    /// Its correct spellings, where AI Rudder's is none.
    pub aliases: &'static [&'static str],
    /// Whether it counts something or gives years: a string that is a number has one form then.
    pub counts: bool,
}

/// The text fields of `details`, in the contract's order.
pub const TEXT_FIELDS: [TextField; 13] = [
    text("loan_reason"),
    text("job_title"),
    text("company_name"),
    count("years_of_working", &[]),
    text("pay_type"),
    text("next_pay_date"),
    text("pay_time_of_day"),
    count("number_of_back_account", &["number_of_bank_account", "number_of_bank_accounts"]),
    count("years_of_deposit_bank_account", &[]),
    count("numbers_of_loan", &["number_of_loan", "number_of_loans"]),
    count("successful_payday_loan", &["successful_payday_loans"]),
    count("year_of_residence", &["years_of_residence"]),
    text("status"),
];

const fn text(name: &'static str) -> TextField {
    TextField { name, aliases: &[], counts: false }
}

const fn count(name: &'static str, aliases: &'static [&'static str]) -> TextField {
    TextField { name, aliases, counts: true }
}

/// One HTTP request.
#[derive(Clone)]
pub struct Request {
    method: &'static str,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// A valid post of [`LEAD`].
    pub fn lead() -> Self {
        Self::post(LEAD)
    }

    /// A valid post of 10 KB, more than fits into the smallest receive buffer of a socket.
    pub fn large_lead() -> Self {
        let details: Vec<_> =
            TEXT_FIELDS.iter().map(|field| format!(r#""{}":"{}""#, field.name, "🙂".repeat(200))).collect();
        Self::post(LEAD.replace("{}", &format!("{{{}}}", details.join(","))))
    }

    /// A post of this body, valid in everything else.
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self { method: "POST", path: String::new(), headers, body: body.into() }.account(ACCOUNT).key(KEY)
    }

    /// With another method.
    pub fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    /// To another path.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// To another account.
    pub fn account(self, account: &str) -> Self {
        self.path(format!("/v1/accounts/{account}/leads"))
    }

    /// To another route of the account: `validate` or `status`.
    pub fn action(self, action: &str) -> Self {
        let path = format!("{}/{action}", self.path);
        self.path(path)
    }

    /// With another body.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"));
        self
    }

    /// With another API key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With an idempotency key.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The event that API Gateway makes of it.
    pub fn event(&self) -> String {
        api_gateway::event(self.method, &self.path, &self.headers, &self.body, REQUEST_ID).to_string()
    }
}
