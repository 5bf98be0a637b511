//! Start-up of the operator's command.

use std::process::ExitCode;

use clap::Parser;
use lendswift::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    lendswift::run(Cli::parse()).await
}
