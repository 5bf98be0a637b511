//! One start of one candidate, and the leads that are posted to it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bench_support::{Dependencies, Endpoints, Failure, Leads};
use futures_util::{StreamExt, TryStreamExt, stream};
use support::fakes::{Invoked, Lambda};
use tokio::time::timeout;

use crate::{
    args::Args,
    candidate::{Candidate, UNCONNECTED},
    machine::{cpu_time, peak_memory},
    results::percentile,
};

/// API Gateway's limit for a request.
const LIMIT: Duration = Duration::from_secs(29);

/// How often a candidate is started without a lead. Right after a process that served leads, a start takes longer: the end of
/// that process goes on for a while.
const STARTS: usize = 5;

/// What one round found. All times are in milliseconds.
pub struct Sample {
    /// From the start of the process to its first request for an event: the median of [`STARTS`].
    pub start: f64,
    /// CPU time until then.
    pub start_cpu: f64,
    /// From the first event to its response.
    pub first: f64,
    /// CPU time of the first lead.
    pub first_cpu: f64,
    /// From each later event to its response.
    pub later: Vec<f64>,
    /// CPU time of a later lead: their mean.
    pub later_cpu: f64,
    /// Later leads per second.
    pub per_second: f64,
    /// Peak memory in MiB.
    pub memory: f64,
}

/// Starts a candidate between dependencies at these endpoints, posts a first lead and the later ones to it, and kills it.
pub async fn measure(
    candidate: &Candidate,
    dependencies: &Dependencies,
    endpoints: &Endpoints,
    leads: &mut Leads,
    args: &Args,
) -> Result<Sample, Failure> {
    let (endpoints, at_a_time) = (endpoints.variables(), args.at_a_time.to_string());
    let endpoints = endpoints.iter().map(|(name, value)| (*name, value.as_str()));
    let own = candidate.variant.variables();
    let concurrency = (args.at_a_time > 1).then_some(("AWS_LAMBDA_MAX_CONCURRENCY", at_a_time.as_str()));
    let variables = own.iter().copied().chain(concurrency).chain([("AWS_LAMBDA_LOG_FORMAT", "JSON")]).chain(endpoints);
    let variables: Vec<_> = variables.collect();
    // The endpoints come with a file of certificates, which a start reads. In AWS there is none.
    let needed = if own.contains(&UNCONNECTED) { own } else { &variables };
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let lambda = Lambda::start(&candidate.program, needed).await?;
        starts.push(started(&lambda).await?);
        lambda.kill().await;
    }
    let lambda = Lambda::start(&candidate.program, &variables).await?;
    let sample = observe(candidate, &lambda, leads, args).await;
    let sample = sample.map(|sample| Sample { start: percentile(starts, 50), ..sample });
    let sample = sample.map_err(|failure| format!("{failure}\nIts log:\n{}", lambda.log().join("\n")))?;
    lambda.kill().await;
    let (pushes, expected) = (dependencies.take_pushes()?, candidate.variant.pushes() * (1 + args.leads as usize));
    if pushes == expected { Ok(sample) } else { Err(format!("{pushes} pushes instead of {expected}").into()) }
}

/// Waits until a process has started. Returns the milliseconds that it took.
async fn started(lambda: &Lambda) -> Result<f64, Failure> {
    timeout(LIMIT, lambda.ready()).await?.map_err(|exit| format!("it ended before its first event: {exit}"))?;
    Ok(ms(lambda.started_in().ok_or("it asked for no event")?))
}

async fn observe(candidate: &Candidate, lambda: &Lambda, leads: &mut Leads, args: &Args) -> Result<Sample, Failure> {
    let start = started(lambda).await?;
    let process = lambda.process_id();
    let start_cpu = cpu_time(process)?;
    let first = post(candidate, lambda, leads.next_event()).await?;
    let until_first = cpu_time(process)?;
    let begun = Instant::now();
    let events: Vec<_> = (0..args.leads).map(|_| leads.next_event()).collect();
    let posts = stream::iter(events).map(|event| post(candidate, lambda, event));
    let later: Vec<_> = posts.buffer_unordered(args.at_a_time as usize).try_collect().await?;
    Ok(Sample {
        start,
        start_cpu: ms(start_cpu),
        first,
        first_cpu: ms(until_first.saturating_sub(start_cpu)),
        later,
        later_cpu: ms(cpu_time(process)?.saturating_sub(until_first) / args.leads),
        per_second: f64::from(args.leads) / begun.elapsed().as_secs_f64(),
        memory: f64::from(u32::try_from(peak_memory(process)?)?) / 1024.0,
    })
}

/// Posts a lead. Returns the milliseconds until its response, once the process asks for the next event.
async fn post(candidate: &Candidate, lambda: &Lambda, event: String) -> Result<f64, Failure> {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH)? + LIMIT;
    match timeout(LIMIT, lambda.invoke_at_once(&event, deadline.as_millis().try_into()?)).await? {
        Invoked::Answered(response) if candidate.variant.is_accepted(&response) => {}
        other => return Err(format!("a lead was not accepted: {other:?}").into()),
    }
    let answered = ms(lambda.answered_in().ok_or("the response has no time")?);
    timeout(LIMIT, lambda.idle()).await?;
    Ok(answered)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
