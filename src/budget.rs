//! How long a request may take.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// What is left to settle and answer after a push.
const TO_ANSWER: Duration = Duration::from_millis(1500);
/// What of it is left to answer.
const TO_WRITE: Duration = Duration::from_millis(250);
/// How long after Lambda's deadline a claim is taken for one whose sender is at work.
const GRACE: Duration = Duration::from_secs(5);
/// The least that a push is begun with.
const LEAST_FOR_PUSH: Duration = Duration::from_secs(1);
/// A deadline longer past than this is no deadline: some local emulators make one up.
const NONSENSE: Duration = Duration::from_secs(3600);
/// What a request gets where nobody says: API Gateway's 30 seconds.
const DEFAULT: Duration = Duration::from_secs(30);

/// The time that Lambda leaves to one request.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    deadline: Instant,
    lease_until: SystemTime,
}

/// Less than a second is left for a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too little time left")]
pub(crate) struct TooLittleTime;

impl Budget {
    /// The time until a deadline as Lambda gives it, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn until(deadline_ms: u64, now: SystemTime) -> Self {
        let deadline = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(deadline_ms)).unwrap_or(now);
        let left = match deadline.duration_since(now) {
            Ok(left) => left.min(DEFAULT),
            Err(past) if past.duration() > NONSENSE => DEFAULT,
            Err(_) => Duration::ZERO,
        };
        Self { deadline: Instant::now() + left, lease_until: now + left + GRACE }
    }

    /// When everything before the answer has to be done.
    pub(crate) fn answer_from(self) -> Instant {
        before(self.deadline, TO_ANSWER)
    }

    /// When the claim has to be settled or released, so that the answer gets out. Where it is too late for that, as for a
    /// process that was frozen meanwhile, there is nothing left to hurry for.
    pub(crate) fn settle_until(self) -> Instant {
        let (now, until) = (Instant::now(), before(self.deadline, TO_WRITE));
        if now < until { until } else { now + TO_ANSWER }
    }

    /// When nobody believes any more that the sender of a claim is at work.
    pub(crate) fn lease_until(self) -> SystemTime {
        self.lease_until
    }

    /// When a push that begins now has to be done, at most after `limit`.
    pub(crate) fn for_push(self, limit: Duration) -> Result<Instant, TooLittleTime> {
        let now = Instant::now();
        let until = self.answer_from().min(now + limit);
        if now + LEAST_FOR_PUSH <= until { Ok(until) } else { Err(TooLittleTime) }
    }
}

/// So long before an instant. The clock's zero may be nearer than that.
fn before(instant: Instant, time: Duration) -> Instant {
    instant.checked_sub(time).unwrap_or(instant)
}

/// Whether a push that has to be done by then may begin now.
pub(crate) fn is_enough(until: Instant) -> bool {
    Instant::now() + LEAST_FOR_PUSH <= until
}

// Between requests

/// The time that Secrets Manager gets for one secret, the immediate retry included. No attempt has a limit of its own: TCP
/// repeats a lost packet, and giving up early would throw away an answer that may be on its way.
pub(crate) const SECRET_LIMIT: Duration = Duration::from_secs(2);
/// How long a known key is served without asking again after Secrets Manager failed, or said that the secret is unreadable.
pub(crate) const SECRET_RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long an unknown key is refused without asking again, after it was not in the account's secret. One interval for every
/// reason, or a stranger could tell by the calls which accounts exist.
pub(crate) const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);
/// How often at most a refused token makes an account's secret be read early.
pub(crate) const REFUSED_TOKEN_INTERVAL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_790_000_000);
    const LIMIT: Duration = Duration::from_secs(10);

    /// What a push gets when the deadline is so many milliseconds from now, on a clock that stands still.
    fn for_push(deadline_ms: i128) -> Option<Duration> {
        let now = SystemTime::UNIX_EPOCH + NOW;
        let deadline = u64::try_from(deadline_ms).unwrap();
        Budget::until(deadline, now).for_push(LIMIT).ok().map(|until| until - Instant::now())
    }

    fn from_now(milliseconds: i128) -> i128 {
        i128::try_from(NOW.as_millis()).unwrap() + milliseconds
    }

    #[tokio::test(start_paused = true)]
    async fn a_push_gets_its_limit_or_what_lambda_leaves_less_time_to_answer() {
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
    async fn a_deadline_that_is_absent_or_over_an_hour_past_is_ignored() {
        for deadline in [0, 600_000, from_now(-3_600_001)] {
            assert_eq!(for_push(deadline), Some(LIMIT), "{deadline}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_beyond_all_clocks_is_no_more_than_api_gateway_waits() {
        for deadline in [from_now(10_000_000_000), i128::from(u64::MAX)] {
            let budget = Budget::until(u64::try_from(deadline).unwrap(), SystemTime::UNIX_EPOCH + NOW);
            assert_eq!(budget.answer_from() - Instant::now(), Duration::from_millis(28_500), "{deadline}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_is_settled_in_time_to_answer_or_at_leisure_when_it_is_too_late_for_that() {
        let now = SystemTime::UNIX_EPOCH + NOW;
        let budget = Budget::until(u64::try_from(from_now(5_000)).unwrap(), now);
        assert_eq!(budget.settle_until() - Instant::now(), Duration::from_millis(4_750));
        tokio::time::advance(Duration::from_millis(4_750)).await;
        assert_eq!(budget.settle_until() - Instant::now(), Duration::from_millis(1_500));
    }

    #[test]
    fn a_lease_ends_five_seconds_after_lambdas_deadline() {
        let now = SystemTime::UNIX_EPOCH + NOW;
        for (deadline, lease) in [(from_now(20_000), 25), (from_now(90_000), 35), (0, 35), (from_now(-1), 5)] {
            let budget = Budget::until(u64::try_from(deadline).unwrap(), now);
            assert_eq!(budget.lease_until(), now + Duration::from_secs(lease), "{deadline}");
        }
    }
}
