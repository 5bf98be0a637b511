//! A cache of AI Rudder's addresses.
//!
//! A look-up needs another thread and the network. Its result is reused for [`DNS_TTL`], or until a connection fails or a
//! push gets an ambiguous response or none.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::dns::{Name, Resolve, Resolving};
use tokio::{net::lookup_host, time::Instant};

use crate::{budget::DNS_TTL, clock::Clock};

/// The addresses of AI Rudder's host.
#[derive(Debug, Clone)]
pub(super) struct DnsCache {
    state: Arc<Mutex<State>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    cached: Option<Cached>,
    /// The address that came first when a connection or a push failed. It comes last from then on.
    suspect: Option<IpAddr>,
}

#[derive(Debug)]
struct Cached {
    addresses: Vec<SocketAddr>,
    until: Instant,
}

impl DnsCache {
    pub(super) fn new(clock: Clock) -> Self {
        Self { state: Arc::default(), clock }
    }

    /// Makes the next connection look up the name again, and try the other addresses first.
    pub(super) fn invalidate(&self) {
        let mut state = self.lock();
        if let Some(Cached { addresses, .. }) = state.cached.take() {
            state.suspect = addresses.first().map(SocketAddr::ip);
        }
    }

    /// Caches these addresses, and returns them in the order in which they are tried.
    fn insert(&self, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let mut state = self.lock();
        addresses.sort_by_key(|address| Some(address.ip()) == state.suspect);
        state.cached = Some(Cached { addresses: addresses.clone(), until: self.clock.now() + DNS_TTL });
        addresses
    }

    pub(super) fn get(&self) -> Option<Vec<SocketAddr>> {
        let state = self.lock();
        state.cached.as_ref().filter(|cached| self.clock.now() < cached.until).map(|cached| cached.addresses.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolve for DnsCache {
    fn resolve(&self, name: Name) -> Resolving {
        let cache = self.clone();
        Box::pin(async move {
            if let Some(addresses) = cache.get() {
                return Ok(Box::new(addresses.into_iter()) as _);
            }
            let addresses: Vec<_> = lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(cache.insert(addresses).into_iter()) as _)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use bytes::Bytes;
    use support::fakes::{Reply, Rudder as FakeRudder};
    use tokio::time::advance;

    use super::*;
    use crate::{
        budget::Budget,
        rudder::{Permit, Push, PushError, Rudder, UpstreamCodes, UpstreamConfig},
    };

    async fn resolve(cache: &DnsCache, name: &str) -> Option<Vec<SocketAddr>> {
        cache.resolve(name.parse().unwrap()).await.ok().map(Iterator::collect)
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_cached_for_30_s_or_until_invalidated() {
        let cache = DnsCache::new(Clock::SYSTEM);
        let here = resolve(&cache, "localhost").await.unwrap();
        assert!(here.iter().all(|address| address.ip().is_loopback()), "{here:?}");
        advance(Duration::from_millis(29_999)).await;
        assert_eq!(cache.get(), Some(here));
        advance(Duration::from_millis(1)).await;
        assert_eq!(cache.get(), None);
        cache.insert(vec![([192, 0, 2, 1], 0).into()]);
        assert_eq!(resolve(&cache, "localhost").await, Some(vec![([192, 0, 2, 1], 0).into()]));
        cache.invalidate();
        assert_ne!(resolve(&cache, "localhost").await, Some(vec![([192, 0, 2, 1], 0).into()]));
    }

    #[test]
    fn the_address_that_failed_comes_last() {
        let cache = DnsCache::new(Clock::SYSTEM);
        let [first, second, third] = [1, 2, 3].map(|last| SocketAddr::from(([192, 0, 2, last], 0)));
        let order = || cache.get().unwrap();
        cache.insert(vec![first, second, third]);
        assert_eq!(order(), [first, second, third]);
        for expected in [[second, third, first], [first, third, second]] {
            cache.invalidate();
            // Without a look-up in between, it is the same failure.
            cache.invalidate();
            cache.insert(vec![first, second, third]);
            assert_eq!(order(), expected);
        }
    }

    /// A fake of AI Rudder, and a client that looks up its name.
    async fn fake_and_client() -> (FakeRudder, Rudder) {
        let fake = FakeRudder::start(([127, 0, 0, 1], 0).into(), ["token"]).await.unwrap();
        let base = fake.base_url().replace("127.0.0.1", "localhost");
        let upstream = UpstreamConfig {
            codes: UpstreamCodes::default(),
            base_url: base.parse().unwrap(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            keep_alive: Duration::ZERO,
            extra_roots: Vec::new(),
        };
        let rudder = Rudder::new(&upstream, Clock::SYSTEM).unwrap();
        (fake, rudder)
    }

    async fn push(rudder: &Rudder) -> Result<Push, PushError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(10);
        let budget = Budget::with_deadline(now.as_millis().try_into().unwrap(), Clock::SYSTEM);
        let permit = Permit::new(budget);
        permit.grant(Clock::SYSTEM.now(), budget.work_until());
        let token = "token".to_owned().try_into().unwrap();
        rudder.push(&token, &Bytes::from_static(b"{}"), &permit).await
    }

    #[tokio::test]
    async fn a_failed_connection_invalidates_the_address() {
        let (fake, rudder) = fake_and_client().await;
        rudder.dns().insert(vec![([127, 0, 0, 9], 0).into()]);
        push(&rudder).await.unwrap();
        assert_eq!(fake.received().len(), 1);
    }

    #[tokio::test]
    async fn an_ambiguous_response_invalidates_the_address() {
        let (fake, rudder) = fake_and_client().await;
        push(&rudder).await.unwrap();
        assert!(rudder.dns().get().is_some());
        fake.answer_next(Reply::new(503, "draining"));
        push(&rudder).await.unwrap();
        assert!(rudder.dns().get().is_none());
        push(&rudder).await.unwrap();
        assert!(rudder.dns().get().is_some());
    }

    #[tokio::test]
    async fn an_unknown_name_is_not_cached() {
        let cache = DnsCache::new(Clock::SYSTEM);
        assert_eq!(resolve(&cache, "no-such-host.invalid").await, None);
        assert_eq!(cache.get(), None);
    }
}
