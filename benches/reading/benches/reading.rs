//! How many instructions it takes to read a body and to write down what goes to AI Rudder, or to find all that is wrong.
//!
//! `cargo bench --bench reading` needs valgrind, and `cargo install gungraun-runner` in the version that `Cargo.toml` has of gungraun. It fails
//! where a figure grows by more than a twentieth over the one that is written down here.

use std::hint::black_box;

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use lendswift_relay::{
    lead::{Faults, Reading},
    rudder::payload,
};
use serde_json::Value;

fn body(event: &str) -> String {
    let event: Value = serde_json::from_str(event).unwrap();
    event["body"].as_str().unwrap().to_owned()
}

fn about(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions + instructions / 20)]);
    LibraryBenchmarkConfig::default().tool(callgrind).clone()
}

#[library_benchmark(setup = body)]
#[bench::accepted(args = (include_str!("../../../events/accepted.json")), config = about(71_200))]
#[bench::messy(args = (include_str!("../../../events/messy.json")), config = about(60_200))]
fn reshaped(body: String) -> Vec<u8> {
    black_box(payload(&Reading::of(black_box(body.as_bytes())).unwrap().lead.unwrap()))
}

#[library_benchmark(setup = body)]
#[bench::every_field_wrong(args = (include_str!("../../../events/every-field-wrong.json")), config = about(83_000))]
fn refused(body: String) -> Faults {
    black_box(Reading::of(black_box(body.as_bytes())).unwrap().lead.unwrap_err())
}

library_benchmark_group!(name = reading, benchmarks = [reshaped, refused]);
main!(library_benchmark_groups = reading);
