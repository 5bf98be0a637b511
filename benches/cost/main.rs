//! What a lead costs: the relay as it is shipped, between the least that a function can be, a thin relay, and the same job
//! in Python.
//!
//! This process is Lambda's runtime API and all that the subjects talk to. Each round starts every subject once, one after
//! the other, so that what else the machine does is borne by all alike. `cargo bench -- --help` has the options.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]
#![expect(clippy::indexing_slicing, reason = "only JSON is indexed, by names that the sample has")]

mod args;
mod build;
mod far;
mod goals;
mod leads;
mod machine;
mod neighbours;
mod own_work;
mod package;
mod process;
mod python;
mod results;
mod round;
mod subject;
mod table;

use std::{error::Error, fs, path::Path, process::ExitCode};

use clap::Parser;
use tokio::runtime::Runtime;

use self::{
    args::Args,
    leads::Leads,
    neighbours::Neighbours,
    results::Results,
    subject::{Subject, Who},
};

/// Why there is no result.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("The benchmark failed: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let (subjects, left_out) = subject::all(args)?;
    if let Some(left_out) = &left_out {
        println!("{left_out}");
    }
    // It makes five thousand connections to AI Rudder in each round, for too long where each takes its time.
    let near = args.delay().is_zero() && args.round_trip().is_zero();
    let own_work = (near && args.wants(Who::RelayOff)).then(build::own_work).transpose()?;
    if !args.spread {
        process::stay_on_one_processor()?;
    }
    let results = Runtime::new()?.block_on(measure(&subjects, own_work.as_deref(), args))?;
    let report = report(&subjects, left_out, &results, args)?;
    println!("\n{report}");
    fs::write(&args.markdown, report)?;
    println!("This is in {} too.", args.markdown.display());
    Ok(())
}

async fn measure(subjects: &[Subject], own_work: Option<&Path>, args: &Args) -> Result<Results, Failure> {
    let folder = tempfile::tempdir()?;
    let neighbours = Neighbours::start(args.delay(), args.round_trip(), folder.path()).await?;
    let mut leads = Leads::new()?;
    let mut results = Results::default();
    for round in 1..=args.rounds {
        println!("Round {round} of {}", args.rounds);
        for subject in subjects {
            let sample = round::of(subject, &neighbours, &mut leads, args.leads).await;
            results.add(subject.who, sample.map_err(|failure| format!("{}: {failure}", subject.who.title()))?);
        }
        if let Some(program) = own_work {
            results.add_own_work(own_work::of(program, &neighbours).await?);
        }
    }
    Ok(results)
}

fn report(subjects: &[Subject], left_out: Option<String>, results: &Results, args: &Args) -> Result<String, Failure> {
    Ok([
        machine::told(args)?,
        left_out.unwrap_or_default(),
        table::medians(subjects, results),
        table::processor(subjects, results),
        table::ratios(subjects, results),
        goals::table_of(subjects, results),
        told_of_own_work(results).unwrap_or_default(),
        LIMITS.to_owned(),
    ]
    .join("\n"))
}

fn told_of_own_work(results: &Results) -> Option<String> {
    let same_thread = results.own_work(|time| time.same_thread)?;
    let other_process = results.own_work(|time| time.other_process)?;
    Some(format!(
        "The relay's own work for a lead, its push aside, takes {same_thread:.0} µs of a processor in a loop, without the \
         ledger and with\nan AI Rudder on the same thread that speaks plain HTTP. Where TLS and the switches to another \
         process come between\none lead's code and the next's, it takes {other_process:.0} µs.\n"
    ))
}

const LIMITS: &str = "\
AI Rudder, Secrets Manager and DynamoDB are stand-ins on the same machine behind TLS 1.3, so the times have no more of a
network in them than is said above. CPU time and memory are the function's process alone. The time of a lead is from the
moment the runtime API hands out its event until it has the answer.
";
