//! One push: its progress, and the checks that the lead may be sent.
//!
//! The permit is checked twice: when a new connection is open, and when the first byte of the lead is requested. Between the
//! second check and the write into the socket the request is only encoded and encrypted, in the same poll.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tower::BoxError;

use super::permit::Permit;
use crate::{budget::UNUSED_CONNECTION_LIMIT, clock::Clock};

tokio::task_local! {
    /// The push that runs in this task.
    static ATTEMPT: Arc<Attempt>;
}

/// One push, with all its attempts to connect.
#[derive(Debug)]
pub(super) struct Attempt {
    permit: Arc<Permit>,
    clock: Clock,
    /// Whether a new connection was opened, and may be used.
    connected: AtomicBool,
    /// A [`Progress`].
    progress: AtomicU8,
}

/// The progress of a push. The last three are final: what is given up does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing was sent.
    NotBegun,
    /// The first byte of the lead was requested: it may have reached AI Rudder.
    Begun,
    /// The lease ended before that.
    LeaseOver,
    /// The time for the push ended before that.
    GivenUp,
}

/// The lease has ended, so nothing is written.
#[derive(Debug, thiserror::Error)]
#[error("the lease is over")]
pub(super) struct LeaseOver;

/// A connection is open that no push needs any more.
#[derive(Debug, thiserror::Error)]
#[error("the connection is not needed any more")]
struct NotNeeded;

/// A connection waited too long for its lead's claim.
#[derive(Debug, thiserror::Error)]
#[error("the connection was open for too long before it could be used")]
struct TooOld;

/// A payload that is released only while the lead may be sent. Its size is known, so that the request has a `content-length`.
///
/// hyper writes a request's head together with the first piece of its body, so if that piece is withheld, nothing was sent
/// (tested by `no_byte_leaves_after_the_lease`).
pub(super) struct PermittedBody {
    payload: Option<Bytes>,
    attempt: Arc<Attempt>,
}

impl Attempt {
    pub(super) fn new(permit: Arc<Permit>, clock: Clock) -> Arc<Self> {
        let (connected, progress) = Default::default();
        Arc::new(Self { permit, clock, connected, progress })
    }

    /// Runs a push as this attempt.
    pub(super) async fn scope<T>(self: &Arc<Self>, push: impl Future<Output = T>) -> T {
        ATTEMPT.scope(Arc::clone(self), push).await
    }

    /// The body of a request that is part of this attempt.
    pub(super) fn body(self: &Arc<Self>, payload: Bytes) -> PermittedBody {
        PermittedBody { payload: Some(payload), attempt: Arc::clone(self) }
    }

    /// The progress so far.
    pub(super) fn progress(&self) -> Progress {
        Progress::from_number(self.progress.load(SeqCst))
    }

    /// Gives up, unless the push has begun. Returns the progress until then.
    pub(super) fn give_up(&self) -> Progress {
        self.advance(Progress::GivenUp)
    }

    /// Whether it opened a new connection.
    pub(super) fn has_connected(&self) -> bool {
        self.connected.load(SeqCst)
    }

    /// Holds a new connection until the lead may be sent.
    pub(super) async fn hold<C>(connection: C) -> Result<C, BoxError> {
        // Without an attempt, the push does not need this connection any more: it uses another, or has ended.
        let Ok(attempt) = ATTEMPT.try_with(Arc::clone) else { return Err(NotNeeded.into()) };
        let opened = attempt.permit.moment(attempt.clock);
        attempt.permit.granted().await;
        if !attempt.permit.moment(attempt.clock).is_within(UNUSED_CONNECTION_LIMIT, opened) {
            return Err(TooOld.into());
        }
        if !attempt.may_send() {
            attempt.advance(Progress::LeaseOver);
            return Err(LeaseOver.into());
        }
        attempt.connected.store(true, SeqCst);
        Ok(connection)
    }

    fn may_send(&self) -> bool {
        self.permit.allows_sending(self.clock)
    }

    /// Sets the progress if the push has neither begun nor ended. Returns the progress until then.
    fn advance(&self, progress: Progress) -> Progress {
        let exchanged = self.progress.compare_exchange(0, progress as u8, SeqCst, SeqCst);
        Progress::from_number(exchanged.unwrap_or_else(|current| current))
    }
}

impl Progress {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::NotBegun,
            1 => Self::Begun,
            2 => Self::LeaseOver,
            _ => Self::GivenUp,
        }
    }
}

impl Body for PermittedBody {
    type Data = Bytes;
    type Error = LeaseOver;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, LeaseOver>>> {
        let Some(payload) = self.payload.take() else { return Poll::Ready(None) };
        let may_send = self.attempt.may_send();
        let before = self.attempt.advance(if may_send { Progress::Begun } else { Progress::LeaseOver });
        // A push that has begun or ended does not begin again.
        let begins = may_send && before == Progress::NotBegun;
        Poll::Ready(Some(if begins { Ok(Frame::data(payload)) } else { Err(LeaseOver) }))
    }

    fn is_end_stream(&self) -> bool {
        self.payload.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.payload.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(length.try_into().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;
    use crate::{budget::Budget, tls};

    /// What a server receives of a request whose lease ends five seconds after this deadline, on a clock that shows 10 s, and
    /// how the attempt ends.
    async fn sent(deadline_ms: u64) -> (String, Progress) {
        let clock = Clock::starting_at(UNIX_EPOCH + Duration::from_secs(10));
        let permit = Permit::new(Budget::with_deadline(deadline_ms, clock));
        permit.grant(clock.now(), clock.now() + Duration::from_secs(1));
        let attempt = Attempt::new(permit, clock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let client = tls::http_client(tls::client_config(&[]).unwrap()).build().unwrap();
        let request = client.post(url).body(reqwest::Body::wrap(attempt.body(Bytes::from("the lead"))));
        let receive = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut received = Vec::new();
            let mut buffer = [0; 4096];
            while !received.ends_with(b"the lead") {
                match stream.read(&mut buffer).await.unwrap() {
                    0 => break,
                    read => received.extend_from_slice(&buffer[..read]),
                }
            }
            String::from_utf8(received).unwrap()
        };
        let (received, response) = tokio::join!(receive, request.send());
        assert!(response.is_err());
        (received, attempt.progress())
    }

    #[tokio::test]
    async fn no_byte_leaves_after_the_lease() {
        assert_eq!(sent(5000).await, (String::new(), Progress::LeaseOver));
        let (received, progress) = sent(9000).await;
        assert!(received.contains("\r\ncontent-length: 8\r\n") && received.ends_with("\r\n\r\nthe lead"), "{received}");
        assert_eq!(progress, Progress::Begun);
    }
}
