//! The command line.

use std::path::PathBuf;

use clap::{Parser, value_parser};

use crate::candidate::Variant;

/// Measures what a start and a lead cost: time, CPU time and memory of the relay's process, with and without the
/// ledger, next to a function that answers `{}` (`baseline`) and one that only passes the body on to AI Rudder
/// (`pass-through`).
///
/// It builds the programs and plays Lambda; AI Rudder, Secrets Manager and DynamoDB are fakes on this machine, behind
/// TLS. It prints tables of medians and the targets. The exit code is 1 when a target is missed.
///
/// The first run builds for about ten minutes; each run measures for about five. It needs Linux and a C compiler, and an
/// otherwise idle machine for stable figures. Only Cargo uses the network.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo bench --")]
pub struct Args {
    /// How often each candidate is started
    #[arg(long, default_value_t = 11, value_parser = value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Leads after the first one of each start
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(1..=10_000))]
    pub leads: u32,

    /// Milliseconds that AI Rudder takes longer for each lead
    #[arg(long, default_value_t = 0, value_parser = value_parser!(u64).range(..=5_000))]
    pub delay_ms: u64,

    /// Milliseconds of network round trip to AI Rudder, Secrets Manager and DynamoDB in the second half of a round; 0
    /// leaves it out
    ///
    /// A new connection takes one round trip, and so does each request. The timer adds up to a millisecond each time.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(..=1_000))]
    pub round_trip_ms: u64,

    /// Leads at a time, as in Lambda Managed Instances
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=64))]
    pub at_a_time: u32,

    /// Use all processors, as Lambda does for a function of more than 1,769 MB
    ///
    /// By default all processes share one: on several, CPU time differs by half from start to start.
    #[arg(long)]
    pub all_processors: bool,

    /// Measure only these candidates
    #[arg(long, num_args = 1.., value_name = "CANDIDATE")]
    pub only: Vec<Variant>,

    /// Where to write the report, as Markdown; relative to the root of the repository
    #[arg(long, default_value = "target/cost.md", value_name = "FILE")]
    pub markdown: PathBuf,

    /// Cargo passes this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    pub fn includes(&self, variant: Variant) -> bool {
        self.only.is_empty() || self.only.contains(&variant)
    }

    pub fn measures_overhead(&self) -> bool {
        self.includes(Variant::RelayWithoutLedger) && self.delay_ms == 0
    }
}
