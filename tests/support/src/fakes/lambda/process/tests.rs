use std::{os::unix::process::ExitStatusExt, sync::mpsc, time::Duration};

use tokio::time::timeout;

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

async fn end(process: &Process) -> ExitStatus {
    timeout(LIMIT, process.end()).await.unwrap()
}

/// In a thread of its own, so that it fails instead of blocking.
fn signal(process: &Arc<Process>, signal: Signal) {
    let (over, done) = mpsc::channel();
    let process = Arc::clone(process);
    thread::spawn(move || {
        process.signal(signal);
        over.send(())
    });
    done.recv_timeout(LIMIT).unwrap();
}

fn shell(script: &str) -> (Process, Log) {
    let log = Log::default();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    (Process::start(command, Arc::clone(&log)).unwrap(), log)
}

impl Process {
    pub(in crate::fakes::lambda) fn is_suspended(&self) -> bool {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&lock(&self.child))), options).unwrap().is_some()
    }

    /// Until the returned value is dropped, nothing reads what the process writes.
    pub(in crate::fakes::lambda) fn leave_unread(&self) -> mpsc::Sender<()> {
        let output = Arc::clone(&self.output);
        let (holding, held) = mpsc::channel();
        let (release, released) = mpsc::channel();
        thread::spawn(move || {
            let _output = lock(&output);
            holding.send(()).unwrap();
            let _ = released.recv();
        });
        held.recv().unwrap();
        release
    }

    fn ps(&self, column: &str) -> String {
        let output = Command::new("ps").args(["-o", &format!("{column}="), "-p", &self.id().to_string()]).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    }
}

#[tokio::test]
async fn an_end_has_the_exit_status_and_all_output() {
    let (process, log) = shell("echo one; echo two >&2; echo three; printf four; exit 3");
    assert_eq!(end(&process).await.code(), Some(3));
    assert_eq!(*lock(&log), ["one", "two", "three", "four"]);
    // From now on, signals do nothing.
    process.suspend();
    process.resume();
    process.kill();
    assert_eq!(end(&process).await.code(), Some(3));
}

#[tokio::test]
async fn more_than_a_pipe_holds_is_logged() {
    let (process, log) =
        shell("i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo 0123456789012345678901234567890123456789; done");
    assert_eq!(end(&process).await.code(), Some(0));
    assert_eq!(*lock(&log), vec!["0123456789012345678901234567890123456789"; 3000]);
}

#[tokio::test]
async fn a_process_that_closes_its_outputs_still_runs() {
    let process = Arc::new(shell("exec >&- 2>&-; exec sleep 100").0);
    while process.ps("args") != "sleep 100" {}
    assert!(process.exit.borrow().is_none());
    signal(&process, Signal::KILL);
    assert_eq!(end(&process).await.signal(), Some(9));
}

#[tokio::test]
async fn a_killed_process_ends_suspended_or_not() {
    for suspended in [false, true] {
        let (process, _) = shell("exec sleep 100");
        if suspended {
            process.suspend();
        }
        process.kill();
        assert_eq!(end(&process).await.signal(), Some(9));
    }
    let (process, _) = shell("exec sleep 100");
    let mut exit = process.exit.clone();
    drop(process);
    let exit = timeout(LIMIT, exit.wait_for(Option::is_some)).await.unwrap().unwrap();
    assert_eq!(exit.unwrap().signal(), Some(9), "dropped");
}

#[tokio::test]
async fn a_suspended_process_stops_until_it_is_resumed() {
    let (process, _) = shell("while :; do :; done");
    // Often enough to interrupt it anywhere.
    for _ in 0..200 {
        process.suspend();
        assert!(process.is_suspended());
        process.suspend();
        assert!(process.is_suspended());
        process.resume();
        assert!(!process.is_suspended());
    }
}

#[tokio::test]
async fn a_zombie_is_not_waited_for() {
    // Its own child keeps the outputs open, so that its exit status is not yet read.
    let process = Arc::new(shell("sleep 1 & exit 3").0);
    while !process.ps("stat").starts_with('Z') {}
    signal(&process, Signal::STOP);
    assert_eq!(end(&process).await.code(), Some(3));
}
