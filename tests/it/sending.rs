//! How a lead is sent: what goes over the wire, what is tried again, and what is never.

use std::time::Duration;

use lambda_http::Context;
use lendswift_relay::{
    budget::Budget,
    clock::Clock,
    config::Config,
    relay::RequestContext,
    rudder::{PushError, Rudder, SendDeadlines},
};
use support::fakes::{Behaviour, SecretsManager, api_gateway::Response};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    request::{LEAD, Request},
    stage::{ANYWHERE, KEY, Stage, TOKEN, relay, secret, serve, with_deadline},
    wire::{Wire, read_request},
};

pub fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
}

/// Status, outcome and error of an answer.
pub fn seen(answer: &Response) -> (u16, String, String) {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let error = body["body"]["error"].as_str().unwrap_or_default();
    (answer.status, header(answer, "lead-outcome").to_owned(), error.to_owned())
}

pub fn expected(status: u16, outcome: &str, error: &str) -> (u16, String, String) {
    (status, outcome.to_owned(), error.to_owned())
}

/// What the sender sees of leads, posted one after the other, that go to a server of raw bytes.
async fn sent_to(url: &str, leads: usize) -> Vec<(u16, String, String)> {
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    secrets.put("lendswift/acme", secret(TOKEN, &[KEY]));
    let relay = relay(url, &secrets.url(), &[("UPSTREAM_TIMEOUT_MS", "1500"), ("UPSTREAM_CONNECT_TIMEOUT_MS", "300")]);
    let mut answers = Vec::new();
    for _ in 0..leads {
        answers.push(seen(&serve(&relay, &Request::post(LEAD).event(), Context::default()).await));
    }
    answers
}

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}";

#[tokio::test]
async fn a_push_is_this_request_and_nothing_else() {
    let (requests, mut received) = mpsc::unbounded_channel();
    let wire = Wire::start(move |mut stream| {
        let requests = requests.clone();
        async move {
            requests.send(read_request(&mut stream).await).unwrap();
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, GOOD.as_bytes()).await;
        }
    })
    .await;
    let url = wire.url("http");
    assert_eq!(sent_to(&url, 1).await, [expected(200, "accepted", "")]);
    let host = url.trim_start_matches("http://").trim_end_matches("/push");
    assert_eq!(
        received.recv().await.unwrap(),
        format!(
            "POST /push/1JqFE7K6ucf94hAvqu+7Jg HTTP/1.1\r\ncontent-type: application/json\r\n\
             accept: */*\r\nuser-agent: lendswift-relay/0.1.0\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{LEAD}",
            LEAD.len()
        )
    );
}

#[tokio::test]
async fn no_connection_is_used_twice() {
    // Says nothing about closing, so a client that pools would keep it.
    let wire = Wire::start(|mut stream| async move {
        while !read_request(&mut stream).await.is_empty() {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, GOOD.as_bytes()).await;
        }
    })
    .await;
    let answers = sent_to(&wire.url("http"), 3).await;
    assert_eq!(answers, vec![expected(200, "accepted", ""); 3]);
    assert_eq!(wire.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_can_not_be_made_is_tried_twice_more_and_nothing_was_sent() {
    // Closes every connection before a word of TLS.
    let wire = Wire::start(|stream| async move { drop(stream) }).await;
    assert_eq!(sent_to(&wire.url("https"), 1).await, [expected(503, "not_sent", "upstream_unreachable")]);
    assert_eq!(wire.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_one_that_was_not_made() {
    // Accepts, and never speaks TLS: each of the three attempts has 300 ms.
    let wire = Wire::start(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(sent_to(&wire.url("https"), 1).await, [expected(503, "not_sent", "upstream_unreachable")]);
    assert_eq!(wire.connections(), 3);
}

#[tokio::test]
async fn time_that_ends_while_connecting_leaves_nothing_sent() {
    let wire = Wire::start(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    secrets.put("lendswift/acme", secret(TOKEN, &[KEY]));
    let variables = [("UPSTREAM_TIMEOUT_MS", "1000"), ("UPSTREAM_CONNECT_TIMEOUT_MS", "5000")];
    let relay = relay(&wire.url("https"), &secrets.url(), &variables);
    let answer = serve(&relay, &Request::post(LEAD).event(), Context::default()).await;
    assert_eq!(seen(&answer), expected(503, "not_sent", "upstream_unreachable"));
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_is_never_tried_again() {
    for answer in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-len",
        "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":",
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 12\r\n\r\n{\"code\":",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{\"code\":200}\r\n",
        "220 smtp.example ESMTP\r\n",
    ] {
        let wire = Wire::responding(answer).await;
        assert_eq!(sent_to(&wire.url("http"), 1).await, [expected(504, "unknown", "upstream_broke")], "{answer:?}");
        assert_eq!(wire.connections(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_before_it_is_read_from_may_have_been_read_from() {
    let wire = Wire::start(|stream| async move { drop(stream) }).await;
    assert_eq!(sent_to(&wire.url("http"), 1).await, [expected(504, "unknown", "upstream_broke")]);
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_none() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":20"] {
        let wire = Wire::start(move |mut stream| async move {
            read_request(&mut stream).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await;
            std::future::pending::<()>().await;
        })
        .await;
        assert_eq!(sent_to(&wire.url("http"), 1).await, [expected(504, "unknown", "upstream_timeout")], "{answer:?}");
        assert_eq!(wire.connections(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_an_envelope_goes() {
    let wire = Wire::start(|mut stream| async move {
        read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{\"code\":200";
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await;
        while tokio::io::AsyncWriteExt::write_all(&mut stream, &[b' '; 1024]).await.is_ok() {}
    })
    .await;
    assert_eq!(sent_to(&wire.url("http"), 1).await, [expected(502, "unknown", "bad_upstream_answer")]);
}

#[tokio::test]
async fn without_time_for_a_push_nothing_is_sent() {
    let stage = Stage::start().await;
    for left in [2400, 1000, 0, -60_000] {
        let answer = serve(&stage.relay, &Request::post(LEAD).event(), with_deadline(left)).await;
        assert_eq!(seen(&answer), expected(503, "not_sent", "temporarily_unavailable"), "{left} ms");
        assert_eq!(header(&answer, "retry-after"), "5");
    }
    assert_eq!(stage.rudder.received().len(), 0);
}

#[tokio::test]
async fn a_push_ends_in_time_to_answer() {
    let stage = Stage::start().await;
    stage.rudder.hang_next();
    let begun = std::time::Instant::now();
    let answer = serve(&stage.relay, &Request::post(LEAD).event(), with_deadline(3000)).await;
    assert_eq!(seen(&answer), expected(504, "unknown", "upstream_timeout"));
    assert!(begun.elapsed() < Duration::from_millis(2000), "{:?} of 3 s", begun.elapsed());
}

#[tokio::test]
async fn a_request_is_noted_as_having_perhaps_claimed_its_lead_from_its_claim_on_and_not_before() {
    let stage = Stage::start().await;
    for (request, claims) in
        [(Request::post(LEAD), true), (Request::post("{}"), false), (Request::post(LEAD).key("wrong"), false)]
    {
        let context = RequestContext::new("id".to_owned(), Budget::until(0, Clock::SYSTEM));
        let event = serde_json::from_str(&request.event()).unwrap();
        stage.relay.handle(event, &context).await;
        assert_eq!(context.may_have_claimed(), claims);
    }
}

#[tokio::test]
async fn a_lease_that_is_over_when_the_connection_is_there_keeps_the_lead_back() {
    let (requests, mut received) = mpsc::unbounded_channel();
    let wire = Wire::start(move |mut stream| {
        let requests = requests.clone();
        async move { requests.send(read_request(&mut stream).await).unwrap() }
    })
    .await;
    let variables = [("CLAIMS_TABLE", "off"), ("AWS_REGION", "us-east-1"), ("UPSTREAM_BASE_URL", &wire.url("http"))];
    let config = Config::read(|name| Some(variables.iter().find(|(variable, _)| *variable == name)?.1.into())).unwrap();
    let rudder = Rudder::new(&config.upstream, Clock::SYSTEM).unwrap();
    let (token, lead) = (TOKEN.to_owned().try_into().unwrap(), bytes::Bytes::from_static(LEAD.as_bytes()));
    let push = |deadline| {
        let lease = Budget::until(with_deadline(deadline).deadline, Clock::SYSTEM).lease();
        rudder.push(&token, &lead, SendDeadlines { until: Instant::now() + Duration::from_secs(5), lease })
    };
    let error = push(-5000).await.unwrap_err();
    assert!(matches!(error, PushError::LeaseOver), "{error:?}");
    assert_eq!(received.recv().await.unwrap(), "", "a connection is made, and nothing is said");
    let error = push(20_000).await.unwrap_err();
    assert!(matches!(error, PushError::Broke(_)), "{error:?}");
    assert!(received.recv().await.unwrap().ends_with(LEAD));
}

#[tokio::test]
async fn a_nonsense_deadline_is_ignored() {
    let stage = Stage::start().await;
    let mut emulators = Context::default();
    emulators.deadline = 600_000;
    let answer = serve(&stage.relay, &Request::post(LEAD).event(), emulators).await;
    assert_eq!(seen(&answer), expected(200, "accepted", ""));
}

#[tokio::test]
async fn a_token_is_one_segment_of_the_path_and_arrives_whole() {
    for token in ["1JqFE7K6ucf94hAvqu+7Jg", "a/b+c=", "100%", "%2F", "a?b#c", "tökén", "a:b@c;d&e", "..."] {
        let stage = Stage::start().await;
        stage.secrets.put("lendswift/acme", secret(token, &[KEY]));
        stage.rudder.replace_tokens([token]);
        let answer = stage.serve(&Request::post(LEAD).event()).await;
        assert_eq!(seen(&answer), expected(200, "accepted", ""), "{token}");
    }
}

#[tokio::test]
async fn a_token_that_was_replaced_meanwhile_is_read_anew_and_the_lead_pushed_with_it() {
    let stage = Stage::start().await;
    let post = Request::post(LEAD).event();
    assert_eq!(seen(&stage.serve(&post).await), expected(200, "accepted", ""));
    stage.rudder.replace_tokens(["new"]);
    stage.secrets.put("lendswift/acme", secret("new", &[KEY]));
    stage.rudder.take_received();
    assert_eq!(seen(&stage.serve(&post).await), expected(200, "accepted", ""));
    let pushes: Vec<_> = stage.rudder.take_received().into_iter().map(|push| (push.path, push.accepted)).collect();
    let path = |token: &str| format!("/api/push/lendswift-under-wirting/{token}");
    assert_eq!(pushes, [(path(TOKEN), false), (path("new"), true)]);
    assert_eq!(stage.secrets.calls().len(), 2);
}

#[tokio::test]
async fn a_token_that_comes_too_late_for_another_push_is_for_the_next_lead() {
    let stage = Stage::start().await;
    let post = Request::post(LEAD).event();
    assert_eq!(seen(&stage.serve(&post).await), expected(200, "accepted", ""));
    stage.rudder.replace_tokens(["new"]);
    stage.secrets.put("lendswift/acme", secret("new", &[KEY]));
    // Of the 2.5 seconds that the push has, less than one is left when the new token is there.
    stage.secrets.behave(Behaviour::Slow(Duration::from_millis(1700)));
    stage.rudder.take_received();
    let answer = serve(&stage.relay, &post, with_deadline(4000)).await;
    assert_eq!(seen(&answer), expected(500, "not_sent", "token_refused"));
    assert_eq!(stage.rudder.take_received().len(), 1);
    assert_eq!(seen(&stage.serve(&post).await), expected(200, "accepted", ""));
    assert_eq!(stage.rudder.received().len(), 1, "with the new token at once");
}

#[tokio::test]
async fn a_refused_token_that_is_still_the_one_is_not_tried_again() {
    let stage = Stage::start().await;
    stage.rudder.replace_tokens(["another"]);
    let post = Request::post(LEAD).event();
    for pushes in 1..=3 {
        assert_eq!(seen(&stage.serve(&post).await), expected(500, "not_sent", "token_refused"));
        assert_eq!(stage.rudder.received().len(), pushes);
    }
    assert_eq!(stage.secrets.calls().len(), 2, "read ahead of time once in 30 seconds");
}
