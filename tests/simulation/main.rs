//! The real ledger on the real AWS SDK, through thousands of seeded schedules: an in-memory HTTP connector stands for the
//! network, [`DynamoCore`] for DynamoDB, and tokio's clock stands still until the next thing happens.
//!
//! In each schedule two or three processes get the same lead a few times, under the same key, another, or none. Requests to
//! DynamoDB are slow, late, lost, repeated, or done without an answer, transactions are held, and whole outages pass; AI Rudder
//! accepts, refuses, or does not answer; processes freeze and are killed; some have a wall clock that is minutes late; and an
//! operator asks AI Rudder about leads whose lease is over, and settles or reopens them.
//!
//! `SCHEDULES=20000 cargo test --test simulation` runs more than the default, `FROM=20000` begins with another seed, and `SEED=7`
//! runs that one alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it expects by failing, and a simulation says what it saw"
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

/// How many schedules an ordinary run of the tests goes through.
const SCHEDULES: u64 = 2000;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// How often each thing was seen, of the schedules of one thread.
type Seen = BTreeMap<String, u64>;

fn run(seeds: impl Iterator<Item = u64>) -> Seen {
    let mut seen = Seen::new();
    for seed in seeds {
        let schedule = catch_unwind(AssertUnwindSafe(|| Schedule::run(seed)));
        let counted = schedule.unwrap_or_else(|_| panic!("SEED={seed} replays the schedule that failed"));
        for what in counted {
            *seen.entry(what).or_default() += 1;
        }
    }
    seen
}

#[test]
fn no_schedule_breaks_a_promise() {
    if let Some(seed) = number("SEED") {
        println!("{:#?}", run([seed].into_iter()));
        return;
    }
    let from = number("FROM").unwrap_or(0);
    let schedules = number("SCHEDULES").unwrap_or(SCHEDULES);
    let begun = Instant::now();
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let threads: Vec<_> = (0..threads)
        .map(|first| {
            thread::spawn(move || run((from + first..from + schedules).step_by(usize::try_from(threads).unwrap())))
        })
        .collect();
    let mut seen = Seen::new();
    for thread in threads {
        for (what, times) in thread.join().expect("no schedule fails") {
            *seen.entry(what).or_default() += times;
        }
    }
    println!("{schedules} schedules in {:.1?}: {seen:#?}", begun.elapsed());
    // Otherwise it would prove little.
    for what in [
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
        "killed",
        "frozen",
        "late wall clock",
        "operator settled",
        "operator reopened",
        "claim left",
        "several at once",
        "a killed process's claim at the end",
    ] {
        assert!(seen.contains_key(what), "{what} was never seen");
    }
}
