//! The relay on this machine, between fakes of all its dependencies: `cargo run --example local`.
//!
//! What runs is the relay of Lambda: the same code from the event to the response, the real AWS SDK, the real client of
//! AI Rudder. `-- --help` tells what else it can do.

mod args;
mod curl;
mod door;
mod line;
mod once;
mod places;
mod pretty;
mod pushes;
mod sample;

use std::{
    error::Error,
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use lendswift_relay::{config::Log, log};
use tokio::signal;

use self::{args::Args, door::Door, places::Places, pushes::Pushes};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(level) = args.log {
        log::start(Log { level, json: false }, io::stderr);
        log::panics();
    }
    let run = if args.once.is_empty() { serve(&args).await } else { once::replay(&args.once).await };
    run.unwrap_or_else(|error| {
        #[expect(clippy::print_stderr, reason = "where a command says why it failed")]
        {
            eprintln!("{error}");
        }
        ExitCode::FAILURE
    })
}

/// Shows the sample lead, and then serves until Ctrl-C.
async fn serve(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let Places { door, rudder, secrets, dynamodb } = Places::open(args.bind, args.port).await?;
    support::seed(&secrets, &dynamodb);
    let front = places::url(door.local_addr()?);
    let [rudder_url, secrets_url, dynamodb_url] =
        [rudder.base_url(), secrets.url(), dynamodb.url()].map(|url| places::reachable(&url));
    // An address given with --bind need not be a loopback one.
    let relay = support::relay(
        &support::aws(),
        &[
            ("AWS_SAM_LOCAL", "true"),
            ("CLAIMS_TABLE", support::TABLE),
            ("UPSTREAM_BASE_URL", &rudder_url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets_url),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb_url),
        ],
    );
    say(format_args!("The relay is at {front}, between fakes of its dependencies on this machine."));
    say(places::for_other_tools(&rudder_url, &secrets_url, &dynamodb_url));

    let pushes = Arc::new(Pushes::to(rudder));
    tokio::spawn(Door { relay, pushes: Arc::clone(&pushes) }.serve(door));
    say("The first lead is events/accepted.json. Each request makes a line like this (times are UTC):\n");
    let shown = sample::post(&front, &pushes).await?;
    say(format_args!("\n{shown}\n"));
    say(curl::lines(&front));
    say("Ctrl-C ends it.\n");
    signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints. That nobody reads any more, as behind `| head`, is no failure.
fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
