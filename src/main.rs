//! Start-up: reads the configuration, starts the log and the clients, and then serves events.

use std::{error, io, process::ExitCode, sync::Arc};

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
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    let result = match begin() {
        Ok((config, runtime)) => runtime.block_on(run(&config)),
        Err(error) => Err(cannot_start(&*error)),
    };
    let Err(message) = result else { return ExitCode::SUCCESS };
    #[expect(clippy::print_stderr, reason = "before the log starts, only standard error is available")]
    {
        eprintln!("{message}");
    }
    ExitCode::FAILURE
}

/// Reads the configuration. One thread is used, unless Lambda sends several events at a time: below 1,769 MB it gives a function
/// less than one processor (Lambda's developer guide, "Configure Lambda function memory"), so a second thread would add the
/// cost of switching threads and no computing time.
fn begin() -> Result<(Config, Runtime), Error> {
    let config = Config::from_env()?;
    let mut builder = if config.concurrency > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    Ok((config, builder.enable_io().enable_time().build()?))
}

async fn run(config: &Config) -> Result<(), String> {
    let (relay, recorder) = start(config).await.map_err(|error| cannot_start(&*error))?;
    serve(relay, recorder)
        .await
        .map_err(|error| format!("lendswift-relay stopped, because Lambda's runtime API failed: {error}"))
}

fn cannot_start(error: &(dyn error::Error + Send + Sync)) -> String {
    format!("lendswift-relay can't start: {error}")
}

async fn start(config: &Config) -> Result<(Arc<Relay>, metrics::Recorder), Error> {
    log::start(config.log, io::stdout);
    log::log_panics();
    let recorder = metrics::start(config.stack_name.clone())?;
    let relay = Arc::new(Relay::new(config, Aws::new(config)?, Clock::SYSTEM)?);
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
