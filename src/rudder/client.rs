//! Pushes a payload to AI Rudder, at most once.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http::{HeaderValue, header};
use reqwest::{Body, Client, Response, Url, dns::Resolve};
use rustls::pki_types::CertificateDer;
use tokio::{select, task::yield_now, time::sleep_until};

use super::{
    attempt::{Attempt, PermittedBody, Progress},
    body::UpstreamBody,
    codes::UpstreamCodes,
    connections::{Connection, Connections, InUse},
    dns::DnsCache,
    envelope::MAX_BYTES,
    permit::Permit,
    push::{Push, PushError, Responded},
    token::Token,
    verdict::{Verdict, verdict},
};
use crate::{
    budget::{CONNECT_FIRST_WAIT, CONNECT_MAX_WAIT},
    clock::Clock,
    retry_after::RetryAfter,
    tls::ClientError,
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
    /// `UPSTREAM_KEEP_ALIVE_MS`: how long a connection may be idle before it is reused; never if it is zero.
    pub keep_alive: Duration,
    /// `UPSTREAM_CODES`: what AI Rudder's own codes under HTTP 2xx mean.
    pub codes: UpstreamCodes,
    /// `UPSTREAM_CA_FILE`: certificates to trust in addition to the public roots.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// The client of AI Rudder's endpoint, created once and shared by all leads.
#[derive(Debug)]
pub struct Rudder {
    connections: Connections,
    dns: DnsCache,
    base: Url,
    clock: Clock,
    codes: UpstreamCodes,
}

/// The maximum number of retries of opening a connection: the relay's own choice, within the time of one push.
const CONNECT_RETRIES: usize = 2;

impl Rudder {
    /// Creates the client. `Err` if TLS or HTTP cannot be set up.
    ///
    /// The kernel keeps delivering the bytes of a closed socket, even after the process has ended. `TCP_USER_TIMEOUT` makes it
    /// drop a connection whose bytes are not acknowledged, so that it does not deliver a push that was given up. A peer that
    /// keeps acknowledging small pieces may still receive a whole push after its lease. A linger time of zero would prevent
    /// that, but reqwest does not expose its sockets.
    pub fn new(upstream: &UpstreamConfig, clock: Clock) -> Result<Self, ClientError> {
        let dns = DnsCache::new(clock);
        let connections = Connections::new(upstream, dns.clone())?;
        Ok(Self { connections, dns, base: upstream.base_url.clone(), codes: upstream.codes.clone(), clock })
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

    /// Looks up AI Rudder's address before the first lead. It opens no connection, because the first lead may come much later.
    pub async fn look_up(&self) {
        if let Some(name) = self.base.domain().and_then(|name| name.parse().ok()) {
            // If this fails, the first lead looks it up again.
            let _ = self.dns.resolve(name).await;
        }
    }

    /// Pushes a payload once `permit` is granted, and reads the response. Until then it opens a connection, unless an earlier
    /// lead left one. Only opening the connection is retried, at most twice: once a connection is used, a second attempt could
    /// be a second call. It returns nothing before the permit is granted.
    ///
    /// [`PushError::Unreachable`] and [`PushError::LeaseOver`] guarantee that nothing was sent. After any other error the lead
    /// may have arrived.
    pub async fn push(&self, token: &Token, payload: &Bytes, permit: &Arc<Permit>) -> Result<Push, PushError> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(CONNECT_FIRST_WAIT)
            .with_max_delay(CONNECT_MAX_WAIT)
            .with_max_times(CONNECT_RETRIES)
            .with_jitter();
        let attempt = Attempt::new(Arc::clone(permit), self.clock);
        let connection = self.connections.take(permit.moment(self.clock));
        let was_used = connection.is_used();
        let attempts = async {
            let connection = self.begin(connection, permit).await;
            let once = async || {
                let pushed = self.push_once(&connection.client, token, payload, &attempt).await;
                permit.granted().await;
                pushed
            };
            let responded = once.retry(backoff).when(|error| matches!(error, PushError::Unreachable(_))).await?;
            let now = permit.moment(self.clock);
            Ok(self.connections.give_back(connection, responded, now, attempt.has_connected()))
        };
        let given_up = async { sleep_until(permit.granted().await.until).await };
        let pushed = attempt.scope(async {
            select! {
                biased;
                pushed = attempts => pushed,
                () = given_up => Err(match attempt.give_up() {
                    Progress::NotBegun | Progress::GivenUp => PushError::Unreachable(None),
                    Progress::Begun => PushError::TimedOut,
                    Progress::LeaseOver => PushError::LeaseOver,
                }),
            }
        });
        let pushed = pushed.await;
        let gave_no_response = matches!(pushed, Err(PushError::TimedOut | PushError::ConnectionBroke(_)));
        if gave_no_response && was_used && !attempt.has_connected() {
            self.connections.stop_reusing("a reused connection gave no response");
        }
        if !matches!(&pushed, Ok(push) if push.verdict != Verdict::Unknown) {
            // The address may no longer be AI Rudder's, or the machine there may be failing.
            self.dns.invalidate();
        }
        pushed
    }

    /// Begins to use a new connection at once; one that was used before when the lead may be sent.
    async fn begin(&self, connection: Connection<'_>, permit: &Permit) -> InUse {
        if !connection.is_used() {
            return connection.begin(permit.moment(self.clock));
        }
        permit.granted().await;
        let connection = connection.begin(permit.moment(self.clock));
        // Lets tokio read what AI Rudder has sent meanwhile, such as the end of the connection.
        yield_now().await;
        connection
    }

    /// One attempt.
    async fn push_once(
        &self,
        client: &Client,
        token: &Token,
        payload: &Bytes,
        attempt: &Arc<Attempt>,
    ) -> Result<Responded, PushError> {
        self.send(client, token, attempt.body(payload.clone())).await.map_err(|error| match attempt.progress() {
            Progress::NotBegun => {
                self.dns.invalidate();
                PushError::Unreachable(Some(error))
            }
            Progress::LeaseOver => PushError::LeaseOver,
            Progress::Begun | Progress::GivenUp => PushError::ConnectionBroke(error),
        })
    }

    async fn send(&self, client: &Client, token: &Token, payload: PermittedBody) -> Result<Responded, reqwest::Error> {
        let request = client
            .post(token.url(&self.base))
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Body::wrap(payload));
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = response.status().as_u16();
        let retry_after = RetryAfter::from_headers(response.headers());
        let limit = self.connections.idle_limit(&response);
        let body = UpstreamBody::parse(read_body(response).await.map_err(reqwest::Error::without_url)?);
        let verdict = verdict(status, body.code(), &self.codes);
        let trace_id = body.any_trace_id().map(str::to_owned);
        let push = Push { verdict, status, body, retry_after }.without_token(token);
        Ok(Responded { push, limit, trace_id })
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
