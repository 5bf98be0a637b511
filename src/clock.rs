//! The source of time. Code that reads a clock takes one as an argument, so that a test can set the time.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A monotonic clock and a wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Wall);

#[derive(Debug, Clone, Copy)]
enum Wall {
    System,
    Following { start: Instant, at_start: SystemTime },
}

impl Clock {
    /// The clocks of this machine.
    pub const SYSTEM: Self = Self(Wall::System);

    /// A wall clock that shows `at_start` now and then follows the monotonic clock: for tests on tokio's paused clock, and
    /// for a process whose wall clock is wrong.
    #[must_use]
    pub fn starting_at(at_start: SystemTime) -> Self {
        Self(Wall::Following { start: Self::SYSTEM.now(), at_start })
    }

    /// The monotonic clock: tokio's.
    #[must_use]
    pub fn now(self) -> Instant {
        Instant::now()
    }

    /// Now, during this event.
    pub(crate) fn moment(self, event: Event) -> Moment {
        Moment { monotonic: self.now(), wall: self.wall(), event }
    }

    /// The wall clock. It may jump when it is set, and be slow in a process that was suspended.
    #[must_use]
    pub fn wall(self) -> SystemTime {
        match self.0 {
            Wall::System => SystemTime::now(),
            Wall::Following { start, at_start } => at_start + self.now().duration_since(start),
        }
    }
}

/// A moment by every clock of which one may be wrong: a process that was suspended may have slow clocks of its own, but its
/// events come with deadlines from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    monotonic: Instant,
    wall: SystemTime,
    event: Event,
}

/// The clocks of one event of Lambda's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// When it began, by the monotonic clock.
    pub(crate) begun: Instant,
    /// Lambda's deadline for it, in milliseconds since the Unix epoch.
    pub(crate) deadline: u64,
}

impl Moment {
    /// Whether at most `limit` has passed since an earlier moment, by each of the clocks. `false` if one of them went back.
    pub(crate) fn is_within(self, limit: Duration, earlier: Self) -> bool {
        [
            self.monotonic.checked_duration_since(earlier.monotonic),
            self.wall.duration_since(earlier.wall).ok(),
            self.since_by_lambda(earlier),
        ]
        .into_iter()
        .all(|age| age.is_some_and(|age| age <= limit))
    }

    /// Whether more than `limit` has passed since an earlier moment, by the monotonic clock.
    pub(crate) fn is_beyond(self, limit: Duration, earlier: Self) -> bool {
        self.monotonic.saturating_duration_since(earlier.monotonic) > limit
    }

    /// The time from the earlier moment to the beginning of this event, by Lambda's deadlines: two events have deadlines as far
    /// apart as their beginnings. What passed in the earlier event is taken from the local clock, which ran then.
    fn since_by_lambda(self, earlier: Self) -> Option<Duration> {
        if self.event == earlier.event {
            return Some(Duration::ZERO);
        }
        // Some emulators give no deadline.
        let earlier_deadline = Some(earlier.event.deadline).filter(|deadline| *deadline > 0)?;
        let between_events = Duration::from_millis(self.event.deadline.checked_sub(earlier_deadline)?);
        let in_earlier_event = earlier.monotonic.saturating_duration_since(earlier.event.begun);
        Some(between_events.saturating_sub(in_earlier_event))
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_set_wall_clock_follows_the_monotonic_clock() {
        let clock = Clock::starting_at(UNIX_EPOCH);
        advance(Duration::from_secs(7)).await;
        assert_eq!(clock.wall(), UNIX_EPOCH + Duration::from_secs(7));
    }

    #[test]
    fn an_age_is_judged_by_every_clock() {
        let start = Instant::now();
        let after = Duration::from_millis;
        // The earlier event began 2 s before the earlier moment.
        let at = |monotonic, wall, deadline| Moment {
            monotonic: start + after(monotonic),
            wall: UNIX_EPOCH + after(wall),
            event: Event { begun: start + after(3000), deadline },
        };
        let earlier = at(5000, 5000, 5000);
        for (monotonic, wall, deadline, expected) in [
            (5000, 5000, 5000, true),
            (6000, 6000, 8000, true),
            (6001, 6000, 8000, false),
            (6000, 6001, 8000, false),
            (6000, 6000, 8001, false),
            (4999, 6000, 8000, false),
            (6000, 4999, 8000, false),
            (6000, 6000, 4999, false),
        ] {
            let is_within = at(monotonic, wall, deadline).is_within(after(1000), earlier);
            assert_eq!(is_within, expected, "{monotonic} {wall} {deadline}");
        }
    }
}
