//! Processes that are frozen and thawed, as Lambda does it between leads, and as it never should within one.

use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use serde_json::Value;
use stand_ins::{Answering, Connections, DynamoBehaviour, Lambda};
use tokio::time::sleep;

use crate::{
    gate::Gate,
    house::{House, WRITE, post},
    stage::TABLE,
    told::{Lead, in_ms, now, report, seeded},
};

const BETWEEN_ROUNDS: u32 = 1000;
const WITHIN_ROUNDS: u32 = 200;
const CONNECTING_ROUNDS: usize = 8;

/// How long a request has, where a freeze has to last longer: little more than a push needs to begin.
const SHORT: i64 = 3000;
/// How long its lease lasts after that, and a second to round it up.
const LEASE: Duration = Duration::from_secs(6);

/// Freezes the process when something happened, and thaws it after a while.
async fn freeze(lambda: &Lambda, when: impl Future<Output = ()>, how_long: Duration) {
    when.await;
    lambda.freeze();
    sleep(how_long).await;
    lambda.thaw();
}

/// Waits until the lease of every claim is over.
async fn leases_to_end(house: &House) {
    let lease = |item: &Value| item["lease_until"]["N"].as_str()?.parse::<u64>().ok();
    let last = house.dynamodb.items(TABLE).iter().filter_map(lease).max().expect("a claim");
    while now() <= last {
        sleep(Duration::from_millis(100)).await;
    }
}

/// Posts a lead to a process that is frozen when its claim was written, until `thaw`. `then` is what DynamoDB does with its
/// next write.
async fn frozen_at_its_claim(thaw: Duration, then: DynamoBehaviour) {
    let house = House::open(&[]).await;
    assert_eq!(house.told(&Lead(1).post()).await.to_string(), "200 accepted");
    let lead = Lead(2);
    let post = lead.post().header("idempotency-key", "infinity-2");
    house.dynamodb.next(WRITE, DynamoBehaviour::DoneButSlow(Duration::from_millis(500)));
    house.dynamodb.next(WRITE, then);
    let written = house.dynamodb.done(WRITE, 3);
    let (told, ()) = tokio::join!(house.post(&post, SHORT), freeze(&house.lambda, written, thaw));
    let told = told.expect("the process lives");
    let items = house.dynamodb.items(TABLE).len() - 1;
    report(format_args!("frozen for {thaw:?} from its claim on, then {then:?}: {told}, {items} items left behind"));
    assert_eq!(told.to_string(), "503 not_sent temporarily_unavailable");
    assert_eq!((lead.pushes(&house.rudder), items), (0, 0), "nothing is sent, lead and key are free");
    assert_eq!(house.told(&post).await.to_string(), "200 accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_at_its_claim_until_the_deadline_is_over_sends_nothing_and_frees_the_lead() {
    frozen_at_its_claim(Duration::from_millis(SHORT.unsigned_abs()), DynamoBehaviour::Normal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_wakes_up_too_late_has_the_time_to_free_the_lead() {
    // Its connection to DynamoDB did not live so long.
    frozen_at_its_claim(Duration::from_millis(SHORT.unsigned_abs()), DynamoBehaviour::Broken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_at_its_claim_until_the_lease_is_over_sends_nothing_and_frees_the_lead() {
    frozen_at_its_claim(Duration::from_millis(SHORT.unsigned_abs()) + LEASE, DynamoBehaviour::Normal).await;
}

/// Posts a lead to a process that is frozen while it connects to AI Rudder, until `thaw`; AI Rudder's part of TLS is done
/// meanwhile. What the sender is told, what AI Rudder read, and how many items are left behind.
async fn frozen_while_connecting(thaw: Duration) -> (String, usize, usize) {
    let gate = Gate::start().await;
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("root.pem");
    gate.write_pem(&pem).unwrap();
    let variables = [
        ("UPSTREAM_BASE_URL", gate.url()),
        ("UPSTREAM_CA_FILE", pem.display().to_string()),
        // So that nothing but the lease is in the way of a connection that is there.
        ("UPSTREAM_CONNECT_TIMEOUT_MS", "29000".to_owned()),
    ];
    let house = House::open(&variables.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    let arrived = async {
        gate.arrived().await;
        house.lambda.freeze();
        gate.open();
    };
    let post = Lead(1).post();
    let (told, ()) = tokio::join!(house.post(&post, SHORT), freeze(&house.lambda, arrived, thaw));
    // What it wrote last is read before the end of its connections.
    house.lambda.kill().await;
    sleep(Duration::from_millis(200)).await;
    (told.expect("the process lives").to_string(), gate.read(), house.dynamodb.items(TABLE).len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_while_it_connects_until_the_lease_is_over_sends_nothing_and_frees_the_lead() {
    let until = Duration::from_millis(SHORT.unsigned_abs()) + LEASE;
    let rounds = join_all((0..CONNECTING_ROUNDS).map(|_| frozen_while_connecting(until))).await;
    report(format_args!("frozen while it connects, for {until:?}: {rounds:?}"));
    let nothing = ("503 not_sent upstream_unreachable".to_owned(), 0, 0);
    assert_eq!(rounds, vec![nothing; CONNECTING_ROUNDS]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_in_its_push_tells_the_truth_when_it_wakes_up() {
    let house = House::open(&[]).await;
    house.rudder.answering(|| Answering::After(Duration::from_millis(300)));
    let begun = Instant::now();
    for (number, how_long, left) in
        [(1, 100, 6000), (2, 1000, 6000), (3, 1800, SHORT), (4, 2500, SHORT), (5, 4000, SHORT)]
    {
        let lead = Lead(number);
        let pushed = house.rudder.arrived(number as usize);
        let frozen = freeze(&house.lambda, pushed, Duration::from_millis(how_long));
        let post = lead.post();
        let (told, ()) = tokio::join!(house.post(&post, left), frozen);
        let told = told.expect("the process lives");
        report(format_args!("{left} ms to the deadline, frozen for {how_long} ms in its push: {told}"));
        let expected: &[&str] = match number {
            1 | 2 => &["200 accepted"],
            // The answer and the end of its time wait side by side for a process that wakes up.
            _ => &["200 accepted", "504 unknown upstream_timeout"],
        };
        assert!(expected.contains(&told.to_string().as_str()), "{told}");
        assert_eq!(house.told(&post).await, told.again());
        assert_eq!(lead.pushes(&house.rudder), 1);
    }
    assert!(begun.elapsed() > Duration::from_secs(9), "the process was frozen indeed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_in_its_push_beyond_its_lease_settles_by_its_id() {
    let house = House::open(&[]).await;
    let other = house.another_process(&[]).await;
    house.rudder.answering(|| Answering::After(Duration::from_millis(300)));
    let lead = Lead(1);
    let elsewhere = async || post(&other, &lead.post(), in_ms(30_000)).await.expect("the process lives").to_string();
    let meanwhile = async {
        house.rudder.arrived(1).await;
        house.lambda.freeze();
        assert_eq!(elsewhere().await, "409 pending in_progress");
        leases_to_end(&house).await;
        assert_eq!(elsewhere().await, "504 unknown interrupted");
        house.lambda.thaw();
    };
    let begun = SystemTime::now();
    let first_post = lead.post();
    let (told, ()) = tokio::join!(house.post(&first_post, SHORT), meanwhile);
    let told = told.expect("the process lives");
    report(format_args!("frozen in its push for {:?}: {told}", begun.elapsed().unwrap_or_default()));
    assert!(told.is_of_the_sender(), "{told}");
    let again = post(&other, &lead.post(), in_ms(30_000)).await.expect("the process lives");
    assert_eq!(again, told.again());
    assert_eq!(lead.pushes(&house.rudder), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_for_a_moment_anywhere_brings_its_lead_home() {
    let mut random = seeded("frozen within");
    let house = House::open(&[]).await;
    for number in 1..=WITHIN_ROUNDS {
        let lead = Lead(number);
        let wait = Duration::from_millis(random.u64(0..20));
        house.dynamodb.behave(DynamoBehaviour::DoneButSlow(wait));
        house.rudder.answering(move || Answering::After(wait));
        let moment = sleep(Duration::from_micros(random.u64(0..80_000)));
        let frozen = freeze(&house.lambda, moment, Duration::from_millis(random.u64(0..100)));
        let post = lead.post();
        let (told, ()) = tokio::join!(house.post(&post, 30_000), frozen);
        assert_eq!(told.expect("the process lives").to_string(), "200 accepted");
        assert_eq!(lead.pushes(&house.rudder), 1);
    }
    report(format_args!("{WITHIN_ROUNDS} leads frozen at random moments for up to 100 ms: all accepted, once"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_between_leads_loses_its_connections_and_no_lead() {
    let mut random = seeded("frozen between");
    // The secret is read again and again, so that those connections matter too.
    let house = House::open(&[("SECRET_TTL_SECONDS", "1")]).await;
    house.lambda.freeze_between(true).await;
    let begun = Instant::now();
    let (mut closed_frozen, mut closed_thawed) = (0, 0);
    for number in 1..=BETWEEN_ROUNDS {
        let lead = Lead(number);
        // Those of before the thaw: AI Rudder may close what it was asked nothing over.
        let mut open =
            [house.rudder.connections(), house.secrets.connections(), house.dynamodb.connections()].map(Some);
        let mut some = || open.iter_mut().filter_map(|open| open.take_if(|_| random.bool())).collect::<Vec<_>>();
        let (now, soon) = (some(), some());
        closed_frozen += now.len();
        closed_thawed += soon.len();
        now.into_iter().for_each(Connections::close);
        let moment = Duration::from_micros(random.u64(0..20_000));
        let close = async {
            sleep(moment).await;
            soon.into_iter().for_each(Connections::close);
        };
        let post = lead.post();
        let (told, ()) = tokio::join!(house.post(&post, 30_000), close);
        assert_eq!(told.expect("the process lives").to_string(), "200 accepted", "{lead:?}");
    }
    let pushes = house.rudder.received();
    assert_eq!(pushes.len(), BETWEEN_ROUNDS as usize);
    assert!((1..).zip(&pushes).all(|(number, push)| push.accepted && push.body == Lead(number).body()));
    report(format_args!(
        "{BETWEEN_ROUNDS} freezes between leads, {closed_frozen} times closed while frozen, {closed_thawed} times after \
         the thaw: all accepted, once, in {:?}; the secret was read {} times",
        begun.elapsed(),
        house.secrets.calls().len(),
    ));
}
