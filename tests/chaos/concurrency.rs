//! Concurrent posts of one lead and of many, to two relays that share a ledger.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fastrand::Rng;
use futures_util::{StreamExt, stream};
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use serde_json::{Value, json};
use support::{Answering, Lead, ObservedResponse, Request, TABLE, TestApp, serve};
use tokio::{
    sync::{Mutex, Semaphore},
    task::JoinSet,
    time::Instant,
};

use crate::run::{report, seeded};

/// The lead that is posted a thousand times.
const LEAD: Lead = Lead(4000);
const POSTS: usize = 1000;
const LEADS: u32 = 1000;
const CONCURRENT: usize = 64;

/// Two relays and what they talk to.
struct LoadTest {
    app: TestApp,
    relays: [Arc<Relay>; 2],
}

impl LoadTest {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let app = TestApp::with_ledger().await;
        let relays = [(); 2].map(|()| Arc::new(app.relay(&[&[("CLAIMS_TABLE", TABLE)], variables].concat())));
        Self { app, relays }
    }

    /// Posts to one of the relays, with a request id of its own.
    fn post(&self, relay: usize, request: &Request, id: &str) -> impl Future<Output = ObservedResponse> + use<> {
        let relay = Arc::clone(&self.relays[relay]);
        let mut event: Value = serde_json::from_str(&request.event()).unwrap();
        event["requestContext"]["requestId"] = json!(id);
        async move { serve(&relay, &event.to_string(), Context::default()).await.into() }
    }

    /// Waits until nothing calls the ledger any more, not even for requests that have given up waiting for it.
    async fn settle_ledger(&self) {
        let mut calls = 0;
        while calls != self.app.dynamodb.calls().len() {
            calls = self.app.dynamodb.calls().len();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// How many there are of each response.
fn count<'a>(responses: impl IntoIterator<Item = &'a ObservedResponse>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    responses.into_iter().for_each(|response| *counted.entry(response.to_string()).or_default() += 1);
    counted
}

/// Fails unless the responses about one lead agree with each other and with the number of its pushes. Returns that of the
/// request that pushed it, if one did.
fn check<'a>(responses: &[&'a ObservedResponse], pushes: usize) -> Option<&'a ObservedResponse> {
    let senders: Vec<_> = responses.iter().copied().filter(|response| response.is_of_the_sender()).collect();
    assert!(senders.len() <= 1 && senders.len() == pushes, "{pushes} pushes, reported by {senders:?}");
    for response in responses {
        let others = ["409 pending in_progress", "503 not_sent temporarily_unavailable", "504 unknown interrupted"];
        let of_the_sender = senders.iter().any(|sender| **response == **sender || **response == sender.again());
        assert!(of_the_sender || others.contains(&response.to_string().as_str()), "{response:?}");
    }
    senders.first().copied()
}

/// Held by each test: what it measures is the ledger, not how two tests share the processors.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Posts one lead a thousand times, at most `concurrent` at once, while it is being pushed and after.
async fn post_concurrently(keys: &str, request: impl Fn(usize) -> Request, concurrent: usize) {
    let _alone = ALONE.lock().await;
    let test = LoadTest::start(&[]).await;
    let fakes = &test.app.fakes;
    // The accounts are cached, as they are in relays under load.
    for relay in 0..2 {
        test.post(relay, &Lead(1).post(), "before").await;
    }
    fakes.rudder.answering(|| Answering::After(Duration::from_secs(1)));
    let begun = Instant::now();
    let slots = Arc::new(Semaphore::new(concurrent));
    let mut posts = JoinSet::new();
    for number in 0..POSTS {
        let (response, slots) = (test.post(number % 2, &request(number), &number.to_string()), Arc::clone(&slots));
        posts.spawn(async move {
            let _slot = slots.acquire().await;
            response.await
        });
    }
    let responses = posts.join_all().await;
    report(format_args!(
        "{POSTS} posts of one lead under {keys}, {concurrent} at once, in {:?}: {:#?}",
        begun.elapsed(),
        count(&responses)
    ));
    test.settle_ledger().await;
    let pushes = LEAD.pushes(&fakes.rudder);
    let first = check(&responses.iter().collect::<Vec<_>>(), pushes);

    let item = LEAD.item(&fakes.dynamodb);
    if item.is_some() {
        LEAD.end_lease(&fakes.dynamodb);
    }
    let last = test.post(0, &LEAD.post(), "last").await;
    report(format_args!("{pushes} pushes; posted once more when the lease is over: {last}"));
    match (item.map(|item| item.get("outcome").is_some()), first) {
        (Some(true), Some(first)) => assert_eq!(last, first.again()),
        (Some(false), _) => assert_eq!(last, "504 unknown interrupted"),
        (None, None) => assert_eq!((last.to_string().as_str(), pushes), ("200 accepted", 0)),
        (item, first) => panic!("{first:?}, and then {last:?}, with an item that is settled: {item:?}"),
    }
    assert_eq!(LEAD.pushes(&fakes.rudder), pushes + usize::from(last.is_of_the_sender()));
    if concurrent < POSTS {
        assert_eq!((pushes, last.to_string().as_str()), (1, "200 accepted (again)"));
        let not_sent = responses.iter().filter(|response| response.outcome == "not_sent").count();
        assert!(not_sent < POSTS / 20, "the ledger keeps up");
    }
}

/// As [`post_concurrently`], under each kind of idempotency keys.
async fn post_under_all_keys(concurrent: usize) {
    post_concurrently("one key", |_| LEAD.post().idempotency_key("infinity-7"), concurrent).await;
    post_concurrently("different keys", |number| LEAD.post().idempotency_key(&number.to_string()), concurrent).await;
    post_concurrently("no key", |_| LEAD.post(), concurrent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_posts_of_one_lead_make_one_push() {
    post_under_all_keys(CONCURRENT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overload_of_posts_of_one_lead_makes_at_most_one_push() {
    post_under_all_keys(POSTS).await;
}

/// Of twenty accepted leads, one has its response reset, and one gets none.
fn lossy(mut random: Rng) -> impl FnMut() -> Answering {
    move || match random.u8(0..20) {
        0 => Answering::Reset,
        1 => Answering::Hang,
        _ => Answering::After(Duration::from_millis(random.u64(0..30))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_leads_with_lost_responses_are_each_pushed_once() {
    let _alone = ALONE.lock().await;
    let mut random = seeded("a thousand leads");
    let test = LoadTest::start(&[("UPSTREAM_TIMEOUT_MS", "2000")]).await;
    test.app.rudder.answering(lossy(random.fork()));
    let mut posts: Vec<_> = (1..=LEADS).flat_map(|number| [number; 3]).enumerate().collect();
    random.shuffle(&mut posts);
    let begun = Instant::now();
    let posts = posts.into_iter().map(|(id, number)| {
        let response = test.post(random.usize(0..2), &Lead(number).post(), &id.to_string());
        async move { (number, response.await) }
    });
    let responses: Vec<(u32, ObservedResponse)> = stream::iter(posts).buffer_unordered(CONCURRENT).collect().await;
    report(format_args!(
        "{LEADS} leads, three times each, {CONCURRENT} at once, in {:?}: {:#?}",
        begun.elapsed(),
        count(responses.iter().map(|(_, response)| response))
    ));

    let mut pushes = BTreeMap::<String, usize>::new();
    for push in test.app.rudder.take_received() {
        assert!(push.accepted);
        *pushes.entry(push.body).or_default() += 1;
    }
    let mut last = Vec::new();
    for lead in (1..=LEADS).map(Lead) {
        let of_the_lead = responses.iter().filter(|(number, _)| *number == lead.0).map(|(_, response)| response);
        let first = check(&of_the_lead.collect::<Vec<_>>(), pushes.remove(&lead.body()).unwrap_or_default());
        let again = test.post(0, &lead.post(), "last").await;
        assert_eq!(Some(&again), first.map(ObservedResponse::again).as_ref(), "{lead:?}");
        last.push(again);
    }
    assert_eq!((pushes.len(), test.app.rudder.received().len()), (0, 0), "no other lead was pushed, and none again");
    let counted = count(&last);
    report(format_args!("posted once more: {counted:#?}"));
    assert!(counted["200 accepted (again)"] > 800 && counted.len() == 3, "some of each");
}
