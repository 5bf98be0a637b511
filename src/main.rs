//! Start-up: the configuration, the log, the clients, and then one event after the other.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use lendswift_relay::{aws, config::Config, gateway, log, metrics, relay::Relay};
use serde_json::value::RawValue;

// One thread: below 1,769 MB Lambda gives a function less than one processor, and a hop to another thread costs more than
// the work that is waiting there.
#[tokio::main(flavor = "current_thread")]
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
    if config.connect_at_start {
        relay.connect().await;
    }
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let relay = Arc::clone(&relay);
        async move {
            let answer = gateway::serve(&relay, event).await;
            // A metric that can't be written is no reason to keep an answer back.
            let mut lines = Vec::new();
            let _ = recorder.flush(&mut lines).and_then(|()| io::stdout().write_all(&lines));
            answer
        }
    }))
    .await
}
