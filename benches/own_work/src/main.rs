//! Prints how many microseconds the relay itself takes for a lead: the event is read, the account opened with a secret that is
//! in memory, the body read, the answer made, the line for the log and the metrics written to nowhere. A fault in the lead
//! keeps it from being pushed; what an accepted lead takes beyond that, its payload and the reading of AI Rudder's
//! envelope, is added. The variables are the relay's; `cargo bench` sets them.

use std::{
    hint::black_box,
    io::{self, Write},
    time::{Duration, Instant},
};

use lambda_http::{Context, Error, LambdaEvent};
use lendswift_relay::{
    aws,
    config::Config,
    gateway,
    lead::Reading,
    log, metrics,
    relay::Relay,
    rudder::{Envelope, payload, verdict},
};
use metrics_cloudwatch_embedded::{Builder, Collector};
use serde_json::{Value, json, value::RawValue};

/// Leads before the first that counts, for everything to be in memory.
const WARM_UP: u32 = 2_000;
/// Leads that are timed together.
const TOGETHER: u32 = 500;
/// How often. The median counts.
const TIMES: usize = 41;

const ACCEPTED: &str = include_str!("../../../events/accepted.json");
/// AI Rudder's, as its contract has it.
const ENVELOPE: &str = r#"{"code":200,"message":"success","show_err":false,"timestamp":1683135757,"body":{},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env()?;
    log::start(config.log, io::sink);
    let recorder = Builder::new().cloudwatch_namespace(metrics::NAMESPACE).init()?;
    metrics::describe();
    let relay = Relay::new(&config, &aws::sdk_config(&config.aws)?)?;
    let refused = refused(&relay, recorder).await?;
    let more = accepted()?;
    println!("{:.1}", (refused + more).as_secs_f64() * 1e6);
    Ok(())
}

/// The whole way of a lead that has a fault.
async fn refused(relay: &Relay, recorder: &Collector) -> Result<Duration, Error> {
    let mut event: Value = serde_json::from_str(ACCEPTED)?;
    let mut lead: Value = serde_json::from_str(event["body"].as_str().ok_or("no body")?)?;
    lead["loan_amount"] = json!("4k");
    event["body"] = json!(lead.to_string());
    let event: Box<RawValue> = serde_json::from_str(&event.to_string())?;
    let one = async || -> Result<u16, Error> {
        let event = LambdaEvent { payload: event.clone(), context: Context::default() };
        let answer = gateway::serve(relay, event).await?;
        let mut lines = Vec::new();
        recorder.flush(&mut lines)?;
        io::sink().write_all(&lines)?;
        Ok(u16::try_from(answer.status_code)?)
    };
    for _ in 0..WARM_UP {
        let status = one().await?;
        if status != 422 {
            return Err(format!("a lead with a fault got a {status}").into());
        }
    }
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        for _ in 0..TOGETHER {
            black_box(one().await?);
        }
        times.push(begun.elapsed() / TOGETHER);
    }
    Ok(median(times))
}

/// What else there is to do for one without.
fn accepted() -> Result<Duration, Error> {
    let event: Value = serde_json::from_str(ACCEPTED)?;
    let body = event["body"].as_str().ok_or("no body")?;
    let lead = Reading::of(body.as_bytes()).map_err(|_| "not JSON")?.lead.map_err(|_| "a lead with faults")?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        for _ in 0..TOGETHER {
            black_box(payload(black_box(&lead)));
            let envelope = Envelope::read(black_box(ENVELOPE).as_bytes().to_vec());
            black_box(envelope.as_ref().and_then(Envelope::trace_id));
            black_box(verdict(200, envelope.as_ref().map(Envelope::code)));
        }
        times.push(begun.elapsed() / TOGETHER);
    }
    Ok(median(times))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
