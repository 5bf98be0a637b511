//! The names of a lead's fields, in every accepted spelling.

use std::{borrow::Cow, fmt};

use strum::VariantArray;

/// A field of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    CallerId,
    LoanAmount,
    CustomerName,
    Details,
    Text(Detail),
    HadLatePayment,
}

/// Defines the text fields of `details`: each variant with AI Rudder's spelling and its aliases, so that all lists have one
/// source.
macro_rules! details {
    ($($variant:ident = $wire:literal $(| $alias:literal)*,)*) => {
        /// A text field of `details`, in the contract's order. The variants have the correct spelling.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, VariantArray)]
        #[expect(missing_docs, reason = "each variant is the field of its name")]
        pub enum Detail {
            $($variant,)*
        }

        impl Detail {
            /// The field with this name or alias.
            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($wire $(| $alias)* => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// AI Rudder's spelling, which is not always correct.
            pub(crate) fn wire_name(self) -> &'static str {
                match self {
                    $(Self::$variant => $wire,)*
                }
            }

            /// All names, AI Rudder's first.
            #[must_use]
            pub fn names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$wire $(, $alias)*],)*
                }
            }
        }
    };
}

details! {
    LoanReason = "loan_reason",
    JobTitle = "job_title",
    CompanyName = "company_name",
    YearsOfWorking = "years_of_working",
    PayType = "pay_type",
    NextPayDate = "next_pay_date",
    PayTimeOfDay = "pay_time_of_day",
    NumberOfBankAccounts = "number_of_back_account" | "number_of_bank_account" | "number_of_bank_accounts",
    YearsOfDepositBankAccount = "years_of_deposit_bank_account",
    NumberOfLoans = "numbers_of_loan" | "number_of_loan" | "number_of_loans",
    SuccessfulPaydayLoans = "successful_payday_loan" | "successful_payday_loans",
    YearsOfResidence = "year_of_residence" | "years_of_residence",
    Status = "status",
}

impl Detail {
    /// Whether it is a count or a number of years, so that `10` and `10.0` mean the same.
    #[must_use]
    pub fn is_count_or_years(self) -> bool {
        match self {
            Self::YearsOfWorking
            | Self::NumberOfBankAccounts
            | Self::YearsOfDepositBankAccount
            | Self::NumberOfLoans
            | Self::SuccessfulPaydayLoans
            | Self::YearsOfResidence => true,
            Self::LoanReason
            | Self::JobTitle
            | Self::CompanyName
            | Self::PayType
            | Self::NextPayDate
            | Self::PayTimeOfDay
            | Self::Status => false,
        }
    }
}

impl Field {
    /// The field with this name at the top level, where the fields of `details` are allowed too.
    pub(super) fn at_top_level(name: &str) -> Option<Self> {
        match name {
            "caller_id" => Some(Self::CallerId),
            "loan_amount" => Some(Self::LoanAmount),
            "customer_name" | "first_name" => Some(Self::CustomerName),
            "details" => Some(Self::Details),
            _ => Self::in_details(name),
        }
    }

    /// The field with this name in `details`: AI Rudder's spelling or the correct one.
    pub(super) fn in_details(name: &str) -> Option<Self> {
        match name {
            "had_late_payment" => Some(Self::HadLatePayment),
            _ => Detail::from_name(name).map(Self::Text),
        }
    }
}

/// The place of a field in the request body. It displays as a JSON pointer (RFC 6901).
pub(super) struct Place<'a> {
    in_details: bool,
    /// A name that [`Field`] knows. It contains neither `/` nor `~`, so it needs no escape in a pointer.
    name: Cow<'a, str>,
}

impl<'a> Place<'a> {
    /// A field at the top level.
    pub(super) fn top(name: impl Into<Cow<'a, str>>) -> Self {
        Self { in_details: false, name: name.into() }
    }

    /// A field of `details`.
    pub(super) fn in_details(name: impl Into<Cow<'a, str>>) -> Self {
        Self { in_details: true, name: name.into() }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", if self.in_details { "/details" } else { "" }, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correct_spellings_are_aliases_of_the_contracts() {
        for (theirs, corrected) in [
            ("number_of_back_account", ["number_of_bank_account", "number_of_bank_accounts"].as_slice()),
            ("numbers_of_loan", &["number_of_loan", "number_of_loans"]),
            ("year_of_residence", &["years_of_residence"]),
            ("successful_payday_loan", &["successful_payday_loans"]),
        ] {
            for name in corrected {
                assert!(Field::in_details(name).is_some(), "{name}");
                assert_eq!(Field::in_details(name), Field::in_details(theirs), "{name}");
            }
        }
    }

    #[test]
    fn names_are_case_sensitive_and_belong_to_one_level() {
        for name in ["Status", "caller_id", "loan_amount", "customer_name", "first_name", "details", ""] {
            assert_eq!(Field::in_details(name), None, "{name}");
        }
        for name in ["Caller_ID", "Details", " details", ""] {
            assert_eq!(Field::at_top_level(name), None, "{name}");
        }
    }

    #[test]
    fn a_place_is_a_json_pointer() {
        assert_eq!(Place::top("caller_id").to_string(), "/caller_id");
        assert_eq!(Place::in_details("status").to_string(), "/details/status");
    }
}
