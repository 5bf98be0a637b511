//! One start of one subject, and the leads that it is given.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use support::fakes::{Invoked, Lambda};
use tokio::time::timeout;

use crate::{
    Failure,
    leads::Leads,
    neighbours::Neighbours,
    process::{cpu_time, peak_memory},
    subject::Subject,
};

/// What API Gateway leaves a function.
const LIMIT: Duration = Duration::from_secs(29);

/// What one round found.
pub struct Sample {
    /// From the start of the process to its first request for an event.
    pub start: Duration,
    /// Time on the processor for that.
    pub start_cpu: Duration,
    /// The answer to the first lead.
    pub first: Duration,
    /// Time on the processor for that.
    pub first_cpu: Duration,
    /// The answers to those after it.
    pub following: Vec<Duration>,
    /// Time on the processor for each of those after it.
    pub cpu: Duration,
    /// The most memory at once, in bytes.
    pub memory: u64,
}

/// Starts a subject, posts a first lead to it and so many more, and ends it.
pub async fn of(subject: &Subject, neighbours: &Neighbours, leads: &mut Leads, more: u32) -> Result<Sample, Failure> {
    let lambda = start(subject, neighbours).await?;
    let sample = observe(subject, &lambda, leads, more).await;
    let sample = sample.map_err(|failure| format!("{failure}\nIts log:\n{}", lambda.log().join("\n")))?;
    lambda.kill().await;
    let (pushes, expected) = (neighbours.pushes()?, if subject.who.pushes() { more as usize + 1 } else { 0 });
    if pushes == expected { Ok(sample) } else { Err(format!("{pushes} pushes instead of {expected}").into()) }
}

async fn start(subject: &Subject, neighbours: &Neighbours) -> Result<Lambda, Failure> {
    let around = neighbours.variables();
    let variables = around.iter().chain(&subject.variables).map(|(name, value)| (*name, value.as_str()));
    let variables: Vec<_> = variables.chain([("AWS_LAMBDA_LOG_FORMAT", "JSON")]).collect();
    Ok(Lambda::start_with(&subject.program, subject.arguments, &variables).await?)
}

async fn observe(subject: &Subject, lambda: &Lambda, leads: &mut Leads, more: u32) -> Result<Sample, Failure> {
    timeout(LIMIT, lambda.ready()).await?.map_err(|exit| format!("it ended at its start: {exit}"))?;
    let start = lambda.started_in().ok_or("it did not start")?;
    let start_cpu = cpu_time(lambda.process_id())?;
    let first = post(subject, lambda, leads).await?;
    let used = cpu_time(lambda.process_id())?;
    let first_cpu = used.saturating_sub(start_cpu);
    let mut following = Vec::new();
    for _ in 0..more {
        following.push(post(subject, lambda, leads).await?);
    }
    let cpu = cpu_time(lambda.process_id())?.saturating_sub(used) / more;
    Ok(Sample { start, start_cpu, first, first_cpu, following, cpu, memory: peak_memory(lambda.process_id())? })
}

/// How long the answer took. Returns when the process asks for the next event.
async fn post(subject: &Subject, lambda: &Lambda, leads: &mut Leads) -> Result<Duration, Failure> {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH)? + LIMIT;
    let invoked = timeout(LIMIT, lambda.invoke(&leads.next(), deadline.as_millis().try_into()?)).await?;
    match &invoked {
        Invoked::Answered(answer) if subject.who.accepted(answer) => {}
        other => return Err(format!("a lead was not accepted: {other:?}").into()),
    }
    timeout(LIMIT, lambda.idle()).await?;
    Ok(lambda.answered_in().ok_or("an answer has a time")?)
}
