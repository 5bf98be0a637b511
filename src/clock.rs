//! The source of time. Code that reads a clock takes one as an argument, so that a test can set the time.

use std::time::SystemTime;

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

    /// The wall clock. It may jump when it is set, and be slow in a process that was suspended.
    #[must_use]
    pub fn wall(self) -> SystemTime {
        match self.0 {
            Wall::System => SystemTime::now(),
            Wall::Following { start, at_start } => at_start + self.now().duration_since(start),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_set_wall_clock_follows_the_monotonic_clock() {
        let clock = Clock::starting_at(UNIX_EPOCH);
        advance(Duration::from_secs(7)).await;
        assert_eq!(clock.wall(), UNIX_EPOCH + Duration::from_secs(7));
    }
}
