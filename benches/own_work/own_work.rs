//! Prints how many microseconds of a processor the relay itself takes for a lead, its connection to AI Rudder aside, in two
//! ways. In a loop: a lead with a fault from the event to the response, its lines in the log and the metrics included (written
//! to nowhere), and what an accepted one takes beyond that, its payload and the reading of AI Rudder's envelope. And between
//! connections, when the processor's caches hold other things: accepted leads less as many pushes alone. Both without the
//! ledger. The variables are the relay's; `cargo bench` sets them.

use std::{
    hint::black_box,
    io::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lambda_http::{Context, Error, LambdaEvent};
use lendswift_relay::{
    aws,
    config::Config,
    gateway,
    lead::{Lead, Reading},
    log, metrics,
    relay::Relay,
    rudder::{Envelope, Rudder, Token, Window, payload, verdict},
};
use metrics_cloudwatch_embedded::{Builder, Collector};
use nix::time::ClockId;
use serde_json::{Value, json, value::RawValue};
use tokio::time::Instant;

/// How often a batch is timed. The median counts.
const TIMES: usize = 101;
/// Leads, or pushes, that are timed together, in a loop.
const IN_A_LOOP: u32 = 200;
/// And where each has a connection.
const CONNECTED: u32 = 50;
/// What a lead or a push gets.
const LIMIT: Duration = Duration::from_secs(29);

const EVENT: &str = include_str!("../../events/accepted.json");
/// AI Rudder's, as its contract has it.
const ENVELOPE: &str = r#"{"code":200,"message":"success","show_err":false,"timestamp":1683135757,"body":{},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env()?;
    let token = Token::try_from(std::env::args().nth(1).ok_or("the account's token is missing")?)?;
    log::start(config.log, io::sink);
    let recorder = Builder::new().cloudwatch_namespace(metrics::NAMESPACE).init()?;
    metrics::describe();
    let handler = Handler { relay: Relay::new(&config, &aws::sdk_config(&config.aws)?)?, recorder };
    let rudder = Rudder::new(&config.upstream)?;
    let in_a_loop = in_a_loop(&handler).await?;
    let connected = connected(&handler, &rudder, &token).await?;
    println!("{in_a_loop:.1} {connected:.1}");
    Ok(())
}

/// What `main` of the relay does with an event.
struct Handler {
    relay: Relay,
    recorder: &'static Collector,
}

impl Handler {
    /// Answers an event, which must come to this status.
    async fn answer(&self, payload: &RawValue, status: i64) -> Result<(), Error> {
        let mut context = Context::default();
        context.deadline = (SystemTime::now() + LIMIT).duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
        let answer = gateway::serve(&self.relay, LambdaEvent { payload: payload.to_owned(), context }).await?;
        let mut lines = Vec::new();
        self.recorder.flush(&mut lines)?;
        io::sink().write_all(&lines)?;
        let response = serde_json::to_string(&answer)?;
        if answer.status_code == status { Ok(()) } else { Err(response.into()) }
    }
}

/// A lead's own work where nothing else is done.
async fn in_a_loop(handler: &Handler) -> Result<f64, Error> {
    let mut event: Value = serde_json::from_str(EVENT)?;
    let mut body: Value = serde_json::from_str(event["body"].as_str().ok_or("no body")?)?;
    body["loan_amount"] = json!("4k");
    event["body"] = json!(body.to_string());
    let refused: Box<RawValue> = serde_json::from_str(&event.to_string())?;
    let lead = lead()?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = now()?;
        for _ in 0..IN_A_LOOP {
            handler.answer(&refused, 422).await?;
            black_box(payload(black_box(&lead)));
            let envelope = Envelope::read(black_box(ENVELOPE).as_bytes().to_vec());
            black_box(envelope.as_ref().and_then(Envelope::trace_id));
            black_box(verdict(200, envelope.as_ref().map(Envelope::code)));
        }
        times.push(each(now()? - begun, IN_A_LOOP));
    }
    Ok(median(times))
}

/// And where a connection is made for each lead.
async fn connected(handler: &Handler, rudder: &Rudder, token: &Token) -> Result<f64, Error> {
    let accepted: Box<RawValue> = serde_json::from_str(EVENT)?;
    let payload = payload(&lead()?).into();
    let mut differences = Vec::new();
    for _ in 0..TIMES {
        let begun = now()?;
        for _ in 0..CONNECTED {
            handler.answer(&accepted, 200).await?;
        }
        let answered = now()?;
        for _ in 0..CONNECTED {
            let window = Window { until: Instant::now() + LIMIT, lease_until: SystemTime::now() + LIMIT };
            rudder.push(token, &payload, window).await?;
        }
        let pushed = now()?;
        differences.push(each(answered - begun, CONNECTED) - each(pushed - answered, CONNECTED));
    }
    Ok(median(differences))
}

fn lead() -> Result<Lead, Error> {
    let event: Value = serde_json::from_str(EVENT)?;
    let body = event["body"].as_str().ok_or("no body")?;
    Ok(Reading::of(body.as_bytes()).map_err(|_| "not JSON")?.lead.map_err(|_| "a lead with faults")?)
}

/// What this thread, the only one that works, has had of a processor.
fn now() -> Result<Duration, Error> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}

fn each(time: Duration, of: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(of)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
