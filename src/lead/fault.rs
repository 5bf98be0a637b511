//! The faults of a lead: a place and a kind, never the value.

use serde::{Serialize, Serializer, ser::SerializeMap};
use strum::{EnumDiscriminants, IntoStaticStr, VariantArray};

use super::field::Place;

/// One fault of a lead, as the caller receives it: `{"field": "/details/job_title", "code": "too_long", "message": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place in the request body, as a JSON pointer (RFC 6901).
    pub field: String,
    /// The kind of the fault.
    pub kind: FaultKind,
}

/// All faults of one lead, in the order of the contract's fields.
pub type Faults = Vec<Fault>;

/// A kind of fault. It displays as the message for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EnumDiscriminants)]
#[strum_discriminants(name(FaultCode), derive(VariantArray, IntoStaticStr), strum(serialize_all = "snake_case"))]
#[strum_discriminants(doc = "The stable name of a kind of fault, for programs.")]
pub enum FaultKind {
    /// A required field is missing or `null`.
    #[error("is required")]
    Missing,
    /// The JSON type is not one that the field accepts.
    #[error("must be {0}")]
    WrongType(&'static str),
    /// A required string is empty or only white space.
    #[error("must not be empty")]
    Empty,
    /// The text stands for no value.
    #[error("must not be a placeholder, such as \"N/A\", or a template that was not filled in")]
    Placeholder,
    /// The text exceeds this number of Unicode characters.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// The text contains a control character.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// The string contains an escape that is not a Unicode character, such as half of a surrogate pair.
    #[error("contains an escape that is not a Unicode character")]
    BrokenText,
    /// The name has no letter.
    #[error("must contain at least one letter")]
    NoLetter,
    /// The value is not 10 digits, or 11 that begin with 1.
    #[error("must be a US phone number: 10 digits, or 11 beginning with 1, without an extension")]
    NotAPhoneNumber,
    /// The area code belongs to Canada, Bermuda or a Caribbean country.
    #[error("has an area code outside the US and its territories")]
    AreaCodeAbroad,
    /// The area code is not a consumer's: premium, toll-free, N11, personal or carrier.
    #[error("has an area code that no consumer has")]
    AreaCodeOfAService,
    /// The value is not an unambiguous amount.
    #[error("must be whole US dollars, such as 4000 or \"$4,000.00\"")]
    NotAnAmount,
    /// The amount has cents.
    #[error("must be whole US dollars, without cents")]
    NotWholeDollars,
    /// The amount is out of bounds.
    #[error("must be from 1 to 10,000,000 US dollars")]
    OutOfRange,
    /// A number in a text field has an exponent.
    #[error("must be a string, or a number without an exponent")]
    Exponent,
    /// The value means neither yes nor no.
    #[error("must be true or false (or 1, 0, yes, no, on, off, t, f, y, n)")]
    NotABoolean,
    /// The field is given twice with different values; contains the pointer of the first.
    #[error("is given more than once with different values, first at {0}")]
    Conflict(String),
}

impl FaultCode {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What the code means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Missing => "A required field is missing or `null`.",
            Self::WrongType => "The JSON type is not one that the field accepts.",
            Self::Empty => "A required string is empty or only white space.",
            Self::Placeholder => {
                "The text stands for no value, such as `N/A`, or is a template that was not filled in."
            }
            Self::TooLong => "The text has too many Unicode characters.",
            Self::ControlCharacter => "The text contains a control character.",
            Self::BrokenText => {
                "The string contains an escape that is not a Unicode character, such as half of a surrogate pair."
            }
            Self::NoLetter => "The name has no letter.",
            Self::NotAPhoneNumber => "The value is not a US phone number: 10 digits, or 11 that begin with 1.",
            Self::AreaCodeAbroad => {
                "The area code is outside the US and its territories: in Canada, Bermuda or the Caribbean."
            }
            Self::AreaCodeOfAService => {
                "The area code is not a consumer's: premium, toll-free, N11, personal or carrier."
            }
            Self::NotAnAmount => "The value is not an unambiguous amount of US dollars.",
            Self::NotWholeDollars => "The amount has cents.",
            Self::OutOfRange => "The amount is not from 1 to 10,000,000 US dollars.",
            Self::Exponent => "A number in a text field has an exponent.",
            Self::NotABoolean => "The value means neither yes nor no.",
            Self::Conflict => "The field is given more than once, with different values.",
        }
    }
}

impl FaultKind {
    /// The stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        FaultCode::from(self).as_str()
    }

    /// Whether the value is there, but stands for none.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Empty | Self::Placeholder)
    }

    /// This fault at a place in the request body.
    pub(super) fn at(self, place: &Place<'_>) -> Fault {
        Fault { field: place.to_string(), kind: self }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("field", &self.field)?;
        map.serialize_entry("code", self.kind.code())?;
        map.serialize_entry("message", &self.kind.to_string())?;
        map.end()
    }
}
