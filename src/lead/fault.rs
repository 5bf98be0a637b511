//! What is wrong with a lead: a place and a kind, never the value.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::field::Place;

/// One fault of a lead, as the sender gets it: `{"field": "/details/job_title", "code": "too_long", "message": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it is in the body that was sent, an RFC 6901 pointer.
    pub field: String,
    /// What it is.
    pub kind: FaultKind,
}

/// All faults of one lead, in the order of the contract's fields.
pub type Faults = Vec<Fault>;

/// What can be wrong with a field. The message is meant for the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// A required field isn't there, or is `null`.
    #[error("is required")]
    Missing,
    /// A value of a JSON type that can't be read as this field.
    #[error("must be {0}")]
    WrongType(&'static str),
    /// A required string with nothing but white space in it.
    #[error("must not be empty")]
    Empty,
    /// A string longer than allowed, in Unicode characters.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control character inside a string.
    #[error("must not hold control characters")]
    ControlCharacter,
    /// A string with an escape that stands for no Unicode character.
    #[error("holds an escape that stands for no Unicode character")]
    BrokenText,
    /// A name with no letter in it.
    #[error("must hold at least one letter")]
    NoLetter,
    /// Not ten digits, nor eleven that begin with 1.
    #[error("must be a US phone number: 10 digits, or 11 beginning with 1, without an extension")]
    NotAPhoneNumber,
    /// An area code of Canada or the Caribbean.
    #[error("has an area code that is not in the US or its territories")]
    AreaCodeAbroad,
    /// An area code that no consumer has: premium, toll-free, service, personal or carrier numbers.
    #[error("has an area code that no consumer can have")]
    AreaCodeOfAService,
    /// Not an amount of money in a form that has one meaning.
    #[error("must be whole US dollars, like 4000 or \"$4,000.00\"")]
    NotAnAmount,
    /// An amount with cents.
    #[error("must be whole US dollars, without cents")]
    NotWholeDollars,
    /// An amount out of bounds.
    #[error("must be from 1 to 10,000,000 US dollars")]
    OutOfRange,
    /// A number with an exponent where text is wanted.
    #[error("must be a number without an exponent, or a string")]
    Exponent,
    /// Nothing that means yes or no.
    #[error("must be true or false (or 1, 0, yes, no, t, f, y, n)")]
    NotAFlag,
    /// Given twice, and the two do not say the same. Holds the pointer of the first.
    #[error("is given more than once with different values, first at {0}")]
    Conflict(String),
}

impl FaultKind {
    /// The stable name of this kind of fault, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::WrongType(_) => "wrong_type",
            Self::Empty => "empty",
            Self::TooLong(_) => "too_long",
            Self::ControlCharacter => "control_character",
            Self::BrokenText => "broken_text",
            Self::NoLetter => "no_letter",
            Self::NotAPhoneNumber => "not_a_phone_number",
            Self::AreaCodeAbroad => "area_code_abroad",
            Self::AreaCodeOfAService => "area_code_of_a_service",
            Self::NotAnAmount => "not_an_amount",
            Self::NotWholeDollars => "not_whole_dollars",
            Self::OutOfRange => "out_of_range",
            Self::Exponent => "exponent",
            Self::NotAFlag => "not_a_boolean",
            Self::Conflict(_) => "conflict",
        }
    }

    /// This fault at a place in the sender's body.
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
