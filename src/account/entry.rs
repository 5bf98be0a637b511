//! What is known of one account, and what the next answer of Secrets Manager makes of it. All of it is a matter of
//! instants that are passed in.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{ApiKey, key::KeyDigest, secret::Secret, store::StoreError};
use crate::rudder::Token;

/// How long Secrets Manager is left alone after it failed, and an account after its secret could not be read.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long it is remembered that an account does not exist.
const NOT_FOUND_INTERVAL: Duration = Duration::from_secs(30);
/// How often at most a wrong key or a refused token makes an account's secret be read ahead of time.
const FORCED_INTERVAL: Duration = Duration::from_secs(30);

/// How long a secret that was read may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    /// Without asking again.
    pub(super) fresh: Duration,
    /// While Secrets Manager is out of order.
    pub(super) stale: Duration,
}

/// What is known of an account.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The digests that were read last. They outlive a token that can't be read any more, to tell the account's own sender that it is closed.
    pub(super) digests: Arc<[KeyDigest]>,
    pub(super) token: Result<Token, StoreError>,
    /// Why the secret may be another by now: Secrets Manager was asked since, and failed.
    pub(super) doubt: Option<StoreError>,
    /// When Secrets Manager was last asked.
    checked_at: Instant,
    /// Until when it need not be asked again.
    good_until: Instant,
    /// Until when the token serves although Secrets Manager fails.
    serves_until: Instant,
    /// From when on it may be asked ahead of time.
    forcible_from: Instant,
}

impl Entry {
    /// Weighs an answer of Secrets Manager against what was known before.
    pub(super) fn after(
        answer: Result<Secret, StoreError>,
        old: Option<&Self>,
        forced: bool,
        lifetime: Lifetime,
        now: Instant,
    ) -> Self {
        let known_digests = || old.map_or_else(|| Arc::from([]), |old| Arc::clone(&old.digests));
        let forcible_from = old.map_or(now, |old| old.forcible_from);
        let answered = |digests, token, good_for| Self {
            digests,
            token,
            doubt: None,
            checked_at: now,
            good_until: now + good_for,
            serves_until: now + lifetime.stale,
            forcible_from: if forced { now + FORCED_INTERVAL } else { forcible_from },
        };
        match answer {
            Ok(Secret { digests, token: Ok(token) }) => answered(digests.into(), Ok(token), lifetime.fresh),
            Ok(Secret { digests, token: Err(error) }) => {
                answered(digests.into(), Err(StoreError::Unreadable(error.to_string())), RETRY_INTERVAL)
            }
            Err(StoreError::NotFound) => answered(Arc::from([]), Err(StoreError::NotFound), NOT_FOUND_INTERVAL),
            Err(error @ StoreError::Unreadable(_)) => answered(known_digests(), Err(error), RETRY_INTERVAL),
            Err(error @ StoreError::Passing(_)) => {
                let forcible_from = forcible_from.max(now + RETRY_INTERVAL);
                match old.filter(|old| old.token.is_ok() && now < old.serves_until) {
                    Some(old) => Self {
                        doubt: Some(error),
                        checked_at: now,
                        good_until: old.good_until.max(now + RETRY_INTERVAL).min(old.serves_until),
                        forcible_from,
                        ..old.clone()
                    },
                    None => Self { forcible_from, ..answered(known_digests(), Err(error), Duration::ZERO) },
                }
            }
        }
    }

    /// Whether Secrets Manager need not be asked again.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        now < self.good_until
    }

    /// Whether Secrets Manager may be asked again although it need not.
    pub(super) fn is_forcible(&self, now: Instant) -> bool {
        self.forcible_from <= now
    }

    /// Whether a key that is not known here may be known to the secret as it is now, for a request that came at `asked_at`.
    pub(super) fn may_miss(&self, key: ApiKey, asked_at: Instant) -> bool {
        !self.digests.is_empty() && !key.is_among(&self.digests) && self.checked_at < asked_at
    }
}
