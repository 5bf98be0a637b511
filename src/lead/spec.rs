//! The specification of the fields, for the reference documentation.

use strum::VariantArray;

use super::{Amount, Detail, FaultCode, Flag, Name, Phone, Text};

/// The forms of a field's value.
#[derive(Debug, Clone, Copy)]
pub struct Forms {
    /// The forms that are accepted.
    pub accepted: &'static str,
    /// What AI Rudder receives.
    pub becomes: &'static str,
    /// Examples of what is refused.
    pub refused: &'static str,
    /// The codes of the faults that a value can have.
    pub faults: &'static [FaultCode],
}

/// A field of a lead.
#[derive(Debug)]
pub struct FieldSpec {
    /// The field's names, AI Rudder's first.
    pub names: &'static [&'static str],
    /// Whether a lead must have it.
    pub required: bool,
    /// Whether it is a field of `details`, which may also be at the top level.
    pub in_details: bool,
    /// The forms of its value.
    pub forms: Forms,
}

const DETAILS: Forms = Forms {
    accepted: "object, which may be empty, or `[]`; its fields may also be at the top level; `null` counts as not given",
    becomes: "one `details` object",
    refused: "anything else; missing, if none of its fields is at the top level",
    faults: &[FaultCode::Missing, FaultCode::WrongType, FaultCode::BrokenText],
};

/// All fields, in the contract's order.
#[must_use]
pub fn fields() -> Vec<FieldSpec> {
    let top = |names, forms| FieldSpec { names, required: true, in_details: false, forms };
    let detail = |names, forms| FieldSpec { names, required: false, in_details: true, forms };
    let texts = Detail::VARIANTS.iter().map(|field| detail(field.names(), Text::forms(*field)));
    [
        top(&["caller_id"], Phone::FORMS),
        top(&["loan_amount"], Amount::FORMS),
        top(&["customer_name", "first_name"], Name::FORMS),
        top(&["details"], DETAILS),
    ]
    .into_iter()
    .chain(texts)
    .chain([detail(&["had_late_payment"], Flag::FORMS)])
    .collect()
}
