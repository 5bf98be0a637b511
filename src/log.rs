//! What is logged, and what is not.
//!
//! Only the relay's own lines go beyond errors, whatever level is set: at the lower ones the AWS SDK, hyper and Lambda's
//! runtime print whole messages, secrets and leads among them.

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

use crate::config::Log;

/// Starts logging to `writer`. Called once, at start-up.
pub fn start<W>(log: Log, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    subscriber(log, writer).init();
}

/// What turns events into lines on `writer`, one line an event.
pub fn subscriber<W>(log: Log, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let targets =
        Targets::new().with_default(log.level.min(LevelFilter::ERROR)).with_target(env!("CARGO_CRATE_NAME"), log.level);
    let lines = if log.json {
        // With the time: Lambda goes by a JSON line's own level only where there is one.
        json_subscriber::layer()
            .with_writer(writer)
            .with_target(false)
            .flatten_event(true)
            .with_span_list(false)
            .boxed()
    } else {
        fmt::layer().with_writer(writer).with_target(false).with_ansi(false).without_time().boxed()
    };
    // For all layers, not for one: so what it lets through is decided once for each place in the code.
    tracing_subscriber::registry().with(lines).with(targets)
}

/// Makes a panic a line with its place. The message is left out, since it may quote what was being read.
pub fn panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
}

/// The time from one instant to a later one as a number in a log line: whole milliseconds.
pub(crate) fn milliseconds(since: Instant, now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX)
}

/// An error and its sources, in a line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing into a string does not fail.
        let _ = write!(line, ": {error}");
        source = error.source();
    }
    line
}
