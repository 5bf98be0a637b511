//! The HTTP client of a connection to AI Rudder.

use std::time::Duration;

use reqwest::Client;
use rustls::ClientConfig;
use tower::{timeout::TimeoutLayer, util::AndThenLayer};

use super::{attempt::Attempt, dns::DnsCache};
use crate::{budget::PUSH_ACK_TIMEOUT, tls};

/// A client that keeps this many idle connections.
///
/// If it finds that its idle connection was closed, it opens another. That is no second attempt: hyper returns a request only if
/// it has not begun to send it.
pub(super) fn client(
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
