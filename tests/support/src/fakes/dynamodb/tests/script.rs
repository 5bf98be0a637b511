//! Which calls get which behaviour, and what each behaviour does.

use super::*;
use crate::fakes::dynamodb::DynamoBehaviour::{AppliedDown, Down, Normal};

/// For each of `count` puts its status and whether it was done.
async fn puts(core: &DynamoCore, count: usize) -> Vec<(u16, bool)> {
    let mut all = Vec::new();
    for number in 0..count {
        let before = core.items("claims").len();
        let (status, _) = ask(core, "PutItem", &claim(&number.to_string(), "first")).await;
        all.push((status, core.items("claims").len() > before));
    }
    all
}

async fn at_random(seed: u64, percent: u8, behaviours: &[Behaviour]) -> Vec<(u16, bool)> {
    let core = claims();
    core.behave_at_random(seed, percent, behaviours);
    puts(&core, 40).await
}

#[tokio::test]
async fn a_seed_picks_the_same_calls_and_behaviours() {
    for behaviours in [&[Down][..], &[AppliedDown], &[Down, AppliedDown]] {
        let all = at_random(7, 40, behaviours).await;
        assert_eq!(at_random(7, 40, behaviours).await, all);
        assert_ne!(at_random(8, 40, behaviours).await, all);
        let failed: Vec<_> = all.iter().filter(|(status, _)| *status == 500).collect();
        assert!((8..32).contains(&failed.len()));
        for applied in [true, false] {
            let expected = behaviours.iter().any(|behaviour| matches!(behaviour, AppliedDown) == applied);
            assert_eq!(failed.iter().any(|(_, done)| *done == applied), expected, "{behaviours:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn behaviours_have_their_precedence_and_their_time() {
    let core = claims();
    core.behave(Behaviour::Throttled);
    core.behave_at_random(7, 100, &[AppliedDown]);
    core.fail_for(Duration::from_millis(100));
    core.next("GetItem", Behaviour::Hang);
    core.next("PutItem", Behaviour::Denied);
    tokio::time::advance(Duration::from_millis(99)).await;
    assert_eq!(puts(&core, 2).await, [(400, false), (500, false)]);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(puts(&core, 1).await, [(500, true)]);
    assert_eq!(seen(core.call_as(Normal, "GetItem", key("b").to_string().as_bytes()).await), done());
    core.behave_at_random(7, 0, &[]);
    assert_eq!(puts(&core, 1).await, [(400, false)]);
}

#[tokio::test]
async fn outcomes_are_what_a_caller_sees() {
    let put = claim("a", "first").to_string();
    for (behaviour, expected, left) in [
        (Behaviour::Hang, DynamoOutcome::Hang, vec![]),
        (Behaviour::Reset, DynamoOutcome::Reset, vec![]),
        (Behaviour::AppliedNoResponse, DynamoOutcome::Hang, vec![item("a", "first")]),
        (Behaviour::AppliedReset, DynamoOutcome::Reset, vec![item("a", "first")]),
    ] {
        let core = claims();
        assert_eq!(core.call_as(behaviour, "PutItem", put.as_bytes()).await, expected);
        assert_eq!(core.items("claims"), left);
    }
}

#[tokio::test]
async fn a_refusal_lasts_until_the_next_behaviour_and_does_nothing() {
    let core = claims();
    let (_, down) = error("InternalServerError", "Internal server error");
    let denied = json!({
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "Message": "User: relay is not authorized to perform: dynamodb:PutItem",
    });
    let throttled = "Throughput exceeds the current capacity of your table or index.";
    for (behaviour, expected) in [
        (Down, (500, down)),
        (Behaviour::Denied, (400, denied)),
        (Behaviour::Throttled, error("ThrottlingException", throttled)),
    ] {
        core.behave(behaviour);
        for _ in 0..2 {
            assert_eq!(ask(&core, "PutItem", &claim("a", "first")).await, expected);
        }
    }
    let reason = json!({ "Code": "ThrottlingError", "Message": throttled });
    core.behave(Behaviour::ThrottledInTransaction);
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, cancelled([reason.clone(), reason]));
    core.behave(Behaviour::Conflicting);
    assert_eq!(transact(&core, "t", ["a", "b"], "first").await, cancelled([conflicting(), conflicting()]));
    assert_eq!(core.items("claims"), [Value::Null; 0]);
    core.behave(Normal);
    assert_eq!(ask(&core, "PutItem", &claim("a", "first")).await, done());
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_done_at_once_and_answered_later() {
    let core = claims();
    core.next("PutItem", Behaviour::AppliedSlow(SECOND));
    let begun = tokio::time::Instant::now();
    let put = claim("a", "first");
    let (answer, ()) = tokio::join!(ask(&core, "PutItem", &put), async {
        core.done("PutItem", 1).await;
        assert_eq!((begun.elapsed(), core.items("claims")), (Duration::ZERO, vec![item("a", "first")]));
    });
    assert_eq!((answer, begun.elapsed()), (done(), SECOND));
}
