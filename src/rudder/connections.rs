//! The connections to AI Rudder: a lead takes one that an earlier lead left, or opens its own.
//!
//! Each connection has a client of its own, so it belongs to one lead at a time: there is no pool that another lead could take
//! it from or return it to.
//!
//! In HTTP/1.1 the next bytes on a connection are the response to the next request. If AI Rudder repeated a response, the
//! repetition would be taken for the response to another lead. Only the `trace_id` tells them apart, so a connection is reused
//! only while AI Rudder gives each response its own.

use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderMap, Version, header};
use reqwest::{Client, Response};
use rustls::ClientConfig;
use tower::{timeout::TimeoutLayer, util::AndThenLayer};

use super::{attempt::Attempt, client::UpstreamConfig, dns::DnsCache, push::Push, verdict::Verdict};
use crate::{
    budget::PUSH_ACK_TIMEOUT,
    clock::Moment,
    tls::{self, ClientError},
};

/// The connections that leads left, and what it takes to open new ones.
#[derive(Debug)]
pub(super) struct Connections {
    tls: ClientConfig,
    dns: DnsCache,
    connect_timeout: Duration,
    keep_alive: Duration,
    state: Mutex<State>,
    /// Whether a reused connection failed. Then no connection is reused any more.
    has_failed: AtomicBool,
    /// The client of connections that are used once.
    single_use: Client,
}

/// A connection for one lead.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    /// The `trace_id` of each response on it.
    pub(super) trace_ids: HashSet<String>,
    /// When it was used last, and how long it may be idle; `None` for a new connection.
    idle: Option<(Moment, Duration)>,
}

#[derive(Debug, Default)]
struct State {
    /// The connections that may be reused, the newest last.
    kept: Vec<Connection>,
    /// The `trace_id` of the last response on any connection.
    last_trace_id: Option<String>,
}

/// How many leads a connection serves. Their trace ids use 100 kB.
const MAX_LEADS: usize = 1000;

impl Connections {
    /// `Err` if TLS or HTTP cannot be set up.
    pub(super) fn new(upstream: &UpstreamConfig, dns: DnsCache) -> Result<Self, ClientError> {
        let tls = tls::client_config(&upstream.extra_roots)?;
        Ok(Self {
            single_use: client(tls.clone(), dns.clone(), upstream.connect_timeout, 0)?,
            tls,
            dns,
            connect_timeout: upstream.connect_timeout,
            keep_alive: upstream.keep_alive,
            state: Mutex::default(),
            has_failed: AtomicBool::new(false),
        })
    }

    /// The latest connection that may still be reused, or else a new one.
    pub(super) fn take(&self, now: Moment) -> Connection {
        let mut state = self.state();
        if let Some(connection) = state.kept.pop_if(|kept| kept.is_usable(now)) {
            return connection;
        }
        // The others are even older.
        state.kept.clear();
        drop(state);
        self.open()
    }

    /// A new connection, which is opened when its client is used.
    pub(super) fn open(&self) -> Connection {
        let can_be_kept = !self.keep_alive.is_zero() && !self.has_failed.load(Relaxed);
        let own = || client(self.tls.clone(), self.dns.clone(), self.connect_timeout, 1).ok();
        let client = can_be_kept.then(own).flatten().unwrap_or_else(|| self.single_use.clone());
        Connection { client, trace_ids: HashSet::new(), idle: None }
    }

    /// Leaves a connection to the next lead, if its last response is an acceptance, has a `trace_id` that no response had before,
    /// and allows it to be idle for `limit`. Returns that response. It is ambiguous if it repeats an earlier one on this
    /// connection: then it says nothing about its lead.
    pub(super) fn leave(
        &self,
        client: Client,
        mut trace_ids: HashSet<String>,
        push: Push,
        limit: Option<Duration>,
        now: Moment,
    ) -> Push {
        let Some(trace_id) = push.body.trace_id().map(str::to_owned) else { return push };
        if trace_ids.contains(&trace_id) {
            self.stop_reusing();
            return push.into_ambiguous();
        }
        let mut state = self.state();
        // Without an earlier one, it is not known whether AI Rudder gives each response its own.
        let is_its_own = state.last_trace_id.replace(trace_id.clone()).is_some_and(|last| last != trace_id);
        trace_ids.insert(trace_id);
        if let (Verdict::Accepted, Some(limit)) = (push.verdict, limit)
            && is_its_own
            && trace_ids.len() < MAX_LEADS
            && !self.has_failed.load(Relaxed)
        {
            state.kept.push(Connection { client, trace_ids, idle: Some((now, limit)) });
        }
        push
    }

    /// Call this when a reused connection gave no response, or the response to an earlier request.
    pub(super) fn stop_reusing(&self) {
        self.has_failed.store(true, Relaxed);
        self.state().kept.clear();
    }

    /// How long the connection of a response may be idle: `UPSTREAM_KEEP_ALIVE_MS`, or half of the time that the server states,
    /// so that it does not close the connection while a lead is on its way. `None` if it may not be reused.
    pub(super) fn idle_limit(&self, response: &Response) -> Option<Duration> {
        let stated = stated_timeout(response.headers()).map(|timeout| timeout / 2);
        let limit = stated.unwrap_or(Duration::MAX).min(self.keep_alive);
        let is_persistent = response.version() == Version::HTTP_11 && !closes(response.headers());
        (is_persistent && !limit.is_zero()).then_some(limit)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Whether it was used before.
    pub(super) fn is_used(&self) -> bool {
        self.idle.is_some()
    }

    /// Whether it is new, or has not been idle for too long.
    pub(super) fn is_usable(&self, now: Moment) -> bool {
        self.idle.is_none_or(|(since, limit)| now.is_within(limit, since))
    }
}

/// A client that keeps this many idle connections.
fn client(
    tls: ClientConfig,
    dns: DnsCache,
    connect_timeout: Duration,
    max_idle: usize,
) -> Result<Client, reqwest::Error> {
    tls::http_client(tls)
        .dns_resolver(dns)
        // Not reqwest's own limit, which would include the wait for the permit.
        .connector_layer(TimeoutLayer::new(connect_timeout))
        .connector_layer(AndThenLayer::new(Attempt::hold))
        .pool_max_idle_per_host(max_idle)
        // `Connections` decides by more clocks than the pool has.
        .pool_idle_timeout(None)
        // A connection is not idle long enough for keep-alive probes.
        .tcp_keepalive(None)
        .tcp_keepalive_interval(None)
        .tcp_keepalive_retries(None)
        .tcp_user_timeout(PUSH_ACK_TIMEOUT)
        .user_agent(concat!("lendswift-relay/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The `timeout` of a `Keep-Alive` header (RFC 2068, section 19.7.1.1). Zero if it is not a number of seconds.
fn stated_timeout(headers: &HeaderMap) -> Option<Duration> {
    let seconds = elements(headers, "keep-alive").find_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.trim().eq_ignore_ascii_case("timeout").then(|| value.trim().trim_matches('"').parse().unwrap_or(0))
    });
    seconds.map(Duration::from_secs)
}

/// Whether the server closes the connection after the response (RFC 9112, section 9.6).
fn closes(headers: &HeaderMap) -> bool {
    elements(headers, header::CONNECTION.as_str()).any(|option| option.eq_ignore_ascii_case("close"))
}

/// The elements of a header that is a list.
fn elements<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests;
