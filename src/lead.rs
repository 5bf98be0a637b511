//! A lead, parsed from the request body: lenient in form, strict in meaning.
//!
//! [`ParsedLead::parse`] reads a body once. It returns a [`Lead`] or all of its faults, and the names of the unknown
//! fields.

mod amount;
mod area_code;
mod clean;
mod draft;
mod fault;
mod field;
mod flag;
mod form;
mod ignored;
mod json;
mod name;
mod number;
mod personal;
mod phone;
mod placeholder;
mod spec;
mod text;

use serde_json::error::Category;

pub(crate) use self::personal::Personal;
pub use self::{
    amount::Amount,
    area_code::AreaCode,
    fault::{Fault, FaultCode, FaultKind, Faults},
    field::Detail,
    flag::Flag,
    form::FormFault,
    ignored::Ignored,
    name::Name,
    phone::Phone,
    spec::{FieldSpec, Forms, fields},
    text::Text,
};
use self::{
    draft::Draft,
    json::{Json, Members},
};

/// A consumer who asked for a loan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead<'a> {
    /// The consumer's phone number.
    pub caller_id: Phone,
    /// The amount of the loan.
    pub loan_amount: Amount,
    /// The consumer's name.
    pub customer_name: Name,
    /// The text fields of `details`, in the contract's order, each at most once.
    pub texts: Vec<(Detail, Text<'a>)>,
    /// Whether the consumer has ever paid late.
    pub had_late_payment: Option<Flag>,
}

/// The result of parsing a body that is a JSON object.
#[derive(Debug)]
pub struct ParsedLead<'a> {
    /// The lead, or all of its faults.
    pub lead: Result<Lead<'a>, Faults>,
    /// The unknown fields, which are not forwarded.
    pub ignored: Ignored,
}

/// A body that is not a JSON object; nothing was sent. The message contains the place and never the content.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The body is empty.
    #[error("is empty, which only a status request with an Idempotency-Key allows")]
    Empty,
    /// The body is not UTF-8 from this byte on.
    #[error("is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// The body is not JSON.
    #[error("is not JSON at line {line}, column {column}")]
    NotJson {
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1.
        column: usize,
    },
    /// The body is JSON, but not an object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// The body begins with `{` under the content type of a form.
    #[error("is JSON, but its content type is that of a form")]
    JsonAsForm,
    /// The body is not a form.
    #[error("is not a form: part {part} {fault}")]
    NotAForm {
        /// The part between two `&`, counted from 1.
        part: usize,
        /// What is wrong with it.
        fault: FormFault,
    },
}

impl<'a> ParsedLead<'a> {
    /// Parses a body: UTF-8 JSON, with or without a byte order mark. Its size was checked at admission.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let body = std::str::from_utf8(body).map_err(|error| Malformed::NotUtf8(error.valid_up_to()))?;
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        if body.is_empty() {
            return Err(Malformed::Empty);
        }
        let members: Members<'a> = serde_json::from_str(body).map_err(|error| match error.classify() {
            Category::Data => Malformed::NotAnObject,
            _ => Malformed::NotJson { line: error.line(), column: error.column() },
        })?;
        let mut draft = Draft::default();
        draft.read(members);
        Ok(draft.finish())
    }

    /// Parses a form (`application/x-www-form-urlencoded`) in UTF-8. Its fields are those of a JSON body, each a string.
    pub fn parse_form(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut draft = Draft::default();
        for (name, value) in form::pairs(body)? {
            draft.read_pair(name, Json::text(value));
        }
        Ok(draft.finish())
    }
}

#[cfg(test)]
mod tests;
