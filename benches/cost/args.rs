//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

use crate::subject::Who;

/// Measures what a lead costs: the relay beside the least that a function can be, a thin relay, and the same job in Python.
///
/// It builds what it measures, and prints tables of medians and ratios. Only Cargo and pip use the network.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo bench --")]
pub struct Args {
    /// How often each subject is started.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Leads after the first one of each start.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub leads: u32,

    /// Milliseconds that AI Rudder takes longer for each lead.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=5_000))]
    pub delay_ms: u64,

    /// Milliseconds from here to each neighbour and back. A connection takes as long, and so does whatever is asked over it.
    ///
    /// Each time up to a millisecond more, since that is how exactly the clock for it goes.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000))]
    pub round_trip_ms: u64,

    /// Use all processors, as Lambda would for a function of over 1,769 MB.
    ///
    /// By default all processes share one: how threads fall on several makes CPU time differ by half from start to start.
    #[arg(long)]
    pub spread: bool,

    /// Measure these alone.
    #[arg(long, num_args = 1.., value_name = "SUBJECT")]
    pub only: Vec<Who>,

    /// Where the tables are written to, as Markdown.
    #[arg(long, default_value = "target/cost.md", value_name = "FILE")]
    pub markdown: PathBuf,

    /// What Cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// What AI Rudder takes longer.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// How far the neighbours are.
    pub fn round_trip(&self) -> Duration {
        Duration::from_millis(self.round_trip_ms)
    }

    /// Whether this subject is to be measured.
    pub fn wants(&self, who: Who) -> bool {
        self.only.is_empty() || self.only.contains(&who)
    }
}
