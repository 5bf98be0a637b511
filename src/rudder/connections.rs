//! The connections to AI Rudder: a lead takes one that an earlier lead left, or opens its own.
//!
//! Each connection has a client of its own, so it belongs to one lead at a time: there is no pool that another lead could take
//! it from or return it to.
//!
//! In HTTP/1.1 the next bytes on a connection are the response to the next request. If AI Rudder repeated a response, the
//! repetition would be taken for the response to another lead. Only the `trace_id` distinguishes them, so a connection is reused
//! only while AI Rudder gives each response its own.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use reqwest::{Client, Response};
use rustls::ClientConfig;

use super::{
    client::UpstreamConfig,
    dns::DnsCache,
    http_client::client,
    keep_alive::idle_limit,
    push::{Push, Responded},
    verdict::Verdict,
};
use crate::{
    clock::Moment,
    tls::{self, ClientError},
};

/// The connections that can be reused, and what it takes to open new ones.
#[derive(Debug)]
pub(super) struct Connections {
    tls: ClientConfig,
    dns: DnsCache,
    connect_timeout: Duration,
    keep_alive: Duration,
    state: Mutex<State>,
    /// For the trace ids: one that cannot be logged must not be kept either.
    hasher: RandomState,
    /// Whether a reused connection failed. Then no connection is reused any more.
    has_failed: AtomicBool,
    /// The client of connections that are used once.
    single_use: Client,
}

#[derive(Debug, Default)]
struct State {
    /// The connections that can be reused, the newest last.
    idle: Vec<Idle>,
    /// The hash of the last response's `trace_id`, on whatever connection.
    last_trace_id: Option<u64>,
    /// How many times in a row AI Rudder had closed an idle connection before it was used again.
    closed_in_a_row: u32,
}

/// A connection that no lead uses.
#[derive(Debug)]
struct Idle {
    client: Client,
    /// The hash of the `trace_id` of each response on it.
    trace_ids: HashSet<u64>,
    since: Moment,
    limit: Duration,
}

/// A connection for one lead that is not in use yet.
#[derive(Debug)]
pub(super) enum Connection<'a> {
    /// One that is opened when its client is used.
    New(Client),
    /// One that was used before. It becomes idle again if the lead is not sent.
    Reserved(Reserved<'a>),
}

/// The connection that a push uses.
#[derive(Debug)]
pub(super) struct InUse {
    pub(super) client: Client,
    /// The hash of the `trace_id` of each earlier response on it; `None` if it is new.
    earlier: Option<HashSet<u64>>,
}

/// An idle connection that is reserved for a lead.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    idle: Option<Idle>,
    connections: &'a Connections,
}

/// How many leads a connection serves. Their trace ids use 16 kB.
const MAX_LEADS: usize = 1000;

/// How many connections may be idle: more leads at a time than Lambda sends to a process.
const MAX_IDLE: usize = 128;

/// After how many connections in a row that AI Rudder had closed none is reused any more: a lead that finds its connection
/// closed opens another only after its claim.
const MAX_CLOSED: u32 = 3;

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
            hasher: RandomState::new(),
            has_failed: AtomicBool::new(false),
        })
    }

    /// The latest connection that can be reused, or else a new one.
    pub(super) fn take(&self, now: Moment) -> Connection<'_> {
        let mut state = self.state();
        state.idle.retain(|idle| !now.is_beyond(idle.limit, idle.since));
        let usable = state.idle.iter().rposition(|idle| now.is_within(idle.limit, idle.since));
        let idle = usable.map(|usable| state.idle.remove(usable));
        drop(state);
        match idle.filter(|_| !self.has_failed.load(Relaxed)) {
            Some(idle) => Connection::Reserved(Reserved { idle: Some(idle), connections: self }),
            None => Connection::New(self.client()),
        }
    }

    /// Makes a connection idle after its response, if that is an acceptance, has a `trace_id` of its own, and allows the
    /// connection to be idle for `limit`. `has_connected`: whether the push opened a connection. If its own was used before,
    /// AI Rudder had closed that one.
    ///
    /// Returns the response. On a reused connection it is ambiguous unless its `trace_id` is a new one: otherwise it could be
    /// another response to an earlier lead.
    pub(super) fn give_back(
        &self,
        InUse { client, earlier }: InUse,
        Responded { push, limit, trace_id }: Responded,
        now: Moment,
        has_connected: bool,
    ) -> Push {
        let was_used = earlier.is_some();
        let has_reconnected = was_used && has_connected;
        let mut trace_ids = earlier.unwrap_or_default();
        let trace_id = trace_id.map(|id| self.hasher.hash_one(id));
        let is_repeated = trace_id.is_some_and(|id| trace_ids.contains(&id));
        if is_repeated || (was_used && !has_reconnected && trace_id.is_none()) {
            self.stop_reusing("a response on a reused connection had no trace_id of its own");
            return push.into_ambiguous();
        }
        let mut state = self.state();
        if was_used {
            state.closed_in_a_row = if has_reconnected { state.closed_in_a_row + 1 } else { 0 };
        }
        if state.closed_in_a_row >= MAX_CLOSED {
            drop(state);
            self.stop_reusing("AI Rudder closes connections earlier");
            return push;
        }
        let Some(trace_id) = trace_id else { return push };
        // Without an earlier one, it is not known whether AI Rudder gives each response its own.
        let is_its_own = state.last_trace_id.replace(trace_id).is_some_and(|last| last != trace_id);
        trace_ids.insert(trace_id);
        if let (Verdict::Accepted, Some(limit)) = (push.verdict, limit)
            && is_its_own
            // Its client may also have the connection that was closed.
            && !has_reconnected
            && trace_ids.len() < MAX_LEADS
            && state.idle.len() < MAX_IDLE
            && !self.has_failed.load(Relaxed)
        {
            state.idle.push(Idle { client, trace_ids, since: now, limit });
        }
        push
    }

    /// From now on, each lead opens its own connection.
    pub(super) fn stop_reusing(&self, reason: &str) {
        if !self.has_failed.swap(true, Relaxed) {
            tracing::warn!(reason, "connections to AI Rudder are not reused any more");
        }
        self.state().idle.clear();
    }

    /// A client for a new connection, which opens it when it is used.
    fn client(&self) -> Client {
        let can_be_reused = !self.keep_alive.is_zero() && !self.has_failed.load(Relaxed);
        let own = || client(self.tls.clone(), self.dns.clone(), self.connect_timeout, 1).ok();
        can_be_reused.then(own).flatten().unwrap_or_else(|| self.single_use.clone())
    }

    /// How long the connection of a response may be idle; `None` if it may not be reused.
    pub(super) fn idle_limit(&self, response: &Response) -> Option<Duration> {
        idle_limit(response.version(), response.headers(), self.keep_alive)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection<'_> {
    /// Whether it was used before.
    pub(super) fn is_used(&self) -> bool {
        matches!(self, Self::Reserved(_))
    }

    /// Begins to use it, or a new one if it has been idle for too long.
    pub(super) fn begin(self, now: Moment) -> InUse {
        let (connections, idle) = match self {
            Self::New(client) => return InUse { client, earlier: None },
            Self::Reserved(mut reserved) => (reserved.connections, reserved.idle.take()),
        };
        match idle {
            Some(Idle { client, trace_ids, since, limit })
                if now.is_within(limit, since) && !connections.has_failed.load(Relaxed) =>
            {
                InUse { client, earlier: Some(trace_ids) }
            }
            _ => InUse { client: connections.client(), earlier: None },
        }
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        if !self.connections.has_failed.load(Relaxed) {
            state.idle.extend(self.idle.take());
        }
    }
}
