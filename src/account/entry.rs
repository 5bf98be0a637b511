//! A cache entry: the state of one account, and how the next response of Secrets Manager changes it.
//!
//! Pure: every instant is an argument.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{ApiKey, Destination, SecretSource, key::KeyDigest, secret::Secret, store::StoreError};
use crate::{
    budget::{REFUSED_TOKEN_INTERVAL, SECRET_RETRY_INTERVAL},
    policy::Policy,
    rudder::Token,
    telemetry::log::LogText,
};

/// How long a secret may be used after it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    /// Without a refresh.
    pub(super) fresh: Duration,
    /// While every refresh fails (stale-if-error, RFC 5861).
    pub(super) stale: Duration,
}

/// The cached state of an account.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The digests that were read last. They are kept if the secret becomes unreadable, so that the account's own callers
    /// still get a specific response.
    digests: Arc<[KeyDigest]>,
    state: SecretState,
    /// When the refresh began. Its result may lack a change that was stored later.
    began_at: Instant,
    /// Until when no refresh is needed.
    fresh_until: Instant,
    /// Until when the secret is used while Secrets Manager fails.
    stale_until: Instant,
    /// The earliest time at which a refused token may force a refresh.
    may_force_refresh_from: Instant,
}

/// The state of the account's secret: the last response of Secrets Manager, combined with the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SecretState {
    /// The account can be used. If the last refresh failed, the secret may have changed in the meantime.
    Usable { destination: Destination, policy: Arc<Policy>, last_refresh_error: Option<StoreError> },
    /// The secret exists, but cannot be used.
    Broken(StoreError),
    /// The secret does not exist.
    Absent(StoreError),
    /// Secrets Manager failed, and there is no earlier secret to fall back on.
    Unreachable(StoreError),
}

/// The result of checking a caller's API key against an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyCheck {
    /// The API key is valid.
    Valid(Destination, Arc<Policy>),
    /// The API key is valid, but the secret is malformed.
    Misconfigured(LogText),
    /// Secrets Manager failed, so the API key cannot be checked or the account cannot be used.
    Unavailable(LogText),
    /// The API key is not one of the account's. Contains the secret's fault, if it has one.
    Refused(Option<StoreError>),
    /// The API key is unknown, but may have been stored since the last refresh.
    NeedsRefresh,
}

impl Entry {
    /// Combines the response to a refresh that began at `began_at` with the old entry. `forced`: whether a refused
    /// token caused the refresh.
    pub(super) fn from_response(
        response: Result<Secret, StoreError>,
        old: Option<&Self>,
        forced: bool,
        lifetime: Lifetime,
        began_at: Instant,
        now: Instant,
    ) -> Self {
        let known_digests = || old.map_or_else(|| Arc::from([]), |old| Arc::clone(&old.digests));
        let may_force_refresh_from = old.map_or(now, |old| old.may_force_refresh_from);
        let new = |digests, state, fresh_for| Self {
            digests,
            state,
            began_at,
            fresh_until: now + fresh_for,
            stale_until: now + lifetime.stale,
            may_force_refresh_from: if forced { now + REFUSED_TOKEN_INTERVAL } else { may_force_refresh_from },
        };
        match response {
            Ok(Secret { digests, destination: Ok(destination), policy }) => {
                let state = SecretState::Usable { destination, policy, last_refresh_error: None };
                new(digests.into(), state, lifetime.fresh)
            }
            Ok(Secret { digests, destination: Err(error), .. }) => {
                new(digests.into(), SecretState::Broken(error.into()), SECRET_RETRY_INTERVAL)
            }
            Err(error @ (StoreError::NotFound | StoreError::Deleted)) => {
                new(Arc::from([]), SecretState::Absent(error), Duration::ZERO)
            }
            Err(error @ StoreError::Unreadable(_)) => {
                new(known_digests(), SecretState::Broken(error), SECRET_RETRY_INTERVAL)
            }
            Err(error @ StoreError::Transient(_)) => {
                let may_force_refresh_from = may_force_refresh_from.max(now + SECRET_RETRY_INTERVAL);
                let stale = old.filter(|old| now < old.stale_until);
                let stale = stale.and_then(|old| Some((old, old.usable()?)));
                if let Some((old, (destination, policy))) = stale {
                    Self {
                        state: SecretState::Usable { destination, policy, last_refresh_error: Some(error) },
                        fresh_until: old.fresh_until.max(now + SECRET_RETRY_INTERVAL).min(old.stale_until),
                        may_force_refresh_from,
                        ..old.clone()
                    }
                } else {
                    let new = new(known_digests(), SecretState::Unreachable(error), Duration::ZERO);
                    Self { may_force_refresh_from, ..new }
                }
            }
        }
    }

    /// Checks the API key of a request that arrived at `arrived_at`.
    pub(super) fn check_key(&self, key: ApiKey, arrived_at: Instant) -> KeyCheck {
        let is_known = self.knows(key);
        match &self.state {
            SecretState::Usable { destination, policy, .. } if is_known => {
                KeyCheck::Valid(destination.clone(), Arc::clone(policy))
            }
            SecretState::Broken(error) | SecretState::Absent(error) if is_known => {
                KeyCheck::Misconfigured(error.log_text())
            }
            SecretState::Usable { last_refresh_error: Some(error), .. } | SecretState::Unreachable(error) => {
                KeyCheck::Unavailable(error.log_text())
            }
            _ if !self.is_refreshed_since(arrived_at) => KeyCheck::NeedsRefresh,
            SecretState::Usable { .. } => KeyCheck::Refused(None),
            SecretState::Broken(error) | SecretState::Absent(error) => KeyCheck::Refused(Some(error.clone())),
        }
    }

    /// The account's token, unless it is unknown or malformed, or the account is a sandbox.
    pub(super) fn token(&self) -> Option<&Token> {
        if let SecretState::Usable { destination, .. } = &self.state { destination.token() } else { None }
    }

    fn usable(&self) -> Option<(Destination, Arc<Policy>)> {
        match &self.state {
            SecretState::Usable { destination, policy, .. } => Some((destination.clone(), Arc::clone(policy))),
            _ => None,
        }
    }

    /// Whether the secret, when it was read last, contained an API key.
    pub(super) fn has_keys(&self) -> bool {
        !self.digests.is_empty()
    }

    /// Whether an API key was one of the account's when its secret was read last.
    pub(super) fn knows(&self, key: ApiKey) -> bool {
        key.is_among(&self.digests)
    }

    /// Whether no refresh is needed.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.fresh_until
    }

    /// Whether a refused token may force a refresh now.
    pub(super) fn may_force_refresh(&self, now: Instant) -> bool {
        self.may_force_refresh_from <= now
    }

    /// Whether the entry's refresh began at that instant or later.
    pub(super) fn is_refreshed_since(&self, instant: Instant) -> bool {
        instant <= self.began_at
    }

    /// Where a request that arrived at `arrived_at` got the secret from.
    pub(super) fn source(&self, arrived_at: Instant) -> SecretSource {
        match &self.state {
            SecretState::Usable { last_refresh_error: Some(_), .. } => SecretSource::Stale,
            _ if self.is_refreshed_since(arrived_at) => SecretSource::Read,
            _ => SecretSource::Cached,
        }
    }
}

#[cfg(test)]
mod tests;
