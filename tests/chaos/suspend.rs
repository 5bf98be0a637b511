//! Processes that are suspended (SIGSTOP) and resumed, between leads as Lambda does it, and during a lead as it should not.

use std::{
    fs,
    time::{Duration, Instant, SystemTime},
};

use futures_util::future::join_all;
use rustls::ALL_VERSIONS;
use serde_json::Value;
use support::{
    Answering, Authority, Connections, DynamoBehaviour, Lambda, Lead, ProcessHarness, StalledTlsServer, TABLE,
    deadline_in, now,
};
use tokio::time::sleep;

use crate::{
    RELAY,
    run::{report, seeded},
};

const BETWEEN_ROUNDS: u32 = 1000;
/// How many of them last five seconds.
const LONG_ROUNDS: u32 = 4;
const WITHIN_ROUNDS: u32 = 200;
const CONNECTING_ROUNDS: usize = 8;

/// The time of a request that a suspension outlasts, in milliseconds: little more than a push needs to begin.
const SHORT: i64 = 3000;
/// How long its lease lasts after that, and a second to round it up.
const LEASE: Duration = Duration::from_secs(6);

/// Suspends the process when something happens, and resumes it after a while.
async fn suspend(lambda: &Lambda, when: impl Future<Output = ()>, how_long: Duration) {
    when.await;
    lambda.suspend();
    sleep(how_long).await;
    lambda.resume();
}

/// Waits until the lease of every claim is over.
async fn leases_to_end(harness: &ProcessHarness) {
    let lease = |item: &Value| item["lease_until"]["N"].as_str()?.parse::<u64>().ok();
    let last = harness.dynamodb.items(TABLE).iter().filter_map(lease).max().expect("a claim");
    while now() <= last {
        sleep(Duration::from_millis(100)).await;
    }
}

/// Posts a lead to a process that is suspended for `duration` when its claim is written. `then` is DynamoDB's behaviour for
/// the next write.
async fn suspended_at_its_claim(duration: Duration, then: DynamoBehaviour) {
    let harness = ProcessHarness::start(RELAY, &[]).await;
    assert_eq!(harness.post(&Lead(1).post()).await, "200 accepted");
    let lead = Lead(2);
    let post = lead.post().idempotency_key("infinity-2");
    harness.dynamodb.next(ProcessHarness::WRITE, DynamoBehaviour::AppliedSlow(Duration::from_millis(500)));
    harness.dynamodb.next(ProcessHarness::WRITE, then);
    let written = harness.dynamodb.done(ProcessHarness::WRITE, 3);
    let (response, ()) = tokio::join!(harness.post_within(&post, SHORT), suspend(&harness.lambda, written, duration));
    let response = response.expect("the process lives");
    let items = harness.dynamodb.items(TABLE).len() - 1;
    report(format_args!(
        "suspended for {duration:?} from its claim on, then {then:?}: {response}, {items} items left behind"
    ));
    assert_eq!(response, "503 not_sent temporarily_unavailable");
    assert_eq!((lead.pushes(&harness.rudder), items), (0, 0), "nothing is sent, lead and key are free");
    assert_eq!(harness.post(&post).await, "200 accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_from_claim_to_deadline_sends_nothing() {
    suspended_at_its_claim(Duration::from_millis(SHORT.unsigned_abs()), DynamoBehaviour::Normal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumed_after_the_deadline_has_time_to_free_the_lead() {
    // Its connection to DynamoDB is gone by then.
    suspended_at_its_claim(Duration::from_millis(SHORT.unsigned_abs()), DynamoBehaviour::Reset).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_from_claim_beyond_the_lease_sends_nothing() {
    suspended_at_its_claim(Duration::from_millis(SHORT.unsigned_abs()) + LEASE, DynamoBehaviour::Normal).await;
}

/// Posts a lead to a process that is suspended for `duration` while it connects to AI Rudder, which completes its part of TLS
/// meanwhile. The response, how many bytes AI Rudder read, and how many items are left behind.
async fn suspended_while_connecting(duration: Duration) -> (String, usize, usize) {
    let authority = Authority::default();
    let server = StalledTlsServer::start(authority.server("localhost", 30, ALL_VERSIONS)).await;
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("ca.pem");
    fs::write(&pem, authority.pem()).unwrap();
    let variables = [
        ("UPSTREAM_BASE_URL", &*server.url()),
        ("UPSTREAM_CA_FILE", pem.to_str().unwrap()),
        // So that only the lease can keep a connection from being used.
        ("UPSTREAM_CONNECT_TIMEOUT_MS", "29000"),
    ];
    let harness = ProcessHarness::start(RELAY, &variables).await;
    let connected = async {
        server.connected().await;
        harness.lambda.suspend();
        server.release();
    };
    let post = Lead(1).post();
    let (response, ()) = tokio::join!(harness.post_within(&post, SHORT), suspend(&harness.lambda, connected, duration));
    // What it wrote last is read before its connections end.
    harness.lambda.kill().await;
    sleep(Duration::from_millis(200)).await;
    let response = response.expect("the process lives").to_string();
    (response, server.bytes_read(), harness.dynamodb.items(TABLE).len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_while_connecting_beyond_the_lease_sends_nothing() {
    let until = Duration::from_millis(SHORT.unsigned_abs()) + LEASE;
    let rounds = join_all((0..CONNECTING_ROUNDS).map(|_| suspended_while_connecting(until))).await;
    report(format_args!("suspended while it connects, for {until:?}: {rounds:?}"));
    for (response, read, items) in rounds {
        // Depending on which the resumed process sees first: the connection, or the end of the time for it.
        let nothing_sent = ["503 not_sent temporarily_unavailable", "503 not_sent upstream_unreachable"];
        assert!(nothing_sent.contains(&response.as_str()), "{response}");
        assert_eq!((read, items), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_in_its_push_responds_correctly() {
    let harness = ProcessHarness::start(RELAY, &[]).await;
    harness.rudder.answering(|| Answering::After(Duration::from_millis(300)));
    let begun = Instant::now();
    for (number, how_long, left) in
        [(1, 100, 6000), (2, 1000, 6000), (3, 1800, SHORT), (4, 2500, SHORT), (5, 4000, SHORT)]
    {
        let lead = Lead(number);
        let pushed = harness.rudder.arrived(number as usize);
        let suspended = suspend(&harness.lambda, pushed, Duration::from_millis(how_long));
        let post = lead.post();
        let (response, ()) = tokio::join!(harness.post_within(&post, left), suspended);
        let response = response.expect("the process lives");
        report(format_args!("{left} ms to the deadline, suspended for {how_long} ms in its push: {response}"));
        let expected: &[&str] = match number {
            1 | 2 => &["200 accepted"],
            // AI Rudder's response and the end of the time are both there when the process is resumed.
            _ => &["200 accepted", "504 unknown upstream_timeout"],
        };
        assert!(expected.contains(&response.to_string().as_str()), "{response}");
        assert_eq!(harness.post(&post).await, response.again());
        assert_eq!(lead.pushes(&harness.rudder), 1);
    }
    assert!(begun.elapsed() > Duration::from_secs(9), "the process was suspended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_in_its_push_beyond_the_lease_settles_by_its_id() {
    let harness = ProcessHarness::start(RELAY, &[]).await;
    let other = harness.process(RELAY, &[]).await;
    harness.rudder.answering(|| Answering::After(Duration::from_millis(300)));
    let lead = Lead(1);
    let elsewhere = async || other.post(&lead.post(), deadline_in(30_000)).await.expect("the process lives");
    let meanwhile = async {
        harness.rudder.arrived(1).await;
        harness.lambda.suspend();
        assert_eq!(elsewhere().await, "409 pending in_progress");
        leases_to_end(&harness).await;
        assert_eq!(elsewhere().await, "504 unknown interrupted");
        harness.lambda.resume();
    };
    let begun = SystemTime::now();
    let first_post = lead.post();
    let (response, ()) = tokio::join!(harness.post_within(&first_post, SHORT), meanwhile);
    let response = response.expect("the process lives");
    report(format_args!("suspended in its push for {:?}: {response}", begun.elapsed().unwrap_or_default()));
    assert!(response.is_of_the_sender(), "{response}");
    assert_eq!(elsewhere().await, response.again());
    assert_eq!(lead.pushes(&harness.rudder), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_suspend_at_any_point_does_not_lose_the_lead() {
    let mut random = seeded("suspended within");
    let harness = ProcessHarness::start(RELAY, &[]).await;
    for number in 1..=WITHIN_ROUNDS {
        let lead = Lead(number);
        let wait = Duration::from_millis(random.u64(0..20));
        harness.dynamodb.behave(DynamoBehaviour::AppliedSlow(wait));
        harness.rudder.answering(move || Answering::After(wait));
        let moment = sleep(Duration::from_micros(random.u64(0..80_000)));
        let suspended = suspend(&harness.lambda, moment, Duration::from_millis(random.u64(0..100)));
        let post = lead.post();
        let (response, ()) = tokio::join!(harness.post_within(&post, 30_000), suspended);
        assert_eq!(response.expect("the process lives"), "200 accepted");
        assert_eq!(lead.pushes(&harness.rudder), 1);
    }
    report(format_args!("{WITHIN_ROUNDS} leads suspended at random moments for up to 100 ms: all accepted, once"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_between_leads_loses_connections_and_no_lead() {
    let mut random = seeded("suspended between");
    // The secret is read again and again, so that its connections matter too.
    let harness = ProcessHarness::start(RELAY, &[("SECRET_TTL_SECONDS", "1")]).await;
    harness.lambda.suspend_between_events(true).await;
    let begun = Instant::now();
    let (mut closed_suspended, mut closed_resumed, mut rounds_since_close) = (0, 0, 0);
    for number in 1..=BETWEEN_ROUNDS {
        let lead = Lead(number);
        // A few times it is suspended for longer than AI Rudder keeps a connection that is idle.
        let idle_for_long = number.is_multiple_of(BETWEEN_ROUNDS / LONG_ROUNDS);
        if idle_for_long {
            sleep(Duration::from_secs(5)).await;
        }
        // AI Rudder closes only while the process is suspended: a connection that is in use breaks.
        let mut rudder = Some(harness.rudder.connections());
        let mut open = [harness.secrets.connections(), harness.dynamodb.connections()].map(Some);
        let mut some = || open.iter_mut().filter_map(|open| open.take_if(|_| random.bool())).collect::<Vec<_>>();
        let (mut now, soon) = (some(), some());
        // Not before another lead has reused a connection: after three that were closed, the process reuses none any more.
        let closes = idle_for_long || (rounds_since_close >= 3 && random.bool());
        rounds_since_close = if closes { 0 } else { rounds_since_close + 1 };
        now.extend(rudder.take_if(|_| closes));
        closed_suspended += now.len();
        closed_resumed += soon.len();
        for connections in now {
            connections.closed().await;
        }
        let moment = Duration::from_micros(random.u64(0..20_000));
        let close = async {
            sleep(moment).await;
            soon.into_iter().for_each(Connections::close);
        };
        let post = lead.post();
        let (response, ()) = tokio::join!(harness.post_within(&post, 30_000), close);
        assert_eq!(response.expect("the process lives"), "200 accepted", "{lead:?}");
    }
    let pushes = harness.rudder.received();
    assert_eq!(pushes.len(), BETWEEN_ROUNDS as usize);
    assert!((1..).zip(&pushes).all(|(number, push)| push.accepted && push.body == Lead(number).body()));
    let made = harness.rudder.connections_made();
    assert!(made < BETWEEN_ROUNDS as usize * 9 / 10, "connections are reused");
    report(format_args!(
        "{BETWEEN_ROUNDS} suspensions between leads, {closed_suspended} connections closed meanwhile, {closed_resumed} after \
         it: all accepted, once, in {:?}, over {made} connections; the secret was read {} times",
        begun.elapsed(),
        harness.secrets.calls().len(),
    ));
}
