//! `lendswift`, the operator's command for a deployed relay: accounts, leads whose outcome is unknown, and checks.
//!
//! [`cli`] is the command line. Each command reads AWS first, decides with the relay's own parsers and the pure
//! functions in [`decision`], and only then writes, under a condition. So the relay can read everything that the
//! command writes, and a command that was stopped can be run again.
//!
//! Tokens and API keys are [`secrecy::SecretString`]s, and the types that contain a secret's text have no `Debug`.

mod account;
mod aws;
mod check;
pub mod cli;
pub mod decision;
mod deployment;
mod failure;
mod input;
mod lead;
mod ledger;
mod output;
mod policy;
mod prompt;
mod unknown;

use std::process;

use clap::CommandFactory;
use serde_json::json;

pub use self::failure::ExitStatus;
use self::{
    cli::{Cli, Command},
    failure::Failure,
    output::Output,
};

/// Runs a command, and returns the process's exit code.
pub async fn run(cli: Cli) -> process::ExitCode {
    let output = Output::new(cli.global.json);
    let status = match dispatch(cli, output).await {
        Ok(status) => status,
        Err(failure) => {
            output.failure(&failure);
            failure.status
        }
    };
    process::ExitCode::from(status as u8)
}

async fn dispatch(cli: Cli, output: Output) -> Result<ExitStatus, Failure> {
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lendswift", &mut script);
            let script = String::from_utf8_lossy(&script);
            output.print(&json!({ "completions": script }), script.trim_end())?;
            Ok(ExitStatus::Done)
        }
        Command::Account { command } => account::run(command, &cli.global, output).await,
        Command::Lead { command } => lead::run(command, &cli.global, output).await,
        Command::Unknown { command } => unknown::run(command, &cli.global, output).await,
        Command::Check => check::run(&cli.global, output).await,
    }
}
