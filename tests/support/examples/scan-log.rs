//! Searches the log of a test run for secrets and personal data: `scan-log FILE`, after the tests ran with `LOG_FILE=FILE`, and
//! with the same `LOG_FORMAT`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a command prints what it found, and fails without its file"
)]

use std::{env, fs, process::ExitCode};

use support::leaks;

/// A run of the tests logs about twice as many lines. Fewer mean that the log was off.
const LEAST_LINES: usize = 5000;

fn main() -> ExitCode {
    let file = env::args().nth(1).expect("the log's file");
    let log = fs::read_to_string(&file).expect("the log can be read");
    let json = env::var_os("LOG_FORMAT").is_some_and(|format| format == "JSON");
    let lines = log.lines().filter(|line| line.starts_with('{') == json).count();
    let leaking = leaks::scan(&log);
    for line in leaking.iter().take(10) {
        println!("leak: {line}");
    }
    println!("{file}: {lines} lines in the log's format, {} with a leak", leaking.len());
    if lines < LEAST_LINES {
        println!("Too few lines: the log was off.");
    }
    if leaking.is_empty() && lines >= LEAST_LINES { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
