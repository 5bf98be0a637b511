//! The accounts' secrets, cached.
//!
//! What is known of an account serves every request that it is good enough for. Another has the secret read, or joins
//! the reading that is under way, and waits for it no longer than its own time allows. A reading goes on while anybody
//! waits for it, and replaces what was known only when it has ended. A secret that was read serves on while Secrets
//! Manager is out of order, and never after it said that the secret is gone or closed to us.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::SdkConfig;
use futures_util::{
    FutureExt,
    future::{self, BoxFuture, Either, Shared, WeakShared},
};
use quick_cache::{Weighter, sync::Cache};
use tokio::time::{Instant, timeout_at};
use tracing::{Span, record_all};

use super::{
    AccountId, ApiKey,
    entry::{Entry, Lifetime},
    store::{Store, StoreError},
};
use crate::{config::Config, rudder::Token};

/// Names without a usable secret that are remembered. Accounts that work do not count. The cache deals them out to a number
/// of parts that is a power of two, and rounds up, so that only a multiple of such a number is exact.
const MAX_UNUSABLE: u64 = 960;

/// All accounts, by name.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    lifetime: Lifetime,
    known: Arc<Cache<AccountId, Arc<Entry>, Unusable>>,
    /// The readings under way, at most one an account. Weak, so that one for which nobody waits any more ends unfinished:
    /// Lambda would freeze it.
    readings: Mutex<HashMap<AccountId, WeakShared<Reading>>>,
}

/// A secret being read.
type Reading = BoxFuture<'static, Arc<Entry>>;

/// An account whose key was presented.
#[derive(Debug)]
pub struct Account {
    id: AccountId,
    token: Token,
    source: Source,
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
    /// Nobody can tell for now.
    #[error("{0}")]
    Unavailable(String),
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

impl Accounts {
    /// The accounts in the Secrets Manager that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &SdkConfig) -> Self {
        Self {
            store: Store::new(config, aws),
            lifetime: Lifetime { fresh: config.secret_ttl, stale: config.secret_max_stale },
            known: Arc::new(remembered()),
            readings: Mutex::default(),
        }
    }

    /// Opens the connection that secrets are read over.
    pub(crate) async fn connect(&self) {
        self.store.connect().await;
    }

    /// Opens an account with a key. A key that isn't known may be new, so it is looked for once in the secret as it is now.
    pub async fn authenticate(&self, id: &AccountId, key: ApiKey, until: Instant) -> Result<Account, AuthError> {
        let came_at = Instant::now();
        let mut entry = within(until, self.known_or_reading(id, false, |entry| entry.is_good(came_at))).await?;
        if entry.may_miss(key, came_at) {
            entry = within(until, self.read_ahead(id, |entry| !entry.may_miss(key, came_at))).await?;
        }
        let opened = match (key.is_among(&entry.digests), &entry.token, &entry.doubt) {
            (true, Ok(token), _) => Ok(Account { id: id.clone(), token: token.clone(), source: entry.source(came_at) }),
            (_, Err(error @ StoreError::Passing(_)), _) | (false, Ok(_), Some(error)) => {
                Err(AuthError::Unavailable(error.to_string()))
            }
            (true, Err(error), _) => Err(AuthError::Misconfigured(error.to_string())),
            (false, Err(error @ StoreError::Unreadable(_)), _) => Err(AuthError::Closed(error.to_string())),
            (false, Err(error), _) => Err(AuthError::Unauthorized(error.to_string())),
            (false, Ok(_), None) => Err(AuthError::Unauthorized("wrong key".to_owned())),
        };
        if matches!(entry.token, Ok(_) | Err(StoreError::Unreadable(_))) {
            let source = opened.as_ref().ok().map(|account| account.source.as_str());
            let span = Span::current();
            // Only here: what is no account's name may be anything, a phone number too. And together: the log writes the
            // whole span anew at each record.
            record_all!(span, account = %id, secret = source);
        }
        opened
    }

    /// The account with another token than the one that AI Rudder has refused, where its secret has got one.
    pub async fn with_new_token(&self, refused: &Account, until: Instant) -> Option<Account> {
        let refused_at = Instant::now();
        let new_token = |entry: &Entry| entry.token.clone().ok().filter(|token| *token != refused.token);
        let will_do = |entry: &Entry| entry.is_since(refused_at) || new_token(entry).is_some();
        let entry = within(until, self.read_ahead(&refused.id, will_do)).await.ok()?;
        Some(Account { id: refused.id.clone(), token: new_token(&entry)?, source: entry.source(refused_at) })
    }

    /// An entry that will do, or what is known of an account that may not be read ahead of time now. A reading that is
    /// under way may have begun too early, so it is waited for, and then looked at like all that is known.
    async fn read_ahead(&self, id: &AccountId, will_do: impl Fn(&Entry) -> bool) -> Arc<Entry> {
        let is_enough = |entry: &Entry| will_do(entry) || !entry.is_forcible(Instant::now());
        loop {
            let entry = self.known_or_reading(id, true, is_enough).await;
            if is_enough(&entry) {
                return entry;
            }
        }
    }

    /// What is known of an account if that will do, or else what a reading finds.
    fn known_or_reading(
        &self,
        id: &AccountId,
        forced: bool,
        will_do: impl FnOnce(&Entry) -> bool,
    ) -> Either<future::Ready<Arc<Entry>>, Shared<Reading>> {
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked up first: a reading that ends between the two is then seen twice, and not missed by both.
        // One that has ended may live on in somebody who has not been polled since.
        let under_way = readings.get(id).and_then(WeakShared::upgrade).filter(|reading| reading.peek().is_none());
        let known = self.known.get(id);
        match (under_way, known) {
            (_, Some(entry)) if will_do(&entry) => Either::Left(future::ready(entry)),
            (Some(reading), _) => Either::Right(reading),
            (None, known) => {
                let reading = self.read(id.clone(), known, forced).shared();
                readings.retain(|_, reading| reading.upgrade().is_some());
                readings.extend(reading.downgrade().map(|reading| (id.clone(), reading)));
                Either::Right(reading)
            }
        }
    }

    fn read(&self, id: AccountId, old: Option<Arc<Entry>>, forced: bool) -> Reading {
        let (store, lifetime, known) = (self.store.clone(), self.lifetime, Arc::clone(&self.known));
        async move {
            let asked_at = Instant::now();
            // A panic would be one for everybody who waits.
            let answer = AssertUnwindSafe(store.get(&id)).catch_unwind().await;
            let answer = answer.unwrap_or_else(|_| Err(StoreError::Passing("a panic, logged before this".to_owned())));
            let entry = Arc::new(Entry::after(answer, old.as_deref(), forced, lifetime, asked_at, Instant::now()));
            known.insert(id, Arc::clone(&entry));
            entry
        }
        .boxed()
    }
}

fn remembered() -> Cache<AccountId, Arc<Entry>, Unusable> {
    Cache::with_weighter(1000, MAX_UNUSABLE, Unusable)
}

/// What comes of it in time.
async fn within<T>(until: Instant, result: impl Future<Output = T>) -> Result<T, AuthError> {
    timeout_at(until, result).await.map_err(|_| AuthError::Unavailable("too little time left".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn at_most_a_thousand_names_without_a_secret_are_remembered() {
        let known = remembered();
        let now = Instant::now();
        let lifetime = Lifetime { fresh: Duration::from_secs(300), stale: Duration::from_secs(3600) };
        let unknown = Arc::new(Entry::after(Err(StoreError::NotFound), None, false, lifetime, now, now));
        for n in 0..2000 {
            known.insert(format!("guess-{n}").parse().unwrap(), Arc::clone(&unknown));
        }
        assert_eq!(known.weight(), u64::try_from(known.len()).unwrap());
        assert!((500..=1000).contains(&known.weight()), "{}", known.weight());
    }
}
