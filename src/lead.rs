//! A lead, parsed from the request body: lenient in form, strict in meaning.
//!
//! [`ParsedLead::parse`] reads a body once. It returns a [`Lead`] or all of its faults, and the names of the unknown
//! fields.

mod amount;
mod area_code;
mod clean;
mod fault;
mod field;
mod flag;
mod ignored;
mod json;
mod name;
mod number;
mod personal;
mod phone;
mod placeholder;
mod spec;
mod text;

use std::collections::BTreeMap;

use serde_json::{error::Category, value::RawValue};

pub use self::{
    amount::Amount,
    fault::{Fault, FaultCode, FaultKind, Faults},
    field::Detail,
    flag::Flag,
    ignored::Ignored,
    name::Name,
    phone::Phone,
    spec::{FieldSpec, Forms, fields},
    text::Text,
};
use self::{
    field::{Field, Place},
    json::{Json, MemberName, Members},
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
    /// It is not UTF-8 from this byte on.
    #[error("is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// It is not JSON.
    #[error("is not JSON at line {line}, column {column}")]
    NotJson {
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1.
        column: usize,
    },
    /// It is JSON, but not an object.
    #[error("is not a JSON object")]
    NotAnObject,
}

impl<'a> ParsedLead<'a> {
    /// Parses a body: UTF-8 JSON, with or without a byte order mark. Its size was checked at admission.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let body = std::str::from_utf8(body).map_err(|error| Malformed::NotUtf8(error.valid_up_to()))?;
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        let members: Members<'a> = serde_json::from_str(body).map_err(|error| match error.classify() {
            Category::Data => Malformed::NotAnObject,
            _ => Malformed::NotJson { line: error.line(), column: error.column() },
        })?;
        let mut draft = Draft::default();
        draft.read(members);
        Ok(draft.finish())
    }
}

/// A lead while its members are parsed.
#[derive(Default)]
struct Draft<'a> {
    caller_id: Slot<'a, Phone>,
    loan_amount: Slot<'a, Amount>,
    customer_name: Slot<'a, Name>,
    texts: BTreeMap<Detail, Slot<'a, Text<'a>>>,
    had_late_payment: Slot<'a, Flag>,
    /// Whether there is a `details` object, or one of its fields at the top level.
    has_details: bool,
    details_fault: Option<FaultKind>,
    ignored: Ignored,
}

impl<'a> Draft<'a> {
    fn read(&mut self, members: Members<'a>) {
        for (name, value) in members.0 {
            match name.find(Field::at_top_level) {
                (Some(field), name) => self.read_field(field, Place::top(name), value),
                (None, name) => self.ignored.add("", &name),
            }
        }
    }

    fn read_details(&mut self, json: &Json<'a>) {
        match json {
            Json::Null => {}
            // An empty map in PHP.
            Json::EmptyArray => self.has_details = true,
            Json::Object(object) => {
                self.has_details = true;
                // The body's syntax is valid, but a name may be half of a surrogate pair.
                let Ok(Members::<&RawValue>(members)) = serde_json::from_str(object.get()) else {
                    self.details_fault = Some(FaultKind::BrokenText);
                    return;
                };
                for (name, value) in members {
                    match MemberName::parse(name).map(|name| name.find(Field::in_details)) {
                        Some((Some(field), name)) => self.read_field(field, Place::in_details(name), value),
                        Some((None, name)) => self.ignored.add("details.", &name),
                        None => self.details_fault = Some(FaultKind::BrokenText),
                    }
                }
            }
            _ => self.details_fault = Some(FaultKind::WrongType("an object")),
        }
    }

    fn read_field(&mut self, field: Field, place: Place<'a>, value: &'a RawValue) {
        let json = Json::from(value);
        match field {
            Field::CallerId => self.caller_id.fill(place, Phone::parse_json(&json)),
            Field::LoanAmount => self.loan_amount.fill(place, Amount::parse_json(&json)),
            Field::CustomerName => self.customer_name.fill(place, Name::parse_json(json)),
            Field::Details => self.read_details(&json),
            Field::Text(detail) => {
                self.has_details = true;
                self.texts.entry(detail).or_default().fill(place, Text::parse_json(detail, json));
            }
            Field::HadLatePayment => {
                self.has_details = true;
                self.had_late_payment.fill(place, Flag::parse_json(&json));
            }
        }
    }

    fn finish(self) -> ParsedLead<'a> {
        let mut faults = Faults::new();
        let caller_id = self.caller_id.required("caller_id", &mut faults);
        let loan_amount = self.loan_amount.required("loan_amount", &mut faults);
        let customer_name = self.customer_name.required("customer_name", &mut faults);
        let missing = (!self.has_details).then_some(FaultKind::Missing);
        faults.extend(self.details_fault.or(missing).map(|kind| kind.at(&Place::top("details"))));
        let texts = self.texts.into_iter().filter_map(|(detail, slot)| Some((detail, slot.optional(&mut faults)?)));
        let texts = texts.collect();
        let had_late_payment = self.had_late_payment.optional(&mut faults);
        let lead = match (caller_id, loan_amount, customer_name) {
            (Some(caller_id), Some(loan_amount), Some(customer_name)) if faults.is_empty() => {
                Ok(Lead { caller_id, loan_amount, customer_name, texts, had_late_payment })
            }
            _ => Err(faults),
        };
        ParsedLead { lead, ignored: self.ignored }
    }
}

/// A field's value, which may be given in several places.
struct Slot<'a, T> {
    /// The first place and value.
    given: Option<(Place<'a>, T)>,
    faults: Faults,
}

impl<T> Default for Slot<'_, T> {
    fn default() -> Self {
        Self { given: None, faults: Faults::new() }
    }
}

impl<'a, T: PartialEq> Slot<'a, T> {
    /// Adds a value. An equal one is accepted, a different one is a fault.
    fn fill(&mut self, place: Place<'a>, read: Result<Option<T>, FaultKind>) {
        match read {
            Err(kind) => self.add_fault(kind.at(&place)),
            Ok(None) => {}
            Ok(Some(value)) => match &self.given {
                None => self.given = Some((place, value)),
                Some((_, first)) if *first == value => {}
                Some((first, _)) => self.add_fault(FaultKind::Conflict(first.to_string()).at(&place)),
            },
        }
    }

    /// Adds a fault once, although the body may repeat it: a small body must not cause a large response.
    fn add_fault(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn optional(mut self, faults: &mut Faults) -> Option<T> {
        if self.given.is_some() {
            // A blank value in addition to a full one is not given.
            self.faults.retain(|fault| !fault.kind.is_blank());
        }
        faults.append(&mut self.faults);
        self.given.map(|(_, value)| value)
    }

    fn required(self, name: &str, faults: &mut Faults) -> Option<T> {
        let missing = self.given.is_none() && self.faults.is_empty();
        faults.extend(missing.then(|| FaultKind::Missing.at(&Place::top(name))));
        self.optional(faults)
    }
}

#[cfg(test)]
mod tests;
