//! The names of a lead's fields, in every spelling that is accepted.

use std::{borrow::Cow, fmt};

/// A field of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    CallerId,
    LoanAmount,
    CustomerName,
    Text(Detail),
    HadLatePayment,
}

/// A text field of `details`, in the contract's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is a field under its corrected name: see `Field::in_details`")]
pub enum Detail {
    LoanReason,
    JobTitle,
    CompanyName,
    YearsOfWorking,
    PayType,
    NextPayDate,
    PayTimeOfDay,
    NumberOfBankAccounts,
    YearsOfDepositBankAccount,
    NumberOfLoans,
    SuccessfulPaydayLoans,
    YearsOfResidence,
    Status,
}

impl Detail {
    /// Whether it counts something or gives years, so that a number in it means the same in every form.
    pub(super) fn is_count_or_years(self) -> bool {
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
    /// The field that goes by `name` at the top level, where those of `details` may stand too.
    pub(super) fn at_top_level(name: &str) -> Option<Self> {
        match name {
            "caller_id" => Some(Self::CallerId),
            "loan_amount" => Some(Self::LoanAmount),
            "customer_name" | "first_name" => Some(Self::CustomerName),
            _ => Self::in_details(name),
        }
    }

    /// The field that goes by `name` in `details`: AI Rudder's spelling or the corrected one.
    pub(super) fn in_details(name: &str) -> Option<Self> {
        let detail = match name {
            "had_late_payment" => return Some(Self::HadLatePayment),
            "loan_reason" => Detail::LoanReason,
            "job_title" => Detail::JobTitle,
            "company_name" => Detail::CompanyName,
            "years_of_working" => Detail::YearsOfWorking,
            "pay_type" => Detail::PayType,
            "next_pay_date" => Detail::NextPayDate,
            "pay_time_of_day" => Detail::PayTimeOfDay,
            "number_of_back_account" | "number_of_bank_account" | "number_of_bank_accounts" => {
                Detail::NumberOfBankAccounts
            }
            "years_of_deposit_bank_account" => Detail::YearsOfDepositBankAccount,
            "numbers_of_loan" | "number_of_loan" | "number_of_loans" => Detail::NumberOfLoans,
            "successful_payday_loan" | "successful_payday_loans" => Detail::SuccessfulPaydayLoans,
            "year_of_residence" | "years_of_residence" => Detail::YearsOfResidence,
            "status" => Detail::Status,
            _ => return None,
        };
        Some(Self::Text(detail))
    }
}

/// Where a field stands in the sender's body. Displays as an RFC 6901 pointer.
pub(super) struct Place<'a> {
    in_details: bool,
    /// A name that [`Field`] knows: it holds neither `/` nor `~`, so needs no escape in a pointer.
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
    fn every_corrected_spelling_is_the_field_that_the_contract_misspells() {
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
    fn names_are_case_sensitive_and_those_of_the_top_level_are_unknown_in_details() {
        for name in ["Status", "caller_id", "loan_amount", "customer_name", "first_name", "details", ""] {
            assert_eq!(Field::in_details(name), None, "{name}");
        }
        assert_eq!(Field::at_top_level("Caller_ID"), None);
    }

    #[test]
    fn a_place_is_a_json_pointer() {
        assert_eq!(Place::top("caller_id").to_string(), "/caller_id");
        assert_eq!(Place::in_details("status").to_string(), "/details/status");
    }
}
