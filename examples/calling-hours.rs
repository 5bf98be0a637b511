//! Prints when each area code is open, for `.ci/policy`, which compares it with a calculation of its own.
//!
//! `cargo run --example calling-hours -- 1798761600 1830297600 3600 '"federal"'`: a period in Unix seconds, a
//! step in seconds that is shorter than any time for which an area code is open or closed, and calling hours.
//! Each line has area codes, `:`, and every second of the period in which they open or close; an `open` in front if
//! they are open at first.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for a check prints, and reports by failing")]

use std::{
    collections::BTreeMap,
    env,
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lendswift_relay::{
    lead::{AreaCode, Phone},
    policy::CallingHours,
};
use serde_json::value::RawValue;

fn main() {
    let mut arguments = env::args().skip(1);
    let mut seconds = || arguments.next().and_then(|text| text.parse::<u64>().ok()).expect("a number of seconds");
    let (begin, end, step) = (seconds(), seconds(), seconds());
    let json = RawValue::from_string(arguments.next().expect("calling hours")).expect("JSON");
    let hours = CallingHours::parse(&json).expect("valid calling hours");
    let mut lines = BTreeMap::<String, Vec<String>>::new();
    for digits in 200..=999 {
        // The relay refuses the other area codes.
        if let Ok(phone) = format!("{digits}5550123").parse::<Phone>() {
            lines.entry(changes(&hours, phone.area_code(), begin..end, step)).or_default().push(digits.to_string());
        }
    }
    for (changes, area_codes) in lines {
        println!("{}:{changes}", area_codes.join(" "));
    }
}

/// Asks in each step, and between two with different answers for the second in which it changes.
fn changes(hours: &CallingHours, area_code: AreaCode, period: Range<u64>, step: u64) -> String {
    let is_open = |second| hours.is_open(area_code, time(second), time(second));
    let mut was_open = is_open(period.start);
    let mut changes = vec![if was_open { "open" } else { "" }.to_owned()];
    for number in period.start / step..period.end / step {
        let (mut before, mut after) = (number * step, (number + 1) * step);
        if is_open(after) != was_open {
            while after - before > 1 {
                let middle = before.midpoint(after);
                *(if is_open(middle) == was_open { &mut before } else { &mut after }) = middle;
            }
            changes.push(after.to_string());
            was_open = !was_open;
        }
    }
    changes.join(" ")
}

fn time(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(second)
}
