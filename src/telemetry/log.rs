//! The log: its format, its level, and what it never contains.
//!
//! Below ERROR only the relay's own lines are logged, whatever level is set: at these levels the AWS SDK, hyper and Lambda's
//! runtime client log whole messages, which contain secrets and leads.

use std::{error::Error, fmt::Write, panic};

use tokio::time::Instant;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::LogConfig;

/// Starts logging to `writer`. Call this once, at start-up.
pub fn start<W>(log: LogConfig, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    subscriber(log, writer).init();
}

/// A subscriber that writes one line per event to `writer`.
pub fn subscriber<W>(log: LogConfig, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let targets =
        Targets::new().with_default(log.level.min(LevelFilter::ERROR)).with_target(env!("CARGO_CRATE_NAME"), log.level);
    let lines = if log.json {
        // With the timestamp: Lambda reads the level of a JSON line only if it has one (Lambda's developer
        // guide, "Log-level filtering").
        json_subscriber::layer()
            .with_writer(writer)
            .with_target(false)
            .flatten_event(true)
            .with_span_list(false)
            .boxed()
    } else {
        fmt::layer().with_writer(writer).with_target(false).with_ansi(false).without_time().boxed()
    };
    // A global filter and not one per layer, so that tracing can cache the decision per call site.
    tracing_subscriber::registry().with(lines).with(targets)
}

/// Installs a hook that logs each panic with its place in the code, and without its message, which may quote personal data.
pub fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
}

/// The whole milliseconds from one instant to a later one.
pub(crate) fn elapsed_ms(since: Instant, now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX)
}

/// A text that may appear only in the log. It has no `Display`, so that no response can contain it by mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogText(String);

impl LogText {
    /// An error and its sources, in one line.
    pub(crate) fn from_error(error: &dyn Error) -> Self {
        let mut line = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            // Writing into a string cannot fail.
            let _ = write!(line, ": {error}");
            source = error.source();
        }
        Self(line)
    }

    /// The text, for a field of a log line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for LogText {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}
