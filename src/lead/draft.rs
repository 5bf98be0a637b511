//! A lead while its fields are read, from JSON or from a form.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

use super::{
    Amount, Detail, Fault, FaultKind, Faults, Flag, Ignored, Lead, Name, ParsedLead, Phone, Text,
    field::{Field, Place},
    form::Position,
    json::{Json, MemberName, Members},
};

/// A lead while its members are parsed.
#[derive(Default)]
pub(super) struct Draft<'a> {
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
    pub(super) fn read(&mut self, members: Members<'a>) {
        for (name, value) in members.0 {
            match name.find(Field::at_top_level) {
                (Some(field), name) => self.read_field(field, Place::top(name), value.into()),
                (None, name) => self.ignored.add("", &name),
            }
        }
    }

    /// Reads a field of a form.
    pub(super) fn read_pair(&mut self, name: String, value: Json<'a>) {
        let (field, name) = MemberName(Cow::Owned(name)).find(|name| Position::from(name).field());
        let owned = |name: &str| Cow::Owned(name.to_owned());
        match (field, Position::from(name.as_ref())) {
            // A form cannot express an empty object in another way.
            (Some(Field::Details), _) if value.is_empty() => self.has_details = true,
            (Some(field), Position::Top(name)) => self.read_field(field, Place::top(owned(name)), value),
            (Some(field), Position::InDetails(name)) => self.read_field(field, Place::in_details(owned(name)), value),
            (None, Position::Top(name)) => self.ignored.add("", name),
            (None, Position::InDetails(name)) => self.ignored.add("details.", name),
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
                        Some((Some(field), name)) => self.read_field(field, Place::in_details(name), value.into()),
                        Some((None, name)) => self.ignored.add("details.", &name),
                        None => self.details_fault = Some(FaultKind::BrokenText),
                    }
                }
            }
            _ => self.details_fault = Some(FaultKind::WrongType("an object")),
        }
    }

    fn read_field(&mut self, field: Field, place: Place<'a>, json: Json<'a>) {
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

    /// The lead, or all of its faults.
    pub(super) fn finish(self) -> ParsedLead<'a> {
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
    /// Adds a value. A later value that is equal to the first is accepted; a different one is a fault.
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

    /// Adds a fault once, even if the body repeats it: a small body must not cause a large response.
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
