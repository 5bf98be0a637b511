//! What a start and a lead cost: the relay as it is shipped, next to the least that a function can be and a relay that
//! only passes the body on.
//!
//! This process plays Lambda's runtime API and the services that the candidates call. Each round starts every candidate
//! once, one after the other, so that other load on the machine affects all of them alike. `cargo bench -- --help` has
//! the options.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints its progress and its results")]

mod args;
mod candidate;
mod machine;
mod overhead;
mod report;
mod results;
mod round;
mod targets;

use std::{env, fs, path::PathBuf, process::ExitCode, time::Duration};

use bench_support::{Dependencies, Endpoints, FREE, Failure, Leads, programs};
use clap::{Parser, ValueEnum};
use tokio::runtime::Runtime;

use self::{
    args::Args,
    candidate::Variant,
    results::{Measured, Results, Samples},
};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            eprintln!("{}", missed.join("\n"));
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("The benchmark failed: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Returns a line for each target that is missed.
fn run(args: &Args) -> Result<Vec<String>, Failure> {
    // Cargo starts a benchmark in its package's folder. Paths on the command line are relative to the root.
    env::set_current_dir(programs::workspace())?;
    println!("Building the measured programs with the release profile. The first time takes about ten minutes.");
    let mut results = Results { candidates: candidates(args)?, overheads: Vec::new() };
    let overhead = args.measures_overhead().then(programs::overhead).transpose()?;
    if !args.all_processors {
        machine::stay_on_one_processor()?;
    }
    Runtime::new()?.block_on(measure(&mut results, overhead, args))?;
    let targets = targets::check(&results, args);
    let report = report::format(&results, &targets, args)?;
    fs::write(&args.markdown, &report)?;
    println!("\n{report}\nThis report is also in {}.", args.markdown.display());
    Ok(targets.iter().filter_map(targets::Check::missed).collect())
}

fn candidates(args: &Args) -> Result<Vec<Measured>, Failure> {
    let variants = Variant::value_variants().iter().filter(|variant| args.includes(**variant));
    let measured = |candidate| Measured { candidate, near: Samples::default(), far: Samples::default() };
    variants.map(|variant| Ok(measured(variant.build()?))).collect()
}

async fn measure(results: &mut Results, overhead: Option<PathBuf>, args: &Args) -> Result<(), Failure> {
    let mut dependencies = Dependencies::start(Endpoints::at([FREE; 3], "cost-ca.pem")).await?;
    dependencies.delay_pushes(Duration::from_millis(args.delay_ms));
    let near = dependencies.endpoints.clone();
    dependencies.add_latency(Duration::from_millis(args.round_trip_ms)).await?;
    let far = dependencies.endpoints.clone();
    let mut leads = Leads::new()?;
    for round in 1..=args.rounds {
        println!("Round {round} of {}", args.rounds);
        for Measured { candidate, near: samples, far: far_samples } in &mut results.candidates {
            let mut post = async |endpoints, samples: &mut Samples| {
                let sample = round::measure(candidate, &dependencies, endpoints, &mut leads, args).await;
                samples.0.push(sample.map_err(|failure| format!("{}: {failure}", candidate.variant.title()))?);
                Ok::<_, Failure>(())
            };
            post(&near, samples).await?;
            if args.round_trip_ms > 0 {
                post(&far, far_samples).await?;
            }
        }
        if let Some(program) = &overhead {
            results.overheads.push(overhead::measure(program).await?);
        }
    }
    Ok(())
}
