//! The time budget of a request, and every duration that is not configured.
//!
//! ```text
//!   event                                          work_until    settle_until   deadline           lease
//!     |                                                 |             |             |                |
//!     |--- secret ---|--- claim ---|------- push -------|-- settle ---|-- respond --|----------------|
//!         2 s            8 s         1 s or more, up to      1.25 s        0.25 s          5 s
//!                                    UPSTREAM_TIMEOUT_MS
//! ```
//!
//! The deadline is Lambda's. No stage uses the time that later stages need: the claim leaves at least 1 s for a push, and the
//! push leaves 1.5 s to settle and to respond. A push that ends earlier leaves more time to settle. A claim that fails is
//! voided and released in the time that a push would have had. The relay gives up a push at `work_until` at the latest. At
//! most 3 s later, and before the lease ends, the kernel drops the bytes that AI Rudder has not acknowledged.
//!
//! Durations without a source are the relay's own choice, within the relations that are asserted below.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clock::{Clock, Event};

/// How long one refresh of a secret may take, with its immediate retries. Attempts have no limit of their own: TCP
/// repeats lost packets, and giving up early would discard a response that may be on its way.
pub(crate) const SECRET_LIMIT: Duration = Duration::from_secs(2);

/// How long a claim may take, with its retries: more than the 5 s for which AWS recommends retries of a transaction in
/// progress (TransactWriteItems, `TransactionInProgressException`).
pub(crate) const CLAIM_LIMIT: Duration = Duration::from_secs(8);
/// How long one attempt to write or to read may take: short enough that time is left for another attempt after a lost packet.
pub(crate) const WRITE_ATTEMPT_LIMIT: Duration = Duration::from_secs(1);
/// The minimum time for a retry of a write. A shorter one would probably be cut off, and then it would be unclear whether it
/// was written.
pub(crate) const WRITE_RETRY_MIN: Duration = Duration::from_millis(250);
/// The delay before the first retry of a write.
pub(crate) const WRITE_FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest delay between retries of a write. Jitter adds up to 100 %.
pub(crate) const WRITE_MAX_WAIT: Duration = Duration::from_millis(200);
/// How long voiding a claim may take, with its retries, and likewise repeating the claim's own request afterwards. If both
/// fail, a later request retries.
pub(crate) const VOID_LIMIT: Duration = Duration::from_secs(4);
/// How long one request may spend on the claims that earlier requests left open.
pub(crate) const LEFT_CLAIMS_LIMIT: Duration = Duration::from_secs(1);

/// The minimum time for a push. With less, the lead is not sent.
pub(crate) const PUSH_MIN: Duration = Duration::from_secs(1);
/// The delay before the first retry of opening a connection.
pub(crate) const CONNECT_FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest delay between attempts to connect. Jitter adds up to 100 %.
pub(crate) const CONNECT_MAX_WAIT: Duration = Duration::from_millis(500);
/// How long a connection that was opened before the claim may wait for it. Afterwards a new one is opened.
pub(crate) const UNUSED_CONNECTION_LIMIT: Duration = Duration::from_secs(1);
/// How long bytes of a push may be unacknowledged before the kernel drops the connection (`TCP_USER_TIMEOUT`, RFC 9293,
/// section 3.8.3), even after the relay has given up the push or has ended.
pub(crate) const PUSH_ACK_TIMEOUT: Duration = Duration::from_secs(3);

/// The time after a push to settle the claim, with one retry, and to respond.
const RESPONSE_RESERVE: Duration = Duration::from_millis(1500);
/// The part of [`RESPONSE_RESERVE`] for the response.
const RESPOND_TIME: Duration = Duration::from_millis(250);
/// How long past Lambda's deadline a claim still counts as in progress.
const LEASE_GRACE: Duration = Duration::from_secs(5);

/// A deadline further from the local clock than this is ignored, unless API Gateway's time confirms it: some emulators send
/// arbitrary values.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(3600);
/// The longest plausible time from the receipt of a request by API Gateway to Lambda's deadline: the longest function timeout
/// (Lambda quotas).
const MAX_FUNCTION_TIMEOUT: Duration = Duration::from_secs(900);
/// The longest budget, and that of a request without a deadline: API Gateway waits 30 s for an HTTP API's integration
/// (API Gateway's developer guide, "Quotas for HTTP APIs", maximum integration timeout).
const API_GATEWAY_LIMIT: Duration = Duration::from_secs(30);

// The durations below apply between requests.

/// The minimum delay before the next refresh, after one that found the secret unreadable, or that failed while a stale token
/// can be used: at most six calls per minute. If a refresh fails and there is no such token, the next request tries again.
pub(crate) const SECRET_RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long all unknown API keys of an account are refused without a refresh, after a refresh did not find one. The interval
/// is the same for every reason: otherwise the response times would reveal which accounts exist.
pub(crate) const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);
/// The minimum time between refreshes of one account that a refused token forces.
pub(crate) const REFUSED_TOKEN_INTERVAL: Duration = Duration::from_secs(30);
/// How long AI Rudder's addresses are cached: half of the TTL of 60 s that AWS's load balancers publish (Elastic Load
/// Balancing's user guide, "How Elastic Load Balancing works", request routing).
pub(crate) const DNS_TTL: Duration = Duration::from_secs(30);
/// How long connecting at start-up may take. Lambda bills this time too.
pub(crate) const CONNECT_AT_START_LIMIT: Duration = Duration::from_secs(1);

// See the documentation of `CLAIM_LIMIT`.
const _: () = assert!(CLAIM_LIMIT.as_millis() >= 5000);
// Claiming and voiding have time for several attempts.
const _: () = assert!(WRITE_ATTEMPT_LIMIT.as_millis() * 4 <= CLAIM_LIMIT.as_millis());
const _: () = assert!(WRITE_ATTEMPT_LIMIT.as_millis() * 2 <= VOID_LIMIT.as_millis());
const _: () = assert!(WRITE_RETRY_MIN.as_millis() < WRITE_ATTEMPT_LIMIT.as_millis());
const _: () = assert!(WRITE_FIRST_WAIT.as_millis() < WRITE_MAX_WAIT.as_millis());
const _: () = assert!(WRITE_MAX_WAIT.as_millis() < WRITE_ATTEMPT_LIMIT.as_millis());
const _: () = assert!(CONNECT_MAX_WAIT.as_millis() < PUSH_MIN.as_millis());
// The slowest secret, with a forced refresh, and the slowest claim, voided, retried and released, leave time for a push and
// the response.
const _: () = assert!(
    2 * SECRET_LIMIT.as_millis()
        + CLAIM_LIMIT.as_millis()
        + 2 * VOID_LIMIT.as_millis()
        + WRITE_ATTEMPT_LIMIT.as_millis()
        + PUSH_MIN.as_millis()
        + RESPONSE_RESERVE.as_millis()
        < API_GATEWAY_LIMIT.as_millis()
);
const _: () = assert!(RESPOND_TIME.as_millis() < RESPONSE_RESERVE.as_millis());
// The kernel drops a given-up push before other requests treat its sender as dead.
const _: () = assert!(PUSH_ACK_TIMEOUT.as_millis() < RESPONSE_RESERVE.as_millis() + LEASE_GRACE.as_millis());
const _: () = assert!(API_GATEWAY_LIMIT.as_millis() < MAX_CLOCK_DIFFERENCE.as_millis());

/// The time budget of one request: the end of each of its stages.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    deadline: Instant,
    lease: Lease,
    event: Event,
}

/// The period in which the request that claimed a lead may send it.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    until: SystemTime,
    /// The end by the monotonic clock, so that a slow wall clock does not extend it.
    until_instant: Instant,
}

/// Less than the minimum time for a push is left, so nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too little time left")]
pub struct InsufficientTime;

impl Budget {
    /// The budget until Lambda's deadline, in milliseconds since the Unix epoch.
    ///
    /// If the deadline is within an hour of the local clock, the lease follows Lambda's clock, so that a wrong local clock
    /// does not change it. [`Budget::new`] has no such limit for a slow clock.
    #[must_use]
    pub fn with_deadline(deadline_ms: u64, clock: Clock) -> Self {
        Self::new(None, deadline_ms, clock)
    }

    /// The budget of a request that API Gateway received at `received_ms`, with Lambda's deadline at `deadline_ms`, both in
    /// milliseconds since the Unix epoch. It is at most the time between the two, even if a slow local clock would allow more.
    /// If they are at most 15 minutes apart, the lease follows Lambda's clock however slow the local one is.
    #[must_use]
    pub fn new(received_ms: Option<u64>, deadline_ms: u64, clock: Clock) -> Self {
        let (now, wall) = (clock.now(), clock.wall());
        let span = received_ms.and_then(|received| deadline_ms.checked_sub(received)).map(Duration::from_millis);
        let at_most = span.unwrap_or(API_GATEWAY_LIMIT).min(API_GATEWAY_LIMIT);
        // If two outside clocks agree, the local clock is the wrong one, however slow it is.
        let is_confirmed = span.is_some_and(|span| span <= MAX_FUNCTION_TIMEOUT);
        let deadline = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(deadline_ms));
        let (left, deadline) = match deadline.map(|deadline| (deadline, deadline.duration_since(wall))) {
            Some((deadline, Ok(left))) if is_confirmed || left <= MAX_CLOCK_DIFFERENCE => (left.min(at_most), deadline),
            Some((deadline, Err(past))) if past.duration() <= MAX_CLOCK_DIFFERENCE => (Duration::ZERO, deadline),
            _ => (API_GATEWAY_LIMIT, wall + API_GATEWAY_LIMIT),
        };
        let lease = Lease { until: deadline + LEASE_GRACE, until_instant: now + left + LEASE_GRACE };
        Self { deadline: now + left, lease, event: Event { begun: now, deadline: deadline_ms } }
    }

    /// The end of all work before settling and responding.
    #[must_use]
    pub fn work_until(self) -> Instant {
        before(self.deadline, RESPONSE_RESERVE)
    }

    /// The end of a claim that begins now.
    pub(crate) fn claim_until(self, now: Instant) -> Instant {
        before(self.work_until(), PUSH_MIN).min(now + CLAIM_LIMIT)
    }

    /// The end of voiding that begins now. It leaves time for one attempt to release the claim.
    pub(crate) fn void_until(self, now: Instant) -> Instant {
        before(self.settle_until(now), WRITE_ATTEMPT_LIMIT).min(now + VOID_LIMIT)
    }

    /// The end of retrying, from now on, to close the claims that earlier requests left.
    pub(crate) fn close_left_until(self, now: Instant) -> Instant {
        self.work_until().min(now + LEFT_CLAIMS_LIMIT)
    }

    /// The end of settling or releasing that begins now. It leaves time for the response. After the deadline, for example in a
    /// process that was suspended, settling still gets [`RESPONSE_RESERVE`].
    pub(crate) fn settle_until(self, now: Instant) -> Instant {
        if now < self.deadline { before(self.deadline, RESPOND_TIME) } else { now + RESPONSE_RESERVE }
    }

    /// The request's event.
    pub(crate) fn event(self) -> Event {
        self.event
    }

    /// The lease of this request's claim.
    #[must_use]
    pub fn lease(self) -> Lease {
        self.lease
    }

    /// The end of a push that begins now and may take `limit`. `Err` if less than 1 s is left for it; then nothing may be sent.
    pub fn push_until(self, limit: Duration, now: Instant) -> Result<Instant, InsufficientTime> {
        let until = self.work_until().min(now + limit);
        if is_enough_for_push(until, now) { Ok(until) } else { Err(InsufficientTime) }
    }
}

impl Lease {
    /// The lease's end by Lambda's clock. Afterwards other requests treat its holder as dead.
    #[must_use]
    pub fn until(self) -> SystemTime {
        self.until
    }

    /// Whether the lease has not ended yet, by the wall clock and by the monotonic clock.
    #[must_use]
    pub fn runs(self, clock: Clock) -> bool {
        clock.wall() < self.until && clock.now() < self.until_instant
    }
}

/// `instant - time`, or `instant` if the monotonic clock started less than `time` before it.
fn before(instant: Instant, time: Duration) -> Instant {
    instant.checked_sub(time).unwrap_or(instant)
}

/// Whether enough time is left for a push that ends at `until`.
pub(crate) fn is_enough_for_push(until: Instant, now: Instant) -> bool {
    now + PUSH_MIN <= until
}

#[cfg(test)]
mod tests;
