//! The result of authentication: an account, or why there is none.

use std::sync::Arc;

use tracing::{Span, record_all};

use super::AccountId;
use crate::{policy::Policy, rudder::Token, telemetry::log::LogText};

/// An authenticated account.
#[derive(Debug)]
pub struct Account {
    pub(super) id: AccountId,
    pub(super) destination: Destination,
    pub(super) policy: Arc<Policy>,
    pub(super) source: SecretSource,
}

/// Where an account's leads go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To AI Rudder, with this token.
    AiRudder(Token),
    /// Nowhere: pushes are simulated, and nobody is called.
    Sandbox,
}

impl Destination {
    /// The token for AI Rudder.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        if let Self::AiRudder(token) = self { Some(token) } else { None }
    }
}

/// Where an account's secret came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretSource {
    /// A fresh cache entry.
    Cached,
    /// Secrets Manager, by a call that this request waited for.
    Read,
    /// A stale cache entry, because the last refresh failed.
    Stale,
}

impl SecretSource {
    /// The value in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Read => "read",
            Self::Stale => "stale",
        }
    }
}

/// Why a request is not authenticated; nothing was sent. The texts are for the log.
#[derive(Debug)]
pub enum AuthError {
    /// The API key is wrong, or the account does not exist. The caller does not learn which.
    Unauthorized(LogText),
    /// The account's API keys cannot be read. The caller gets the response for a wrong API key; the operator must act.
    SecretUnreadable(LogText),
    /// The API key is valid, but the rest of the secret is malformed. The operator must act.
    Misconfigured(LogText),
    /// Secrets Manager failed or was too slow, so the API key cannot be checked. A retry may succeed.
    Unavailable(LogText),
}

impl Account {
    /// The account's name.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// Where its secret came from.
    #[must_use]
    pub fn source(&self) -> SecretSource {
        self.source
    }

    /// Where the account's leads go.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// When the account's leads may be sent, and how often one phone number may be called.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the account's pushes are simulated.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.destination == Destination::Sandbox
    }
}

/// Records the account in the request's log line. Called only for an existing account: a name that a caller invented may
/// contain personal data. All fields at once, because the log renders the whole span at each record.
pub(super) fn record_account(id: &AccountId, source: Option<SecretSource>) {
    let span = Span::current();
    let source = source.filter(|source| *source != SecretSource::Cached).map(SecretSource::as_str);
    record_all!(span, account = %id, secret = source);
}
