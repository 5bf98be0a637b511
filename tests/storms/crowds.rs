//! Many posts at once, of one lead and of many, over two relays that share a ledger.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use serde_json::{Value, json};
use stand_ins::Answering;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    request::Request,
    stage::{Stage, TABLE, serve},
    told::{Lead, Told, report, seeded},
};

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
        let relays =
            [(); 2].map(|()| Arc::new(stage.another_relay(&[&[("CLAIMS_TABLE", TABLE)], variables].concat())));
        Self { stage, relays }
    }

    /// Posts to one of the relays, under an id of its own.
    fn post(&self, relay: usize, request: &Request, id: &str) -> impl Future<Output = Told> + use<> {
        let relay = Arc::clone(&self.relays[relay]);
        let mut event: Value = serde_json::from_str(&request.event()).unwrap();
        event["requestContext"]["requestId"] = json!(id);
        async move { Told::new(&serve(&relay, &event.to_string(), Context::default()).await) }
    }
}

/// How often each answer was given.
fn count<'a>(answers: impl IntoIterator<Item = &'a Told>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    answers.into_iter().for_each(|told| *counted.entry(told.to_string()).or_default() += 1);
    counted
}

/// Posts one lead a thousand times at once.
async fn crowd(keys: &str, request: impl Fn(usize) -> Request) {
    let town = Town::found(&[]).await;
    let lead = Lead(4000);
    // The accounts are known, as they are to relays that have work.
    for relay in 0..2 {
        assert_eq!(town.post(relay, &Lead(1).post(), "warm").await.outcome, "accepted");
    }
    let begun = Instant::now();
    let mut posts = JoinSet::new();
    for number in 0..CROWD {
        posts.spawn(town.post(number % 2, &request(number), &number.to_string()));
    }
    let answers = posts.join_all().await;
    let took = begun.elapsed();
    let counted = count(&answers);
    let last = town.post(0, &lead.post(), "last").await;
    report(format_args!("{CROWD} posts of one lead under {keys}, in {took:?}: {counted:#?}\nand then {last}"));

    assert_eq!(lead.pushes(&town.stage.rudder), 1);
    let fresh: Vec<_> = answers.iter().filter(|told| told.is_settled() && !told.replayed).collect();
    assert_eq!(fresh.len(), 1, "who pushed it says so");
    assert_eq!((fresh[0].to_string().as_str(), last), ("200 accepted", fresh[0].again()));
    let out_of_breath = "503 not_sent temporarily_unavailable";
    for told in &answers {
        let expected = ["200 accepted", "200 accepted (again)", "409 pending in_progress", out_of_breath];
        assert!(expected.contains(&told.to_string().as_str()), "{told}");
        assert!(!told.replayed || *told == fresh[0].again(), "byte for byte: {told:?}");
    }
    assert!(counted.get(out_of_breath).is_none_or(|count| *count < CROWD / 20), "the ledger keeps up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_posts_one_lead_under_one_key_makes_one_push() {
    crowd("one key", |_| Lead(4000).post().header("idempotency-key", "infinity-7")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_posts_one_lead_under_different_keys_makes_one_push() {
    crowd("different keys", |number| Lead(4000).post().header("idempotency-key", &number.to_string())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_posts_one_lead_under_no_key_makes_one_push() {
    crowd("no key", |_| Lead(4000).post()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_leads_posted_thrice_with_a_tenth_of_the_answers_lost_each_is_pushed_once_and_told_truly() {
    let mut random = seeded("a thousand leads");
    let town = Town::found(&[("UPSTREAM_TIMEOUT_MS", "2000")]).await;
    let mut losses = random.fork();
    town.stage.rudder.answering(move || match losses.u8(0..20) {
        0 => Answering::Broken,
        1 => Answering::Silent,
        _ => Answering::After(Duration::from_millis(losses.u64(0..30))),
    });
    let mut posts: Vec<_> = (1..=LEADS).flat_map(|number| [number; 3]).enumerate().collect();
    random.shuffle(&mut posts);
    let begun = Instant::now();
    let posts = posts.into_iter().map(|(id, number)| {
        let told = town.post(random.usize(0..2), &Lead(number).post(), &id.to_string());
        async move { (number, told.await) }
    });
    let answers: Vec<(u32, Told)> = stream::iter(posts).buffer_unordered(AT_ONCE).collect().await;
    let counted = count(answers.iter().map(|(_, told)| told));
    report(format_args!("{LEADS} leads, thrice each, {AT_ONCE} at a time, in {:?}: {counted:#?}", begun.elapsed()));

    let mut last = Vec::new();
    let pushes = town.stage.rudder.received();
    for number in 1..=LEADS {
        let told = town.post(0, &Lead(number).post(), "last").await;
        let of_this: Vec<_> = answers.iter().filter(|(of, _)| *of == number).map(|(_, told)| told).collect();
        let fresh: Vec<_> = of_this.iter().filter(|told| told.is_settled() && !told.replayed).collect();
        assert_eq!(fresh.len(), 1, "who pushed it says so: {of_this:?}");
        assert_eq!(told, fresh[0].again(), "lead {number}");
        for told in &of_this {
            let pending = told.to_string() == "409 pending in_progress";
            assert!(pending || told.is_settled() && told.body == fresh[0].body, "lead {number}: {told:?}");
        }
        last.push(told);
    }
    let bodies = pushes.iter().filter(|push| push.accepted).map(|push| push.body.clone());
    let mut pushed: Vec<_> = bodies.collect();
    pushed.sort();
    let mut leads: Vec<_> = (1..=LEADS).map(|number| Lead(number).body()).collect();
    leads.sort();
    assert_eq!(pushed, leads, "each was pushed once");
    assert_eq!(town.stage.rudder.received().len(), pushes.len(), "and posting it once more pushes nothing");
    report(format_args!("posted once more: {:#?}", count(&last)));
}
