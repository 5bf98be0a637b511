use std::{os::unix::process::ExitStatusExt, sync::mpsc, thread, time::Duration};

use serde_json::json;
use tokio::time::timeout;

use super::*;

const FUNCTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lambda/function.sh");

const PATIENCE: Duration = Duration::from_secs(10);

async fn lambda(env: &[(&str, &str)]) -> Arc<Lambda> {
    Arc::new(Lambda::start(Path::new(FUNCTION), env).await.unwrap())
}

async fn invoke(lambda: &Lambda, event: &str) -> Invoked {
    timeout(PATIENCE, lambda.invoke(event, 0)).await.unwrap()
}

fn died(invoked: Invoked) -> ExitStatus {
    match invoked {
        Invoked::Died(exit) => exit,
        other => panic!("it did not die: {other:?}"),
    }
}

async fn ready(lambda: &Lambda) -> Result<(), ExitStatus> {
    timeout(PATIENCE, lambda.ready()).await.unwrap()
}

fn is_frozen(lambda: &Lambda) -> bool {
    lambda.run().process.is_frozen()
}

fn is_polled(lambda: &Lambda) -> bool {
    lambda.run().api.is_polled()
}

/// Where Lambda freezes a process: at its request for the next event.
fn is_frozen_between_events(lambda: &Lambda) -> bool {
    is_frozen(lambda) && is_polled(lambda)
}

#[tokio::test]
async fn events_are_answered_failed_or_the_end_of_the_process() {
    let lambda = lambda(&[]).await;

    assert_eq!(ready(&lambda).await, Ok(()));
    assert_eq!(invoke(&lambda, "1").await, Invoked::Answered(json!(1)));
    assert_eq!(invoke(&lambda, r#""fail""#).await, Invoked::Failed(json!("failed")));
    assert_eq!(invoke(&lambda, "2").await, Invoked::Answered(json!(2)));
    assert_eq!(died(invoke(&lambda, r#""die""#).await).code(), Some(3));
    assert_eq!(died(invoke(&lambda, "3").await).code(), Some(3));
    assert_eq!(lambda.log(), ["started", "took 1", r#"took "fail""#, "took 2", r#"took "die""#]);
}

#[tokio::test]
async fn a_process_has_lambdas_environment_and_what_was_given() {
    let env = [("CLAIMS_TABLE", "claims"), ("AWS_REGION", "eu-west-1")];
    let lambda = Lambda::start(Path::new("/usr/bin/env"), &env).await.unwrap();

    assert_eq!(ready(&lambda).await.unwrap_err().code(), Some(0));

    let mut log = lambda.log();
    log.sort();
    let api = format!("AWS_LAMBDA_RUNTIME_API={}", lambda.run().api.address());
    assert_eq!(
        log,
        [
            "AWS_ACCESS_KEY_ID=ASIAEXAMPLE",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
            "AWS_LAMBDA_FUNCTION_NAME=lendswift-relay",
            "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/lendswift-relay",
            "AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
            api.as_str(),
            "AWS_REGION=eu-west-1",
            "AWS_SECRET_ACCESS_KEY=an example",
            "AWS_SESSION_TOKEN=an example",
            "CLAIMS_TABLE=claims",
        ]
    );
}

#[tokio::test]
async fn a_program_has_its_arguments_and_its_times_are_told() {
    let function = [FUNCTION, "an argument"];
    let lambda = Lambda::start_with(Path::new("/bin/bash"), &function, &[]).await.unwrap();
    ready(&lambda).await.unwrap();
    assert!(lambda.started_in().unwrap() < PATIENCE);
    assert_eq!(lambda.answered_in(), None);

    invoke(&lambda, "1").await;
    timeout(PATIENCE, lambda.idle()).await.unwrap();

    assert!(is_polled(&lambda));
    assert!(lambda.answered_in().unwrap() < PATIENCE);
    let told = std::fs::read(format!("/proc/{}/cmdline", lambda.process_id())).unwrap();
    assert!(told.ends_with(b"function.sh\0an argument\0"));
}

#[tokio::test]
async fn a_start_that_fails_is_told_and_ends_every_event() {
    let lambda = lambda(&[("START", "fails")]).await;

    assert_eq!(died(invoke(&lambda, "1").await).code(), Some(4));
    assert_eq!(ready(&lambda).await.unwrap_err().code(), Some(4));
    assert_eq!(lambda.start_failed(), Some(json!("no start")));
}

#[tokio::test]
async fn a_process_killed_at_work_dies_and_another_takes_its_place() {
    let lambda = lambda(&[]).await;
    let hanging = tokio::spawn({
        let lambda = Arc::clone(&lambda);
        async move { lambda.invoke(r#""hang""#, 0).await }
    });
    lambda.run().api.handed_out().await;

    assert_eq!(timeout(PATIENCE, lambda.kill()).await.unwrap().signal(), Some(9));
    assert_eq!(died(hanging.await.unwrap()).signal(), Some(9));
    lambda.restart().await.unwrap();

    assert_eq!(invoke(&lambda, "1").await, Invoked::Answered(json!(1)));
    let starts = lambda.log().iter().filter(|line| *line == "started").count();
    assert_eq!(starts, 2);
}

#[tokio::test]
async fn a_restart_is_the_end_of_a_process_at_work() {
    let lambda = lambda(&[]).await;
    let hanging = tokio::spawn({
        let lambda = Arc::clone(&lambda);
        async move { lambda.invoke(r#""hang""#, 0).await }
    });
    lambda.run().api.handed_out().await;

    timeout(PATIENCE, lambda.restart()).await.unwrap().unwrap();

    assert_eq!(died(hanging.await.unwrap()).signal(), Some(9));
    assert_eq!(invoke(&lambda, "1").await, Invoked::Answered(json!(1)));
}

#[tokio::test]
async fn all_that_was_written_before_an_answer_is_in_the_log_with_it() {
    let lambda = lambda(&[]).await;
    let unread = lambda.run().process.leave_unread();
    invoke(&lambda, "1").await;

    let (told, log) = mpsc::channel();
    thread::spawn(move || told.send(lambda.log()));

    assert_eq!(log.recv_timeout(Duration::from_millis(100)), Err(mpsc::RecvTimeoutError::Timeout));
    drop(unread);
    assert_eq!(log.recv_timeout(PATIENCE).unwrap(), ["started", "took 1"]);
}

#[tokio::test]
async fn a_frozen_process_answers_when_it_is_thawed() {
    let lambda = lambda(&[]).await;
    ready(&lambda).await.unwrap();
    lambda.freeze();
    let invoked = tokio::spawn({
        let lambda = Arc::clone(&lambda);
        async move { lambda.invoke("1", 0).await }
    });
    lambda.run().api.handed_out().await;
    assert!(is_frozen(&lambda));
    assert!(!invoked.is_finished());

    lambda.thaw();

    assert_eq!(invoked.await.unwrap(), Invoked::Answered(json!(1)));
}

#[tokio::test]
async fn between_events_the_process_is_frozen_if_so_told() {
    let lambda = lambda(&[]).await;
    assert_eq!(invoke(&lambda, "0").await, Invoked::Answered(json!(0)));
    assert!(!is_frozen(&lambda));

    lambda.freeze_between(true).await;
    assert!(is_frozen_between_events(&lambda));
    for event in ["1", "2"] {
        assert_eq!(invoke(&lambda, event).await, Invoked::Answered(event.parse().unwrap()));
        assert!(is_frozen_between_events(&lambda));
    }
    assert_eq!(died(invoke(&lambda, r#""die""#).await).code(), Some(3));
    lambda.restart().await.unwrap();
    assert!(is_frozen_between_events(&lambda));
    lambda.freeze_between(false).await;
    assert!(!is_frozen(&lambda));
    assert_eq!(invoke(&lambda, "3").await, Invoked::Answered(json!(3)));
}

#[tokio::test]
async fn events_are_queued() {
    let lambda = lambda(&[]).await;
    lambda.freeze_between(true).await;

    let (one, two, three) = tokio::join!(invoke(&lambda, "1"), invoke(&lambda, "2"), invoke(&lambda, "3"));

    assert_eq!([one, two, three], [1, 2, 3].map(|event| Invoked::Answered(json!(event))));
    assert_eq!(lambda.log(), ["started", "took 1", "took 2", "took 3"]);
}

#[tokio::test]
async fn a_binary_that_is_not_there_is_an_error() {
    let fault = Lambda::start(Path::new("/no/such/binary"), &[]).await.err().unwrap();

    assert_eq!(fault.kind(), io::ErrorKind::NotFound);
}
