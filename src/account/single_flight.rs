//! Single flight: concurrent callers that need the same value share one computation.

use std::{collections::HashMap, hash::Hash};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

/// A computation that several callers wait for.
pub(super) type Flight<V> = Shared<BoxFuture<'static, V>>;

/// The computations in flight, at most one per key.
///
/// The references are weak: a computation that no caller waits for is dropped unfinished. Lambda would suspend it anyway.
#[derive(Debug)]
pub(super) struct SingleFlight<K, V: Clone> {
    flights: HashMap<K, WeakShared<BoxFuture<'static, V>>>,
}

impl<K, V: Clone> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self { flights: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> SingleFlight<K, V> {
    /// Joins the computation in flight for a key, or starts one.
    pub(super) fn join_or_start(&mut self, key: &K, start: impl FnOnce() -> BoxFuture<'static, V>) -> Flight<V> {
        let in_flight = self.flights.get(key).and_then(WeakShared::upgrade);
        // A waiter that was not polled since may keep a finished computation alive; its value is old.
        if let Some(flight) = in_flight.filter(|flight| flight.peek().is_none()) {
            return flight;
        }
        let flight = start().shared();
        self.flights.retain(|_, flight| flight.upgrade().is_some());
        self.flights.extend(flight.downgrade().map(|flight| (key.clone(), flight)));
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn callers_share_a_flight_until_it_ends() {
        let mut flights = SingleFlight::default();
        let first = flights.join_or_start(&"a", || ready(1).boxed());
        let joined = flights.join_or_start(&"a", || ready(2).boxed());
        let other = flights.join_or_start(&"b", || ready(3).boxed());
        assert_eq!((joined.await, other.await), (1, 3));
        // `first` keeps the finished flight alive.
        assert_eq!(flights.join_or_start(&"a", || ready(4).boxed()).await, 4);
        drop(first);
    }

    #[tokio::test]
    async fn a_flight_without_waiters_is_dropped() {
        let mut flights = SingleFlight::<_, u32>::default();
        drop(flights.join_or_start(&"a", || pending().boxed()));
        assert_eq!(flights.join_or_start(&"a", || ready(2).boxed()).await, 2);
        drop(flights.join_or_start(&"b", || pending().boxed()));
        let _flight = flights.join_or_start(&"c", || pending().boxed());
        assert_eq!(flights.flights.len(), 1);
    }
}
