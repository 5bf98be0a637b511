//! The binary itself, as Lambda starts it.

use std::{env, path::Path, process::Command, time::Duration};

use futures_util::FutureExt;
use stand_ins::{DynamoDb, Invoked, Lambda, Rudder, SecretsManager};
use tokio::net::TcpListener;

use crate::{
    request::{LEAD, Request},
    stage::{ANYWHERE, TABLE, TOKEN, furnish},
};

const RELAY: &str = env!("CARGO_BIN_EXE_lendswift-relay");

/// The relay's start without any variable but these.
fn start(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(RELAY)
        .env_clear()
        // Where a coverage run wants this process's part of it.
        .envs(env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn wrong_configuration_stops_the_start_with_the_variables_name() {
    assert_eq!(
        start(&[]),
        (
            Some(1),
            "lendswift-relay can't start: CLAIMS_TABLE: is required: the name of a DynamoDB table, or off for no ledger\n"
                .to_owned()
        )
    );
    assert_eq!(
        start(&[("CLAIMS_TABLE", "off"), ("UPSTREAM_TIMEOUT_MS", "soon")]),
        (
            Some(1),
            "lendswift-relay can't start: UPSTREAM_TIMEOUT_MS: must be a whole number from 1000 to 29000\n".to_owned()
        )
    );
}

/// The open connections to Secrets Manager and DynamoDB, when the process has asked for its first lead and when it has
/// answered it, and how many leads AI Rudder got by then. What is asked of anybody before the lead is a failure.
async fn connections(connect_at_start: &str) -> ([[usize; 2]; 2], usize) {
    let rudder = Rudder::start(ANYWHERE, [TOKEN]).await.unwrap();
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    let dynamodb = DynamoDb::start(ANYWHERE).await.unwrap();
    furnish(&secrets, &dynamodb);
    let variables = [
        ("CLAIMS_TABLE", TABLE),
        ("CONNECT_AT_START", connect_at_start),
        ("UPSTREAM_BASE_URL", &rudder.base_url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url()),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url()),
    ];
    let open = || [secrets.connections().open(), dynamodb.connections().open()];
    let lambda = Lambda::start(Path::new(RELAY), &variables).await.unwrap();
    lambda.ready().await.unwrap();
    let at_start = open();
    assert_eq!((secrets.calls(), dynamodb.calls(), rudder.received().len()), (vec![], vec![], 0));
    assert!(matches!(lambda.invoke(&Request::post(LEAD).event(), 0).await, Invoked::Answered(_)));
    ([at_start, open()], rudder.received().len())
}

#[tokio::test]
async fn a_process_connects_before_its_first_lead_asks_nobody_anything_and_uses_those_connections() {
    assert_eq!(connections("true").await, ([[1, 1], [1, 1]], 1));
    assert_eq!(connections("false").await, ([[0, 0], [1, 1]], 1));
}

#[tokio::test]
async fn ai_rudder_is_not_connected_to_at_the_start_and_who_is_silent_holds_it_up_for_a_second() {
    let rudder = TcpListener::bind(ANYWHERE).await.unwrap();
    let silent = TcpListener::bind(ANYWHERE).await.unwrap();
    let variables = [
        ("CLAIMS_TABLE", TABLE),
        ("UPSTREAM_BASE_URL", &format!("http://{}", rudder.local_addr().unwrap())),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &format!("http://{}", silent.local_addr().unwrap())),
        ("AWS_ENDPOINT_URL_DYNAMODB", &format!("http://{}", silent.local_addr().unwrap())),
    ];
    let lambda = Lambda::start(Path::new(RELAY), &variables).await.unwrap();
    lambda.ready().await.unwrap();
    assert!(rudder.accept().now_or_never().is_none());
    let limit = Duration::from_secs(1);
    assert!((limit..limit * 2).contains(&lambda.started_in().unwrap()), "{:?}", lambda.started_in());
}

#[tokio::test]
async fn what_is_out_of_reach_does_not_keep_a_process_from_starting() {
    let nowhere = "http://127.0.0.1:1";
    let variables = [
        ("CLAIMS_TABLE", TABLE),
        ("UPSTREAM_BASE_URL", nowhere),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", nowhere),
        ("AWS_ENDPOINT_URL_DYNAMODB", nowhere),
    ];
    let lambda = Lambda::start(Path::new(RELAY), &variables).await.unwrap();
    lambda.ready().await.unwrap();
    assert_eq!(lambda.log(), Vec::<String>::new());
}
