//! Prints how many microseconds of a processor the relay itself takes for an accepted lead, its connection to AI Rudder aside:
//! what leads take from the event to the response, their lines in the log and the metrics included (written to nowhere),
//! less what as many pushes take alone. Without the ledger. The variables are the relay's; `cargo bench` sets them.

use std::{
    io::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lambda_http::{Context, Error, LambdaEvent};
use lendswift_relay::{
    aws,
    config::Config,
    gateway,
    lead::Reading,
    log, metrics,
    relay::Relay,
    rudder::{Rudder, Token, Window, payload},
};
use metrics_cloudwatch_embedded::{Builder, Collector};
use nix::time::ClockId;
use serde_json::{Value, value::RawValue};
use tokio::time::Instant;

/// Leads before the first that counts, for everything to be in memory.
const WARM_UP: u32 = 300;
/// Leads, and then pushes, that are timed together.
const TOGETHER: u32 = 50;
/// How often. The median counts.
const TIMES: u32 = 101;
/// What a lead or a push gets.
const LIMIT: Duration = Duration::from_secs(29);

const EVENT: &str = include_str!("../../../events/accepted.json");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env()?;
    let token = Token::try_from(std::env::args().nth(1).ok_or("the account's token is missing")?)?;
    log::start(config.log, io::sink);
    let recorder = Builder::new().cloudwatch_namespace(metrics::NAMESPACE).init()?;
    metrics::describe();
    let relay = Relay::new(&config, &aws::sdk_config(&config.aws)?)?;
    let rudder = Rudder::new(&config.upstream)?;
    leads(&relay, recorder, WARM_UP).await?;
    pushes(&rudder, &token, WARM_UP).await?;
    let mut differences = Vec::new();
    for _ in 0..TIMES {
        let leads = leads(&relay, recorder, TOGETHER).await?;
        let pushes = pushes(&rudder, &token, TOGETHER).await?;
        differences.push((leads.as_secs_f64() - pushes.as_secs_f64()) * 1e6 / f64::from(TOGETHER));
    }
    differences.sort_by(f64::total_cmp);
    println!("{:.1}", differences[differences.len() / 2]);
    Ok(())
}

/// Time on the processor for so many leads.
async fn leads(relay: &Relay, recorder: &Collector, leads: u32) -> Result<Duration, Error> {
    let payload: Box<RawValue> = serde_json::from_str(EVENT)?;
    let deadline = (SystemTime::now() + LIMIT).duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
    let begun = now()?;
    for _ in 0..leads {
        let mut context = Context::default();
        context.deadline = deadline;
        let answer = gateway::serve(relay, LambdaEvent { payload: payload.clone(), context }).await?;
        let mut lines = Vec::new();
        recorder.flush(&mut lines)?;
        io::sink().write_all(&lines)?;
        let response = serde_json::to_vec(&answer)?;
        if answer.status_code != 200 {
            return Err(String::from_utf8(response)?.into());
        }
    }
    Ok(now()? - begun)
}

/// The same for so many pushes.
async fn pushes(rudder: &Rudder, token: &Token, pushes: u32) -> Result<Duration, Error> {
    let event: Value = serde_json::from_str(EVENT)?;
    let body = event["body"].as_str().ok_or("no body")?;
    let lead = Reading::of(body.as_bytes()).map_err(|_| "not JSON")?.lead.map_err(|_| "a lead with faults")?;
    let payload = payload(&lead).into();
    let begun = now()?;
    for _ in 0..pushes {
        let window = Window { until: Instant::now() + LIMIT, lease_until: SystemTime::now() + LIMIT };
        rudder.push(token, &payload, window).await?;
    }
    Ok(now()? - begun)
}

/// What this thread, the only one that works, has had of a processor.
fn now() -> Result<Duration, Error> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}
