//! Which calls fail, and what a failed call has done.

use super::{
    transactions::{ask, claims, seen},
    *,
};
use crate::dynamodb::{
    DynamoBehaviour::{self as Behaviour, DoneButDown, Down, Normal},
    DynamoCore, DynamoOutcome,
};

/// For each of so many puts its status and whether it was done.
async fn puts(core: &DynamoCore, count: usize) -> Vec<(u16, bool)> {
    let mut seen = Vec::new();
    for number in 0..count {
        let before = core.items("claims").len();
        let (status, _) = ask(core, "PutItem", &claim(&format!("{number}"), "first")).await;
        seen.push((status, core.items("claims").len() > before));
    }
    seen
}

async fn with_dice(seed: u64, percent: u8, behaviours: &[Behaviour]) -> Vec<(u16, bool)> {
    let core = claims();
    core.behave_at_random(seed, percent, behaviours);
    puts(&core, 20).await
}

#[tokio::test]
async fn same_seed_fails_the_same_calls() {
    let (done, failed) = ((200, true), (500, false));
    let mut expected = [done; 20];
    for at in FAILED_BY_SEED_7 {
        expected[at] = failed;
    }

    assert_eq!(with_dice(7, 20, &[Down]).await, expected);
    assert_eq!(with_dice(7, 20, &[Down]).await, expected);
    assert_ne!(with_dice(8, 20, &[Down]).await, expected);
}

const FAILED_BY_SEED_7: [usize; 5] = [1, 3, 5, 11, 19];

#[tokio::test]
async fn failed_call_was_done_or_not_as_ordered() {
    let failures = |seen: Vec<(u16, bool)>| seen.into_iter().filter(|(status, _)| *status == 500);

    let never: Vec<_> = failures(with_dice(7, 40, &[Down]).await).map(|(_, done)| done).collect();
    let always: Vec<_> = failures(with_dice(7, 40, &[DoneButDown]).await).map(|(_, done)| done).collect();
    let either: Vec<_> = failures(with_dice(7, 40, &[Down, DoneButDown]).await).map(|(_, done)| done).collect();

    assert_eq!(never, vec![false; never.len()]);
    assert_eq!(always, vec![true; never.len()]);
    assert_eq!(either, EITHER_BY_SEED_7);
}

const EITHER_BY_SEED_7: [bool; 7] = [false, false, true, false, true, true, false];

#[tokio::test]
async fn rate_is_what_was_asked_for() {
    for (percent, expected) in [(0, 0), (20, 2086), (40, 4074), (100, 10_000)] {
        let core = DynamoCore::new().unwrap();
        core.behave_at_random(1, percent, &[Behaviour::Silent]);
        let mut silent = 0;
        for _ in 0..10_000 {
            silent += usize::from(core.call("Juggle", b"{}").await == DynamoOutcome::Silent);
        }
        assert_eq!(silent, expected, "{percent} %");
    }
}

#[tokio::test(start_paused = true)]
async fn fails_for_a_time() {
    let core = claims();
    core.fail_for(Duration::from_millis(100));

    tokio::time::advance(Duration::from_millis(99)).await;
    assert_eq!(puts(&core, 1).await, [(500, false)]);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(puts(&core, 1).await, [(200, true)]);
}

#[tokio::test(start_paused = true)]
async fn orders_count_in_turn() {
    let core = claims();
    core.behave(Behaviour::Throttled);
    core.behave_at_random(7, 100, &[Down]);
    core.behave_for(Duration::from_millis(100), DoneButDown);
    core.next("PutItem", Normal);

    assert_eq!(puts(&core, 2).await, [(200, true), (500, true)]);
    tokio::time::advance(Duration::from_millis(100)).await;
    assert_eq!(puts(&core, 1).await, [(500, false)]);
    core.behave_at_random(7, 0, &[]);
    assert_eq!(puts(&core, 1).await, [(400, false)]);
}

#[tokio::test]
async fn caller_may_choose_the_behaviour_of_a_call() {
    let core = claims();
    core.behave(Down);
    core.next("PutItem", Behaviour::Throttled);
    let put = claim("a", "first").to_string();

    let outcome = core.call_as(Normal, "PutItem", put.as_bytes()).await;

    assert_eq!(seen(outcome), (200, json!({})));
    assert_eq!(core.calls(), ["PutItem"]);
    assert_eq!(puts(&core, 2).await, [(400, false), (500, false)]);
}

#[tokio::test]
async fn outcomes_are_what_a_caller_sees() {
    let put = claim("a", "first").to_string();
    for (behaviour, expected, left) in [
        (Behaviour::Silent, DynamoOutcome::Silent, vec![]),
        (Behaviour::Broken, DynamoOutcome::HungUp, vec![]),
        (Behaviour::DoneButSilent, DynamoOutcome::Silent, vec![item("a", "first")]),
        (Behaviour::DoneButBroken, DynamoOutcome::HungUp, vec![item("a", "first")]),
    ] {
        let core = claims();
        assert_eq!(core.call_as(behaviour, "PutItem", put.as_bytes()).await, expected);
        assert_eq!(core.items("claims"), left);
    }
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let core = claims();
    for operation in ["TransactWriteItems", "PutItem", "GetItem", "DescribeTable"] {
        for body in ["", "[]", "{"] {
            let (status, refused) = seen(core.call(operation, body.as_bytes()).await);
            let kind = refused["__type"].as_str().unwrap();
            assert_eq!((status, kind), (400, "com.amazon.coral.service#SerializationException"), "{operation} {body}");
        }
    }
}
