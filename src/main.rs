//! Start-up: reads the configuration, starts the log and the clients, and then serves events.

use std::{io, process::ExitCode, sync::Arc};

use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use lendswift_relay::{
    aws::Aws,
    clock::Clock,
    config::Config,
    gateway,
    relay::Relay,
    telemetry::{log, metrics},
};
use serde_json::value::RawValue;

// One thread: below 1,769 MB Lambda gives a function less than one processor (Lambda's developer guide, "Configure Lambda
// function memory"), so a second thread would add the cost of switching threads and no computing time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match start().await {
        Ok((relay, recorder)) => {
            serve(relay, recorder).await.map_err(|error| format!("lendswift-relay stopped: {error}"))
        }
        Err(error) => Err(format!("lendswift-relay can't start: {error}")),
    };
    let Err(message) = result else { return ExitCode::SUCCESS };
    #[expect(clippy::print_stderr, reason = "before the log starts, only standard error is available")]
    {
        eprintln!("{message}");
    }
    ExitCode::FAILURE
}

async fn start() -> Result<(Arc<Relay>, metrics::Recorder), Error> {
    let config = Config::from_env()?;
    log::start(config.log, io::stdout);
    log::log_panics();
    let recorder = metrics::start()?;
    let relay = Arc::new(Relay::new(&config, Aws::new(&config)?, Clock::SYSTEM)?);
    if config.connect_at_start {
        relay.connect().await;
    }
    Ok((relay, recorder))
}

/// Serves events until Lambda shuts the process down.
async fn serve(relay: Arc<Relay>, recorder: metrics::Recorder) -> Result<(), Error> {
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let relay = Arc::clone(&relay);
        async move { gateway::serve(&relay, recorder, event).await }
    }))
    .await
}
