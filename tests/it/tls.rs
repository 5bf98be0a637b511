//! Real TLS: who is trusted, and that nothing is reached without it. A certificate authority is made for each test.

use std::{env, fs, process::Command};

use lambda_http::Context;
use lendswift_relay::relay::Relay;
use rustls::{ALL_VERSIONS, HandshakeKind, ProtocolVersion, SupportedProtocolVersion, version::TLS12};
use support::fakes::{Rudder, SecretsManager};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use crate::{
    front::{Authority, Front, Handshake},
    request::{LEAD, Request},
    stage::{ANYWHERE, KEY, Stage, TOKEN, aws_trusting, relay, relay_over, secret, serve},
    wire::Wire,
};

/// A relay that pushes to a port of this machine over https.
fn relay_to(port: u16, ca_file: &str, secrets: &SecretsManager) -> Relay {
    let base = format!("https://localhost:{port}/api/push/lendswift-under-wirting");
    relay(&base, &secrets.url(), &[("UPSTREAM_CA_FILE", ca_file)])
}

/// Status and error of the answers to leads, posted one after the other.
async fn post(relay: &Relay, leads: usize) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    for _ in 0..leads {
        let answer = serve(relay, &Request::post(LEAD).event(), Context::default()).await;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        answers.push((answer.status, body["body"]["error"].as_str().unwrap_or_default().to_owned()));
    }
    answers
}

fn answered(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

/// What comes of leads when AI Rudder's server has a certificate for `name` that is valid for so many days, and the relay
/// is told of the authority or not.
async fn pushed_to(name: &str, days: i64, trusted: bool, leads: usize) -> (Vec<(u16, String)>, Vec<Handshake>) {
    pushed_over(ALL_VERSIONS, name, days, trusted, leads).await
}

/// The same with a server that speaks these versions of TLS alone.
async fn pushed_over(
    versions: &[&'static SupportedProtocolVersion],
    name: &str,
    days: i64,
    trusted: bool,
    leads: usize,
) -> (Vec<(u16, String)>, Vec<Handshake>) {
    let authority = Authority::default();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, authority.pem()).unwrap();
    let ca_file = if trusted { ca_file.to_str().unwrap() } else { "" };

    let rudder = Rudder::start(ANYWHERE, [TOKEN]).await.unwrap();
    let front = Front::start(rudder.address(), authority.server(name, days, versions)).await;
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    secrets.put("lendswift/acme", secret(TOKEN, &[KEY]));

    let relay = relay_to(front.address.port(), ca_file, &secrets);
    let answers = post(&relay, leads).await;
    let accepted = rudder.received().iter().filter(|push| push.accepted).count();
    assert_eq!(accepted, answers.iter().filter(|(status, _)| *status == 200).count());
    (answers, front.handshakes())
}

#[tokio::test]
async fn ai_rudder_is_reached_over_tls_with_an_authority_from_the_ca_file() {
    let (answers, _) = pushed_to("localhost", 30, true, 1).await;
    assert_eq!(answers, [answered(200, "")]);
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_trusted() {
    let (answers, handshakes) = pushed_to("localhost", 30, false, 1).await;
    assert_eq!(answers, [answered(503, "upstream_unreachable")]);
    assert_eq!(handshakes, []);
}

#[tokio::test]
async fn an_expired_certificate_and_one_of_another_name_are_refused() {
    for (name, days) in [("localhost", -1), ("rudder.example", 30)] {
        let (answers, _) = pushed_to(name, days, true, 1).await;
        assert_eq!(answers, [answered(503, "upstream_unreachable")], "{name}, {days} days");
    }
}

#[tokio::test]
async fn each_lead_has_a_connection_of_its_own_and_resumes_the_first_ones_session_over_http_1() {
    let (answers, handshakes) = pushed_to("localhost", 30, true, 3).await;
    assert_eq!(answers, vec![answered(200, ""); 3]);
    let expected = |kind| (kind, ProtocolVersion::TLSv1_3, Some(b"http/1.1".to_vec()));
    assert_eq!(
        handshakes,
        [expected(HandshakeKind::Full), expected(HandshakeKind::Resumed), expected(HandshakeKind::Resumed)]
    );
}

#[tokio::test]
async fn a_server_that_speaks_only_tls_1_2_is_reached_and_its_session_resumed() {
    let (answers, handshakes) = pushed_over(&[&TLS12], "localhost", 30, true, 2).await;
    assert_eq!(answers, vec![answered(200, ""); 2]);
    let expected = |kind| (kind, ProtocolVersion::TLSv1_2, Some(b"http/1.1".to_vec()));
    assert_eq!(handshakes, [expected(HandshakeKind::Full), expected(HandshakeKind::Resumed)]);
}

/// Without it the test above would pass, since the server of these tests has TLS 1.2 switched on too.
#[test]
fn the_relay_switches_tls_1_2_on_by_itself() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let dependencies = manifest.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap();
    let rustls = dependencies.lines().find(|line| line.starts_with("rustls = ")).unwrap();
    assert!(rustls.contains("\"tls12\""), "{rustls}");
}

#[tokio::test]
async fn a_server_that_speaks_nothing_above_tls_1_1_is_not_spoken_to() {
    // Its hello, in answer to any: TLS 1.1 (03 02), no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
    let start = [0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    let hello = [start.as_slice(), &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let (said, mut heard) = mpsc::unbounded_channel();
    let wire = Wire::start(move |mut stream| {
        let (hello, said) = (hello.clone(), said.clone());
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&hello).await;
            let mut after = Vec::new();
            let _ = stream.read_to_end(&mut after).await;
            let _ = said.send(after);
        }
    })
    .await;
    let stage = Stage::start().await;
    let answers = post(&relay(&wire.url("https"), &stage.secrets.url(), &[]), 1).await;
    assert_eq!(answers, [answered(503, "upstream_unreachable")]);
    // An alert (0x15), fatal (2): protocol version (70).
    assert_eq!(heard.recv().await.unwrap(), [0x15, 3, 3, 0, 2, 2, 70]);
}

/// What a process in a company's network may have in its environment: a proxy for everything, here one that is not there.
#[test]
fn a_proxy_in_the_environment_is_not_asked() {
    let reached = [
        "tls::ai_rudder_is_reached_over_tls_with_an_authority_from_the_ca_file",
        "tls::secrets_manager_is_reached_over_tls",
    ];
    let mut child = Command::new(env::current_exe().unwrap());
    child.arg("--exact").args(reached).env_remove("NO_PROXY").env_remove("no_proxy");
    // Else it would begin its parent's log anew.
    child.env_remove("LOG_FILE");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, "http://127.0.0.1:1").env(name.to_lowercase(), "http://127.0.0.1:1");
    }
    let output = child.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("2 passed"), "{told}");
}

/// What comes of a lead when Secrets Manager's server has such a certificate.
async fn authenticated_by(name: &str, days: i64, trusted: bool) -> ((u16, String), usize) {
    let authority = Authority::default();
    let rudder = Rudder::start(ANYWHERE, [TOKEN]).await.unwrap();
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    secrets.put("lendswift/acme", secret(TOKEN, &[KEY]));
    let front = Front::start(secrets.address(), authority.server(name, days, ALL_VERSIONS)).await;

    let roots = if trusted { vec![authority.der()] } else { Vec::new() };
    let aws = aws_trusting(roots);
    let variables = [
        ("UPSTREAM_BASE_URL", rudder.base_url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", format!("https://localhost:{}", front.address.port())),
    ];
    let relay = relay_over(&aws, &variables.each_ref().map(|(name, value)| (*name, value.as_str())));
    let answer = post(&relay, 1).await.remove(0);
    (answer, secrets.calls().len())
}

#[tokio::test]
async fn secrets_manager_is_reached_over_tls() {
    assert_eq!(authenticated_by("localhost", 30, true).await, (answered(200, ""), 1));
}

#[tokio::test]
async fn secrets_manager_is_not_trusted_under_another_authority_name_or_time() {
    for (name, days, trusted) in [("localhost", 30, false), ("localhost", -1, true), ("aws.example", 30, true)] {
        let expected = (answered(503, "temporarily_unavailable"), 0);
        assert_eq!(authenticated_by(name, days, trusted).await, expected, "{name}, {days} days, trusted: {trusted}");
    }
}
