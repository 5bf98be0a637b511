//! What the command asks on a terminal.

use std::{process::Stdio, time::Duration};

use serde_json::json;
use support::{ACCOUNT, Lead, SecretsBehaviour, TOKEN};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::{Instant, interval_at},
};

use crate::operator::{CLAIM, Operator, unknown};

/// Runs a command on a terminal, which `script` of util-linux makes. Once the screen shows `question`, the operator
/// enters `answer`. Returns the exit code and all of the screen.
async fn run(operator: &Operator, arguments: &[&str], question: &str, answer: &str) -> (i32, String) {
    let command = operator.command(&[]);
    let program = command.as_std().get_program().to_str().unwrap().to_owned();
    let line = format!("{program} {}", arguments.join(" "));
    let mut script = Command::new("/usr/bin/script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_clear();
    for (name, value) in command.as_std().get_envs() {
        script.env(name, value.unwrap());
    }
    script.env("TERM", "xterm").env("SHELL", "/bin/sh").kill_on_drop(true);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script of util-linux");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut screen = Vec::new();
    while !String::from_utf8_lossy(&screen).contains(question) {
        assert_ne!(stdout.read_buf(&mut screen).await.unwrap(), 0, "{}", String::from_utf8_lossy(&screen));
    }
    // The command shows the question before it sets up the terminal, which shows and drops an earlier answer. So the
    // operator takes a second, and answers again if nothing happens.
    let mut entries = interval_at(Instant::now() + Duration::from_secs(1), Duration::from_secs(5));
    loop {
        tokio::select! {
            read = stdout.read_buf(&mut screen) => {
                if read.unwrap() == 0 {
                    break;
                }
            }
            // The pipe closes with the command.
            _ = entries.tick() => drop(stdin.write_all(answer.as_bytes()).await),
        }
    }
    let status = child.wait().await.unwrap();
    (status.code().unwrap(), String::from_utf8_lossy(&screen).into_owned())
}

#[tokio::test]
async fn a_token_is_not_shown_while_it_is_entered() {
    let operator = Operator::start().await;
    let arguments = ["account", "set-token", ACCOUNT];
    let (code, screen) = run(&operator, &arguments, "(not shown)", "another-token\r").await;
    assert_eq!((code, screen.contains("another-token")), (0, false), "{screen}");
    assert!(screen.contains("Replaced the token"), "{screen}");
}

#[tokio::test]
async fn only_yes_confirms() {
    let operator = Operator::start().await;
    operator.store(Lead(1), CLAIM, &unknown());
    let reopen = ["lead", "reopen", "--claim", CLAIM];
    for (answer, expected) in [("n", 2), ("\r", 2), ("y", 0)] {
        let is_open = Lead(1).item(&operator.app.dynamodb).is_some();
        assert!(is_open);
        let (code, screen) = run(&operator, &reopen, "called twice", answer).await;
        assert_eq!(code, expected, "{screen}");
        assert_eq!(Lead(1).item(&operator.app.dynamodb).is_none(), expected == 0);
    }
}

#[tokio::test]
async fn settling_many_leads_asks_first() {
    let operator = Operator::start().await;
    operator.store(Lead(1), CLAIM, &unknown());
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), CLAIM).unwrap();
    let settle = ["unknown", "settle", list.path().to_str().unwrap()];
    let ran = operator.run(&settle).await;
    assert_eq!((ran.code, ran.stderr.contains("--yes")), (2, true), "{ran:?}");
    let (code, screen) = run(&operator, &settle, "cannot be undone", "n").await;
    assert_eq!(
        (code, operator.json(&["unknown", "list"]).await["leads"].as_array().unwrap().len()),
        (2, 1),
        "{screen}"
    );
    let (code, screen) = run(&operator, &settle, "cannot be undone", "y").await;
    assert_eq!((code, operator.json(&["unknown", "list"]).await["leads"].clone()), (0, json!([])), "{screen}");
}

#[tokio::test]
async fn no_token_is_asked_for_an_account_that_cannot_be_read() {
    let operator = Operator::start().await;
    operator.app.secrets.behave(SecretsBehaviour::Denied);
    let (code, screen) = run(&operator, &["account", "set-token", ACCOUNT], "AWS denies", TOKEN).await;
    assert_eq!((code, screen.contains("(not shown)")), (3, false), "{screen}");
}
