//! Prints the relay's in-process overhead for a lead that AI Rudder accepts, in microseconds of CPU time: the time of
//! such leads, from the event that Lambda's runtime client hands over to the response that it gets back, the line in
//! the log and the metrics included (written nowhere), less the time of as many pushes alone. Parsing AI Rudder's
//! envelope counts as overhead, though the push does it. AI Rudder is on the same thread, over plain HTTP, and the ledger
//! is off. `cargo bench` starts this program and sets the relay's variables.

#![expect(clippy::print_stdout, reason = "it prints its result")]

use std::{
    env,
    hint::black_box,
    io::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lambda_http::{Context, Error, LambdaEvent};
use lendswift_relay::{
    aws::Aws,
    budget::Budget,
    clock::Clock,
    config::Config,
    gateway,
    lead::ParsedLead,
    relay::Relay,
    rudder::{Permit, Rudder, Token, UpstreamBody, payload, verdict},
    telemetry::{log, metrics},
};
use metrics_cloudwatch_embedded::{Builder, Collector};
use nix::time::ClockId;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use support::RawTcpServer;

/// How often a batch is timed. The least time counts: other load on the machine only adds to it.
const BATCHES: usize = 51;
/// Leads, and pushes, per batch.
const BATCH: u32 = 50;
/// API Gateway's limit for a request.
const LIMIT: Duration = Duration::from_secs(29);

const EVENT: &str = include_str!("../../events/accepted.json");
/// AI Rudder's example of a response.
const ENVELOPE: &str = r#"{"code":200,"message":"success","show_err":false,"timestamp":1683135757,"body":{},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let token = Token::try_from(env::args().nth(1).ok_or("the account's token is missing")?)?;
    let length = ENVELOPE.len();
    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{ENVELOPE}");
    let rudder = RawTcpServer::responding(response.leak()).await;
    let config = Config::from_variables(|variable| match variable {
        "UPSTREAM_BASE_URL" => Some(rudder.url("http").into()),
        _ => env::var_os(variable),
    })?;
    log::start(config.log, io::sink);
    let recorder = Builder::new().cloudwatch_namespace(metrics::NAMESPACE).init()?;
    metrics::describe();
    println!("{:.1}", overhead(&config, &token, recorder).await?);
    Ok(())
}

/// The CPU time of a lead beyond that of its push, in microseconds.
async fn overhead(config: &Config, token: &Token, recorder: &Collector) -> Result<f64, Error> {
    let relay = Relay::new(config, Aws::new(config)?, Clock::SYSTEM)?;
    let rudder = Rudder::new(&config.upstream, Clock::SYSTEM)?;
    let event: Value = serde_json::from_str(EVENT)?;
    let payload = sample_payload(&event)?.into();
    // Without white space, as from Lambda.
    let mut event = LambdaEvent { payload: to_raw_value(&event)?, context: Context::default() };
    let (mut leads, mut pushes, mut readings) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..BATCHES {
        event.context.deadline = (SystemTime::now() + LIMIT).duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
        let started = now()?;
        for _ in 0..BATCH {
            // Copied here, as in Lambda too the event was just read. The pushes make the same copy.
            handle(&relay, event.clone(), recorder).await?;
        }
        let posted_until = now()?;
        for _ in 0..BATCH {
            let budget = Budget::with_deadline(event.context.deadline, Clock::SYSTEM);
            let permit = Permit::new(budget);
            permit.grant(Clock::SYSTEM.now(), budget.work_until());
            rudder.push(token, &payload, &permit).await?;
            drop(black_box(event.clone()));
        }
        let pushed_until = now()?;
        for _ in 0..BATCH {
            let body = UpstreamBody::parse(black_box(ENVELOPE).into());
            black_box(verdict(200, body.code(), &config.upstream.codes));
        }
        leads = leads.min(posted_until.saturating_sub(started));
        pushes = pushes.min(pushed_until.saturating_sub(posted_until));
        readings = readings.min(now()?.saturating_sub(pushed_until));
    }
    Ok(((leads + readings).as_secs_f64() - pushes.as_secs_f64()) * 1e6 / f64::from(BATCH))
}

/// Handles an event as the relay's `main` does.
async fn handle(relay: &Relay, event: LambdaEvent<Box<RawValue>>, recorder: &Collector) -> Result<(), Error> {
    let answer = gateway::serve(relay, metrics::Recorder::default(), event).await?;
    let mut lines = Vec::with_capacity(1024);
    recorder.flush(&mut lines)?;
    io::sink().write_all(&lines)?;
    if answer.status_code == 200 { Ok(()) } else { Err(serde_json::to_string(&answer)?.into()) }
}

/// The payload for AI Rudder of the event's lead.
fn sample_payload(event: &Value) -> Result<Vec<u8>, Error> {
    let body = event["body"].as_str().ok_or("no body")?;
    let lead = ParsedLead::parse(body.as_bytes()).map_err(|_| "not JSON")?.lead.map_err(|_| "a lead with faults")?;
    Ok(payload(&lead))
}

/// The CPU time of this thread, which is the only one that works.
fn now() -> Result<Duration, Error> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}
