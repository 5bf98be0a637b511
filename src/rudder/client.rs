//! Brings a payload to AI Rudder, at most once.

use std::{
    cell::Cell,
    time::{Duration, SystemTime},
};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http::{HeaderValue, header};
use reqwest::{Client, Response, Url, dns::Resolve};
use tokio::time::{Instant, timeout_at};
use tower::{BoxError, util::MapResultLayer};

use super::{
    body::UpstreamBody,
    codes::UpstreamCodes,
    envelope::MAX_BYTES,
    names::Names,
    token::Token,
    verdict::{Verdict, own_code, verdict},
};
use crate::{
    config::Upstream,
    retry_after::RetryAfter,
    tls::{self, ClientError},
};

/// When a push may be made.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// When it has to be done, its answer read.
    pub until: Instant,
    /// From when on no byte of it may leave: others may think by then that its sender is dead.
    pub lease_until: SystemTime,
}

tokio::task_local! {
    static ATTEMPT: Attempt;
}

/// The push that runs in this task.
struct Attempt {
    connection: Cell<Connection>,
    lease_until: SystemTime,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    None,
    /// From here on a byte may have reached AI Rudder.
    Made,
    /// It was made when the lease was over. Nothing is written into it.
    TooLate,
}

/// What the connector says of it.
#[derive(Debug, thiserror::Error)]
#[error("the lease is over")]
struct LeaseOver;

impl Attempt {
    /// Looks at the clock with the connection in hand: however long it took, or the process was frozen meanwhile, what
    /// comes next is the first byte of the lead.
    fn connect<C>(connection: Result<C, BoxError>) -> Result<C, BoxError> {
        let connection = connection?;
        let in_time = ATTEMPT.try_with(|attempt| {
            let in_time = SystemTime::now() < attempt.lease_until;
            attempt.connection.set(if in_time { Connection::Made } else { Connection::TooLate });
            in_time
        });
        // Not in a task of ours, only where nobody waits for the result any more.
        if in_time.unwrap_or(false) { Ok(connection) } else { Err(LeaseOver.into()) }
    }

    fn connection() -> Connection {
        ATTEMPT.with(|attempt| attempt.connection.get())
    }
}

/// The client of AI Rudder's one endpoint, made once and shared by all leads.
#[derive(Debug, Clone)]
pub struct Rudder {
    http: Client,
    names: Names,
    base: Url,
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

    /// The answer's `code` where it is AI Rudder's own, which nobody else can explain.
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
    pub fn new(upstream: &Upstream) -> Result<Self, ClientError> {
        let names = Names::default();
        let http = tls::http_client(&upstream.extra_roots)?
            .dns_resolver(names.clone())
            .connect_timeout(upstream.connect_timeout)
            .connector_layer(MapResultLayer::new(Attempt::connect))
            .pool_max_idle_per_host(0)
            // Of no use to a connection that lives for one lead.
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .tcp_user_timeout(None)
            .user_agent(concat!("lendswift-relay/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, names, base: upstream.base_url.clone(), codes: upstream.codes.clone() })
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
    pub async fn push(&self, token: &Token, payload: &Bytes, window: Window) -> Result<Push, PushError> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(Duration::from_millis(500))
            .with_max_times(MORE_TRIES)
            .with_jitter();
        let tries = async || {
            (|| self.try_once(token, payload))
                .retry(backoff)
                .when(|error| matches!(error, PushError::Unreachable(_)))
                .await
        };
        let attempt = Attempt { connection: Cell::new(Connection::None), lease_until: window.lease_until };
        let pushed = ATTEMPT
            .scope(attempt, async {
                match timeout_at(window.until, tries()).await {
                    Ok(pushed) => pushed,
                    Err(_) if Attempt::connection() == Connection::Made => Err(PushError::TimedOut),
                    Err(_) => Err(PushError::Unreachable(None)),
                }
            })
            .await;
        if !matches!(&pushed, Ok(push) if push.verdict != Verdict::Unknown) {
            // Whoever is at that address may not be AI Rudder any more, or not well.
            self.names.forget();
        }
        pushed
    }

    async fn try_once(&self, token: &Token, payload: &Bytes) -> Result<Push, PushError> {
        self.send(token, payload).await.map_err(|error| match Attempt::connection() {
            Connection::None if error.is_connect() => {
                // For the next try.
                self.names.forget();
                PushError::Unreachable(Some(error))
            }
            Connection::TooLate => PushError::TooLate,
            Connection::None | Connection::Made => PushError::Broke(error),
        })
    }

    async fn send(&self, token: &Token, payload: &Bytes) -> Result<Push, reqwest::Error> {
        let request = self
            .http
            .post(token.url(&self.base))
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(payload.clone());
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
