//! The cache of the accounts' secrets: when a cached entry is used, and when Secrets Manager is called.
//!
//! A request with a known API key uses the cached entry while it is fresh. An unknown API key causes a refresh. Once it is
//! refused, unknown API keys for that account name cause none for 30 s, whether or not the account exists: a caller without
//! a valid API key cannot learn which accounts exist. Concurrent requests share one refresh ([`SingleFlight`]), and each
//! waits for it no longer than its own time allows. Stale entries are used while Secrets Manager fails (stale-if-error,
//! RFC 5861), but never after it reported the secret missing or forbidden.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_config::SdkConfig;
use futures_util::{
    FutureExt,
    future::{self, BoxFuture, Either},
};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Account, AccountId, ApiKey, AuthError,
    auth::record_account,
    entry::{Entry, KeyCheck, Lifetime},
    single_flight::{Flight, SingleFlight},
    store::{Store, StoreError},
};
use crate::{
    budget::{SECRET_LIMIT, UNKNOWN_KEY_INTERVAL},
    clock::Clock,
    config::Config,
    rudder::Token,
    telemetry::log::LogText,
};

/// The maximum number of cached refusals.
const MAX_REFUSALS: usize = 1000;

/// All accounts, by name.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    lifetime: Lifetime,
    clock: Clock,
    state: Arc<Mutex<State>>,
    /// The account names for which an unknown API key was refused in the last 30 s. Guessed names can evict each other, but
    /// no account's entry.
    refusals: Cache<AccountId, Refusal>,
}

#[derive(Debug, Default)]
struct State {
    /// The accounts with at least one known API key, so at most one entry per secret: a guessed name gets none.
    entries: HashMap<AccountId, Arc<Entry>>,
    refreshes: SingleFlight<AccountId, Arc<Entry>>,
}

/// Until when every unknown API key of an account is refused without a refresh.
#[derive(Debug, Clone)]
struct Refusal {
    until: Instant,
    /// The secret's fault, if the API key is not the only thing that is wrong.
    fault: Option<StoreError>,
}

impl Refusal {
    fn applies_at(&self, instant: Instant) -> bool {
        instant < self.until
    }
}

impl Accounts {
    /// The accounts in the Secrets Manager that `aws` reaches.
    #[must_use]
    pub fn new(config: &Config, aws: &SdkConfig, clock: Clock) -> Self {
        Self {
            store: Store::new(config, aws),
            lifetime: Lifetime { fresh: config.secret_ttl, stale: config.secret_max_stale },
            clock,
            state: Arc::default(),
            refusals: refusals(),
        }
    }

    /// Does what can be done before the first request.
    pub(crate) fn prepare(&self) {
        self.store.prepare();
    }

    /// Authenticates a request. An unknown API key may be new, so it causes a refresh before it is refused, unless an unknown
    /// API key of that account was refused less than 30 s ago.
    ///
    /// `until` bounds how long this request waits, but not the refresh, which other requests may share. If it passes, the
    /// result is [`AuthError::Unavailable`]. After any error nothing was sent.
    pub async fn authenticate(&self, id: &AccountId, key: ApiKey, until: Instant) -> Result<Account, AuthError> {
        let arrived_at = self.clock.now();
        if !self.lock().entries.get(id).is_some_and(|entry| entry.knows(key))
            && let Some(refusal) = self.refusals.get(id).filter(|refusal| refusal.applies_at(arrived_at))
        {
            return Err(refuse(id, refusal.fault));
        }
        let is_enough = |entry: &Entry| entry.knows(key) && entry.is_fresh(arrived_at);
        // At most twice: a refresh that began before this request arrived may miss an API key that was stored since.
        loop {
            let entry = within(until, self.cached_or_refreshed(id, false, is_enough)).await?;
            match entry.check_key(key, arrived_at) {
                KeyCheck::Valid(destination, policy) => {
                    let source = entry.source(arrived_at);
                    record_account(id, Some(source));
                    return Ok(Account { id: id.clone(), destination, policy, source });
                }
                KeyCheck::Misconfigured(cause) => {
                    record_account(id, None);
                    return Err(AuthError::Misconfigured(cause));
                }
                KeyCheck::Unavailable(cause) => {
                    if entry.knows(key) {
                        record_account(id, None);
                    }
                    return Err(AuthError::Unavailable(cause));
                }
                KeyCheck::Refused(fault) => {
                    let until = self.clock.now() + UNKNOWN_KEY_INTERVAL;
                    self.refusals.insert(id.clone(), Refusal { until, fault: fault.clone() });
                    return Err(refuse(id, fault));
                }
                KeyCheck::NeedsRefresh => {}
            }
        }
    }

    /// Finds the account's new token after AI Rudder refused this one, with a refresh if necessary. `None` if the secret has no
    /// new token, or cannot be read before `until`.
    pub async fn find_new_token(&self, account: &AccountId, refused: &Token, until: Instant) -> Option<Token> {
        let refused_at = self.clock.now();
        let new_token = |entry: &Entry| entry.token().filter(|token| *token != refused).cloned();
        let is_enough = |entry: &Entry| entry.is_refreshed_since(refused_at) || new_token(entry).is_some();
        new_token(&*within(until, self.force_refresh(account, is_enough)).await.ok()?)
    }

    /// Returns an entry that `is_enough`, after refreshes if necessary, or the cached entry if no refresh may be forced now. A
    /// refresh in flight may have begun too early, so its result is checked like a cached entry.
    async fn force_refresh(&self, id: &AccountId, is_enough: impl Fn(&Entry) -> bool) -> Arc<Entry> {
        let is_final = |entry: &Entry| is_enough(entry) || !entry.may_force_refresh(self.clock.now());
        loop {
            let entry = self.cached_or_refreshed(id, true, is_final).await;
            if is_final(&entry) {
                return entry;
            }
        }
    }

    /// The cached entry if it is enough, or else the result of a refresh.
    fn cached_or_refreshed(
        &self,
        id: &AccountId,
        forced: bool,
        is_enough: impl FnOnce(&Entry) -> bool,
    ) -> Either<future::Ready<Arc<Entry>>, Flight<Arc<Entry>>> {
        let mut state = self.lock();
        let cached = state.entries.get(id).cloned();
        if let Some(entry) = cached.clone().filter(|entry| is_enough(entry)) {
            return Either::Left(future::ready(entry));
        }
        Either::Right(state.refreshes.join_or_start(id, || self.refresh(id.clone(), cached, forced)))
    }

    fn refresh(&self, id: AccountId, old: Option<Arc<Entry>>, forced: bool) -> BoxFuture<'static, Arc<Entry>> {
        let (store, lifetime, clock, state) = (self.store.clone(), self.lifetime, self.clock, Arc::clone(&self.state));
        async move {
            let began_at = clock.now();
            // Otherwise a panic would end every request that waits for this refresh.
            let response = AssertUnwindSafe(store.get(&id, began_at + SECRET_LIMIT)).catch_unwind().await;
            let response =
                response.unwrap_or_else(|_| Err(StoreError::Transient(LogText::from("a panic, logged before this"))));
            let entry = Entry::from_response(response, old.as_deref(), forced, lifetime, began_at, clock.now());
            let entry = Arc::new(entry);
            lock(&state).replace(id, &entry);
            entry
        }
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Replaces the entry. An entry without API keys is dropped: its account does not exist, or no caller can use it.
    fn replace(&mut self, id: AccountId, entry: &Arc<Entry>) {
        if entry.has_keys() {
            self.entries.insert(id, Arc::clone(entry));
        } else {
            self.entries.remove(&id);
        }
    }
}

/// Ignores poisoning: no panic leaves the state half changed.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An empty cache, in one part: to choose a number of parts, it would look up the number of processors, which takes twenty
/// system calls on Linux.
fn refusals() -> Cache<AccountId, Refusal> {
    let capacity = MAX_REFUSALS as u64;
    let options =
        OptionsBuilder::new().shards(1).estimated_items_capacity(MAX_REFUSALS).weight_capacity(capacity).build();
    let with_options = |options| {
        Cache::with_options(options, UnitWeighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
    };
    options.map_or_else(|_| Cache::new(MAX_REFUSALS), with_options)
}

/// The error for an unknown API key. Records the account in the log line, if it exists.
fn refuse(id: &AccountId, fault: Option<StoreError>) -> AuthError {
    if fault != Some(StoreError::NotFound) {
        record_account(id, None);
    }
    match fault {
        None => AuthError::Unauthorized(LogText::from("wrong key")),
        Some(error @ StoreError::Unreadable(_)) => AuthError::SecretUnreadable(error.log_text()),
        Some(error) => AuthError::Unauthorized(error.log_text()),
    }
}

/// Waits for the result, at most until `until`. After that, `Err` is [`AuthError::Unavailable`].
async fn within<T>(until: Instant, result: impl Future<Output = T>) -> Result<T, AuthError> {
    let in_time = timeout_at(until, result).await;
    in_time.map_err(|_| AuthError::Unavailable(LogText::from("too little time left")))
}

#[cfg(test)]
mod tests;
