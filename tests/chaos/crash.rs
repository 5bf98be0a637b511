//! Processes that are killed (SIGKILL) at random moments.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fastrand::Rng;
use support::{Answering, DynamoBehaviour, Lead, ObservedResponse, ProcessHarness};

use crate::{
    RELAY,
    run::{report, seeded},
};

const ROUNDS: u32 = 200;

/// How far a lead was when its process was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Killed {
    BeforeTheClaim,
    ClaimedAndNotPushed,
    PushedAndNotSettled,
    SettledAndNotAnswered,
    AfterTheAnswer,
}

/// How long a lead takes at most while no dependency is slow.
async fn typical(harness: &ProcessHarness) -> Duration {
    let mut longest = Duration::ZERO;
    for lead in 1..=5 {
        let begun = Instant::now();
        assert_eq!(harness.post(&Lead(lead).post()).await, "200 accepted");
        longest = longest.max(begun.elapsed());
    }
    longest
}

/// Makes some of the dependencies slow, and sometimes restarts the process, which then reads the secret too. Returns how long
/// a lead takes then.
async fn prepare(harness: &ProcessHarness, random: &mut Rng, typical: Duration) -> Duration {
    let [ledger, rudder] = [(); 2].map(|()| Duration::from_millis(if random.bool() { random.u64(10..60) } else { 0 }));
    harness.rudder.answering(move || Answering::After(rudder));
    let slow = if random.bool() { DynamoBehaviour::Slow } else { DynamoBehaviour::AppliedSlow };
    harness.dynamodb.behave(slow(ledger));
    if random.bool() {
        harness.restart().await;
    }
    // A little more than it takes, so that some are killed after their answer.
    typical.mul_f64(1.5) + 2 * ledger + rudder
}

/// Posts a lead to a process that is killed at a random moment of this time, and starts the process again.
async fn post_and_kill(
    harness: &ProcessHarness,
    random: &mut Rng,
    lead: Lead,
    time: Duration,
) -> Option<ObservedResponse> {
    let moment = time.mul_f64(random.f64());
    let kill = async {
        tokio::time::sleep(moment).await;
        harness.lambda.kill().await
    };
    let post = lead.post();
    let (response, _) = tokio::join!(harness.post_within(&post, random.i64(3000..8000)), kill);
    harness.restart().await;
    harness.settle_ledger().await;
    response
}

/// How far a lead was whose caller got this response, if any.
fn place(harness: &ProcessHarness, lead: Lead, response: Option<&ObservedResponse>) -> Killed {
    let (item, pushes) = (lead.item(&harness.dynamodb), lead.pushes(&harness.rudder));
    let is_settled = item.map(|item| item.get("outcome").is_some());
    match (response, is_settled, pushes) {
        (None, None, 0) => Killed::BeforeTheClaim,
        (None, Some(false), 0) => Killed::ClaimedAndNotPushed,
        (None, Some(false), 1) => Killed::PushedAndNotSettled,
        (None, Some(true), 1) => Killed::SettledAndNotAnswered,
        (Some(_), Some(true), 1) => Killed::AfterTheAnswer,
        _ => panic!("{lead:?}: got {response:?} after {pushes} pushes, settled: {is_settled:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_moment_causes_no_second_push() {
    let mut random = seeded("killed");
    let harness = ProcessHarness::start(RELAY, &[]).await;
    let typical = typical(&harness).await;
    let mut killed = BTreeMap::<Killed, usize>::new();
    for lead in (1000..1000 + ROUNDS).map(Lead) {
        let time = prepare(&harness, &mut random, typical).await;
        let first = post_and_kill(&harness, &mut random, lead, time).await;
        let (place, pushes) = (place(&harness, lead, first.as_ref()), lead.pushes(&harness.rudder));
        *killed.entry(place).or_default() += 1;

        let second = harness.post(&lead.post()).await;
        if place != Killed::BeforeTheClaim {
            lead.end_lease(&harness.dynamodb);
        }
        let third = harness.post(&lead.post()).await;
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
        assert_eq!(lead.pushes(&harness.rudder), pushes_in_all, "{lead:?} {place:?}");
        if let Some(first) = first {
            assert_eq!((first.to_string().as_str(), second), ("200 accepted", first.again()), "{lead:?}");
        }
    }

    report(format_args!("{ROUNDS} kills; a lead takes {typical:?}\n{killed:#?}"));
    assert_eq!(killed.len(), 5, "every place is hit");
    assert!(killed.values().all(|kills| *kills >= 5), "and more than once: {killed:?}");
}
