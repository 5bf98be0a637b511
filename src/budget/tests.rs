//! The time budget at its boundaries.

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

/// The time for a push with this deadline, on a paused clock.
fn time_for_push(deadline: u64) -> Option<Duration> {
    let clock = clock();
    Budget::with_deadline(deadline, clock).push_until(LIMIT, clock.now()).ok().map(|until| until - clock.now())
}

#[tokio::test(start_paused = true)]
async fn a_push_leaves_time_to_respond() {
    assert_eq!(time_for_push(from_now(29_000)), Some(LIMIT));
    assert_eq!(time_for_push(from_now(11_500)), Some(LIMIT));
    assert_eq!(time_for_push(from_now(6_500)), Some(Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn no_push_begins_with_less_than_a_second() {
    assert_eq!(time_for_push(from_now(2_500)), Some(Duration::from_secs(1)));
    for milliseconds in [2_499, 1_000, 0, -1, -3_600_000] {
        assert_eq!(time_for_push(from_now(milliseconds)), None, "{milliseconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_over_an_hour_from_the_local_clock_is_ignored() {
    for deadline in [0, 600_000, from_now(-3_600_001), from_now(3_600_001), from_now(10_000_000_000), u64::MAX] {
        let clock = clock();
        let budget = Budget::with_deadline(deadline, clock);
        assert_eq!(budget.work_until() - clock.now(), Duration::from_millis(28_500), "{deadline}");
        assert_eq!(budget.lease().until(), clock.wall() + Duration::from_secs(35), "{deadline}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_request_gets_more_than_api_gateway_waits() {
    let clock = clock();
    let budget = Budget::with_deadline(from_now(3_600_000), clock);
    assert_eq!(budget.work_until() - clock.now(), Duration::from_millis(28_500));
}

#[tokio::test(start_paused = true)]
async fn a_claim_leaves_a_second_for_a_push() {
    let clock = clock();
    let claim = |deadline| Budget::with_deadline(from_now(deadline), clock).claim_until(clock.now()) - clock.now();
    assert_eq!(claim(29_000), Duration::from_secs(8));
    assert_eq!(claim(10_500), Duration::from_secs(8));
    assert_eq!(claim(10_499), Duration::from_millis(7_999));
    assert_eq!(claim(5_000), Duration::from_millis(2_500));
}

#[tokio::test(start_paused = true)]
async fn settling_after_the_deadline_still_has_time() {
    let clock = clock();
    let budget = Budget::with_deadline(from_now(5_000), clock);
    assert_eq!(budget.settle_until(clock.now()) - clock.now(), Duration::from_millis(4_750));
    advance(Duration::from_millis(4_749)).await;
    assert_eq!(budget.settle_until(clock.now()) - clock.now(), Duration::from_millis(1));
    advance(Duration::from_millis(250)).await;
    assert!(budget.settle_until(clock.now()) < clock.now(), "the rest is for the response");
    advance(Duration::from_millis(1)).await;
    assert_eq!(budget.settle_until(clock.now()) - clock.now(), Duration::from_millis(1_500));
}

#[tokio::test(start_paused = true)]
async fn voiding_leaves_time_to_release_and_respond() {
    let clock = clock();
    let void = |deadline| Budget::with_deadline(from_now(deadline), clock).void_until(clock.now()) - clock.now();
    assert_eq!(void(29_000), Duration::from_secs(4));
    assert_eq!(void(5_250), Duration::from_secs(4));
    assert_eq!(void(5_249), Duration::from_millis(3_999));
    assert_eq!(void(-1), Duration::from_millis(500), "after the deadline");
}

#[tokio::test(start_paused = true)]
async fn left_claims_take_at_most_a_second() {
    let clock = clock();
    let left = |deadline| Budget::with_deadline(from_now(deadline), clock).close_left_until(clock.now()) - clock.now();
    assert_eq!(left(29_000), Duration::from_secs(1));
    assert_eq!(left(2_000), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_five_seconds_after_lambdas_deadline() {
    for local in [-3_000_000, -60_000, 0, 60_000, 3_000_000] {
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(local)));
        for deadline in [from_now(20_000), from_now(90_000), from_now(-1)] {
            let lease = Budget::with_deadline(deadline, clock).lease();
            assert_eq!(lease.until(), SystemTime::UNIX_EPOCH + Duration::from_millis(deadline + 5000));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_clock_does_not_extend_the_budget() {
    let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(-600_000)));
    let budget = |received| Budget::new(received, from_now(12_000), clock);
    let left = |received| budget(received).work_until() - clock.now();
    assert_eq!(left(Some(from_now(0))), Duration::from_millis(10_500));
    for unusable in [None, Some(0), Some(from_now(12_001)), Some(u64::MAX)] {
        assert_eq!(left(unusable), Duration::from_millis(28_500), "{unusable:?}");
    }
    let lease = budget(Some(from_now(0))).lease();
    advance(Duration::from_millis(16_999)).await;
    assert!(lease.runs(clock));
    advance(Duration::from_millis(1)).await;
    assert!(!lease.runs(clock), "5 s after the deadline");
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_by_the_earlier_of_two_clocks() {
    let at = |local| Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(local)));
    // The wall clock is right, a minute slow, and two seconds fast.
    for (local, runs_for) in [(0, 25_000), (-60_000, 35_000), (2_000, 23_000)] {
        let clock = at(local);
        let lease = Budget::with_deadline(from_now(20_000), clock).lease();
        advance(Duration::from_millis(runs_for - 1)).await;
        assert!(lease.runs(clock), "{local}");
        advance(Duration::from_millis(1)).await;
        assert!(!lease.runs(clock), "{local}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_when_the_wall_clock_is_set_forward() {
    let lease = Budget::with_deadline(from_now(20_000), clock()).lease();
    let set_to = |time| lease.runs(Clock::starting_at(time));
    assert!(set_to(lease.until() - Duration::from_millis(1)));
    assert!(!set_to(lease.until()));
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_deadline_counts_however_late_the_clock() {
    for late_by in [3_590_000, 3_600_000, 7_200_000, 86_400_000] {
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(-late_by)));
        let budget = |received| Budget::new(Some(received), from_now(12_000), clock);
        let confirmed = budget(from_now(0));
        assert_eq!(confirmed.lease().until(), SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(17_000)));
        assert_eq!(confirmed.work_until() - clock.now(), Duration::from_millis(10_500));
        let longest = budget(from_now(12_000 - 900_000));
        assert_eq!(longest.lease().until(), confirmed.lease().until());
        let unconfirmed = budget(from_now(12_000 - 900_001));
        let is_near = late_by + 12_000 <= 3_600_000;
        assert_eq!(unconfirmed.lease().until() == confirmed.lease().until(), is_near, "{late_by}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_far_in_the_past_is_ignored_though_confirmed() {
    let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(from_now(7_200_000)));
    let budget = Budget::new(Some(from_now(0)), from_now(12_000), clock);
    assert_eq!(budget.lease().until(), clock.wall() + Duration::from_secs(35));
}
