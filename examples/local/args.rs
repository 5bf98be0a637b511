//! The command line.

use std::{net::IpAddr, path::PathBuf};

use clap::{
    Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};
use tracing::level_filters::LevelFilter;

/// Runs the relay on this machine, with no AWS account and no Docker.
///
/// It posts a sample lead, shows what became of it, and serves until Ctrl-C. AI Rudder, Secrets Manager and DynamoDB are
/// fakes on the next three ports: nobody is called, and nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo run --example local --", after_help = EXAMPLES)]
pub struct Args {
    /// Port of the relay. AI Rudder, Secrets Manager and DynamoDB get the next three. 0 takes any free ports.
    #[arg(long, default_value_t = 9000, value_parser = clap::value_parser!(u16).range(..=65_532))]
    pub port: u16,

    /// Address to listen on. 0.0.0.0 lets other machines and containers in.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,

    /// Send these HTTP API events through the relay instead, and compare each answer with its snapshot.
    ///
    /// Each event gets a relay of its own. The exit code is 1 when an answer differs from tests/it/snapshots.
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with_all = ["port", "bind"])]
    pub once: Vec<PathBuf>,

    /// Write the relay's own log to stderr, from this level on.
    #[arg(long, value_name = "LEVEL", value_parser = level())]
    pub log: Option<LevelFilter>,
}

const EXAMPLES: &str = "\
Examples:
  cargo run --example local
  cargo run --example local -- --port 8080 --log info
  cargo run --example local -- --once events/*.json";

fn level() -> impl TypedValueParser<Value = LevelFilter> {
    PossibleValuesParser::new(["trace", "debug", "info", "warn", "error"]).try_map(|level| level.parse())
}
