//! What a process has used so far.

use std::time::Duration;

use nix::{time::ClockId, unistd::Pid};

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
