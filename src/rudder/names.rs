//! AI Rudder's addresses, remembered for a while.
//!
//! The system's look-up takes another thread and asks the network for each lead. What it said serves the leads that follow
//! soon after, until one of them gets no clear answer.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::dns::{Name, Resolve, Resolving};
use tokio::{net::lookup_host, time::Instant};

use crate::{budget::DNS_LIFETIME, clock::Clock};

/// The addresses of the one host that there is.
#[derive(Debug, Clone)]
pub(super) struct Names {
    known: Arc<Mutex<Option<Known>>>,
    clock: Clock,
}

#[derive(Debug)]
struct Known {
    addresses: Vec<SocketAddr>,
    until: Instant,
}

impl Names {
    pub(super) fn new(clock: Clock) -> Self {
        Self { known: Arc::default(), clock }
    }

    /// Has the next connection look the name up again.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn remember(&self, addresses: Vec<SocketAddr>) {
        let known = Known { addresses, until: self.clock.now() + DNS_LIFETIME };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    pub(super) fn known(&self) -> Option<Vec<SocketAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|known| self.clock.now() < known.until).map(|known| known.addresses.clone())
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            if let Some(addresses) = names.known() {
                return Ok(Box::new(addresses.into_iter()) as _);
            }
            let addresses: Vec<_> = lookup_host((name.as_str(), 0)).await?.collect();
            names.remember(addresses.clone());
            Ok(Box::new(addresses.into_iter()) as _)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use bytes::Bytes;
    use support::fakes::{Reply, Rudder as StandIn};
    use tokio::time::advance;

    use super::*;
    use crate::{
        budget::Budget,
        config::Upstream,
        rudder::{Push, PushError, Rudder, SendDeadlines, UpstreamCodes},
    };

    async fn resolve(names: &Names, name: &str) -> Option<Vec<SocketAddr>> {
        names.resolve(name.parse().unwrap()).await.ok().map(Iterator::collect)
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_looked_up_serves_for_half_a_minute_or_until_it_is_forgotten() {
        let names = Names::new(Clock::SYSTEM);
        let here = resolve(&names, "localhost").await.unwrap();
        assert!(here.iter().all(|address| address.ip().is_loopback()), "{here:?}");
        advance(Duration::from_millis(29_999)).await;
        assert_eq!(names.known(), Some(here));
        advance(Duration::from_millis(1)).await;
        assert_eq!(names.known(), None);
        names.remember(vec![([192, 0, 2, 1], 0).into()]);
        assert_eq!(resolve(&names, "localhost").await, Some(vec![([192, 0, 2, 1], 0).into()]));
        names.forget();
        assert_ne!(resolve(&names, "localhost").await, Some(vec![([192, 0, 2, 1], 0).into()]));
    }

    /// AI Rudder's stand-in, and a client that looks its name up.
    async fn neighbours() -> (StandIn, Rudder) {
        let stand_in = StandIn::start(([127, 0, 0, 1], 0).into(), ["token"]).await.unwrap();
        let base = stand_in.base_url().replace("127.0.0.1", "localhost");
        let upstream = Upstream {
            codes: UpstreamCodes::default(),
            base_url: base.parse().unwrap(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            extra_roots: Vec::new(),
        };
        let rudder = Rudder::new(&upstream, Clock::SYSTEM).unwrap();
        (stand_in, rudder)
    }

    async fn push(rudder: &Rudder) -> Result<Push, PushError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(10);
        let budget = Budget::until(now.as_millis().try_into().unwrap(), Clock::SYSTEM);
        let deadlines = SendDeadlines { until: budget.answer_from(), lease: budget.lease() };
        let token = "token".to_owned().try_into().unwrap();
        rudder.push(&token, &Bytes::from_static(b"{}"), deadlines).await
    }

    #[tokio::test]
    async fn a_push_that_finds_nobody_at_an_address_that_was_remembered_looks_again() {
        let (stand_in, rudder) = neighbours().await;
        rudder.names().remember(vec![([127, 0, 0, 9], 0).into()]);
        push(&rudder).await.unwrap();
        assert_eq!(stand_in.received().len(), 1);
    }

    #[tokio::test]
    async fn an_address_is_remembered_as_long_as_its_answers_are_clear() {
        let (stand_in, rudder) = neighbours().await;
        push(&rudder).await.unwrap();
        assert!(rudder.names().known().is_some());
        stand_in.answer_next(Reply::new(503, "draining"));
        push(&rudder).await.unwrap();
        assert!(rudder.names().known().is_none());
        push(&rudder).await.unwrap();
        assert!(rudder.names().known().is_some());
    }

    #[tokio::test]
    async fn a_name_that_is_unknown_is_not_remembered() {
        let names = Names::new(Clock::SYSTEM);
        assert_eq!(resolve(&names, "no-such-host.invalid").await, None);
        assert_eq!(names.known(), None);
    }
}
