use std::{os::unix::process::ExitStatusExt, sync::mpsc, time::Duration};

use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

async fn end(process: &Process) -> ExitStatus {
    timeout(PATIENCE, process.end()).await.unwrap()
}

/// In a thread of its own, to fail instead of blocking for ever.
fn signal(process: &Arc<Process>, signal: Signal) {
    let (over, done) = mpsc::channel();
    let process = Arc::clone(process);
    thread::spawn(move || {
        process.signal(signal);
        over.send(())
    });
    done.recv_timeout(PATIENCE).unwrap();
}

fn shell(script: &str) -> (Process, Log) {
    let log = Log::default();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    (Process::start(command, Arc::clone(&log)).unwrap(), log)
}

impl Process {
    pub(in crate::lambda) fn is_frozen(&self) -> bool {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&lock(&self.child))), options).unwrap().is_some()
    }

    /// Until what it returns is dropped, nobody reads what the process writes.
    pub(in crate::lambda) fn leave_unread(&self) -> mpsc::Sender<()> {
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

    fn told(&self, column: &str) -> String {
        let pid = lock(&self.child).id().to_string();
        let told = Command::new("ps").args(["-o", &format!("{column}="), "-p", &pid]).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    }
}

#[tokio::test]
async fn an_end_comes_with_the_exit_and_all_that_was_written() {
    let (process, log) = shell("echo one; echo two >&2; echo three; printf four; exit 3");

    assert_eq!(end(&process).await.code(), Some(3));
    assert_eq!(*lock(&log), ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn more_than_a_pipe_holds_is_logged() {
    let (process, log) =
        shell("i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo 0123456789012345678901234567890123456789; done");

    assert_eq!(end(&process).await.code(), Some(0));
    assert_eq!(*lock(&log), vec!["0123456789012345678901234567890123456789"; 3000]);
}

#[tokio::test]
async fn a_process_that_closes_its_outputs_is_not_at_its_end() {
    let process = Arc::new(shell("exec >&- 2>&-; exec sleep 100").0);
    while process.told("args") != "sleep 100" {}

    assert!(process.exit.borrow().is_none());
    signal(&process, Signal::KILL);
    assert_eq!(end(&process).await.signal(), Some(9));
}

#[tokio::test]
async fn a_killed_process_is_gone_frozen_or_not() {
    for frozen in [false, true] {
        let (process, _) = shell("exec sleep 100");
        if frozen {
            process.freeze();
        }

        process.kill();

        assert_eq!(end(&process).await.signal(), Some(9));
    }
}

#[tokio::test]
async fn a_frozen_process_stands_still_until_it_is_thawed() {
    let (process, _) = shell("while :; do :; done");

    // More than once, for it to be caught on its way.
    for _ in 0..200 {
        process.freeze();
        assert!(process.is_frozen());
        process.freeze();
        assert!(process.is_frozen());
        process.thaw();
        assert!(!process.is_frozen());
    }
}

#[tokio::test]
async fn a_process_that_cannot_stop_any_more_is_not_waited_for() {
    // Its own child keeps the outputs open, so that it is not yet asked for its exit.
    let process = Arc::new(shell("sleep 1 & exit 3").0);
    while !process.told("stat").starts_with('Z') {}

    signal(&process, Signal::STOP);

    assert_eq!(end(&process).await.code(), Some(3));
}

#[tokio::test]
async fn whatever_is_done_to_a_process_that_has_ended_does_nothing() {
    let (process, _) = shell("exit 3");
    end(&process).await;

    process.freeze();
    process.thaw();
    process.kill();

    assert_eq!(end(&process).await.code(), Some(3));
}

#[tokio::test]
async fn a_dropped_process_is_killed() {
    let (process, _) = shell("exec sleep 100");
    let mut exit = process.exit.clone();

    drop(process);

    let exit = timeout(PATIENCE, exit.wait_for(Option::is_some)).await.unwrap().unwrap();
    assert_eq!(exit.unwrap().signal(), Some(9));
}
