//! The binary itself, as Lambda starts it.

use std::{env, fs, io::Read, net, process::Command, thread, time::Duration};

use futures_util::FutureExt;
use rustls::ALL_VERSIONS;
use support::{Authority, FREE_PORT, Fakes, ProcessHarness, Request, TlsProxy};
use tokio::net::TcpListener;

use crate::RELAY;

/// The exit code and the output of a start with these variables alone.
fn start(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(RELAY)
        .env_clear()
        // Coverage runs need it in every process.
        .envs(env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_invalid_variable_aborts_the_start_and_is_named() {
    let timeout = [("CLAIMS_TABLE", "off"), ("UPSTREAM_TIMEOUT_MS", "soon")];
    for (variables, error) in [
        (&[][..], "CLAIMS_TABLE: is required: the name of a DynamoDB table, or off for no ledger"),
        (&timeout, "UPSTREAM_TIMEOUT_MS: must be a whole number from 1000 to 29000"),
    ] {
        assert_eq!(start(variables), (Some(1), format!("lendswift-relay can't start: {error}\n")));
    }
}

#[test]
fn a_process_whose_runtime_api_is_gone_ends_with_one_line() {
    let listener = net::TcpListener::bind(FREE_PORT).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let variables = [
        ("AWS_LAMBDA_RUNTIME_API", &*address),
        ("AWS_LAMBDA_FUNCTION_NAME", "lendswift-relay"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "us-east-1"),
        ("CLAIMS_TABLE", "off"),
        ("CONNECT_AT_START", "false"),
    ];
    // An emulator that ends when it is asked for an event. For the second start it is not there at all.
    let emulator = thread::spawn(move || listener.accept().unwrap().0.read(&mut [0; 1024]).unwrap());
    for cause in ["client error (SendRequest)", "client error (Connect)"] {
        let line = format!("lendswift-relay stopped, because Lambda's runtime API failed: {cause}\n");
        assert_eq!(start(&variables), (Some(1), line));
    }
    emulator.join().unwrap();
}

#[tokio::test]
async fn a_process_connects_to_aws_before_its_first_lead() {
    for (connect_at_start, at_start) in [("true", [1, 1]), ("false", [0, 0])] {
        let harness = ProcessHarness::start(RELAY, &[("CONNECT_AT_START", connect_at_start)]).await;
        let open = || [harness.secrets.connections().open(), harness.dynamodb.connections().open()];
        assert_eq!(open(), at_start);
        let calls = (harness.secrets.calls(), harness.dynamodb.calls(), harness.rudder.received().len());
        assert_eq!(calls, (vec![], vec![], 0), "it calls nothing");
        assert_eq!(harness.post(&Request::lead()).await, "200 accepted");
        assert_eq!(open(), [1, 1], "the lead uses the same connections");
    }
}

#[tokio::test]
async fn silent_dependencies_delay_a_start_by_a_second() {
    let listen = async || {
        let listener = TcpListener::bind(FREE_PORT).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    };
    let ((rudder, rudder_url), (_silent, silent_url)) = (listen().await, listen().await);
    let variables = [
        ("UPSTREAM_BASE_URL", &*rudder_url),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &silent_url),
        ("AWS_ENDPOINT_URL_DYNAMODB", &silent_url),
    ];
    let harness = ProcessHarness::start(RELAY, &variables).await;
    assert!(rudder.accept().now_or_never().is_none());
    let limit = Duration::from_secs(1);
    let started_in = harness.lambda.started_in().unwrap();
    assert!((limit..limit * 2).contains(&started_in), "{started_in:?}");
}

#[tokio::test]
async fn unreachable_dependencies_do_not_prevent_a_start() {
    let nowhere = "http://127.0.0.1:1";
    let variables = ["UPSTREAM_BASE_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_DYNAMODB"];
    let harness = ProcessHarness::start(RELAY, &variables.map(|name| (name, nowhere))).await;
    assert_eq!(harness.lambda.log(), Vec::<String>::new());
}

/// The response where AI Rudder has a certificate of the first authority and AWS one of the second, and the process trusts
/// these authorities for each of them.
async fn trusting(for_ai_rudder: usize, for_aws: usize) -> String {
    let authorities = [Authority::default(), Authority::default()];
    let folder = tempfile::tempdir().unwrap();
    let files = ["rudder.pem", "aws.pem"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    for (file, authority) in files.iter().zip(&authorities) {
        fs::write(file, authority.pem()).unwrap();
    }
    let fakes = Fakes::start().await.unwrap();
    let tls = |authority: &Authority| authority.server("localhost", 30, ALL_VERSIONS);
    let rudder = TlsProxy::start(fakes.rudder.address(), tls(&authorities[0])).await;
    let secrets = TlsProxy::start(fakes.secrets.address(), tls(&authorities[1])).await;
    let dynamodb = TlsProxy::start(fakes.dynamodb.address(), tls(&authorities[1])).await;
    let rudder_url = fakes.rudder.base_url().replace(&format!("http://{}", fakes.rudder.address()), &rudder.url());
    let variables = [
        ("UPSTREAM_BASE_URL", &*rudder_url),
        ("UPSTREAM_CA_FILE", &files[for_ai_rudder]),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url()),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url()),
        ("AWS_CA_BUNDLE", &files[for_aws]),
    ];
    let lambda = fakes.process(RELAY, &variables).await;
    lambda.post(&Request::lead(), 0).await.unwrap().to_string()
}

#[tokio::test]
async fn aws_and_ai_rudder_are_each_trusted_by_their_own_file() {
    assert_eq!(trusting(0, 1).await, "200 accepted");
    assert_eq!(trusting(0, 0).await, "503 not_sent temporarily_unavailable");
    assert_eq!(trusting(1, 1).await, "503 not_sent upstream_unreachable");
}
