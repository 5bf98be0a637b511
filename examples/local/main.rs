//! Runs the relay on this machine, with fakes of all its dependencies: `cargo run --example local`.
//!
//! It is the code that runs in Lambda, from the event to the response, with the real AWS SDK and the real client of AI
//! Rudder. `cargo run --example local -- --help` describes the options.

mod args;
mod curl;
mod docs;
mod exchanges;
mod listeners;
mod pretty;
mod replay;
mod request_line;
mod sample;
mod server;

use std::{
    error::Error,
    fmt::Display,
    fs,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use lendswift_relay::{config::LogConfig, telemetry::log};
use serde_json::Value;
use tokio::signal;

use self::{args::Args, exchanges::Exchanges, listeners::Listeners, server::Server};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(level) = args.log {
        log::start(LogConfig { level, json: false }, io::stderr);
        log::log_panics();
    }
    let run = if args.once.is_empty() { serve(&args).await } else { replay::run(&args.once).await };
    run.unwrap_or_else(|error| {
        #[expect(clippy::print_stderr, reason = "a command reports its errors there")]
        {
            eprintln!("error: {error}");
        }
        ExitCode::FAILURE
    })
}

/// Posts the sample lead, shows the result, and serves until Ctrl-C.
async fn serve(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let Listeners { relay: listener, rudder, secrets, dynamodb } = Listeners::open(args.bind, args.port).await?;
    support::seed(&secrets, &dynamodb);
    let url = listeners::url(listener.local_addr()?);
    let [rudder_url, secrets_url, dynamodb_url] =
        [rudder.base_url(), secrets.url(), dynamodb.url()].map(|url| listeners::reachable(&url));
    // AWS_SAM_LOCAL allows plain HTTP: an address given with --bind may not be a loopback address.
    let relay = support::relay(
        &support::aws(),
        &[
            ("AWS_SAM_LOCAL", "true"),
            ("CLAIMS_TABLE", support::TABLE),
            // A rotated or removed API key takes effect while the developer watches.
            ("SECRET_TTL_SECONDS", "1"),
            ("UPSTREAM_BASE_URL", &rudder_url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets_url),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb_url),
        ],
    );
    print(format_args!(
        "The relay is at {url}. AI Rudder and AWS are fakes on this machine: no consumer is called.\n\
         Open {url}/docs in a browser to try each request and to see what AI Rudder receives.\n"
    ));
    print(listeners::for_the_operator(&secrets_url, &dynamodb_url));
    print(listeners::for_other_tools(&rudder_url, &secrets_url, &dynamodb_url));
    let variables = support::sam_local_variables(&rudder_url, &secrets_url, &dynamodb_url);
    print(match write_for_sam_local(&variables) {
        Ok(()) => format!("`sam local` finds them in {SAM_LOCAL}, which samconfig.toml names.\n"),
        Err(error) => format!("{SAM_LOCAL} for `sam local` could not be written: {error}\n"),
    });

    let exchanges = Arc::new(Exchanges::new(rudder, dynamodb));
    tokio::spawn(Server { relay, exchanges: Arc::clone(&exchanges) }.serve(listener));
    print("Posting the sample lead, events/accepted.json. Each request prints one line, with the time in UTC:\n");
    let sample = sample::post(&url, &exchanges).await?;
    print(format_args!("\n{sample}\n"));
    print(curl::commands(&url));
    print(curl::sandbox(&url));
    print("Press Ctrl-C to stop.\n");
    signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

/// The variables for `sam local`, below the repository's folder.
const SAM_LOCAL: &str = "target/sam-local.json";

/// Writes the variables for `sam local`, so that they have the ports of this run.
fn write_for_sam_local(variables: &Value) -> io::Result<()> {
    let file = support::in_repository(SAM_LOCAL);
    fs::create_dir_all(file.with_file_name(""))?;
    fs::write(file, format!("{variables:#}\n"))
}

/// Prints a line. A closed standard output, as with `| head`, is not an error.
fn print(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
