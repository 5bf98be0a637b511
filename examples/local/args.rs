//! The command line.

use std::{net::IpAddr, path::PathBuf};

use clap::{
    Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};
use tracing::level_filters::LevelFilter;

/// Runs the relay on this machine, without an AWS account and without Docker.
///
/// It posts a sample lead, shows each request and response, and serves until you press Ctrl-C; the page /docs is for
/// browsers. AI Rudder, Secrets Manager and DynamoDB are fakes on the next three ports: no consumer is called, and no
/// data leaves this machine.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo run --example local --", after_help = EXAMPLES)]
pub struct Args {
    /// Port of the relay, at most 65532. The fakes use the next three ports. 0 means any free ports.
    #[arg(long, default_value_t = 9000, value_parser = clap::value_parser!(u16).range(..=65_532))]
    pub port: u16,

    /// Address to listen on. With 0.0.0.0, other machines and containers can connect.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,

    /// Replay these API Gateway events instead of serving, and compare each response with its snapshot.
    ///
    /// Each event gets a relay and fakes of its own, so that no event affects another. A file contains one HTTP API
    /// event (payload format 2.0) as JSON. Its snapshot is the file in tests/it/snapshots with the same name. The exit
    /// code is 1 if a file cannot be read, has no snapshot, or leads to a different response.
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with_all = ["port", "bind"])]
    pub once: Vec<PathBuf>,

    /// Write the relay's log to stderr, at this level and above.
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
