//! The faults of a policy.

use super::window::Day;

/// A fault of a policy. It names the member, and never contains a part of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy has the wrong type.
    #[error("policy is not an object")]
    NotAnObject,
    /// The policy has a member that does not exist.
    #[error("policy has a member other than calling_hours and once_per_phone_hours")]
    UnknownMember,
    /// The policy has the same member twice.
    #[error("policy has the same member twice")]
    Repeated,
    /// `calling_hours` has the wrong type.
    #[error("policy.calling_hours is neither \"federal\" nor an object with a window per day")]
    CallingHours,
    /// A name in `calling_hours` is not a day.
    #[error("policy.calling_hours has a name that is neither a day, such as sat, nor a range of days, such as mon-fri")]
    Day,
    /// A day has two windows.
    #[error("policy.calling_hours gives {0} twice")]
    DayTwice(Day),
    /// A window is malformed, or ends before it begins.
    #[error("policy.calling_hours has a value for {0} that is not a window such as \"09:00-20:00\"")]
    Window(Day),
    /// In some area codes, no lead could ever be sent.
    #[error("policy.calling_hours has no minute that lies in a window in every time zone from New York to Los Angeles")]
    NoCommonOpening,
    /// The hours are no whole number, or too many.
    #[error("policy.once_per_phone_hours is not a whole number from 1 to 720")]
    OncePerPhoneHours,
    /// The key that hides phone numbers is missing.
    #[error("policy.once_per_phone_hours needs hash_key, another member of the secret: 64 hex digits")]
    NoHashKey,
    /// The key that hides phone numbers is malformed.
    #[error("hash_key is not 64 hex digits")]
    HashKey,
    /// The ledger, which records the phone numbers, is off.
    #[error("policy.once_per_phone_hours needs the ledger, and CLAIMS_TABLE is off")]
    NoLedger,
}
