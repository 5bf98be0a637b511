//! Start-up of the operator's command.

use std::process::ExitCode;

use lendswift::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    lendswift::run(Cli::from_command_line()).await
}
