//! What a process has used so far, and where it runs.

use std::time::Duration;

use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    time::ClockId,
    unistd::Pid,
};

use crate::Failure;

/// Time on the processor, the kernel's for it included, of all threads, those that have ended too.
pub fn cpu_time(id: u32) -> Result<Duration, Failure> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(id.try_into()?))?;
    Ok(clock.now()?.into())
}

/// The most memory that it had at once, in bytes.
pub fn peak_memory(id: u32) -> Result<u64, Failure> {
    let peak = procfs::process::Process::new(id.try_into()?)?.status()?.vmhwm;
    Ok(peak.ok_or("the process is no more")? * 1024)
}

/// Keeps this thread, and all threads and processes that it starts from now on, on the processor that it is on.
pub fn stay_on_one_processor() -> Result<(), Failure> {
    let mut one = CpuSet::new();
    one.set(sched_getcpu()?)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}
