//! Start-up: the configuration, the log, the clients, and then one event after the other.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use lendswift_relay::{aws, clock::Clock, config::Config, gateway, log, metrics, relay::Relay};
use metrics_cloudwatch_embedded::Collector;
use serde_json::value::RawValue;

// One thread: below 1,769 MB Lambda gives a function less than one processor, and a hop to another thread costs more than
// the work that is waiting there.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ended = match start().await {
        Ok((relay, recorder)) => serve(relay, recorder).await.map_err(|error| format!("lendswift-relay ends: {error}")),
        Err(error) => Err(format!("lendswift-relay can't start: {error}")),
    };
    let Err(message) = ended else { return ExitCode::SUCCESS };
    #[expect(clippy::print_stderr, reason = "what keeps the log from starting can't be logged")]
    {
        eprintln!("{message}");
    }
    ExitCode::FAILURE
}

async fn start() -> Result<(Arc<Relay>, &'static Collector), Error> {
    let config = Config::from_env()?;
    log::start(config.log, io::stdout);
    log::panics();
    let recorder = metrics_cloudwatch_embedded::Builder::new().cloudwatch_namespace(metrics::NAMESPACE).init()?;
    metrics::describe();
    let relay = Arc::new(Relay::new(&config, &aws::sdk_config(&config.aws)?, Clock::SYSTEM)?);
    if config.connect_at_start {
        relay.connect().await;
    }
    Ok((relay, recorder))
}

/// Answers events for as long as Lambda has some.
async fn serve(relay: Arc<Relay>, recorder: &'static Collector) -> Result<(), Error> {
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let relay = Arc::clone(&relay);
        async move {
            let answer = gateway::serve(&relay, event).await;
            // A metric that can't be written is no reason to keep an answer back.
            let mut lines = Vec::with_capacity(1024);
            let _ = recorder.flush(&mut lines).and_then(|()| io::stdout().write_all(&lines));
            answer
        }
    }))
    .await
}
