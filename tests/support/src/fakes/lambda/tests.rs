use std::{os::unix::process::ExitStatusExt, sync::mpsc, thread, time::Duration};

use serde_json::json;
use tokio::{task::JoinHandle, time::timeout};

use super::*;

const FUNCTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fakes/lambda/function.sh");

const LIMIT: Duration = Duration::from_secs(10);

async fn lambda(env: &[(&str, &str)]) -> Arc<Lambda> {
    Arc::new(Lambda::start(Path::new(FUNCTION), env).await.unwrap())
}

async fn invoke(lambda: &Lambda, event: &str) -> Invoked {
    timeout(LIMIT, lambda.invoke(event, 0)).await.unwrap()
}

/// Returns when the process has the event.
async fn begin(lambda: &Arc<Lambda>, event: &'static str) -> JoinHandle<Invoked> {
    let invoking = Arc::clone(lambda);
    let invoked = tokio::spawn(async move { invoking.invoke(event, 0).await });
    lambda.run().api.handed_out().await;
    invoked
}

fn died(invoked: Invoked) -> ExitStatus {
    let Invoked::Died(exit) = invoked else { panic!("it did not die: {invoked:?}") };
    exit
}

async fn ready(lambda: &Lambda) -> Result<(), ExitStatus> {
    timeout(LIMIT, lambda.ready()).await.unwrap()
}

fn is_suspended(lambda: &Lambda) -> bool {
    lambda.run().process.is_suspended()
}

/// Where Lambda suspends a process: at its request for the next event.
fn is_suspended_between_events(lambda: &Lambda) -> bool {
    is_suspended(lambda) && lambda.run().api.is_polled()
}

#[tokio::test]
async fn events_are_answered_or_fail_or_die_with_the_process() {
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
async fn a_process_has_the_variables_of_lambda_and_those_given() {
    let env = [("CLAIMS_TABLE", "claims"), ("AWS_REGION", "eu-west-1")];
    let lambda = Lambda::start(Path::new("/usr/bin/env"), &env).await.unwrap();
    assert_eq!(ready(&lambda).await.unwrap_err().code(), Some(0));
    let mut log = lambda.log();
    log.sort();
    let names = "AWS_ACCESS_KEY_ID AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION \
                 AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME \
                 AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN CLAIMS_TABLE";
    let (found, values): (Vec<_>, Vec<_>) = log.iter().map(|line| line.split_once('=').unwrap()).unzip();
    assert_eq!(found.join(" "), names);
    assert_eq!(values[7..9], [lambda.run().api.address().to_string().as_str(), "eu-west-1"]);
}

#[tokio::test]
async fn a_process_is_timed_and_has_an_id() {
    let lambda = lambda(&[]).await;
    ready(&lambda).await.unwrap();
    assert!(lambda.started_in().unwrap() < LIMIT);
    assert_eq!(lambda.answered_in(), None);
    invoke(&lambda, "1").await;
    timeout(LIMIT, lambda.idle()).await.unwrap();
    assert!(lambda.run().api.is_polled());
    assert!(lambda.answered_in().unwrap() < LIMIT);
    let command = std::fs::read(format!("/proc/{}/cmdline", lambda.process_id())).unwrap();
    assert!(command.ends_with(b"function.sh\0"));
}

#[tokio::test]
async fn a_failed_start_ends_every_event() {
    let lambda = lambda(&[("START", "fails")]).await;
    assert_eq!(died(invoke(&lambda, "1").await).code(), Some(4));
    assert_eq!(ready(&lambda).await.unwrap_err().code(), Some(4));
    let missing = Lambda::start(Path::new("/no/such/binary"), &[]).await.err().unwrap();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn a_process_is_killed_at_work_and_replaced() {
    for restart_alone in [false, true] {
        let lambda = lambda(&[]).await;
        let hanging = begin(&lambda, r#""hang""#).await;
        if !restart_alone {
            assert_eq!(timeout(LIMIT, lambda.kill()).await.unwrap().signal(), Some(9));
        }
        timeout(LIMIT, lambda.restart()).await.unwrap().unwrap();
        assert_eq!(died(hanging.await.unwrap()).signal(), Some(9));
        assert_eq!(invoke(&lambda, "1").await, Invoked::Answered(json!(1)));
        assert_eq!(lambda.log().iter().filter(|line| *line == "started").count(), 2);
    }
}

#[tokio::test]
async fn output_before_a_response_is_in_the_log_with_it() {
    let lambda = lambda(&[]).await;
    let unread = lambda.run().process.leave_unread();
    invoke(&lambda, "1").await;
    let (read, log) = mpsc::channel();
    thread::spawn(move || read.send(lambda.log()));
    assert_eq!(log.recv_timeout(Duration::from_millis(100)), Err(mpsc::RecvTimeoutError::Timeout));
    drop(unread);
    assert_eq!(log.recv_timeout(LIMIT).unwrap(), ["started", "took 1"]);
}

#[tokio::test]
async fn a_suspended_process_answers_when_it_is_resumed() {
    let lambda = lambda(&[]).await;
    ready(&lambda).await.unwrap();
    lambda.suspend();
    let invoked = begin(&lambda, "1").await;
    assert!(is_suspended(&lambda) && !invoked.is_finished());
    lambda.resume();
    assert_eq!(invoked.await.unwrap(), Invoked::Answered(json!(1)));
}

#[tokio::test]
async fn a_process_can_be_suspended_between_events() {
    let lambda = lambda(&[]).await;
    assert_eq!(invoke(&lambda, "0").await, Invoked::Answered(json!(0)));
    assert!(!is_suspended(&lambda));
    lambda.suspend_between_events(true).await;
    assert!(is_suspended_between_events(&lambda));
    for event in ["1", "2"] {
        assert_eq!(invoke(&lambda, event).await, Invoked::Answered(event.parse().unwrap()));
        assert!(is_suspended_between_events(&lambda));
    }
    let queued = tokio::join!(invoke(&lambda, "3"), invoke(&lambda, "4"), invoke(&lambda, "5"));
    assert_eq!(<[_; 3]>::from(queued), [3, 4, 5].map(|event| Invoked::Answered(json!(event))));
    assert_eq!(died(invoke(&lambda, r#""die""#).await).code(), Some(3));
    lambda.restart().await.unwrap();
    assert!(is_suspended_between_events(&lambda));
    lambda.suspend_between_events(false).await;
    assert!(!is_suspended(&lambda));
    assert_eq!(invoke(&lambda, "6").await, Invoked::Answered(json!(6)));
    let taken = lambda.log().into_iter().filter(|line| line != "started").collect::<Vec<_>>();
    assert_eq!(taken, ["took 0", "took 1", "took 2", "took 3", "took 4", "took 5", r#"took "die""#, "took 6"]);
}
