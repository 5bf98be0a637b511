//! The columns of the table of responses.

use http::StatusCode;

use super::Outcome;

/// One row of the table of responses.
#[derive(Debug)]
pub struct Row {
    /// The HTTP status.
    pub status: StatusCode,
    /// The header `lead-outcome`.
    pub outcome: Outcome,
    /// The name of the error, for programs. It does not change between releases.
    pub error: &'static str,
    /// When this response is given.
    pub when: &'static str,
    /// What the caller does next, for people.
    pub message: &'static str,
    /// The header that instructs the caller's HTTP client, if there is one.
    pub advice: Option<Advice>,
}

/// A response header that instructs the caller's HTTP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// `allow: POST`.
    Allow,
    /// `www-authenticate`.
    Authenticate,
    /// `retry-after`: the relay's own delay.
    RetrySoon,
    /// `retry-after` as AI Rudder sent it, if it did.
    RetryWhenUpstreamSays,
    /// `retry-after`: when the account's policy allows the lead.
    RetryWhenPolicyAllows,
}

pub(super) const fn row(status: StatusCode, outcome: Outcome, error: &'static str) -> Row {
    Row { status, outcome, error, when: "", message: "", advice: None }
}

impl Row {
    pub(super) const fn when(self, when: &'static str) -> Self {
        Self { when, ..self }
    }

    pub(super) const fn says(self, message: &'static str) -> Self {
        Self { message, ..self }
    }

    pub(super) const fn with(self, advice: Advice) -> Self {
        Self { advice: Some(advice), ..self }
    }
}
