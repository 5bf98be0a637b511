//! The binary itself, as Lambda starts it.

use std::{env, fs, path::Path, process::Command, time::Duration};

use futures_util::FutureExt;
use rustls::ALL_VERSIONS;
use serde_json::{Value, json};
use support::fakes::{DynamoDb, Invoked, Lambda, Rudder, SecretsManager, api_gateway};
use tokio::net::TcpListener;

use crate::{
    front::{Authority, Front},
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

/// Status and error of the answer to a lead where AI Rudder has a certificate of one authority and AWS has one of another, and
/// the process is told to trust one of these for each of them.
async fn trusted(at_ai_rudder: usize, at_aws: usize) -> (u16, Value) {
    let authorities = [Authority::default(), Authority::default()];
    let folder = tempfile::tempdir().unwrap();
    let files = ["rudder.pem", "aws.pem"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    for (file, authority) in files.iter().zip(&authorities) {
        fs::write(file, authority.pem()).unwrap();
    }
    let rudder = Rudder::start(ANYWHERE, [TOKEN]).await.unwrap();
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    let dynamodb = DynamoDb::start(ANYWHERE).await.unwrap();
    furnish(&secrets, &dynamodb);
    let [ai_rudders, awss] = &authorities;
    let fronts = [
        Front::start(rudder.address(), ai_rudders.server("localhost", 30, ALL_VERSIONS)).await,
        Front::start(secrets.address(), awss.server("localhost", 30, ALL_VERSIONS)).await,
        Front::start(dynamodb.address(), awss.server("localhost", 30, ALL_VERSIONS)).await,
    ];
    let [rudder_url, secrets_url, dynamodb_url] =
        fronts.each_ref().map(|front| format!("https://localhost:{}", front.address.port()));
    let variables = [
        ("CLAIMS_TABLE", TABLE),
        ("UPSTREAM_BASE_URL", &rudder.base_url().replace(&format!("http://{}", rudder.address()), &rudder_url)),
        ("UPSTREAM_CA_FILE", &files[at_ai_rudder]),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets_url),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb_url),
        ("AWS_CA_BUNDLE", &files[at_aws]),
    ];
    let lambda = Lambda::start(Path::new(RELAY), &variables).await.unwrap();
    let Invoked::Answered(answer) = lambda.invoke(&Request::post(LEAD).event(), 0).await else { panic!("no answer") };
    let answer = api_gateway::response(&answer);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    (answer.status, body["body"]["error"].clone())
}

#[tokio::test]
async fn aws_and_ai_rudder_are_each_trusted_by_a_file_of_their_own() {
    const AI_RUDDERS: usize = 0;
    const AWSS: usize = 1;
    assert_eq!(trusted(AI_RUDDERS, AWSS).await, (200, Value::Null));
    assert_eq!(trusted(AI_RUDDERS, AI_RUDDERS).await, (503, json!("temporarily_unavailable")));
    assert_eq!(trusted(AWSS, AWSS).await, (503, json!("upstream_unreachable")));
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
