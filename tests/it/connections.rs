//! The connections to AI Rudder: which lead reuses one, which opens its own, and when.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use lambda_http::Context;
use lendswift_relay::relay::Relay;
use support::{
    DynamoBehaviour, Lead, ObservedResponse, ProcessHarness, RawTcpServer, Reply, TABLE, TestApp, deadline_in, post,
    read_request,
};
use tokio::{io::AsyncWriteExt, net::TcpListener};

const ACCEPTED: &str = "200 accepted";

/// What a server of raw bytes received, by connection.
type Received = Arc<Mutex<Vec<Vec<String>>>>;

/// AI Rudder's response number `nth` with this status line, these further headers and this `code`.
fn response(nth: usize, status: &str, headers: &str, code: u16) -> String {
    let body = format!(r#"{{"code":{code},"trace_id":"{nth:032x}"}}"#);
    format!("{status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn ok(nth: usize) -> String {
    response(nth, "HTTP/1.1 200 OK", "", 200)
}

/// An AI Rudder that responds or closes, by the request's number in all and the number of requests before it on its connection.
async fn server(
    respond: impl Fn(usize, usize) -> Option<String> + Clone + Send + Sync + 'static,
) -> (RawTcpServer, Received) {
    let received = Received::default();
    let log = Arc::clone(&received);
    let server = RawTcpServer::start(move |mut stream| {
        let (log, respond) = (Arc::clone(&log), respond.clone());
        let connection = {
            let mut log = log.lock().unwrap();
            log.push(Vec::new());
            log.len() - 1
        };
        async move {
            loop {
                let request = read_request(&mut stream).await;
                if request.is_empty() {
                    return;
                }
                let response = {
                    let mut log = log.lock().unwrap();
                    log[connection].push(request);
                    respond(log.iter().map(Vec::len).sum(), log[connection].len() - 1)
                };
                let Some(response) = response else { return };
                let _ = stream.write_all(response.as_bytes()).await;
            }
        }
    });
    (server.await, received)
}

/// How many requests came on each connection.
fn requests(received: &Received) -> Vec<usize> {
    received.lock().unwrap().iter().map(Vec::len).collect()
}

/// Posts a lead with this amount, in an event whose deadline is this many milliseconds from now.
async fn post_within(relay: &Relay, amount: u32, deadline: i64) -> ObservedResponse {
    let mut context = Context::default();
    context.deadline = deadline_in(deadline);
    post(relay, &Lead(amount).post(), context).await
}

/// How many requests came on each connection, of leads whose events have these deadlines, at a server that allows reuse.
async fn requests_with(variables: &[(&str, &str)], deadlines: &[u64]) -> Vec<usize> {
    let (server, received) = server(|nth, _| Some(ok(nth))).await;
    let app = TestApp::start().await;
    let relay = app.relay(&[&[("UPSTREAM_BASE_URL", server.url("http").as_str())], variables].concat());
    for (amount, deadline) in (1..).zip(deadlines) {
        let mut context = Context::default();
        context.deadline = *deadline;
        assert_eq!(post(&relay, &Lead(amount).post(), context).await, ACCEPTED);
    }
    requests(&received)
}

#[tokio::test]
async fn the_next_lead_reuses_the_connection() {
    for table in [TABLE, "off"] {
        let deadline = deadline_in(20_000);
        // Two responses show that AI Rudder gives each its own trace id.
        assert_eq!(requests_with(&[("CLAIMS_TABLE", table)], &[deadline; 5]).await, [1, 4], "{table}");
    }
}

#[tokio::test]
async fn ai_rudders_own_responses_allow_reuse() {
    let app = TestApp::with_ledger().await;
    for amount in 1..=5 {
        assert_eq!(app.post_within(&Lead(amount).post(), 20_000).await, ACCEPTED);
    }
    assert_eq!((app.rudder.connections_made(), app.rudder.received().len()), (2, 5));
}

#[tokio::test]
async fn lambdas_deadlines_limit_the_age_of_a_connection() {
    // The local clocks say that hardly any time has passed.
    let start = deadline_in(10_000);
    for (limit, after, expected) in [
        ("1000", 1000, &[1, 2][..]),
        ("1000", 9000, &[1, 1, 1]),
        ("10000", 10_000, &[1, 2]),
        ("10000", 19_000, &[1, 1, 1]),
        ("0", 0, &[1, 1, 1]),
    ] {
        let seen = requests_with(&[("UPSTREAM_KEEP_ALIVE_MS", limit)], &[start, start, start + after]).await;
        assert_eq!(seen, expected, "{after} ms later, {limit} ms allowed");
    }
    // No deadline proves nothing, and neither does one before that of the lead that left the connection.
    for deadlines in [[start, start, start - 1], [0, 0, 0]] {
        assert_eq!(requests_with(&[], &deadlines).await, [1, 1, 1]);
    }
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_not_used() {
    let (server, received) = server(|nth, _| Some(ok(nth))).await;
    let app = TestApp::start().await;
    let relay = app.relay(&[("UPSTREAM_KEEP_ALIVE_MS", "50"), ("UPSTREAM_BASE_URL", &server.url("http"))]);
    let deadline = deadline_in(20_000);
    for amount in 1..=3 {
        let mut context = Context::default();
        context.deadline = deadline;
        assert_eq!(post(&relay, &Lead(amount).post(), context).await, ACCEPTED);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(requests(&received), [1, 1, 1]);
}

#[tokio::test]
async fn each_of_several_leads_at_a_time_has_its_own_connection() {
    let (server, received) = server(|nth, _| Some(ok(nth))).await;
    let app = TestApp::start().await;
    let relay = app.relay(&[("UPSTREAM_BASE_URL", &server.url("http"))]);
    for round in 0..3 {
        let leads = (1..=8).map(|amount| post_within(&relay, round * 8 + amount, 20_000));
        for response in futures_util::future::join_all(leads).await {
            assert_eq!(response, ACCEPTED);
        }
    }
    let mut requests = requests(&received);
    requests.sort_unstable();
    // The first response in all leaves no connection.
    assert_eq!(requests, [1, 2, 3, 3, 3, 3, 3, 3, 3]);
}

#[tokio::test]
async fn only_a_complete_acceptance_that_allows_it_leaves_a_connection() {
    const OK: &str = "HTTP/1.1 200 OK";
    for (status, headers, code, is_left) in [
        (OK, "", 200, true),
        (OK, "keep-alive: timeout=5, max=100\r\n", 200, true),
        (OK, "connection: keep-alive\r\n", 200, true),
        (OK, "connection: Close\r\n", 200, false),
        (OK, "connection: x, close\r\n", 200, false),
        (OK, "keep-alive: timeout=0\r\n", 200, false),
        (OK, "Keep-Alive: max=5, timeout=soon\r\n", 200, false),
        ("HTTP/1.0 200 OK", "", 200, false),
        ("HTTP/1.0 200 OK", "connection: keep-alive\r\n", 200, false),
        ("HTTP/1.1 400 Bad Request", "", 400, false),
        ("HTTP/1.1 429 Too Many Requests", "", 429, false),
        ("HTTP/1.1 500 Internal Server Error", "", 500, false),
        (OK, "", 10_510, false),
    ] {
        let (server, received) =
            server(move |nth, _| Some(if nth == 2 { response(nth, status, headers, code) } else { ok(nth) })).await;
        let app = TestApp::start().await;
        let relay = app.relay(&[("UPSTREAM_BASE_URL", &server.url("http"))]);
        for amount in 1..=3 {
            post_within(&relay, amount, 20_000).await;
        }
        let expected = if is_left { &[1, 2][..] } else { &[1, 1, 1] };
        assert_eq!(requests(&received), expected, "{status}, {headers:?}, {code}");
    }
}

#[tokio::test]
async fn without_trace_ids_of_their_own_responses_leave_no_connection() {
    let without = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}";
    for response in [ok(7), without.to_owned()] {
        let (server, received) = server(move |_, _| Some(response.clone())).await;
        let app = TestApp::start().await;
        let relay = app.relay(&[("UPSTREAM_BASE_URL", &server.url("http"))]);
        for amount in 1..=4 {
            assert_eq!(post_within(&relay, amount, 20_000).await, ACCEPTED);
        }
        assert_eq!(requests(&received), [1; 4]);
    }
}

#[tokio::test]
async fn a_response_that_comes_twice_is_given_to_no_other_lead() {
    // At once, so that it arrives before the next lead.
    let (server, received) = self::server(|nth, _| Some(ok(nth) + &ok(nth))).await;
    let app = TestApp::with_ledger().await;
    let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &server.url("http"))]);
    for amount in 1..=20 {
        let response = post_within(&relay, amount, 20_000).await;
        assert_eq!(response, ACCEPTED);
        assert!(response.body.contains(&format!("{amount:032x}")), "{}", response.body);
    }
    assert_eq!(requests(&received), [1; 20]);
    // Late, so that it arrives when the next lead is on its way: the last response, or the one before it.
    for late in [1, 2] {
        let respond = move |nth, earlier| Some(if earlier == late { ok(nth - late) + &ok(nth) } else { ok(nth) });
        let (server, _) = self::server(respond).await;
        let app = TestApp::with_ledger().await;
        let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &server.url("http"))]);
        let mut unknown = 0;
        for amount in 1..=10 {
            let response = post_within(&relay, amount, 20_000).await;
            unknown += usize::from(response == "502 unknown bad_upstream_answer");
            let is_its_own = response == ACCEPTED && response.body.contains(&format!("{amount:032x}"));
            assert!(is_its_own || response.outcome == "unknown", "{response:?}");
        }
        assert_eq!(unknown, 1, "the lead whose response is not known");
    }
}

#[tokio::test]
async fn a_connection_that_ai_rudder_closed_is_not_used() {
    let closing = RawTcpServer::start({
        let nth = Arc::new(Mutex::new(0));
        move |mut stream| {
            let nth = Arc::clone(&nth);
            async move {
                read_request(&mut stream).await;
                let response = {
                    let mut nth = nth.lock().unwrap();
                    *nth += 1;
                    ok(*nth)
                };
                let _ = stream.write_all(response.as_bytes()).await;
            }
        }
    });
    let closing = closing.await;
    let app = TestApp::with_ledger().await;
    let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &closing.url("http"))]);
    for amount in 1..=20 {
        assert_eq!(post_within(&relay, amount, 20_000).await, ACCEPTED);
    }
    assert_eq!(closing.connections(), 20);
}

#[tokio::test]
async fn after_a_reused_connection_broke_none_is_reused() {
    let (server, received) = server(|nth, _| (nth != 3).then(|| ok(nth))).await;
    let app = TestApp::with_ledger().await;
    let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &server.url("http"))]);
    let mut outcomes = Vec::new();
    for amount in 1..=5 {
        outcomes.push(post_within(&relay, amount, 20_000).await.to_string());
    }
    assert_eq!(outcomes, [ACCEPTED, ACCEPTED, "504 unknown upstream_broke", ACCEPTED, ACCEPTED]);
    assert_eq!(requests(&received), [1, 2, 1, 1]);
}

#[tokio::test]
async fn the_connection_is_opened_while_the_claim_is_written() {
    let app = TestApp::with_ledger().await;
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Held(Duration::from_millis(300)));
    let connected = async {
        while app.rudder.connections().open() == 0 {
            tokio::task::yield_now().await;
        }
        (app.dynamodb.items(TABLE).len(), app.rudder.received().len())
    };
    let lead = Lead(1).post();
    let (response, seen) = tokio::join!(app.post(&lead), connected);
    assert_eq!((response.to_string().as_str(), seen), (ACCEPTED, (0, 0)));
}

#[tokio::test]
async fn a_lead_that_is_not_sent_leaves_its_connection_unused() {
    let app = TestApp::with_ledger().await;
    let lead = Lead(1).post();
    app.rudder.answer_next(Reply::new(200, r#"{"code":200}"#));
    assert_eq!(app.post(&lead).await, ACCEPTED);
    assert_eq!(app.post(&lead).await, "200 accepted (again)");
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Denied);
    assert_eq!(app.post(&Lead(2).post()).await, "503 not_sent temporarily_unavailable");
    assert_eq!(app.rudder.received().len(), 1);
    let closed = async {
        while app.rudder.connections().open() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap();
}

#[tokio::test]
async fn a_lead_that_is_not_sent_leaves_an_idle_connection_to_the_next() {
    let (server, received) = server(|nth, _| Some(ok(nth))).await;
    let app = TestApp::with_ledger().await;
    let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &server.url("http"))]);
    for (amount, expected) in [(1, ACCEPTED), (2, ACCEPTED), (2, "200 accepted (again)"), (3, ACCEPTED)] {
        assert_eq!(post_within(&relay, amount, 20_000).await, expected);
    }
    assert_eq!(requests(&received), [1, 2]);
}

#[tokio::test]
async fn an_idle_connection_is_judged_again_after_the_claim() {
    let (server, received) = server(|nth, _| Some(ok(nth))).await;
    let app = TestApp::with_ledger().await;
    let limits = [("CLAIMS_TABLE", TABLE), ("UPSTREAM_KEEP_ALIVE_MS", "200")];
    let relay = app.relay(&[&limits[..], &[("UPSTREAM_BASE_URL", &server.url("http"))]].concat());
    for amount in 1..=2 {
        assert_eq!(post_within(&relay, amount, 20_000).await, ACCEPTED);
    }
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Held(Duration::from_millis(300)));
    assert_eq!(post_within(&relay, 3, 20_000).await, ACCEPTED);
    assert_eq!(requests(&received), [1, 1, 1]);
}

#[tokio::test]
async fn a_connection_that_closes_before_the_claim_is_replaced() {
    let (server, received) = server(|nth, _| Some(ok(nth))).await;
    let address = server.address();
    let closing = RawTcpServer::start({
        let first = std::sync::atomic::AtomicBool::new(true);
        move |mut stream| {
            let closes = first.swap(false, std::sync::atomic::Ordering::Relaxed);
            async move {
                let mut upstream = tokio::net::TcpStream::connect(address).await.unwrap();
                if !closes {
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
                }
            }
        }
    });
    let closing = closing.await;
    let app = TestApp::with_ledger().await;
    let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &closing.url("http"))]);
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Held(Duration::from_millis(300)));
    assert_eq!(post_within(&relay, 1, 20_000).await, ACCEPTED, "nothing was sent on the closed connection");
    assert_eq!(requests(&received).iter().sum::<usize>(), 1);
}

#[tokio::test]
async fn a_refusal_without_a_trace_id_of_its_own_refuses_no_lead_on_a_reused_connection() {
    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 12\r\n\r\n{\"code\":400}";
    const EMPTY: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
    for (third, expected) in [
        (BARE.to_owned(), "502 unknown bad_upstream_answer"),
        (EMPTY.to_owned(), "502 unknown bad_upstream_answer"),
        (response(2, "HTTP/1.1 400 Bad Request", "", 400), "502 unknown bad_upstream_answer"),
        (response(3, "HTTP/1.1 400 Bad Request", "", 400), "422 refused"),
    ] {
        let (server, received) = server(move |nth, _| Some(if nth == 3 { third.clone() } else { ok(nth) })).await;
        let app = TestApp::with_ledger().await;
        let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &server.url("http"))]);
        let mut outcomes = Vec::new();
        for amount in 1..=4 {
            outcomes.push(post_within(&relay, amount, 20_000).await.to_string());
        }
        assert_eq!(outcomes, [ACCEPTED, ACCEPTED, expected, ACCEPTED]);
        assert_eq!(requests(&received), [1, 2, 1]);
    }
}

#[tokio::test]
async fn a_connection_that_waited_too_long_for_the_claim_is_replaced() {
    let (server, received) = server(|nth, _| Some(ok(nth))).await;
    let app = TestApp::with_ledger().await;
    let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &server.url("http"))]);
    // Longer than `UNUSED_CONNECTION_LIMIT`.
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::Held(Duration::from_millis(1100)));
    assert_eq!(post_within(&relay, 1, 20_000).await, ACCEPTED);
    assert_eq!(requests(&received), [0, 1]);
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_early_is_opened_after_the_claim() {
    let app = TestApp::with_ledger().await;
    let address = RawTcpServer::start(async |_| ()).await.address();
    let relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &format!("http://{address}/push"))]);
    app.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::AppliedSlow(Duration::from_millis(200)));
    let starts_late = async {
        app.dynamodb.done(ProcessHarness::WRITE, 1).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(ok(1).as_bytes()).await.unwrap();
    };
    let (response, ()) = tokio::join!(post_within(&relay, 1, 20_000), starts_late);
    assert_eq!(response, ACCEPTED);
}
