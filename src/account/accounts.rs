//! The accounts' secrets, cached.
//!
//! A key that is known is served from what is known, as long as that is good enough. Any other key has the secret read once
//! in 30 seconds, whether or not the account exists and whatever is known of it: a caller without a valid key gets the same
//! responses, after the same calls. Requests that need a reading share the one that is under way, and each waits for it no
//! longer than its own time allows. A secret that was read serves on while Secrets Manager is out of order, and never after
//! it said that the secret is gone or closed to us.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_config::SdkConfig;
use futures_util::{
    FutureExt,
    future::{self, BoxFuture, Either, Shared, WeakShared},
};
use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout_at};
use tracing::{Span, record_all};

use super::{
    Account, AccountId, ApiKey, AuthError, Source,
    entry::{Entry, Lifetime},
    store::{Store, StoreError},
};
use crate::{
    budget::{SECRET_LIMIT, UNKNOWN_KEY_INTERVAL},
    clock::Clock,
    config::Config,
};

/// Names for which a refusal is remembered. The cache deals them out to a number of parts that is a power of two, and rounds
/// up, so that only a multiple of such a number is exact.
const MAX_REFUSALS: usize = 960;

/// All accounts, by name.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    lifetime: Lifetime,
    clock: Clock,
    known: Arc<Mutex<Known>>,
    /// The names for which an unknown key was refused in the last 30 seconds. Guessed names evict each other here, and
    /// no account.
    refusals: Cache<AccountId, Refusal>,
}

/// What is known, and what is being asked.
#[derive(Debug, Default)]
struct Known {
    /// The accounts whose keys are known. As many as there are secrets, since a guessed name has none.
    entries: HashMap<AccountId, Arc<Entry>>,
    /// The readings under way, at most one an account. Weak, so that one for which nobody waits any more ends unfinished:
    /// Lambda would freeze it.
    readings: HashMap<AccountId, WeakShared<Reading>>,
}

/// A secret being read.
type Reading = BoxFuture<'static, Arc<Entry>>;

/// Why every unknown key is refused for a while.
#[derive(Debug, Clone)]
struct Refusal {
    until: Instant,
    /// What is wrong with the secret, if not only the key.
    fault: Option<StoreError>,
}

impl Accounts {
    /// The accounts in the Secrets Manager that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &SdkConfig, clock: Clock) -> Self {
        Self {
            store: Store::new(config, aws),
            lifetime: Lifetime { fresh: config.secret_ttl, stale: config.secret_max_stale },
            clock,
            known: Arc::default(),
            refusals: Cache::new(MAX_REFUSALS),
        }
    }

    /// Opens the connection that secrets are read over.
    pub(crate) async fn connect(&self) {
        self.store.connect().await;
    }

    /// Opens an account with a key. A key that isn't known may be new, so it is looked for in the secret as it is now, unless
    /// one was looked for in vain less than 30 seconds ago.
    pub async fn authenticate(&self, id: &AccountId, key: ApiKey, until: Instant) -> Result<Account, AuthError> {
        let came_at = self.clock.now();
        if !self.lock().entries.get(id).is_some_and(|entry| entry.knows(key))
            && let Some(refusal) = self.refusals.get(id).filter(|refusal| came_at < refusal.until)
        {
            return Err(refused(id, refusal.fault));
        }
        let is_enough = |entry: &Entry| entry.knows(key) && entry.is_good(came_at);
        // At most twice: a reading that began before the request came may miss a key that was stored since.
        loop {
            let entry = within(until, self.known_or_reading(id, false, is_enough)).await?;
            if entry.knows(key) {
                return opened(id, &entry, came_at);
            }
            if let Some(failure) = entry.last_failure() {
                return Err(AuthError::Unavailable(failure.to_string()));
            }
            if entry.is_since(came_at) {
                let fault = entry.token.as_ref().err().cloned();
                let until = self.clock.now() + UNKNOWN_KEY_INTERVAL;
                self.refusals.insert(id.clone(), Refusal { until, fault: fault.clone() });
                return Err(refused(id, fault));
            }
        }
    }

    /// The account with another token than the one that AI Rudder has refused, where its secret has got one.
    pub async fn with_new_token(&self, refused: &Account, until: Instant) -> Option<Account> {
        let refused_at = self.clock.now();
        let new_token = |entry: &Entry| entry.token.clone().ok().filter(|token| *token != refused.token);
        let will_do = |entry: &Entry| entry.is_since(refused_at) || new_token(entry).is_some();
        let entry = within(until, self.read_ahead(&refused.id, will_do)).await.ok()?;
        Some(Account { id: refused.id.clone(), token: new_token(&entry)?, source: entry.source(refused_at) })
    }

    /// An entry that will do, or what is known of an account that may not be read ahead of time now. A reading that is
    /// under way may have begun too early, so it is waited for, and then looked at like all that is known.
    async fn read_ahead(&self, id: &AccountId, will_do: impl Fn(&Entry) -> bool) -> Arc<Entry> {
        let is_enough = |entry: &Entry| will_do(entry) || !entry.is_forcible(self.clock.now());
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
        let mut known = self.lock();
        // One that has ended may live on in somebody who has not been polled since.
        let under_way = known.readings.get(id).and_then(WeakShared::upgrade).filter(|reading| reading.peek().is_none());
        match (under_way, known.entries.get(id).cloned()) {
            (_, Some(entry)) if will_do(&entry) => Either::Left(future::ready(entry)),
            (Some(reading), _) => Either::Right(reading),
            (None, entry) => {
                let reading = self.read(id.clone(), entry, forced).shared();
                known.readings.retain(|_, reading| reading.upgrade().is_some());
                known.readings.extend(reading.downgrade().map(|reading| (id.clone(), reading)));
                Either::Right(reading)
            }
        }
    }

    fn read(&self, id: AccountId, old: Option<Arc<Entry>>, forced: bool) -> Reading {
        let (store, lifetime, clock, known) = (self.store.clone(), self.lifetime, self.clock, Arc::clone(&self.known));
        async move {
            let asked_at = clock.now();
            // A panic would be one for everybody who waits.
            let answer = AssertUnwindSafe(store.get(&id, asked_at + SECRET_LIMIT)).catch_unwind().await;
            let answer =
                answer.unwrap_or_else(|_| Err(StoreError::Transient("a panic, logged before this".to_owned())));
            let entry = Arc::new(Entry::after(answer, old.as_deref(), forced, lifetime, asked_at, clock.now()));
            lock(&known).keep(id, &entry);
            entry
        }
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

impl Known {
    /// Puts what was read in place of what was known. Without a key it stands for no account, or for one that nobody can open.
    fn keep(&mut self, id: AccountId, entry: &Arc<Entry>) {
        if entry.digests.is_empty() {
            self.entries.remove(&id);
        } else {
            self.entries.insert(id, Arc::clone(entry));
        }
    }
}

/// No panic leaves it half changed.
fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The account for a key of its own, or why it can't be used.
fn opened(id: &AccountId, entry: &Entry, came_at: Instant) -> Result<Account, AuthError> {
    let account = match &entry.token {
        Ok(token) => Ok(Account { id: id.clone(), token: token.clone(), source: entry.source(came_at) }),
        Err(error @ StoreError::Transient(_)) => Err(AuthError::Unavailable(error.to_string())),
        Err(error) => Err(AuthError::Misconfigured(error.to_string())),
    };
    name(id, account.as_ref().ok().map(Account::source));
    account
}

/// Why an unknown key opens nothing.
fn refused(id: &AccountId, fault: Option<StoreError>) -> AuthError {
    if fault != Some(StoreError::NotFound) {
        name(id, None);
    }
    match fault {
        None => AuthError::Unauthorized("wrong key".to_owned()),
        Some(error @ StoreError::Unreadable(_)) => AuthError::Closed(error.to_string()),
        Some(error) => AuthError::Unauthorized(error.to_string()),
    }
}

/// Names the account in the request's line of the log. Only one that exists: what is no account's name may be anything, a
/// phone number too. And in one go: the log writes the whole span anew at each record.
fn name(id: &AccountId, source: Option<Source>) {
    let span = Span::current();
    let source = source.map(Source::as_str);
    record_all!(span, account = %id, secret = source);
}

/// What comes of it in time.
async fn within<T>(until: Instant, result: impl Future<Output = T>) -> Result<T, AuthError> {
    timeout_at(until, result).await.map_err(|_| AuthError::Unavailable("too little time left".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_thousand_names_without_a_secret_are_remembered() {
        let refusals = Cache::new(MAX_REFUSALS);
        let refusal = Refusal { until: Clock::SYSTEM.now(), fault: Some(StoreError::NotFound) };
        for n in 0..2000 {
            refusals.insert(format!("guess-{n}").parse::<AccountId>().unwrap(), refusal.clone());
        }
        assert!((500..=1000).contains(&refusals.len()), "{}", refusals.len());
    }
}
