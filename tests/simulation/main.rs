//! A simulation that runs the real ledger through thousands of random schedules, each derived from a seed. An in-memory
//! HTTP connector replaces the network, [`DynamoCore`] replaces DynamoDB, and tokio's clock is
//! paused: it advances to the next event when all tasks wait.
//!
//! In each schedule two or three processes receive the same lead several times, under the same key, another key, or
//! none, and sometimes another lead. In half of the schedules both have a phone number that may be called only once.
//! Requests to DynamoDB are slow, late, lost, duplicated, or done without a response; transactions are held; there are
//! outages. AI Rudder accepts, refuses, or does not respond; connections to it are reused, and may break. Processes are
//! suspended and killed, and some have a wall clock that is up to an hour slow. An operator asks AI Rudder about leads
//! whose lease has ended, and settles or reopens them.
//!
//! `cargo test --test simulation` runs 2,000 schedules, and prints how often each event was seen with `-- --nocapture`.
//! These variables change the run: `SCHEDULES` is the number of schedules, `FROM` the first seed, and `SEED` the only
//! one:
//!
//! ```sh
//! SCHEDULES=20000 FROM=20000 cargo test --test simulation
//! SEED=7 cargo test --test simulation -- --nocapture
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed expectation is a failed test, and the simulation prints what it saw"
)]

mod network;
mod operator;
mod process;
mod rudder;
mod schedule;
mod verify;

use std::{
    collections::BTreeMap,
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Instant,
};

use schedule::Schedule;

/// The number of schedules, unless `SCHEDULES` is set.
const SCHEDULES: u64 = 2000;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} must be a number")))
}

/// How often each event was seen.
type Counts = BTreeMap<String, u64>;

fn run(seeds: impl Iterator<Item = u64>) -> Counts {
    let mut counts = Counts::new();
    for seed in seeds {
        let schedule = catch_unwind(AssertUnwindSafe(|| Schedule::run(seed)));
        let events = schedule.unwrap_or_else(|_| panic!("schedule {seed} failed; run it alone with SEED={seed}"));
        for event in events {
            *counts.entry(event).or_default() += 1;
        }
    }
    counts
}

#[test]
fn every_schedule_keeps_the_guarantees() {
    if let Some(seed) = number("SEED") {
        println!("{:#?}", run([seed].into_iter()));
        return;
    }
    let from = number("FROM").unwrap_or(0);
    let schedules = number("SCHEDULES").unwrap_or(SCHEDULES);
    let started = Instant::now();
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let threads: Vec<_> = (0..threads)
        .map(|first| {
            thread::spawn(move || run((from + first..from + schedules).step_by(usize::try_from(threads).unwrap())))
        })
        .collect();
    let mut counts = Counts::new();
    for thread in threads {
        for (event, times) in thread.join().expect("every schedule passes") {
            *counts.entry(event).or_default() += times;
        }
    }
    println!("{schedules} schedules in {:.1?}: {counts:#?}", started.elapsed());
    // A run without one of these events would prove little.
    for event in [
        "accepted",
        "accepted, replayed",
        "refused",
        "not_sent",
        "unknown",
        "unknown, replayed",
        "pending",
        "interrupted",
        "unavailable",
        "key reused",
        "recently called",
        "killed",
        "suspended",
        "slow wall clock",
        "operator settled",
        "operator reopened",
        "claim kept",
        "concurrent requests",
        "connection reused",
        "reused connection broke",
        "open claim of a killed process",
    ] {
        assert!(counts.contains_key(event), "no schedule had this event: {event}");
    }
}
