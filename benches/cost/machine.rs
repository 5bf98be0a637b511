//! Where and how it was measured.

use std::process::Command;

use procfs::{CpuInfo, Current, sys::kernel::Version};

use crate::{Failure, args::Args};

/// The machine, the compiler, and how much was measured.
pub fn told(args: &Args) -> Result<String, Failure> {
    let cpus = CpuInfo::current()?;
    let model = cpus.model_name(0).unwrap_or("unknown processor").to_owned();
    let Version { major, minor, patch } = Version::current()?;
    let used = if args.spread { "all used" } else { "one used" };
    Ok(format!(
        "{model}, {} cores, {used}; Linux {major}.{minor}.{patch}; {}{}.\n\
        Rounds: {}, each of a first lead and {} more. {} ms added at AI Rudder, {} ms to each neighbour and back.\n",
        cpus.num_cores(),
        version("rustc").ok_or("rustc can't be asked for its version")?,
        version("python3").map(|python| format!("; {python}")).unwrap_or_default(),
        args.rounds,
        args.leads,
        args.delay_ms,
        args.round_trip_ms,
    ))
}

/// What a program says that it is, where there is such a program.
fn version(program: &str) -> Option<String> {
    let told = Command::new(program).arg("--version").output().ok()?.stdout;
    Some(String::from_utf8_lossy(&told).trim().to_owned())
}
