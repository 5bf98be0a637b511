//! A child process that can be suspended and killed at any moment.

use std::{
    io::{self, PipeReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::retry_on_intr,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid},
};
use tokio::sync::watch;

use super::output::{Log, Output};
use crate::fakes::server::lock;

/// Dropping it kills the process.
pub(super) struct Process {
    child: Arc<Mutex<Child>>,
    output: Arc<Mutex<Output>>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Lines of both outputs go to `log` in the order of writing.
    pub(super) fn start(mut command: Command, log: Log) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let written = reader.try_clone()?;
        let output = Arc::new(Mutex::new(Output::new(reader, log)?));
        let child = Arc::new(Mutex::new(command.spawn()?));
        let (over, exit) = watch::channel(None);
        // It holds the pipe's other end, which must close with the process.
        drop(command);
        let process = Self { child: Arc::clone(&child), output: Arc::clone(&output), exit };
        thread::spawn(move || watch_over(&written, &output, &child, &over));
        Ok(process)
    }

    /// Waits for the process's end, and until its output is in the log.
    pub(super) async fn end(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let exit = exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit);
        exit.expect("the thread that waits for the process ends with its exit")
    }

    /// Moves everything that the process has written to the log.
    pub(super) fn log_output(&self) {
        lock(&self.output).drain();
    }

    pub(super) fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Returns when the process has stopped, or has ended.
    pub(super) fn suspend(&self) {
        self.signal(Signal::STOP);
    }

    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = lock(&self.child);
        // While the lock is held, the child is not reaped, so that no other process can have its id.
        if self.exit.borrow().is_some() {
            return;
        }
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).expect("a process may signal its child");
        if signal == Signal::STOP {
            wait(pid, WaitIdOptions::STOPPED | WaitIdOptions::EXITED);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn watch_over(
    written: &PipeReader,
    output: &Mutex<Output>,
    child: &Mutex<Child>,
    over: &watch::Sender<Option<ExitStatus>>,
) {
    loop {
        let mut readable = [PollFd::new(written, PollFlags::IN)];
        retry_on_intr(|| poll(&mut readable, None)).expect("a pipe can be polled");
        if lock(output).drain() {
            break;
        }
    }
    let pid = Pid::from_child(&lock(child));
    wait(pid, WaitIdOptions::EXITED);
    let mut child = lock(child);
    let exit = child.wait().expect("the child has ended and only this thread waits for it");
    over.send_replace(Some(exit));
}

/// Leaves the exit status to be read again.
fn wait(pid: Pid, what: WaitIdOptions) {
    retry_on_intr(|| waitid(WaitId::Pid(pid), what | WaitIdOptions::NOWAIT)).expect("the child is not waited for yet");
}

#[cfg(test)]
mod tests;
