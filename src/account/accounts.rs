//! The accounts' secrets, cached.
//!
//! Each entry says until when it is good. A request that finds it good takes it; otherwise one request reads the secret
//! and all others for that account wait for it. A secret that was read serves on while Secrets Manager is out of order,
//! and never after it said that the secret is gone or closed to us.

use std::{sync::Arc, time::Duration};

use aws_config::SdkConfig;
use quick_cache::{
    Weighter,
    sync::{Cache, EntryAction, EntryResult},
};
use tokio::time::{Instant, timeout_at};

use super::{
    AccountId, ApiKey,
    key::KeyDigest,
    store::{Store, StoreError},
};
use crate::{config::Config, rudder::Token};

/// How long a secret that can't be read is remembered as such, and a stale one serves before the next try.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long it is remembered that an account does not exist.
const NOT_FOUND_INTERVAL: Duration = Duration::from_secs(30);
/// How often at most a wrong key or a refused token makes an account's secret be read ahead of time.
const FORCED_INTERVAL: Duration = Duration::from_secs(30);
/// Names without a usable secret that are remembered. Accounts that work do not count.
const MAX_UNUSABLE: u64 = 1000;

/// All accounts, by name.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    cache: Cache<AccountId, Arc<Entry>, Unusable>,
    ttl: Duration,
    max_stale: Duration,
}

/// An account whose key was presented.
#[derive(Debug)]
pub struct Account {
    id: AccountId,
    token: Token,
}

/// Why a key opens no account. The sources are for the log.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A wrong key, or no such account, or nobody can tell: all one to the sender.
    #[error("unauthorized: {0}")]
    Unauthorized(String),
    /// The account has a secret that can't be read, so nobody can tell. All one to the sender, not to the operator.
    #[error("unauthorized: {0}")]
    Closed(String),
    /// The key is right, and the account can't be used.
    #[error("account misconfigured: {0}")]
    Misconfigured(String),
    /// Nobody can tell for now.
    #[error("{0}")]
    Unavailable(String),
}

/// What is known of an account.
#[derive(Debug, Clone)]
struct Entry {
    /// The digests that were read last. They outlive a token that can't be read any more, to tell the account's own sender that it is closed.
    digests: Arc<[KeyDigest]>,
    token: Result<Token, StoreError>,
    /// When the token was read.
    read_at: Instant,
    /// When Secrets Manager was last asked.
    checked_at: Instant,
    /// Until when it need not be asked again.
    good_until: Instant,
    /// When it was last asked ahead of time.
    forced_at: Option<Instant>,
}

/// Counts the entries that stand for no usable account, so that guessed names can't fill the memory or push an account
/// out of it.
#[derive(Debug, Clone)]
struct Unusable;

impl Weighter<AccountId, Arc<Entry>> for Unusable {
    fn weight(&self, _: &AccountId, entry: &Arc<Entry>) -> u64 {
        u64::from(entry.digests.is_empty())
    }
}

impl Account {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// Its token for AI Rudder.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }
}

impl Accounts {
    /// The accounts in the Secrets Manager that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &SdkConfig) -> Self {
        Self {
            store: Store::new(aws, &config.secret_prefix),
            cache: Cache::with_weighter(1000, MAX_UNUSABLE, Unusable),
            ttl: config.secret_ttl,
            max_stale: config.secret_max_stale,
        }
    }

    /// Opens an account with a key. A key that isn't known may be new, so it is looked for once in the secret as it is now.
    pub async fn authenticate(&self, id: &AccountId, key: ApiKey, until: Instant) -> Result<Account, AuthError> {
        let asked_at = Instant::now();
        let mut entry = self.current(id, until).await?;
        let may_be_new = !key.is_among(&entry.digests) && !entry.digests.is_empty() && entry.checked_at < asked_at;
        if may_be_new {
            entry = self.read_ahead(id, until).await?;
        }
        match (key.is_among(&entry.digests), &entry.token) {
            (true, Ok(token)) => Ok(Account { id: id.clone(), token: token.clone() }),
            (_, Err(error @ StoreError::Passing(_))) => Err(AuthError::Unavailable(error.to_string())),
            (true, Err(error)) => Err(AuthError::Misconfigured(error.to_string())),
            (false, Err(error @ StoreError::Unreadable(_))) => Err(AuthError::Closed(error.to_string())),
            (false, Err(error)) => Err(AuthError::Unauthorized(error.to_string())),
            (false, Ok(_)) => Err(AuthError::Unauthorized("wrong key".to_owned())),
        }
    }

    /// The account with another token than the one that AI Rudder has refused, where its secret has got one.
    pub async fn with_new_token(&self, refused: &Account, until: Instant) -> Option<Account> {
        let entry = self.read_ahead(&refused.id, until).await.ok()?;
        let token = entry.token.clone().ok().filter(|token| *token != refused.token)?;
        Some(Account { id: refused.id.clone(), token })
    }

    async fn current(&self, id: &AccountId, until: Instant) -> Result<Arc<Entry>, AuthError> {
        let asked_at = Instant::now();
        // What was found out while this request waited is good enough for it, a failure too.
        self.entry(id, until, false, |entry| asked_at < entry.good_until || asked_at <= entry.checked_at).await
    }

    /// The entry as the secret is now, unless it was read ahead of time a moment ago.
    async fn read_ahead(&self, id: &AccountId, until: Instant) -> Result<Arc<Entry>, AuthError> {
        let asked_at = Instant::now();
        let too_soon = |forced_at| asked_at < forced_at + FORCED_INTERVAL;
        self.entry(id, until, true, |entry| entry.forced_at.is_some_and(too_soon)).await
    }

    /// The entry of an account, read anew by one request at a time unless it is good.
    async fn entry(
        &self,
        id: &AccountId,
        until: Instant,
        forced: bool,
        is_good: impl FnOnce(&Entry) -> bool,
    ) -> Result<Arc<Entry>, AuthError> {
        let look = self.cache.entry_async(id, |_, entry| {
            if is_good(entry) { EntryAction::Retain(Arc::clone(entry)) } else { EntryAction::ReplaceWithGuard }
        });
        let (guard, old) = match timeout_at(until, look).await {
            Ok(EntryResult::Retained(entry) | EntryResult::Removed(_, entry)) => return Ok(entry),
            Ok(EntryResult::Replaced(guard, old)) => (guard, Some(old)),
            Ok(EntryResult::Vacant(guard)) => (guard, None),
            Ok(EntryResult::Timeout) | Err(_) => return Err(AuthError::Unavailable("too little time left".to_owned())),
        };
        let entry = Arc::new(self.read(id, until, forced, old.as_deref()).await);
        // Fails only for an entry that was removed meanwhile, and nothing removes one.
        let _ = guard.insert(Arc::clone(&entry));
        Ok(entry)
    }

    /// Asks Secrets Manager, and weighs its answer against what was known.
    async fn read(&self, id: &AccountId, until: Instant, forced: bool, old: Option<&Entry>) -> Entry {
        let answer = self.store.get(id, until).await;
        let now = Instant::now();
        let known_digests = || old.map_or_else(|| Arc::from([]), |old| Arc::clone(&old.digests));
        let entry = |digests, token, good_for| Entry {
            digests,
            token,
            read_at: now,
            checked_at: now,
            good_until: now + good_for,
            forced_at: if forced { Some(now) } else { old.and_then(|old| old.forced_at) },
        };
        match answer {
            Ok(secret) => match secret.token {
                Ok(token) => entry(secret.digests.into(), Ok(token), self.ttl),
                Err(error) => {
                    entry(secret.digests.into(), Err(StoreError::Unreadable(error.to_string())), RETRY_INTERVAL)
                }
            },
            Err(StoreError::NotFound) => entry(Arc::from([]), Err(StoreError::NotFound), NOT_FOUND_INTERVAL),
            Err(error @ StoreError::Unreadable(_)) => entry(known_digests(), Err(error), RETRY_INTERVAL),
            Err(error @ StoreError::Passing(_)) => match old.filter(|old| old.token.is_ok()) {
                Some(old) if now < old.read_at + self.max_stale => Entry {
                    read_at: old.read_at,
                    good_until: old.good_until.max(now + RETRY_INTERVAL).min(old.read_at + self.max_stale),
                    ..entry(known_digests(), old.token.clone(), RETRY_INTERVAL)
                },
                _ => entry(known_digests(), Err(error), Duration::ZERO),
            },
        }
    }
}
