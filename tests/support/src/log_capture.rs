//! The relay's log, in memory and in `LOG_FILE`.

use std::{
    env,
    io::{self, Write},
    sync::{Arc, Mutex, Once},
};

use lendswift_relay::{config::LogConfig, telemetry::log};
use serde_json::Value;
use tracing::{
    level_filters::LevelFilter,
    subscriber::{DefaultGuard, set_default, set_global_default},
};

use crate::{fakes::lock, log_file};

/// Captures what this thread logs, until it is dropped.
pub struct LogCapture {
    lines: Lines,
    _capturing: DefaultGuard,
}

impl LogCapture {
    /// Starts to capture the shipped log at this level, as JSON or as text.
    pub fn start(level: LevelFilter, json: bool) -> Self {
        let lines = Lines(Some(Arc::default()));
        let writer = lines.clone();
        let subscriber = log::subscriber(LogConfig { level, json }, move || writer.clone());
        Self { lines, _capturing: set_default(subscriber) }
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        let bytes = self.lines.0.iter().flat_map(|lines| lock(lines).clone());
        String::from_utf8(bytes.collect()).expect("the log is text")
    }

    /// The lines so far, which must be JSON.
    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }
}

/// Lines in `LOG_FILE`, and in memory if a test captures them.
#[derive(Clone)]
struct Lines(Option<Arc<Mutex<Vec<u8>>>>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        log_file::append(line);
        if let Some(lines) = &self.0 {
            lock(lines).extend(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the shipped log at its most talkative level for what no test captures, as JSON if `LOG_FORMAT` is `JSON`. Even
/// without a `LOG_FILE`: a place in the code that is first reached without a subscriber is never logged again. A log that the
/// program has already started stays.
pub(crate) fn start_shipped_log() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let json = env::var_os("LOG_FORMAT").is_some_and(|format| format == "JSON");
        let _ = set_global_default(log::subscriber(LogConfig { level: LevelFilter::TRACE, json }, || Lines(None)));
    });
}
