//! Unix time in whole seconds, as envelopes and the ledger contain it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whole seconds since the Unix epoch, rounded down.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
