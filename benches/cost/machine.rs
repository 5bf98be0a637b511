//! The machine, and what a process uses of it.

use std::{process::Command, time::Duration};

use bench_support::Failure;
use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    time::ClockId,
    unistd::Pid,
};
use procfs::{CpuInfo, Current, process::Process, sys::kernel::Version};

/// The processor, the kernel and the compiler.
pub fn describe() -> Result<String, Failure> {
    let cpus = CpuInfo::current()?;
    let model = cpus.model_name(0).unwrap_or("unknown processor").to_owned();
    let Version { major, minor, patch } = Version::current()?;
    let rustc = Command::new("rustc").arg("--version").output()?.stdout;
    let rustc = String::from_utf8(rustc)?;
    Ok(format!("{model}, {} cores; Linux {major}.{minor}.{patch}; {}", cpus.num_cores(), rustc.trim()))
}

/// The CPU time of a process so far: of all its threads, ended ones included, and of the kernel on its behalf.
pub fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(process.try_into()?))?;
    Ok(clock.now()?.into())
}

/// A process's peak resident memory in KiB.
pub fn peak_memory(process: u32) -> Result<u64, Failure> {
    let peak = Process::new(process.try_into()?)?.status()?.vmhwm;
    Ok(peak.ok_or("the process has ended")?)
}

/// Keeps this thread, and all threads and processes that it starts from now on, on its current processor.
pub fn stay_on_one_processor() -> Result<(), Failure> {
    let mut one = CpuSet::new();
    one.set(sched_getcpu()?)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}
