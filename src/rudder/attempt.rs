//! One push: its progress, and the check that its lease still runs.
//!
//! The lease is checked twice: when the connection is open, and when the first byte of the lead is requested. Between the
//! second check and the write into the socket the request is only encoded and encrypted, in the same poll.

use std::{
    convert::identity,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tower::BoxError;

use crate::{budget::Lease, clock::Clock};

tokio::task_local! {
    /// The push that runs in this task.
    static ATTEMPT: Arc<Attempt>;
}

/// One push, with all its attempts to connect.
#[derive(Debug)]
pub(super) struct Attempt {
    lease: Lease,
    clock: Clock,
    connected: AtomicBool,
    lease_over: AtomicBool,
}

/// The progress of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// No connection is open yet, so nothing was sent.
    NotConnected,
    /// A connection is open: a byte may have reached AI Rudder.
    Connected,
    /// The lease ended before a byte was written.
    LeaseOver,
}

/// The lease has ended, so nothing is written.
#[derive(Debug, thiserror::Error)]
#[error("the lease is over")]
pub(super) struct LeaseOver;

/// A payload that is released only while the lease runs. Its size is known, so that the request has a `content-length`.
///
/// hyper writes a request's head together with the first piece of its body, so if that piece is withheld, nothing was sent
/// (tested by `no_byte_leaves_after_the_lease`).
pub(super) struct LeasedBody {
    payload: Option<Bytes>,
    attempt: Arc<Attempt>,
}

impl Attempt {
    pub(super) fn new(lease: Lease, clock: Clock) -> Arc<Self> {
        Arc::new(Self { lease, clock, connected: false.into(), lease_over: false.into() })
    }

    /// Runs a push as this attempt.
    pub(super) async fn scope<T>(self: &Arc<Self>, push: impl Future<Output = T>) -> T {
        ATTEMPT.scope(Arc::clone(self), push).await
    }

    /// The body of a request that is part of this attempt.
    pub(super) fn body(self: &Arc<Self>, payload: Bytes) -> LeasedBody {
        LeasedBody { payload: Some(payload), attempt: Arc::clone(self) }
    }

    pub(super) fn progress(&self) -> Progress {
        match (self.lease_over.load(Relaxed), self.connected.load(Relaxed)) {
            (true, _) => Progress::LeaseOver,
            (false, true) => Progress::Connected,
            (false, false) => Progress::NotConnected,
        }
    }

    /// Checks the lease when a connection is open, so that the connection is used only before the lease ends.
    pub(super) fn check_lease_on<C>(connection: Result<C, BoxError>) -> Result<C, BoxError> {
        let connection = connection?;
        let may_send = ATTEMPT.try_with(|attempt| {
            attempt.connected.store(true, Relaxed);
            attempt.may_send()
        });
        // Without an attempt, the push was dropped while hyper was connecting.
        if may_send.is_ok_and(identity) { Ok(connection) } else { Err(LeaseOver.into()) }
    }

    fn may_send(&self) -> bool {
        let runs = self.lease.runs(self.clock);
        self.lease_over.fetch_or(!runs, Relaxed);
        runs
    }
}

impl Body for LeasedBody {
    type Data = Bytes;
    type Error = LeaseOver;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, LeaseOver>>> {
        let Some(payload) = self.payload.take() else { return Poll::Ready(None) };
        Poll::Ready(Some(if self.attempt.may_send() { Ok(Frame::data(payload)) } else { Err(LeaseOver) }))
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
        let attempt = Attempt::new(Budget::with_deadline(deadline_ms, clock).lease(), clock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let client = tls::http_client(&[]).unwrap().build().unwrap();
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
        // This client has no connector layer that records the connection.
        assert_eq!(progress, Progress::NotConnected);
    }
}
