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
    let rustc = Command::new("rustc").arg("--version").output()?.stdout;
    Ok(format!(
        "{model}, {} cores, {used}; Linux {major}.{minor}.{patch}; {}.\n\
        Rounds: {}, each of a first lead and {} more. {} ms added at AI Rudder.\n",
        cpus.num_cores(),
        String::from_utf8_lossy(&rustc).trim(),
        args.rounds,
        args.leads,
        args.delay_ms,
    ))
}
