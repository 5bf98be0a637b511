//! How long everything may take: the time line of one request, and every duration that is not configured.
//!
//! ```text
//!   event                                          answer_from   settle_until   deadline           lease
//!     |                                                 |             |             |                |
//!     |--- secret ---|--- claim ---|------- push -------|-- settle ---|-- respond --|----------------|
//!         2 s            8 s         1 s or more, up to      1.25 s        0.25 s          5 s
//!                                    UPSTREAM_TIMEOUT_MS
//! ```
//!
//! The deadline is Lambda's. No stage takes what the stages after it need: the claim leaves a push its least, the push leaves
//! 1.5 s to settle and to respond. Settling that is ready earlier has until `settle_until`. A claim that fails is voided and
//! released in the time that a push would have had. Of a push that the relay gives up at `answer_from`, bytes that AI Rudder
//! does not acknowledge are dropped by the kernel at most 3 s later, before the lease is over.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clock::Clock;

/// The time that Secrets Manager gets for one secret, the immediate retries included. No attempt has a limit of its own: TCP
/// repeats a lost packet, and giving up early would throw away an answer that may be on its way.
pub(crate) const SECRET_LIMIT: Duration = Duration::from_secs(2);

/// What a claim gets in all, retries included.
pub(crate) const CLAIM_LIMIT: Duration = Duration::from_secs(8);
/// What one attempt of a write gets, so that a lost packet leaves time for another.
pub(crate) const WRITE_ATTEMPT_LIMIT: Duration = Duration::from_secs(1);
/// The least that a retry is begun with: cut off earlier, it would leave a doubt that nothing calls for.
pub(crate) const WRITE_RETRY_LEAST: Duration = Duration::from_millis(250);
/// How long a write waits before its first retry.
pub(crate) const WRITE_FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest wait before jitter, which adds up to as much again.
pub(crate) const WRITE_LONGEST_WAIT: Duration = Duration::from_millis(200);
/// How long each write that voids a claim gets, before that is left to a later request.
pub(crate) const VOID_LIMIT: Duration = Duration::from_secs(4);
/// What one request spends on the claims that earlier ones left.
pub(crate) const LEFT_CLAIMS_LIMIT: Duration = Duration::from_secs(1);

/// The least that a push is begun with.
pub(crate) const PUSH_LEAST: Duration = Duration::from_secs(1);
/// How long the first retry of a connection that could not be made waits.
pub(crate) const CONNECT_FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait before jitter, which adds up to as much again.
pub(crate) const CONNECT_LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How long bytes of a push may be unacknowledged before the kernel drops the connection (`TCP_USER_TIMEOUT`, RFC 9293,
/// section 3.8.3), also when the relay has given the push up or is gone.
pub(crate) const PUSH_UNACKNOWLEDGED: Duration = Duration::from_secs(3);

/// What is left to settle and respond after a push.
const SETTLE_AND_RESPOND: Duration = Duration::from_millis(1500);
/// The part of it that is kept for the response.
const RESPOND: Duration = Duration::from_millis(250);
/// How long after Lambda's deadline the sender of a claim is still taken to be at work.
const LEASE_GRACE: Duration = Duration::from_secs(5);

/// A deadline further from the local clock than this is ignored: some local emulators make one up.
const DEADLINE_TOLERANCE: Duration = Duration::from_secs(3600);
/// What a request gets without a deadline, and at most: API Gateway waits 30 seconds for an HTTP API's integration.
const API_GATEWAY_LIMIT: Duration = Duration::from_secs(30);

// Between requests.

/// How long a known key is served without asking again after Secrets Manager failed, or said that the secret is unreadable.
pub(crate) const SECRET_RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long an unknown key is refused without asking again, after it was not in the account's secret. One interval for every
/// reason, or a stranger could tell by the calls which accounts exist.
pub(crate) const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);
/// The least time between early refreshes of an account's secret after a refused token.
pub(crate) const REFUSED_TOKEN_INTERVAL: Duration = Duration::from_secs(30);
/// How long AI Rudder's addresses are used. Load balancers let theirs be remembered for a minute.
pub(crate) const DNS_LIFETIME: Duration = Duration::from_secs(30);
/// What connecting and looking up at the start get: Lambda bills the time before the first lead as well.
pub(crate) const CONNECT_AT_START_LIMIT: Duration = Duration::from_secs(1);

// TransactWriteItems, `TransactionInProgressException`: repeat the request for at least 5 s.
const _: () = assert!(CLAIM_LIMIT.as_millis() >= 5000);
// A claim has several attempts, and so has the write that voids it.
const _: () = assert!(WRITE_ATTEMPT_LIMIT.as_millis() * 4 <= CLAIM_LIMIT.as_millis());
const _: () = assert!(WRITE_ATTEMPT_LIMIT.as_millis() * 2 <= VOID_LIMIT.as_millis());
const _: () = assert!(WRITE_RETRY_LEAST.as_millis() < WRITE_ATTEMPT_LIMIT.as_millis());
const _: () = assert!(WRITE_FIRST_WAIT.as_millis() < WRITE_LONGEST_WAIT.as_millis());
const _: () = assert!(WRITE_LONGEST_WAIT.as_millis() < WRITE_ATTEMPT_LIMIT.as_millis());
const _: () = assert!(CONNECT_LONGEST_WAIT.as_millis() < PUSH_LEAST.as_millis());
// The slowest secret, read early too, and the slowest claim leave a push its least, and time to respond; so do they with the
// claim voided, asked for once more, and released.
const _: () = assert!(
    2 * SECRET_LIMIT.as_millis()
        + CLAIM_LIMIT.as_millis()
        + 2 * VOID_LIMIT.as_millis()
        + WRITE_ATTEMPT_LIMIT.as_millis()
        + PUSH_LEAST.as_millis()
        + SETTLE_AND_RESPOND.as_millis()
        < API_GATEWAY_LIMIT.as_millis()
);
const _: () = assert!(RESPOND.as_millis() < SETTLE_AND_RESPOND.as_millis());
// The kernel gives up a push that the relay gave up before anybody may take its sender for dead.
const _: () = assert!(PUSH_UNACKNOWLEDGED.as_millis() < SETTLE_AND_RESPOND.as_millis() + LEASE_GRACE.as_millis());
const _: () = assert!(API_GATEWAY_LIMIT.as_millis() < DEADLINE_TOLERANCE.as_millis());

/// The time that one request has.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    deadline: Instant,
    lease: Lease,
}

/// How long a request that claims a lead may send it.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    until: SystemTime,
    /// The same by the monotonic clock, which a wall clock that is late does not lengthen.
    until_instant: Instant,
}

/// Less time is left than a push needs at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too little time left")]
pub struct TooLittleTime;

impl Budget {
    /// The time until a deadline as Lambda gives it, in milliseconds since the Unix epoch.
    ///
    /// The lease goes by Lambda's clock where the deadline is within an hour of the local one, so that a local clock that is wrong
    /// does not change it.
    #[must_use]
    pub fn until(deadline_ms: u64, clock: Clock) -> Self {
        Self::between(None, deadline_ms, clock)
    }

    /// The same for a request that API Gateway got at a time, in milliseconds since the Unix epoch: between the two lies all that
    /// it has, also where the local clock is late and would see more.
    #[must_use]
    pub fn between(received_ms: Option<u64>, deadline_ms: u64, clock: Clock) -> Self {
        let (now, wall) = (clock.now(), clock.wall());
        let at_most = received_ms.and_then(|received| deadline_ms.checked_sub(received)).map(Duration::from_millis);
        let at_most = at_most.unwrap_or(API_GATEWAY_LIMIT).min(API_GATEWAY_LIMIT);
        let deadline = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(deadline_ms));
        let (left, deadline) = match deadline.map(|deadline| (deadline, deadline.duration_since(wall))) {
            Some((deadline, Ok(left))) if left <= DEADLINE_TOLERANCE => (left.min(at_most), deadline),
            Some((deadline, Err(past))) if past.duration() <= DEADLINE_TOLERANCE => (Duration::ZERO, deadline),
            _ => (API_GATEWAY_LIMIT, wall + API_GATEWAY_LIMIT),
        };
        let lease = Lease { until: deadline + LEASE_GRACE, until_instant: now + left + LEASE_GRACE };
        Self { deadline: now + left, lease }
    }

    /// When everything before the response has to be done.
    #[must_use]
    pub fn answer_from(self) -> Instant {
        before(self.deadline, SETTLE_AND_RESPOND)
    }

    /// When a claim that begins now has to be written.
    pub(crate) fn claim_until(self, now: Instant) -> Instant {
        before(self.answer_from(), PUSH_LEAST).min(now + CLAIM_LIMIT)
    }

    /// When a claim that may have been written has to be voided, so that an attempt to release it fits before the response.
    pub(crate) fn void_until(self, now: Instant) -> Instant {
        before(self.settle_until(now), WRITE_ATTEMPT_LIMIT).min(now + VOID_LIMIT)
    }

    /// When the claims that earlier requests left have to be closed.
    pub(crate) fn close_left_until(self, now: Instant) -> Instant {
        self.answer_from().min(now + LEFT_CLAIMS_LIMIT)
    }

    /// When the claim has to be settled or released, so that the response gets out. After the deadline, as in a process
    /// that was frozen, it gets as long as it would have had then.
    pub(crate) fn settle_until(self, now: Instant) -> Instant {
        if now < self.deadline { before(self.deadline, RESPOND) } else { now + SETTLE_AND_RESPOND }
    }

    /// The lease of a claim that this request makes.
    #[must_use]
    pub fn lease(self) -> Lease {
        self.lease
    }

    /// When a push that begins now has to be done, at most after `limit`.
    pub fn for_push(self, limit: Duration, now: Instant) -> Result<Instant, TooLittleTime> {
        let until = self.answer_from().min(now + limit);
        if is_enough(until, now) { Ok(until) } else { Err(TooLittleTime) }
    }
}

impl Lease {
    /// When others may take its holder for dead.
    #[must_use]
    pub fn until(self) -> SystemTime {
        self.until
    }

    /// Whether it still runs, by both clocks.
    #[must_use]
    pub fn runs(self, clock: Clock) -> bool {
        clock.wall() < self.until && clock.now() < self.until_instant
    }
}

/// So long before an instant. The clock's zero may be nearer than that.
fn before(instant: Instant, time: Duration) -> Instant {
    instant.checked_sub(time).unwrap_or(instant)
}

/// Whether a push that has to be done by then may begin now.
pub(crate) fn is_enough(until: Instant, now: Instant) -> bool {
    now + PUSH_LEAST <= until
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_790_000_000);
    const LIMIT: Duration = Duration::from_secs(10);

    fn clock() -> Clock {
        Clock::starting_at(SystemTime::UNIX_EPOCH + NOW)
    }

    fn from_now(milliseconds: i128) -> u64 {
        u64::try_from(i128::try_from(NOW.as_millis()).unwrap() + milliseconds).unwrap()
    }

    /// What a push gets when the deadline is at this time, on a clock that stands still.
    fn for_push(deadline: u64) -> Option<Duration> {
        let clock = clock();
        Budget::until(deadline, clock).for_push(LIMIT, clock.now()).ok().map(|until| until - clock.now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_push_leaves_time_to_respond() {
        assert_eq!(for_push(from_now(29_000)), Some(LIMIT));
        assert_eq!(for_push(from_now(11_500)), Some(LIMIT));
        assert_eq!(for_push(from_now(6_500)), Some(Duration::from_secs(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_push_begins_with_less_than_a_second() {
        assert_eq!(for_push(from_now(2_500)), Some(Duration::from_secs(1)));
        for milliseconds in [2_499, 1_000, 0, -1, -3_600_000] {
            assert_eq!(for_push(from_now(milliseconds)), None, "{milliseconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_over_an_hour_from_the_local_clock_is_ignored() {
        for deadline in [0, 600_000, from_now(-3_600_001), from_now(3_600_001), from_now(10_000_000_000), u64::MAX] {
            let clock = clock();
            let budget = Budget::until(deadline, clock);
            assert_eq!(budget.answer_from() - clock.now(), Duration::from_millis(28_500), "{deadline}");
            assert_eq!(budget.lease().until(), clock.wall() + Duration::from_secs(35), "{deadline}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_gets_more_than_api_gateway_waits() {
        let clock = clock();
        let budget = Budget::until(from_now(3_600_000), clock);
        assert_eq!(budget.answer_from() - clock.now(), Duration::from_millis(28_500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_leaves_a_push_its_least() {
        let clock = clock();
        let claim = |deadline| Budget::until(from_now(deadline), clock).claim_until(clock.now()) - clock.now();
        assert_eq!(claim(29_000), Duration::from_secs(8));
        assert_eq!(claim(10_500), Duration::from_secs(8));
        assert_eq!(claim(10_499), Duration::from_millis(7_999));
        assert_eq!(claim(5_000), Duration::from_millis(2_500));
    }

    #[tokio::test(start_paused = true)]
    async fn settling_after_the_deadline_gets_its_time_all_the_same() {
        let clock = clock();
        let budget = Budget::until(from_now(5_000), clock);
        assert_eq!(budget.settle_until(clock.now()) - clock.now(), Duration::from_millis(4_750));
        advance(Duration::from_millis(4_749)).await;
        assert_eq!(budget.settle_until(clock.now()) - clock.now(), Duration::from_millis(1));
        advance(Duration::from_millis(250)).await;
        assert!(budget.settle_until(clock.now()) < clock.now(), "the response has to go out");
        advance(Duration::from_millis(1)).await;
        assert_eq!(budget.settle_until(clock.now()) - clock.now(), Duration::from_millis(1_500));
    }

    #[tokio::test(start_paused = true)]
    async fn voiding_leaves_time_to_release_and_respond() {
        let clock = clock();
        let void = |deadline| Budget::until(from_now(deadline), clock).void_until(clock.now()) - clock.now();
        assert_eq!(void(29_000), Duration::from_secs(4));
        assert_eq!(void(5_250), Duration::from_secs(4));
        assert_eq!(void(5_249), Duration::from_millis(3_999));
        assert_eq!(void(-1), Duration::from_millis(500), "after the deadline");
    }

    #[tokio::test(start_paused = true)]
    async fn left_claims_take_a_second_and_nothing_from_the_response() {
        let clock = clock();
        let left = |deadline| Budget::until(from_now(deadline), clock).close_left_until(clock.now()) - clock.now();
        assert_eq!(left(29_000), Duration::from_secs(1));
        assert_eq!(left(2_000), Duration::from_millis(500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_five_seconds_after_lambdas_deadline() {
        for local in [-3_000_000, -60_000, 0, 60_000, 3_000_000] {
            let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(local)));
            for deadline in [from_now(20_000), from_now(90_000), from_now(-1)] {
                let lease = Budget::until(deadline, clock).lease();
                assert_eq!(lease.until(), SystemTime::UNIX_EPOCH + Duration::from_millis(deadline + 5000));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_clock_sees_no_more_time_than_between_api_gateway_and_the_deadline() {
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(-600_000)));
        let budget = |received| Budget::between(received, from_now(12_000), clock);
        let left = |received| budget(received).answer_from() - clock.now();
        assert_eq!(left(Some(from_now(0))), Duration::from_millis(10_500));
        for nonsense in [None, Some(0), Some(from_now(12_001)), Some(u64::MAX)] {
            assert_eq!(left(nonsense), Duration::from_millis(28_500), "{nonsense:?}");
        }
        let lease = budget(Some(from_now(0))).lease();
        advance(Duration::from_millis(16_999)).await;
        assert!(lease.runs(clock));
        advance(Duration::from_millis(1)).await;
        assert!(!lease.runs(clock), "as the table says");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_runs_until_one_of_the_clocks_ends_it() {
        let at = |local| Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(local)));
        // The wall clock is right, a minute late, and two seconds fast.
        for (local, runs_for) in [(0, 25_000), (-60_000, 35_000), (2_000, 23_000)] {
            let clock = at(local);
            let lease = Budget::until(from_now(20_000), clock).lease();
            advance(Duration::from_millis(runs_for - 1)).await;
            assert!(lease.runs(clock), "{local}");
            advance(Duration::from_millis(1)).await;
            assert!(!lease.runs(clock), "{local}");
        }
    }
}
