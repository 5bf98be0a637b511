//! Real TLS: which certificates are trusted, and that nothing is sent without a trusted one. Each test makes its own authority.

use std::{env, fs, process::Command};

use lambda_http::Context;
use lendswift_relay::relay::Relay;
use rustls::{ALL_VERSIONS, HandshakeKind, ProtocolVersion, SupportedProtocolVersion, version::TLS12};
use support::{
    Authority, Handshake, ObservedResponse, RawTcpServer, Request, TestApp, TlsProxy, aws_trusting, in_repository, post,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

async fn post_one(relay: &Relay) -> ObservedResponse {
    post(relay, &Request::lead(), Context::default()).await
}

/// The certificate of a server: its name, the days that it is still valid, and whether the relay trusts its authority.
type Certificate = (&'static str, i64, bool);

const GOOD: Certificate = ("localhost", 30, true);
const UNREACHABLE: &str = "503 not_sent upstream_unreachable";

/// Posts some leads while AI Rudder has this certificate and speaks these versions of TLS alone.
async fn pushed(
    (name, days, trusted): Certificate,
    versions: &[&'static SupportedProtocolVersion],
    leads: usize,
) -> (Vec<ObservedResponse>, Vec<Handshake>) {
    let authority = Authority::default();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, authority.pem()).unwrap();
    let app = TestApp::start().await;
    let proxy = TlsProxy::start(app.rudder.address(), authority.server(name, days, versions)).await;
    let url = format!("{}/api/push/lendswift-under-wirting", proxy.url());
    let ca_file = if trusted { ca_file.to_str().unwrap() } else { "" };
    // No connection is reused, so that each lead makes a handshake.
    let relay =
        app.relay(&[("UPSTREAM_BASE_URL", &url), ("UPSTREAM_CA_FILE", ca_file), ("UPSTREAM_KEEP_ALIVE_MS", "0")]);
    let mut responses = Vec::new();
    for _ in 0..leads {
        responses.push(post_one(&relay).await);
    }
    let accepted = app.rudder.received().iter().filter(|push| push.accepted).count();
    assert_eq!(accepted, responses.iter().filter(|response| response.status == 200).count());
    (responses, proxy.handshakes())
}

#[tokio::test]
async fn ai_rudder_needs_a_valid_certificate() {
    for certificate in [("localhost", 30, false), ("localhost", -1, true), ("rudder.example", 30, true)] {
        let (responses, handshakes) = pushed(certificate, ALL_VERSIONS, 1).await;
        assert_eq!(responses, [UNREACHABLE], "{certificate:?}");
        assert_eq!(handshakes, [], "{certificate:?}");
    }
}

#[tokio::test]
async fn a_new_connection_resumes_the_session() {
    // A server that speaks TLS 1.2 alone is reached too.
    for (versions, version) in [(ALL_VERSIONS, ProtocolVersion::TLSv1_3), (&[&TLS12], ProtocolVersion::TLSv1_2)] {
        let (responses, handshakes) = pushed(GOOD, versions, 3).await;
        assert_eq!(responses, ["200 accepted"; 3]);
        let kinds = [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed];
        assert_eq!(handshakes, kinds.map(|kind| (kind, version, Some(b"http/1.1".to_vec()))));
    }
}

/// Otherwise the test above would pass without it, since the server of these tests enables TLS 1.2 too.
#[test]
fn the_relay_enables_tls_1_2_itself() {
    let manifest = fs::read_to_string(in_repository("Cargo.toml")).unwrap();
    let dependencies = manifest.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap();
    let rustls = dependencies.lines().find(|line| line.starts_with("rustls = ")).unwrap();
    assert!(rustls.contains("\"tls12\""), "{rustls}");
}

#[tokio::test]
async fn a_server_that_speaks_only_tls_1_1_gets_an_alert() {
    // Its hello, in answer to any: TLS 1.1 (03 02), no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
    let start = [0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    let hello = [start.as_slice(), &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let (sent, mut received) = mpsc::unbounded_channel();
    let server = RawTcpServer::start(move |mut stream| {
        let (hello, sent) = (hello.clone(), sent.clone());
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&hello).await;
            let mut after = Vec::new();
            let _ = stream.read_to_end(&mut after).await;
            let _ = sent.send(after);
        }
    })
    .await;
    let app = TestApp::start().await;
    assert_eq!(post_one(&app.relay(&[("UPSTREAM_BASE_URL", &server.url("https"))])).await, UNREACHABLE);
    // An alert (0x15), fatal (2): protocol version (70).
    assert_eq!(received.recv().await.unwrap(), [0x15, 3, 3, 0, 2, 2, 70]);
}

/// A process in a company's network may have a proxy for everything in its environment; here one that does not exist.
#[test]
fn a_proxy_in_the_environment_is_not_used() {
    let tests = ["tls::a_new_connection_resumes_the_session", "tls::secrets_manager_needs_a_valid_certificate"];
    let mut child = Command::new(env::current_exe().unwrap());
    child.arg("--exact").args(tests).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, "http://127.0.0.1:1").env(name.to_lowercase(), "http://127.0.0.1:1");
    }
    let output = child.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("2 passed"), "{report}");
}

/// Posts a lead while Secrets Manager has this certificate. The response, and how often it was called.
async fn authenticated((name, days, trusted): Certificate) -> (ObservedResponse, usize) {
    let authority = Authority::default();
    let app = TestApp::start().await;
    let proxy = TlsProxy::start(app.secrets.address(), authority.server(name, days, ALL_VERSIONS)).await;
    let aws = aws_trusting(if trusted { vec![authority.der()] } else { Vec::new() });
    let relay = app.relay_with(&aws, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &proxy.url())]);
    (post_one(&relay).await, app.secrets.calls().len())
}

#[tokio::test]
async fn secrets_manager_needs_a_valid_certificate() {
    for certificate in [GOOD, ("localhost", 30, false), ("localhost", -1, true), ("aws.example", 30, true)] {
        let (response, calls) = authenticated(certificate).await;
        let (expected, expected_calls) =
            if certificate == GOOD { ("200 accepted", 1) } else { ("503 not_sent temporarily_unavailable", 0) };
        assert_eq!((response.to_string().as_str(), calls), (expected, expected_calls), "{certificate:?}");
    }
}
