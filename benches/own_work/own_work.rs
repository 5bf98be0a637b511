//! Prints how many microseconds of a processor the relay itself takes for a lead that AI Rudder accepts: the time of such
//! leads, from what Lambda's runtime client hands over to what it gets back, with the line in the log and the metrics (written
//! to nowhere), less that of as many pushes alone. The reading of AI Rudder's envelope is counted, though the push does it.
//! Twice: with an AI Rudder on this very thread, over plain HTTP, and with the one that the environment names. The ledger is
//! off. The variables are the relay's; `cargo bench` sets them.

use std::{
    env,
    hint::black_box,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lambda_http::{Context, Error, LambdaEvent};
use lendswift_relay::{
    aws,
    budget::Budget,
    clock::Clock,
    config::Config,
    gateway,
    lead::ParsedLead,
    log, metrics,
    relay::Relay,
    rudder::{Rudder, SendDeadlines, Token, UpstreamBody, payload, verdict},
};
use metrics_cloudwatch_embedded::{Builder, Collector};
use nix::time::ClockId;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// How often a batch is timed. The least counts: whatever else the machine does only adds to it.
const TIMES: usize = 51;
/// Leads, and pushes, that are timed together.
const TOGETHER: u32 = 50;
/// What a lead or a push gets.
const LIMIT: Duration = Duration::from_secs(29);

const EVENT: &str = include_str!("../../events/accepted.json");
/// AI Rudder's, as its contract has it.
const ENVELOPE: &str = r#"{"code":200,"message":"success","show_err":false,"timestamp":1683135757,"body":{},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let token = Token::try_from(env::args().nth(1).ok_or("the account's token is missing")?)?;
    let elsewhere = Config::from_env()?;
    let address = rudder().await?;
    let here = Config::read(|variable| match variable {
        "UPSTREAM_BASE_URL" => Some(format!("http://{address}/api/push/lendswift-under-wirting").into()),
        _ => env::var_os(variable),
    })?;
    log::start(here.log, io::sink);
    let recorder = Builder::new().cloudwatch_namespace(metrics::NAMESPACE).init()?;
    metrics::describe();
    println!("{:.1} {:.1}", own_work(&here, &token, recorder).await?, own_work(&elsewhere, &token, recorder).await?);
    Ok(())
}

/// An AI Rudder that accepts every lead, and does as little for it as can be.
async fn rudder() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection));
        }
    });
    Ok(address)
}

async fn answer(mut connection: TcpStream) -> io::Result<()> {
    let mut request = Vec::with_capacity(2048);
    // The end of the lead is the end of the request.
    while !request.ends_with(b"}}") && connection.read_buf(&mut request).await? > 0 {}
    let length = ENVELOPE.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{ENVELOPE}");
    connection.write_all(answer.as_bytes()).await
}

/// What a lead takes more than its push, in microseconds.
async fn own_work(config: &Config, token: &Token, recorder: &Collector) -> Result<f64, Error> {
    let relay = Relay::new(config, &aws::Aws::new(&config.aws)?, Clock::SYSTEM)?;
    let rudder = Rudder::new(&config.upstream, Clock::SYSTEM)?;
    // Without white space, as Lambda hands it over.
    let event: Value = serde_json::from_str(EVENT)?;
    let mut event = LambdaEvent { payload: to_raw_value(&event)?, context: Context::default() };
    let payload = sample_payload()?.into();
    let (mut leads, mut pushes, mut readings) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..TIMES {
        event.context.deadline = (SystemTime::now() + LIMIT).duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
        let begun = now()?;
        for _ in 0..TOGETHER {
            // Copied at the last moment: in Lambda too it has just been read. The copy is made for the pushes as well.
            handle(&relay, event.clone(), recorder).await?;
        }
        let answered = now()?;
        for _ in 0..TOGETHER {
            let budget = Budget::until(event.context.deadline, Clock::SYSTEM);
            let deadlines = SendDeadlines { until: budget.answer_from(), lease: budget.lease() };
            rudder.push(token, &payload, deadlines).await?;
            drop(black_box(event.clone()));
        }
        let pushed = now()?;
        for _ in 0..TOGETHER {
            let body = UpstreamBody::read(black_box(ENVELOPE).into());
            black_box(verdict(200, body.code(), &config.upstream.codes));
        }
        leads = leads.min(answered - begun);
        pushes = pushes.min(pushed - answered);
        readings = readings.min(now()? - pushed);
    }
    Ok(((leads + readings).as_secs_f64() - pushes.as_secs_f64()) * 1e6 / f64::from(TOGETHER))
}

/// Does what `main` of the relay does with an event.
async fn handle(relay: &Relay, event: LambdaEvent<Box<RawValue>>, recorder: &Collector) -> Result<(), Error> {
    let answer = gateway::serve(relay, event).await?;
    let mut lines = Vec::with_capacity(1024);
    recorder.flush(&mut lines)?;
    io::sink().write_all(&lines)?;
    if answer.status_code == 200 { Ok(()) } else { Err(serde_json::to_string(&answer)?.into()) }
}

/// The sample event's lead, as it goes to AI Rudder.
fn sample_payload() -> Result<Vec<u8>, Error> {
    let event: Value = serde_json::from_str(EVENT)?;
    let body = event["body"].as_str().ok_or("no body")?;
    let lead = ParsedLead::parse(body.as_bytes()).map_err(|_| "not JSON")?.lead.map_err(|_| "a lead with faults")?;
    Ok(payload(&lead))
}

/// What this thread, the only one that works, has had of a processor.
fn now() -> Result<Duration, Error> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}
