//! Processes that are killed at random moments.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use stand_ins::{Answering, DynamoBehaviour};

use crate::{
    house::House,
    told::{Lead, report, seeded},
};

const ROUNDS: u32 = 200;

/// How far a lead had come when its process was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Killed {
    BeforeTheClaim,
    ClaimedAndNotPushed,
    PushedAndNotSettled,
    SettledAndNotAnswered,
    AfterTheAnswer,
}

/// How long a lead takes where nothing is slow, at worst.
async fn typical(house: &House) -> Duration {
    let mut longest = Duration::ZERO;
    for lead in 1..=5 {
        let begun = Instant::now();
        assert_eq!(house.told(&Lead(lead).post()).await.to_string(), "200 accepted");
        longest = longest.max(begun.elapsed());
    }
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_moment_leaves_nobody_to_be_called_twice_and_no_lie() {
    let mut random = seeded("killed");
    let house = House::open(&[]).await;
    let typical = typical(&house).await;
    let answers_after = Arc::new(AtomicU64::new(0));
    let after = Arc::clone(&answers_after);
    house.rudder.answering(move || Answering::After(Duration::from_millis(after.load(Ordering::Relaxed))));

    let mut killed = BTreeMap::<Killed, usize>::new();
    for round in 0..ROUNDS {
        let lead = Lead(1000 + round);
        let [ledger, rudder] = [(); 2].map(|()| if random.bool() { random.u64(10..60) } else { 0 });
        answers_after.store(rudder, Ordering::Relaxed);
        let wait = Duration::from_millis(ledger);
        let slow = if random.bool() { DynamoBehaviour::Slow(wait) } else { DynamoBehaviour::DoneButSlow(wait) };
        house.dynamodb.behave(slow);
        if random.bool() {
            // A cold start, which has the secret to read too.
            house.restart().await;
        }
        // A little more than it takes, so that some are killed after their answer.
        let span = typical.mul_f64(1.5) + Duration::from_millis(2 * ledger + rudder);
        let moment = span.mul_f64(random.f64());
        let kill = async {
            tokio::time::sleep(moment).await;
            house.lambda.kill().await
        };
        let post = lead.post();
        let (first, _) = tokio::join!(house.post(&post, random.i64(3000..8000)), kill);
        house.restart().await;
        house.ledger_at_rest().await;

        let (item, pushes) = (lead.item(&house.dynamodb), lead.pushes(&house.rudder));
        let is_settled = item.as_ref().map(|item| item.get("outcome").is_some());
        let place = match (&first, is_settled, pushes) {
            (None, None, 0) => Killed::BeforeTheClaim,
            (None, Some(false), 0) => Killed::ClaimedAndNotPushed,
            (None, Some(false), 1) => Killed::PushedAndNotSettled,
            (None, Some(true), 1) => Killed::SettledAndNotAnswered,
            (Some(_), Some(true), 1) => Killed::AfterTheAnswer,
            _ => panic!("{lead:?}: told {first:?} with {item:?} and {pushes} pushes"),
        };
        *killed.entry(place).or_default() += 1;

        let second = house.told(&post).await;
        if item.is_some() {
            lead.end_lease(&house.dynamodb);
        }
        let third = house.told(&post).await;
        let told = [second.to_string(), third.to_string()];
        let (expected, pushes_in_all) = match place {
            Killed::BeforeTheClaim => (["200 accepted", "200 accepted (again)"], 1),
            Killed::ClaimedAndNotPushed | Killed::PushedAndNotSettled => {
                (["409 pending in_progress", "504 unknown interrupted"], pushes)
            }
            Killed::SettledAndNotAnswered | Killed::AfterTheAnswer => {
                (["200 accepted (again)", "200 accepted (again)"], 1)
            }
        };
        assert_eq!(told, expected, "{lead:?} {place:?}");
        assert_eq!(lead.pushes(&house.rudder), pushes_in_all, "{lead:?} {place:?}");
        if let Some(first) = first {
            assert_eq!((first.to_string().as_str(), second), ("200 accepted", first.again()), "{lead:?}");
        }
    }

    report(format_args!("{ROUNDS} kills; a lead takes {typical:?}\n{killed:#?}"));
    assert_eq!(killed.len(), 5, "every place is hit");
    assert!(killed.values().all(|kills| *kills >= 5), "and more than once");
}
