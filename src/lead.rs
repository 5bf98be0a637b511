//! A lead, read from what Infinity posts: lenient in form, strict in meaning.
//!
//! [`Reading::of`] looks at a body once and comes back with either a whole [`Lead`] or every fault of it, and with the
//! names of the fields it did not know.

mod amount;
mod area_code;
mod fault;
mod field;
mod flag;
mod ignored;
mod json;
mod name;
mod personal;
mod phone;
mod text;

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{error::Category, value::RawValue};

pub(crate) use self::json::Name as MemberName;
pub use self::{
    amount::Amount,
    fault::{Fault, FaultKind, Faults},
    field::Detail,
    flag::Flag,
    ignored::Ignored,
    name::Name,
    phone::Phone,
    text::Text,
};
use self::{
    field::{Field, Place},
    json::{Json, Members},
};

/// A consumer who asked for a loan, and whom the robot may telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead<'a> {
    /// Whom to call.
    pub caller_id: Phone,
    /// How much the consumer asked for.
    pub loan_amount: Amount,
    /// How to address the consumer.
    pub customer_name: Name,
    /// What is known already, in the contract's order, each field once.
    pub texts: Vec<(Detail, Text<'a>)>,
    /// Whether the consumer ever paid late.
    pub had_late_payment: Option<Flag>,
}

/// What a body turned out to be.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The lead, or all that is wrong with it.
    pub lead: Result<Lead<'a>, Faults>,
    /// The fields that aren't forwarded because nobody knows them.
    pub ignored: Ignored,
}

/// A body that is no JSON object. The message names the place, not what is there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Marked as base64, and isn't.
    #[error("the body is marked as base64 and is not")]
    NotBase64,
    /// Not UTF-8.
    #[error("the body is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// Not JSON.
    #[error("the body is not JSON at line {line}, column {column}")]
    NotJson {
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

impl<'a> Reading<'a> {
    /// Reads a body: UTF-8 JSON, with or without a byte order mark.
    pub fn of(body: &'a [u8]) -> Result<Self, Malformed> {
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

/// A lead while its members are read.
#[derive(Default)]
struct Draft<'a> {
    caller_id: Slot<'a, Phone>,
    loan_amount: Slot<'a, Amount>,
    customer_name: Slot<'a, Name>,
    texts: BTreeMap<Detail, Slot<'a, Text<'a>>>,
    had_late_payment: Slot<'a, Flag>,
    /// Whether there is a `details` object, or a field of it at the top level.
    has_details: bool,
    details_fault: Option<FaultKind>,
    ignored: Ignored,
}

impl<'a> Draft<'a> {
    fn read(&mut self, members: Members<'a>) {
        for (MemberName(name), value) in members.0 {
            match (name.as_ref(), Field::at_top_level(&name)) {
                ("details", _) => self.read_details(value),
                (_, Some(field)) => self.read_field(field, Place::top(name), value),
                (name, None) => self.ignored.add("", name),
            }
        }
    }

    fn read_details(&mut self, value: &'a RawValue) {
        match Json::from(value) {
            Json::Null => {}
            Json::Object(object) => {
                self.has_details = true;
                // Its syntax was checked with the body's, but a name in it may be half a surrogate pair.
                let Ok(Members::<&RawValue>(members)) = serde_json::from_str(object.get()) else {
                    self.details_fault = Some(FaultKind::BrokenText);
                    return;
                };
                for (name, value) in members {
                    match Json::from(name) {
                        Json::Text(name) => self.read_detail(name, value),
                        _ => self.details_fault = Some(FaultKind::BrokenText),
                    }
                }
            }
            _ => self.details_fault = Some(FaultKind::WrongType("an object")),
        }
    }

    fn read_detail(&mut self, name: Cow<'a, str>, value: &'a RawValue) {
        match Field::in_details(&name) {
            Some(field) => self.read_field(field, Place::in_details(name), value),
            None => self.ignored.add("details.", &name),
        }
    }

    fn read_field(&mut self, field: Field, place: Place<'a>, value: &'a RawValue) {
        let json = Json::from(value);
        match field {
            Field::CallerId => self.caller_id.fill(place, Phone::read(&json)),
            Field::LoanAmount => self.loan_amount.fill(place, Amount::read(&json)),
            Field::CustomerName => self.customer_name.fill(place, Name::read(&json)),
            Field::Text(detail) => {
                self.has_details = true;
                self.texts.entry(detail).or_default().fill(place, Text::read(detail, json));
            }
            Field::HadLatePayment => {
                self.has_details = true;
                self.had_late_payment.fill(place, Flag::read(&json));
            }
        }
    }

    fn finish(self) -> Reading<'a> {
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
        Reading { lead, ignored: self.ignored }
    }
}

/// A field's value, wherever and however often it is given.
struct Slot<'a, T> {
    /// Where it was given first, and what.
    given: Option<(Place<'a>, T)>,
    faults: Faults,
}

impl<T> Default for Slot<'_, T> {
    fn default() -> Self {
        Self { given: None, faults: Faults::new() }
    }
}

impl<'a, T: PartialEq> Slot<'a, T> {
    /// Takes what stands at one place. The same said again is no fault; something else is.
    fn fill(&mut self, place: Place<'a>, read: Result<Option<T>, FaultKind>) {
        match read {
            Err(kind) => self.note(kind.at(&place)),
            Ok(None) => {}
            Ok(Some(value)) => match &self.given {
                None => self.given = Some((place, value)),
                Some((_, first)) if *first == value => {}
                Some((first, _)) => self.note(FaultKind::Conflict(first.to_string()).at(&place)),
            },
        }
    }

    /// Notes a fault once, however often a sender repeats it: else a small body could ask for a large answer.
    fn note(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn optional(self, faults: &mut Faults) -> Option<T> {
        faults.extend(self.faults);
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
