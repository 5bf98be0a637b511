//! Processes that are killed at random moments.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use stand_ins::{Answering, DynamoBehaviour};

use crate::{
    house::House,
    told::{Lead, Told, report, seeded},
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

/// Makes some of the neighbours slow, and sometimes the process a new one, which has the secret to read too. How long a lead
/// takes then.
async fn set_the_scene(house: &House, random: &mut fastrand::Rng, typical: Duration) -> Duration {
    let [ledger, rudder] = [(); 2].map(|()| Duration::from_millis(if random.bool() { random.u64(10..60) } else { 0 }));
    house.rudder.answering(move || Answering::After(rudder));
    let slow = if random.bool() { DynamoBehaviour::Slow } else { DynamoBehaviour::DoneButSlow };
    house.dynamodb.behave(slow(ledger));
    if random.bool() {
        house.restart().await;
    }
    // A little more than it takes, so that some are killed after their answer.
    typical.mul_f64(1.5) + 2 * ledger + rudder
}

/// Posts a lead to a process that is killed at a moment of this time, and starts it again.
async fn post_and_kill(house: &House, random: &mut fastrand::Rng, lead: Lead, time: Duration) -> Option<Told> {
    let moment = time.mul_f64(random.f64());
    let kill = async {
        tokio::time::sleep(moment).await;
        house.lambda.kill().await
    };
    let post = lead.post();
    let (told, _) = tokio::join!(house.post(&post, random.i64(3000..8000)), kill);
    house.restart().await;
    house.ledger_at_rest().await;
    told
}

/// How far a lead came, whose sender was told this, if anything.
fn place(house: &House, lead: Lead, told: Option<&Told>) -> Killed {
    let (item, pushes) = (lead.item(&house.dynamodb), lead.pushes(&house.rudder));
    let is_settled = item.map(|item| item.get("outcome").is_some());
    match (told, is_settled, pushes) {
        (None, None, 0) => Killed::BeforeTheClaim,
        (None, Some(false), 0) => Killed::ClaimedAndNotPushed,
        (None, Some(false), 1) => Killed::PushedAndNotSettled,
        (None, Some(true), 1) => Killed::SettledAndNotAnswered,
        (Some(_), Some(true), 1) => Killed::AfterTheAnswer,
        _ => panic!("{lead:?}: told {told:?} after {pushes} pushes, settled: {is_settled:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_moment_leaves_nobody_to_be_called_twice_and_no_lie() {
    let mut random = seeded("killed");
    let house = House::open(&[]).await;
    let typical = typical(&house).await;
    let mut killed = BTreeMap::<Killed, usize>::new();
    for lead in (1000..1000 + ROUNDS).map(Lead) {
        let time = set_the_scene(&house, &mut random, typical).await;
        let first = post_and_kill(&house, &mut random, lead, time).await;
        let (place, pushes) = (place(&house, lead, first.as_ref()), lead.pushes(&house.rudder));
        *killed.entry(place).or_default() += 1;

        let second = house.told(&lead.post()).await;
        if place != Killed::BeforeTheClaim {
            lead.end_lease(&house.dynamodb);
        }
        let third = house.told(&lead.post()).await;
        let (expected, pushes_in_all) = match place {
            Killed::BeforeTheClaim => (["200 accepted", "200 accepted (again)"], 1),
            Killed::ClaimedAndNotPushed | Killed::PushedAndNotSettled => {
                (["409 pending in_progress", "504 unknown interrupted"], pushes)
            }
            Killed::SettledAndNotAnswered | Killed::AfterTheAnswer => {
                (["200 accepted (again)", "200 accepted (again)"], 1)
            }
        };
        assert_eq!([second.to_string(), third.to_string()], expected, "{lead:?} {place:?}");
        assert_eq!(lead.pushes(&house.rudder), pushes_in_all, "{lead:?} {place:?}");
        if let Some(first) = first {
            assert_eq!((first.to_string().as_str(), second), ("200 accepted", first.again()), "{lead:?}");
        }
    }

    report(format_args!("{ROUNDS} kills; a lead takes {typical:?}\n{killed:#?}"));
    assert_eq!(killed.len(), 5, "every place is hit");
    assert!(killed.values().all(|kills| *kills >= 5), "and more than once: {killed:?}");
}
