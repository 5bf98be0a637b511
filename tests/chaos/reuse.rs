//! AI Rudders that treat idle connections badly, each with a thousand leads.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use support::{
    DynamoBehaviour, FREE_PORT, Invoked, Lead, ProcessHarness, TABLE, TestApp, api_gateway, deadline_in, post,
    read_request,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    RELAY,
    run::{report, seeded},
};

const LEADS: u32 = 1000;

/// What a server does with a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// It closes the connection after each response, and does not say so.
    ClosesAfterEach,
    /// It closes a connection that has been idle for this time.
    ClosesIdle(Duration),
    /// It sends one response in ten twice, the second time at once or up to this time later.
    RespondsTwice(Duration),
    /// It ends with all its connections after each fifty responses, and starts again.
    Restarts,
}

/// The leads that arrived, each with how often.
type Arrived = Arc<Mutex<BTreeMap<u32, usize>>>;

/// The amount in a push.
fn amount(request: &str) -> Option<u32> {
    let (_, after) = request.split_once(r#""loan_amount":"#)?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A response whose trace id is the lead's amount.
fn response(amount: u32) -> String {
    let body = format!(r#"{{"code":200,"trace_id":"{amount:032x}"}}"#);
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Serves a connection until it is closed.
async fn serve(mut stream: TcpStream, manner: Manner, arrived: Arrived, mut random: Rng) {
    let idle = if let Manner::ClosesIdle(idle) = manner { idle } else { Duration::from_secs(60) };
    while let Ok(request) = timeout(idle, read_request(&mut stream)).await {
        let Some(amount) = amount(&request) else { return };
        *arrived.lock().unwrap().entry(amount).or_default() += 1;
        if stream.write_all(response(amount).as_bytes()).await.is_err() || manner == Manner::ClosesAfterEach {
            return;
        }
        if let Manner::RespondsTwice(late) = manner
            && random.u8(0..10) == 0
        {
            sleep(late.mul_f64(random.f64())).await;
            let _ = stream.write_all(response(amount).as_bytes()).await;
        }
    }
}

/// Listens until it is dropped, or until fifty more leads have arrived if it restarts.
async fn listen(
    address: SocketAddr,
    manner: Manner,
    arrived: Arrived,
    mut random: Rng,
    bound: impl FnOnce(SocketAddr),
) {
    let mut bound = Some(bound);
    let mut address = address;
    loop {
        let listener = TcpListener::bind(address).await.unwrap();
        address = listener.local_addr().unwrap();
        bound.take().into_iter().for_each(|bound| bound(address));
        let until = arrived.lock().unwrap().len() + 50;
        let mut connections = JoinSet::new();
        while manner != Manner::Restarts || arrived.lock().unwrap().len() < until {
            if let Ok(accepted) = timeout(Duration::from_millis(1), listener.accept()).await {
                connections.spawn(serve(accepted.unwrap().0, manner, Arc::clone(&arrived), random.fork()));
            }
        }
        // Its connections end here too.
    }
}

/// Posts a thousand leads, each after a pause of its own, to a relay with an AI Rudder of this manner. Returns how many are
/// `unknown`.
async fn unknown(manner: Manner, pause: impl Fn(u32) -> Duration) -> usize {
    let mut random = seeded("reuse");
    let arrived = Arrived::default();
    let (bound, address) = tokio::sync::oneshot::channel();
    let listening =
        listen(FREE_PORT, manner, Arc::clone(&arrived), random.fork(), |address| bound.send(address).unwrap());
    let listening = tokio::spawn(listening);
    let app = TestApp::with_ledger().await;
    let url = format!("http://{}/push", address.await.unwrap());
    let relay: Relay = app.relay(&[("CLAIMS_TABLE", TABLE), ("UPSTREAM_BASE_URL", &url)]);
    let mut unknown = BTreeSet::new();
    for number in 1..=LEADS {
        sleep(pause(number)).await;
        let mut context = Context::default();
        context.deadline = deadline_in(30_000);
        let response = post(&relay, &Lead(number).post(), context).await;
        if response.outcome == "unknown" {
            unknown.insert(number);
        } else {
            assert_eq!(response, "200 accepted", "{manner:?}");
            assert!(response.body.contains(&format!("{number:032x}")), "another lead's response: {response:?}");
        }
    }
    listening.abort();
    let arrived = arrived.lock().unwrap();
    assert!(arrived.values().all(|times| *times == 1), "a lead arrived twice");
    assert!((1..=LEADS).all(|number| arrived.contains_key(&number) || unknown.contains(&number)), "a lead is lost");
    report(format_args!("{manner:?}: {LEADS} leads, {} unknown", unknown.len()));
    unknown.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_after_each_response_makes_no_lead_unknown() {
    assert_eq!(unknown(Manner::ClosesAfterEach, |_| Duration::ZERO).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_at_the_limit_makes_one_lead_unknown_at_most() {
    // Every fiftieth lead comes in the last milliseconds of the time that the relay allows.
    let pause = |number: u32| {
        if number.is_multiple_of(50) { Duration::from_millis(980 + u64::from(number / 50)) } else { Duration::ZERO }
    };
    assert!(unknown(Manner::ClosesIdle(Duration::from_secs(1)), pause).await <= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_responds_twice_makes_one_lead_unknown_at_most() {
    for late in [0, 2, 20] {
        assert!(unknown(Manner::RespondsTwice(Duration::from_millis(late)), |_| Duration::ZERO).await <= 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_gets_no_lead_twice() {
    let unknown = unknown(Manner::Restarts, |_| Duration::ZERO).await;
    assert!(unknown <= 20, "at most the lead that each restart interrupts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_leads_at_a_time_are_each_pushed_once() {
    const AT_A_TIME: usize = 64;
    let mut random = seeded("several at a time");
    let harness = ProcessHarness::start(RELAY, &[("AWS_LAMBDA_MAX_CONCURRENCY", "64")]).await;
    let faults = [DynamoBehaviour::Down, DynamoBehaviour::AppliedDown, DynamoBehaviour::Throttled];
    harness.dynamodb.behave_at_random(random.u64(..), 20, &faults);
    let slots = Arc::new(tokio::sync::Semaphore::new(AT_A_TIME));
    // Each lead twice.
    let mut numbers: Vec<_> = (1..=LEADS).flat_map(|number| [number; 2]).collect();
    random.shuffle(&mut numbers);
    let posts = numbers.into_iter().map(|number| {
        let (slots, harness) = (Arc::clone(&slots), &harness);
        async move {
            let _slot = slots.acquire().await;
            let invoked = harness.lambda.invoke_at_once(&Lead(number).post().event(), deadline_in(30_000)).await;
            let Invoked::Answered(response) = invoked else { panic!("{invoked:?}") };
            support::ObservedResponse::from(api_gateway::response(&response))
        }
    });
    let responses = futures_util::future::join_all(posts).await;
    let mut outcomes = BTreeMap::<String, usize>::new();
    for response in &responses {
        *outcomes.entry(response.to_string()).or_default() += 1;
    }
    report(format_args!("{} posts of {LEADS} leads, {AT_A_TIME} at a time: {outcomes:?}", responses.len()));
    let mut pushes = BTreeMap::<String, usize>::new();
    for push in harness.rudder.received() {
        *pushes.entry(push.body).or_default() += 1;
    }
    assert!(pushes.values().all(|times| *times == 1), "a lead was pushed twice");
    assert_eq!((pushes.len(), outcomes["200 accepted"]), (LEADS as usize, LEADS as usize));
}
