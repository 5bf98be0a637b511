//! The delays between attempts to write or to read.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::budget::{WRITE_FIRST_WAIT, WRITE_MAX_WAIT};

/// Exponential backoff with jitter, without a last delay.
pub(super) fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(WRITE_FIRST_WAIT)
        .with_max_delay(WRITE_MAX_WAIT)
        .without_max_times()
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_grows_to_its_longest_delay_and_never_ends() {
        for (wait, expected) in backoff().zip([20, 40, 80, 160, 200, 200, 200, 200].map(Duration::from_millis)) {
            assert!((expected..=2 * expected).contains(&wait), "{wait:?}, expected {expected:?} plus jitter");
        }
        assert_eq!(backoff().take(1000).count(), 1000);
    }
}
