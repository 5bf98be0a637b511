//! Start-up: the configuration, the log, the clients, and then one event after the other.

use std::{io, process::ExitCode, sync::Arc};

use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use lendswift_relay::{aws, config::Config, gateway, log, metrics, relay::Relay};
use serde_json::value::RawValue;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "what keeps the log from starting can't be logged")]
            {
                eprintln!("lendswift-relay can't start: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let config = Config::from_env()?;
    log::start(config.log, io::stdout);
    log::panics();
    let recorder = metrics_cloudwatch_embedded::Builder::new().cloudwatch_namespace(metrics::NAMESPACE).init()?;
    metrics::describe();
    let relay = Arc::new(Relay::new(&config, &aws::sdk_config(&config.aws)?)?);
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let relay = Arc::clone(&relay);
        async move {
            let answer = gateway::serve(&relay, event).await;
            // A metric that can't be written is no reason to keep an answer back.
            let _ = recorder.flush(io::stdout().lock());
            answer
        }
    }))
    .await
}
