//! Brings a payload to AI Rudder, at most once.

use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http::{HeaderValue, header};
use reqwest::{Body, Client, Response, Url, dns::Resolve};
use tokio::time::{Instant, timeout_at};
use tower::util::MapResultLayer;

use super::{
    attempt::{Attempt, LeasedBody, Progress},
    body::UpstreamBody,
    codes::UpstreamCodes,
    envelope::MAX_BYTES,
    names::Names,
    token::Token,
    verdict::{Verdict, own_code, verdict},
};
use crate::{
    budget::{CONNECT_FIRST_WAIT, CONNECT_LONGEST_WAIT, Lease, PUSH_UNACKNOWLEDGED},
    clock::Clock,
    config::Upstream,
    retry_after::RetryAfter,
    tls::{self, ClientError},
};

/// When a push may be made.
#[derive(Debug, Clone, Copy)]
pub struct SendDeadlines {
    /// When it has to be done, its answer read.
    pub until: Instant,
    /// While it runs, bytes of the push may leave. After it, others may take its sender for dead.
    pub lease: Lease,
}

/// The client of AI Rudder's one endpoint, made once and shared by all leads.
#[derive(Debug, Clone)]
pub struct Rudder {
    http: Client,
    names: Names,
    base: Url,
    clock: Clock,
    codes: UpstreamCodes,
}

/// An answer of AI Rudder to a push.
#[derive(Debug)]
pub struct Push {
    /// What it means for the consumer.
    pub verdict: Verdict,
    /// Its HTTP status.
    pub status: u16,
    /// Its body, as far as the relay reads it. An envelope in it quotes no token that it was pushed with.
    pub body: UpstreamBody,
    /// When it wants to be asked again, where it said so in a valid form.
    pub retry_after: Option<RetryAfter>,
}

impl Push {
    /// The same without its envelope, where that quotes this token too.
    pub(crate) fn withholding(self, token: &Token) -> Self {
        Self { body: self.body.withholding(token), ..self }
    }

    /// The answer's `code` where it is AI Rudder's own, and none of HTTP's.
    pub(crate) fn own_code(&self) -> Option<i64> {
        own_code(self.status, self.body.code())
    }
}

/// A push without an answer. The sources are for the log; none of them holds the URL.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No connection could be made: nothing was sent.
    #[error("no connection to AI Rudder")]
    Unreachable(#[source] Option<reqwest::Error>),
    /// The lease was over when there was a connection: nothing was sent.
    #[error("the lease was over before the lead could be sent")]
    TooLate,
    /// A connection was made, and no whole answer came in time.
    #[error("AI Rudder did not answer in time")]
    TimedOut,
    /// The connection broke before there was a whole answer.
    #[error("the connection to AI Rudder broke")]
    Broke(#[source] reqwest::Error),
}

/// How often a connection that could not be made is tried again.
const MORE_TRIES: usize = 2;

impl Rudder {
    /// A client for AI Rudder at the configured address.
    ///
    /// No connection is used twice: Lambda freezes the process between leads, and a push into a connection that was closed
    /// meanwhile ends as "nobody knows". TLS sessions are resumed instead.
    ///
    /// The kernel goes on delivering what is in a socket that was closed, and also when the process is gone. So that it does
    /// not deliver a push that was given up, it drops a connection whose bytes are not acknowledged. A peer that goes on
    /// acknowledging in small pieces may get a whole push after its lease: a linger time of zero would end that, but reqwest does not give its sockets away.
    pub fn new(upstream: &Upstream, clock: Clock) -> Result<Self, ClientError> {
        let names = Names::new(clock);
        let http = tls::http_client(&upstream.extra_roots)?
            .dns_resolver(names.clone())
            .connect_timeout(upstream.connect_timeout)
            .connector_layer(MapResultLayer::new(Attempt::connect))
            .pool_max_idle_per_host(0)
            // Of no use to a connection that lives for one lead.
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .tcp_user_timeout(PUSH_UNACKNOWLEDGED)
            .user_agent(concat!("lendswift-relay/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, names, base: upstream.base_url.clone(), codes: upstream.codes.clone(), clock })
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// Whether the next push need not look for AI Rudder's address.
    #[cfg(test)]
    pub(crate) fn knows_its_address(&self) -> bool {
        self.names.known().is_some()
    }

    /// Looks AI Rudder's name up, so that the first lead need not. No connection is made: it would be of no use to a lead,
    /// and takes AI Rudder's round trips.
    pub async fn look_up(&self) {
        if let Some(name) = self.base.domain().and_then(|name| name.parse().ok()) {
            // Where it can't be found, the first lead looks again.
            let _ = self.names.resolve(name).await;
        }
    }

    /// Pushes a payload and reads the answer. Only a connection that could not be made is tried again, at most twice: once
    /// there is one, a second try could be a second call.
    pub async fn push(&self, token: &Token, payload: &Bytes, deadlines: SendDeadlines) -> Result<Push, PushError> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(CONNECT_FIRST_WAIT)
            .with_max_delay(CONNECT_LONGEST_WAIT)
            .with_max_times(MORE_TRIES)
            .with_jitter();
        let attempt = Attempt::new(deadlines.lease, self.clock);
        let tries = async || {
            (|| self.try_once(token, payload, &attempt))
                .retry(backoff)
                .when(|error| matches!(error, PushError::Unreachable(_)))
                .await
        };
        let pushed = attempt.scope(timeout_at(deadlines.until, tries())).await;
        let pushed = pushed.unwrap_or_else(|_| match attempt.progress() {
            Progress::NotConnected => Err(PushError::Unreachable(None)),
            Progress::Connected => Err(PushError::TimedOut),
            Progress::TooLate => Err(PushError::TooLate),
        });
        if !matches!(&pushed, Ok(push) if push.verdict != Verdict::Unknown) {
            // Whoever is at that address may not be AI Rudder any more, or not well.
            self.names.forget();
        }
        pushed
    }

    async fn try_once(&self, token: &Token, payload: &Bytes, attempt: &Arc<Attempt>) -> Result<Push, PushError> {
        self.send(token, attempt.body(payload.clone())).await.map_err(|error| match attempt.progress() {
            Progress::NotConnected if error.is_connect() => {
                // For the next try.
                self.names.forget();
                PushError::Unreachable(Some(error))
            }
            Progress::TooLate => PushError::TooLate,
            Progress::NotConnected | Progress::Connected => PushError::Broke(error),
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
        let retry_after = RetryAfter::of(response.headers());
        let body = UpstreamBody::read(read_body(response).await.map_err(reqwest::Error::without_url)?);
        let verdict = verdict(status, body.code(), &self.codes);
        Ok(Push { verdict, status, body, retry_after }.withholding(token))
    }
}

/// The body, or its first 64 KiB and a little more, which is enough to see that it is no envelope.
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
