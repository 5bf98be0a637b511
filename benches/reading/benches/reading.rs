//! How many instructions it takes to parse an event, to parse its body and to write the payload for AI Rudder, or to
//! find all faults of a body.
//!
//! `cargo bench --package reading` builds for some minutes and counts for seconds. It needs valgrind, and `cargo
//! install gungraun-runner` in the version of gungraun in `Cargo.toml`. It fails when a count exceeds the one written
//! down here by more than 5 %.

#![expect(missing_docs, reason = "the macros generate items without")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that can't go on ends")]

use std::hint::black_box;

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use lendswift_relay::{
    lead::{Faults, ParsedLead},
    request::Request,
    rudder::payload,
};
use serde_json::Value;

fn body(event: &str) -> String {
    let event: Value = serde_json::from_str(event).unwrap();
    event["body"].as_str().unwrap().to_owned()
}

/// A count and 5 % more. Counted on x86-64 with Rust 1.95, glibc 2.36 and valgrind 3.19: update it after an upgrade of
/// one.
fn about(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions + instructions / 20)]);
    LibraryBenchmarkConfig::default().tool(callgrind).clone()
}

#[library_benchmark]
#[bench::accepted(args = (include_str!("../../../events/accepted.json")), config = about(37_000))]
fn event(event: &str) -> Request {
    black_box(serde_json::from_str(black_box(event)).unwrap())
}

#[library_benchmark(setup = body)]
#[bench::accepted(args = (include_str!("../../../events/accepted.json")), config = about(46_600))]
#[bench::messy(args = (include_str!("../../../events/messy.json")), config = about(45_000))]
fn reshaped(body: String) -> Vec<u8> {
    black_box(payload(&ParsedLead::parse(black_box(body.as_bytes())).unwrap().lead.unwrap()))
}

#[library_benchmark(setup = body)]
#[bench::every_field_wrong(args = (include_str!("../../../events/every-field-wrong.json")), config = about(84_300))]
fn refused(body: String) -> Faults {
    black_box(ParsedLead::parse(black_box(body.as_bytes())).unwrap().lead.unwrap_err())
}

library_benchmark_group!(name = reading, benchmarks = [event, reshaped, refused]);
main!(library_benchmark_groups = reading);
