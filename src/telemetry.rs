//! What the relay reports about itself: log lines and metrics.

pub mod log;
pub mod metrics;
