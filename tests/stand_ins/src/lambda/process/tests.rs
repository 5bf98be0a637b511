use std::os::unix::process::ExitStatusExt;

use super::*;

fn shell(script: &str) -> (Process, Log) {
    let log = Log::default();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    (Process::start(command, Arc::clone(&log)).unwrap(), log)
}

impl Process {
    pub(in crate::lambda) fn is_frozen(&self) -> bool {
        self.told("stat").starts_with('T')
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

    assert_eq!(process.end().await.code(), Some(3));
    assert_eq!(*lock(&log), ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn more_than_a_pipe_holds_is_logged() {
    let (process, log) =
        shell("i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo 0123456789012345678901234567890123456789; done");

    assert_eq!(process.end().await.code(), Some(0));
    assert_eq!(*lock(&log), vec!["0123456789012345678901234567890123456789"; 3000]);
}

#[tokio::test]
async fn a_process_that_closes_its_outputs_is_not_at_its_end() {
    let (process, _) = shell("exec >&- 2>&-; exec sleep 100");
    while process.told("args") != "sleep 100" {}

    assert!(process.exit.borrow().is_none());
    process.kill();
    assert_eq!(process.end().await.signal(), Some(9));
}

#[tokio::test]
async fn a_killed_process_is_gone_frozen_or_not() {
    for frozen in [false, true] {
        let (process, _) = shell("exec sleep 100");
        if frozen {
            process.freeze();
        }

        process.kill();

        assert_eq!(process.end().await.signal(), Some(9));
    }
}

#[tokio::test]
async fn a_frozen_process_stands_still_until_it_is_thawed() {
    let (process, _) = shell("while :; do :; done");

    for _ in 0..2 {
        process.freeze();
        process.freeze();
        assert!(process.is_frozen());
        process.thaw();
        assert!(!process.is_frozen());
    }
}

#[tokio::test]
async fn whatever_is_done_to_a_process_that_has_ended_does_nothing() {
    let (process, _) = shell("exit 3");
    process.end().await;

    process.freeze();
    process.thaw();
    process.kill();

    assert_eq!(process.end().await.code(), Some(3));
}

#[tokio::test]
async fn a_dropped_process_is_killed() {
    let (process, _) = shell("exec sleep 100");
    let mut exit = process.exit.clone();

    drop(process);

    let exit = exit.wait_for(Option::is_some).await.unwrap().unwrap();
    assert_eq!(exit.signal(), Some(9));
}
