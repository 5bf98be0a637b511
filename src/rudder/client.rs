//! Pushes a payload to AI Rudder, at most once.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http::{HeaderValue, header};
use reqwest::{Body, Client, Response, Url, dns::Resolve};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};
use tower::util::MapResultLayer;

use super::{
    attempt::{Attempt, LeasedBody, Progress},
    body::UpstreamBody,
    codes::UpstreamCodes,
    dns::DnsCache,
    envelope::MAX_BYTES,
    token::Token,
    verdict::{Verdict, own_code, verdict},
};
use crate::{
    budget::{CONNECT_FIRST_WAIT, CONNECT_MAX_WAIT, Lease, PUSH_ACK_TIMEOUT},
    clock::Clock,
    retry_after::RetryAfter,
    tls::{self, ClientError},
};

/// The configuration of the pushes to AI Rudder. Defaults and bounds are in [`VARIABLES`](crate::config::VARIABLES).
#[derive(Debug, Clone)]
pub struct UpstreamConfig {
    /// `UPSTREAM_BASE_URL`: the address without the token.
    pub base_url: Url,
    /// `UPSTREAM_TIMEOUT_MS`: how long a push may take, with all attempts to connect and the response.
    pub timeout: Duration,
    /// `UPSTREAM_CONNECT_TIMEOUT_MS`: how long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// `UPSTREAM_CODES`: what AI Rudder's own codes under HTTP 2xx mean.
    pub codes: UpstreamCodes,
    /// `UPSTREAM_CA_FILE`: certificates to trust in addition to the public roots.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// Until when a push may start, and until when it waits for the response.
#[derive(Debug, Clone, Copy)]
pub struct SendDeadlines {
    /// When the push is given up if the response is not complete.
    pub until: Instant,
    /// The push may start only before the lease ends. Afterwards other requests treat its holder as dead.
    pub lease: Lease,
}

/// The client of AI Rudder's endpoint, created once and shared by all leads.
#[derive(Debug, Clone)]
pub struct Rudder {
    http: Client,
    dns: DnsCache,
    base: Url,
    clock: Clock,
    codes: UpstreamCodes,
}

/// AI Rudder's response to a push.
#[derive(Debug)]
pub struct Push {
    /// What the response means for the consumer.
    pub verdict: Verdict,
    /// The HTTP status.
    pub status: u16,
    /// The body. An envelope that quotes a token with which the lead was pushed is already withheld.
    pub body: UpstreamBody,
    /// The `retry-after`, if it is valid.
    pub retry_after: Option<RetryAfter>,
}

impl Push {
    /// Removes the envelope if it quotes this token.
    pub(crate) fn without_token(self, token: &Token) -> Self {
        Self { body: self.body.without_token(token), ..self }
    }

    /// The `code`, if HTTP does not explain it ([`own_code`]).
    pub(crate) fn own_code(&self) -> Option<i64> {
        own_code(self.status, self.body.code())
    }
}

/// A push without a response. The sources are for the log; none contains the URL, which contains the token.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No connection could be opened. **Nothing was sent.**
    #[error("no connection to AI Rudder")]
    Unreachable(#[source] Option<reqwest::Error>),
    /// The lease ended before the first byte. **Nothing was sent.**
    #[error("the lease was over before the lead could be sent")]
    LeaseOver,
    /// A connection was open, and no complete response came in time. The lead may have arrived.
    #[error("AI Rudder did not respond in time")]
    TimedOut,
    /// The connection broke before the response was complete. The lead may have arrived.
    #[error("the connection to AI Rudder broke")]
    ConnectionBroke(#[source] reqwest::Error),
}

/// The maximum number of retries of opening a connection: the relay's own choice, within the time of one push.
const CONNECT_RETRIES: usize = 2;

impl Rudder {
    /// Creates the client. `Err` if TLS or HTTP cannot be set up.
    ///
    /// No connection is used twice: Lambda suspends the process between leads, and a push into a connection that was closed
    /// in the meantime ends as `unknown`. TLS sessions are resumed instead.
    ///
    /// The kernel keeps delivering the bytes of a closed socket, even after the process has ended. `TCP_USER_TIMEOUT` makes it
    /// drop a connection whose bytes are not acknowledged, so that it does not deliver a push that was given up. A peer that
    /// keeps acknowledging small pieces may still receive a whole push after its lease. A linger time of zero would prevent
    /// that, but reqwest does not expose its sockets.
    pub fn new(upstream: &UpstreamConfig, clock: Clock) -> Result<Self, ClientError> {
        let dns = DnsCache::new(clock);
        let http = tls::http_client(&upstream.extra_roots)?
            .dns_resolver(dns.clone())
            .connect_timeout(upstream.connect_timeout)
            .connector_layer(MapResultLayer::new(Attempt::check_lease_on))
            .pool_max_idle_per_host(0)
            // A connection serves one lead, which is too short for keep-alive probes.
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .tcp_user_timeout(PUSH_ACK_TIMEOUT)
            .user_agent(concat!("lendswift-relay/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, dns, base: upstream.base_url.clone(), codes: upstream.codes.clone(), clock })
    }

    #[cfg(test)]
    pub(super) fn dns(&self) -> &DnsCache {
        &self.dns
    }

    /// Whether AI Rudder's address is cached.
    #[cfg(test)]
    pub(crate) fn has_address(&self) -> bool {
        self.dns.get().is_some()
    }

    /// Looks up AI Rudder's address before the first lead. It opens no connection, because no lead could use it.
    pub async fn look_up(&self) {
        if let Some(name) = self.base.domain().and_then(|name| name.parse().ok()) {
            // If this fails, the first lead looks it up again.
            let _ = self.dns.resolve(name).await;
        }
    }

    /// Pushes a payload and reads the response. Only opening the connection is retried, at most twice: once a connection is
    /// open, a second attempt could be a second call.
    ///
    /// [`PushError::Unreachable`] and [`PushError::LeaseOver`] guarantee that nothing was sent. After any other error the lead
    /// may have arrived.
    pub async fn push(&self, token: &Token, payload: &Bytes, deadlines: SendDeadlines) -> Result<Push, PushError> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(CONNECT_FIRST_WAIT)
            .with_max_delay(CONNECT_MAX_WAIT)
            .with_max_times(CONNECT_RETRIES)
            .with_jitter();
        let attempt = Attempt::new(deadlines.lease, self.clock);
        let attempts = async || {
            (|| self.push_once(token, payload, &attempt))
                .retry(backoff)
                .when(|error| matches!(error, PushError::Unreachable(_)))
                .await
        };
        let pushed = attempt.scope(timeout_at(deadlines.until, attempts())).await;
        let pushed = pushed.unwrap_or_else(|_| match attempt.progress() {
            Progress::NotConnected => Err(PushError::Unreachable(None)),
            Progress::Connected => Err(PushError::TimedOut),
            Progress::LeaseOver => Err(PushError::LeaseOver),
        });
        if !matches!(&pushed, Ok(push) if push.verdict != Verdict::Unknown) {
            // The address may no longer be AI Rudder's, or the machine there may be failing.
            self.dns.invalidate();
        }
        pushed
    }

    async fn push_once(&self, token: &Token, payload: &Bytes, attempt: &Arc<Attempt>) -> Result<Push, PushError> {
        self.send(token, attempt.body(payload.clone())).await.map_err(|error| match attempt.progress() {
            Progress::NotConnected if error.is_connect() => {
                self.dns.invalidate();
                PushError::Unreachable(Some(error))
            }
            Progress::LeaseOver => PushError::LeaseOver,
            Progress::NotConnected | Progress::Connected => PushError::ConnectionBroke(error),
        })
    }

    async fn send(&self, token: &Token, payload: LeasedBody) -> Result<Push, reqwest::Error> {
        let request = self
            .http
            .post(token.url(&self.base))
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Body::wrap(payload));
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = response.status().as_u16();
        let retry_after = RetryAfter::from_headers(response.headers());
        let body = UpstreamBody::parse(read_body(response).await.map_err(reqwest::Error::without_url)?);
        let verdict = verdict(status, body.code(), &self.codes);
        Ok(Push { verdict, status, body, retry_after }.without_token(token))
    }
}

/// Reads the body, or slightly more than its first 64 KiB: enough to see that it is too long for an envelope.
async fn read_body(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() <= MAX_BYTES {
        match response.chunk().await? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_has_the_own_code_of_its_response() {
        let push = |status, body: &[u8]| {
            let body = UpstreamBody::parse(body.to_vec());
            Push { verdict: Verdict::Unknown, status, body, retry_after: None }.own_code()
        };
        assert_eq!(push(200, br#"{"code":10510}"#), Some(10510));
        assert_eq!(push(200, br#"{"code":200}"#), None);
        assert_eq!(push(400, br#"{"code":10510}"#), None);
    }
}
