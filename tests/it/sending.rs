//! How a lead is sent: what goes over the wire, which token it goes with, and when it does not go.

use std::time::Duration;

use lambda_http::Context;
use lendswift_relay::{
    budget::Budget,
    clock::Clock,
    relay::RequestContext,
    rudder::{Permit, PushError, Rudder},
};
use support::{
    KEY, LEAD, RawTcpServer, Request, SecretsBehaviour, TOKEN, TestApp, config, deadline_in, post, read_request,
};
use tokio::{
    io::AsyncWriteExt,
    sync::mpsc::{self, UnboundedReceiver},
    time::Instant,
};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}";

/// A server that passes on every request, and responds with this.
async fn recording(response: &'static str) -> (RawTcpServer, UnboundedReceiver<String>) {
    let (requests, received) = mpsc::unbounded_channel();
    let server = RawTcpServer::start(move |mut stream| {
        let requests = requests.clone();
        async move {
            requests.send(read_request(&mut stream).await).unwrap();
            let _ = stream.write_all(response.as_bytes()).await;
        }
    });
    (server.await, received)
}

#[tokio::test]
async fn a_push_is_this_request_and_nothing_else() {
    let (server, mut received) = recording(OK).await;
    let url = server.url("http");
    let relay = TestApp::start().await;
    let relay = relay.relay(&[("UPSTREAM_BASE_URL", &url)]);
    assert_eq!(post(&relay, &Request::lead(), Context::default()).await, "200 accepted");
    let host = url.trim_start_matches("http://").trim_end_matches("/push");
    let length = LEAD.len();
    assert_eq!(
        received.recv().await.unwrap(),
        format!(
            "POST /push/1JqFE7K6ucf94hAvqu+7Jg HTTP/1.1\r\ncontent-type: application/json\r\n\
             accept: */*\r\nuser-agent: lendswift-relay/0.1.0\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{LEAD}"
        )
    );
}

#[tokio::test]
async fn time_that_ends_while_connecting_leaves_nothing_sent() {
    let server = RawTcpServer::start(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let app = TestApp::start().await;
    let limits = [("UPSTREAM_TIMEOUT_MS", "1000"), ("UPSTREAM_CONNECT_TIMEOUT_MS", "5000")];
    let relay = app.relay(&[&limits[..], &[("UPSTREAM_BASE_URL", &server.url("https"))]].concat());
    let response = post(&relay, &Request::lead(), Context::default()).await;
    assert_eq!(response, "503 not_sent upstream_unreachable");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn without_time_for_a_push_no_dependency_is_called() {
    let app = TestApp::with_ledger().await;
    for left in [2400, 1000, 0, -60_000] {
        let response = app.post_within(&Request::lead(), left).await;
        assert_eq!(response, "503 not_sent temporarily_unavailable", "{left} ms");
    }
    assert_eq!((app.secrets.calls(), app.dynamodb.calls(), app.rudder.received().len()), (vec![], vec![], 0));
}

#[tokio::test]
async fn may_have_claimed_is_set_before_the_claim_write() {
    let app = TestApp::start().await;
    for (request, claims) in
        [(Request::lead(), true), (Request::post("{}"), false), (Request::lead().key("wrong"), false)]
    {
        let context = RequestContext::new("id".to_owned(), Budget::with_deadline(0, Clock::SYSTEM));
        let event = serde_json::from_str(&request.event()).unwrap();
        app.relay.handle(event, &context).await;
        assert_eq!(context.may_have_claimed(), claims);
    }
}

#[tokio::test]
async fn a_lease_that_ends_while_connecting_holds_the_lead_back() {
    let (server, mut received) = recording("").await;
    let config = config(&[("UPSTREAM_BASE_URL", &server.url("http"))]).unwrap();
    let rudder = Rudder::new(&config.upstream, Clock::SYSTEM).unwrap();
    let (token, lead) = (TOKEN.to_owned().try_into().unwrap(), bytes::Bytes::from_static(LEAD.as_bytes()));
    let push = async |deadline| {
        let permit = Permit::new(Budget::with_deadline(deadline_in(deadline), Clock::SYSTEM));
        permit.grant(Instant::now(), Instant::now() + Duration::from_secs(5));
        rudder.push(&token, &lead, &permit).await
    };
    let error = push(-5000).await.unwrap_err();
    assert!(matches!(error, PushError::LeaseOver), "{error:?}");
    assert_eq!(received.recv().await.unwrap(), "", "the connection is made, and nothing is sent");
    let error = push(20_000).await.unwrap_err();
    assert!(matches!(error, PushError::ConnectionBroke(_)), "{error:?}");
    assert!(received.recv().await.unwrap().ends_with(LEAD));
}

#[tokio::test]
async fn a_token_is_one_segment_of_the_path_and_arrives_whole() {
    for token in ["1JqFE7K6ucf94hAvqu+7Jg", "a/b+c=", "100%", "%2F", "a?b#c", "tökén", "a:b@c;d&e", "..."] {
        let app = TestApp::start().await;
        app.set_secret(token, &[KEY]);
        app.rudder.replace_tokens([token]);
        assert_eq!(app.post(&Request::lead()).await, "200 accepted", "{token}");
    }
}

/// An app that has pushed a lead, and whose token was replaced since.
async fn rotated() -> TestApp {
    let app = TestApp::start().await;
    assert_eq!(app.post(&Request::lead()).await, "200 accepted");
    app.rudder.replace_tokens(["new"]);
    app.set_secret("new", &[KEY]);
    app.rudder.take_received();
    app
}

#[tokio::test]
async fn a_lead_is_pushed_again_with_a_token_that_was_replaced() {
    let app = rotated().await;
    assert_eq!(app.post(&Request::lead()).await, "200 accepted");
    let pushes: Vec<_> = app.rudder.take_received().into_iter().map(|push| (push.path, push.accepted)).collect();
    let path = |token: &str| format!("/api/push/lendswift-under-wirting/{token}");
    assert_eq!(pushes, [(path(TOKEN), false), (path("new"), true)]);
    assert_eq!(app.secrets.calls().len(), 2);
}

#[tokio::test]
async fn a_new_token_without_time_for_a_push_is_for_the_next_lead() {
    let app = rotated().await;
    // The push has 2.5 s. Less than one is left with the new token.
    app.secrets.behave(SecretsBehaviour::Slow(Duration::from_millis(1700)));
    assert_eq!(app.post_within(&Request::lead(), 4000).await, "500 not_sent token_refused");
    assert_eq!(app.rudder.take_received().len(), 1);
    assert_eq!(app.post(&Request::lead()).await, "200 accepted");
    assert_eq!(app.rudder.received().len(), 1, "with the new token at once");
}
