//! The result of authentication: an account, or why there is none.

use super::AccountId;
use crate::rudder::Token;

/// An account whose key was presented.
#[derive(Debug)]
pub struct Account {
    pub(super) id: AccountId,
    pub(super) token: Token,
    pub(super) source: Source,
}

/// Where an account's secret came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It was known.
    Cached,
    /// Secrets Manager was asked for it.
    Read,
    /// It was known, and Secrets Manager failed when it was asked last.
    Stale,
}

impl Source {
    /// The word for it in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Read => "read",
            Self::Stale => "stale",
        }
    }
}

/// Why a key opens no account. The texts are for the log.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A wrong key, or no such account: all one to the sender.
    #[error("unauthorized: {0}")]
    Unauthorized(String),
    /// The account has a secret that can't be read, so nobody can tell. All one to the sender, not to the operator.
    #[error("unauthorized: {0}")]
    Closed(String),
    /// The key is right, and the account can't be used.
    #[error("account misconfigured: {0}")]
    Misconfigured(String),
    /// Secrets Manager failed, so the key can't be checked.
    #[error("{0}")]
    Unavailable(String),
}

impl Account {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// Where its secret came from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// Its token for AI Rudder.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }
}
