//! Many posts at once, of one lead and of many, over two relays that share a ledger.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use serde_json::{Value, json};
use stand_ins::Answering;
use tokio::{
    sync::{Mutex, Semaphore},
    task::JoinSet,
    time::Instant,
};

use crate::{
    request::Request,
    stage::{Stage, TABLE, serve},
    told::{Lead, Told, report, seeded},
};

/// The one that a crowd posts.
const LEAD: Lead = Lead(4000);
const CROWD: usize = 1000;
const LEADS: u32 = 1000;
const AT_ONCE: usize = 64;

/// The neighbours, and two relays between them.
struct Town {
    stage: Stage,
    relays: [Arc<Relay>; 2],
}

impl Town {
    async fn found(variables: &[(&str, &str)]) -> Self {
        let stage = Stage::with_ledger().await;
        let relays = [(); 2].map(|()| Arc::new(stage.another_relay(&[&[("CLAIMS_TABLE", TABLE)], variables].concat())));
        Self { stage, relays }
    }

    /// Posts to one of the relays, under an id of its own.
    fn post(&self, relay: usize, request: &Request, id: &str) -> impl Future<Output = Told> + use<> {
        let relay = Arc::clone(&self.relays[relay]);
        let mut event: Value = serde_json::from_str(&request.event()).unwrap();
        event["requestContext"]["requestId"] = json!(id);
        async move { Told::new(&serve(&relay, &event.to_string(), Context::default()).await) }
    }

    /// Waits until the ledger is asked for nothing any more, not even by those who gave up waiting for it.
    async fn ledger_at_rest(&self) {
        let mut asked = 0;
        while asked != self.stage.dynamodb.calls().len() {
            asked = self.stage.dynamodb.calls().len();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// How often each answer was given.
fn count<'a>(answers: impl IntoIterator<Item = &'a Told>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    answers.into_iter().for_each(|told| *counted.entry(told.to_string()).or_default() += 1);
    counted
}

/// Whether the answers to one lead that reached AI Rudder so often are true, each for itself and beside the others; and what
/// its sender was told, if it was sent.
fn truth<'a>(answers: &[&'a Told], pushes: usize) -> Option<&'a Told> {
    let senders: Vec<_> = answers.iter().copied().filter(|told| told.is_of_the_sender()).collect();
    assert!(senders.len() <= 1 && senders.len() == pushes, "who pushed it says so: {pushes} pushes, {senders:?}");
    for told in answers {
        let seen = told.to_string();
        let nothing_sent =
            ["409 pending in_progress", "503 not_sent temporarily_unavailable", "504 unknown interrupted"];
        let of_the_sender = senders.iter().any(|sender| **told == **sender || **told == sender.again());
        assert!(of_the_sender || nothing_sent.contains(&seen.as_str()), "{told:?}");
    }
    senders.first().copied()
}

/// One at a time: what a crowd shows is the ledger's work, and not how it shares two cores with another.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Posts one lead a thousand times, so many at once, while it is being pushed and after.
async fn crowd(keys: &str, request: impl Fn(usize) -> Request, at_once: usize) {
    let _alone = ALONE.lock().await;
    let town = Town::found(&[]).await;
    // The accounts are known, as they are to relays that have work.
    for relay in 0..2 {
        town.post(relay, &Lead(1).post(), "before").await;
    }
    town.stage.rudder.answering(|| Answering::After(Duration::from_secs(1)));
    let begun = Instant::now();
    let gate = Arc::new(Semaphore::new(at_once));
    let mut posts = JoinSet::new();
    for number in 0..CROWD {
        let (told, gate) = (town.post(number % 2, &request(number), &number.to_string()), Arc::clone(&gate));
        posts.spawn(async move {
            let _in = gate.acquire().await;
            told.await
        });
    }
    let answers = posts.join_all().await;
    report(format_args!(
        "{CROWD} posts of one lead under {keys}, {at_once} at once, in {:?}: {:#?}",
        begun.elapsed(),
        count(&answers)
    ));
    town.ledger_at_rest().await;
    let pushes = LEAD.pushes(&town.stage.rudder);
    let first = truth(&answers.iter().collect::<Vec<_>>(), pushes);

    let item = LEAD.item(&town.stage.dynamodb);
    if item.is_some() {
        LEAD.end_lease(&town.stage.dynamodb);
    }
    let last = town.post(0, &LEAD.post(), "last").await;
    report(format_args!("{pushes} pushes; posted once more when the lease is over: {last}"));
    match (item.map(|item| item.get("outcome").is_some()), first) {
        (Some(true), Some(first)) => assert_eq!(last, first.again()),
        (Some(false), _) => assert_eq!(last.to_string(), "504 unknown interrupted"),
        (None, None) => assert_eq!((last.to_string().as_str(), pushes), ("200 accepted", 0)),
        (item, first) => panic!("told {first:?}, and then {last:?}, with an item that is settled: {item:?}"),
    }
    assert_eq!(LEAD.pushes(&town.stage.rudder), pushes + usize::from(last.is_of_the_sender()));
    if at_once < CROWD {
        assert_eq!((pushes, last.to_string().as_str()), (1, "200 accepted (again)"));
        let out_of_breath = answers.iter().filter(|told| told.outcome == "not_sent").count();
        assert!(out_of_breath < CROWD / 20, "the ledger keeps up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_posts_one_lead_under_one_key_makes_one_push() {
    crowd("one key", |_| LEAD.post().header("idempotency-key", "infinity-7"), AT_ONCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_posts_one_lead_under_different_keys_makes_one_push() {
    crowd("different keys", |number| LEAD.post().header("idempotency-key", &number.to_string()), AT_ONCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_posts_one_lead_under_no_key_makes_one_push() {
    crowd("no key", |_| LEAD.post(), AT_ONCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_beyond_all_strength_makes_one_push_at_most_and_is_told_the_truth() {
    crowd("one key", |_| LEAD.post().header("idempotency-key", "infinity-7"), CROWD).await;
    crowd("different keys", |number| LEAD.post().header("idempotency-key", &number.to_string()), CROWD).await;
    crowd("no key", |_| LEAD.post(), CROWD).await;
}

/// How AI Rudder answers in a storm: of twenty accepted leads one answer breaks off, and one never comes.
fn lossy(mut random: fastrand::Rng) -> impl FnMut() -> Answering {
    move || match random.u8(0..20) {
        0 => Answering::Broken,
        1 => Answering::Silent,
        _ => Answering::After(Duration::from_millis(random.u64(0..30))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_leads_posted_thrice_with_a_tenth_of_the_answers_lost_each_is_pushed_once_and_told_truly() {
    let _alone = ALONE.lock().await;
    let mut random = seeded("a thousand leads");
    let town = Town::found(&[("UPSTREAM_TIMEOUT_MS", "2000")]).await;
    town.stage.rudder.answering(lossy(random.fork()));
    let mut posts: Vec<_> = (1..=LEADS).flat_map(|number| [number; 3]).enumerate().collect();
    random.shuffle(&mut posts);
    let begun = Instant::now();
    let posts = posts.into_iter().map(|(id, number)| {
        let told = town.post(random.usize(0..2), &Lead(number).post(), &id.to_string());
        async move { (number, told.await) }
    });
    let answers: Vec<(u32, Told)> = stream::iter(posts).buffer_unordered(AT_ONCE).collect().await;
    report(format_args!(
        "{LEADS} leads, thrice each, {AT_ONCE} at a time, in {:?}: {:#?}",
        begun.elapsed(),
        count(answers.iter().map(|(_, told)| told))
    ));

    let mut pushes = BTreeMap::<String, usize>::new();
    for push in town.stage.rudder.take_received() {
        assert!(push.accepted);
        *pushes.entry(push.body).or_default() += 1;
    }
    let mut last = Vec::new();
    for lead in (1..=LEADS).map(Lead) {
        let told: Vec<_> = answers.iter().filter(|(number, _)| *number == lead.0).map(|(_, told)| told).collect();
        let first = truth(&told, pushes.remove(&lead.body()).unwrap_or_default());
        let again = town.post(0, &lead.post(), "last").await;
        assert_eq!(Some(&again), first.map(Told::again).as_ref(), "{lead:?}");
        last.push(again);
    }
    assert_eq!((pushes.len(), town.stage.rudder.received().len()), (0, 0), "no other was pushed, and none again");
    let counted = count(&last);
    report(format_args!("posted once more: {counted:#?}"));
    assert!(counted["200 accepted (again)"] > 800 && counted.len() == 3, "some of each");
}
