//! What has to hold at the end of every schedule.

use lendswift_relay::claim::Settled;
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::fakes::DynamoCore;

use super::{
    operator,
    process::{Answer, Happened, World, body},
    schedule::{LEADS, lead},
};

/// The item of a lead.
pub fn pk(lead: &str) -> String {
    format!("acme#lead#{}", hex::encode(Sha256::digest(lead)))
}

/// Panics where a promise is broken; names what was seen.
pub fn verify(world: &World, dynamodb: &DynamoCore) -> Vec<String> {
    let happened = world.happened.lock().unwrap().clone();
    let accepted = world.rudder.accepted();
    let story = || format!("{happened:#?}\naccepted: {accepted:?}\n{:#?}", dynamodb.items("claims"));
    for one in LEADS {
        let calls = accepted.iter().filter(|number| lead(**number) == one && **number < 9000).count();
        assert!(calls <= 1, "called {calls} times: {}", story());
    }
    let mut seen = Vec::new();
    for Happened { post, answer, .. } in &happened {
        let called = accepted.contains(&post.number);
        let (truth, name) = match answer {
            None => (true, "no answer"),
            Some(Answer::Accepted) => (called, "accepted"),
            Some(Answer::Unknown) => (true, "unknown"),
            Some(Answer::Refused) => (!called, "refused"),
            Some(Answer::NotSent) => (!called, "not_sent"),
            // Another request is at the same lead, whatever key it has.
            Some(Answer::Pending) => {
                let others = happened.iter().filter(|other| other.post.number != post.number);
                (!called && others.clone().any(|other| other.post.lead == post.lead), "pending")
            }
            Some(Answer::Interrupted) => (!called, "interrupted"),
            Some(Answer::Unavailable) => (!called, "unavailable"),
            Some(Answer::KeyReused) => (!called, "key reused"),
            Some(Answer::Replayed(settled)) => {
                let name = if matches!(settled, Settled::Accepted { .. }) {
                    "accepted, replayed"
                } else {
                    "unknown, replayed"
                };
                (!called && is_first_answer(settled, &happened, &accepted, post.lead), name)
            }
        };
        assert!(truth, "post {} was answered {name}: {}", post.number, story());
        seen.push(name.to_owned());
    }
    for item in dynamodb.items("claims") {
        if item.get("claim").is_some() && item.get("outcome").is_none() {
            let left = left_by(&item, &happened, &world.killed.lock().unwrap());
            let left = left.unwrap_or_else(|| panic!("a claim that no one answers for: {item:#}\n{}", story()));
            seen.push(left.to_owned());
        }
    }
    seen
}

/// Says so for each claim that a process could not close yet.
pub fn left(world: &World, dynamodb: &DynamoCore) -> Vec<String> {
    let (happened, killed) = (world.happened.lock().unwrap().clone(), world.killed.lock().unwrap().clone());
    let is_open = |item: &Value| item.get("claim").is_some() && item.get("outcome").is_none();
    let items = dynamodb.items("claims").into_iter().filter(is_open);
    items.filter(|item| left_by(item, &happened, &killed).is_none()).map(|_| "claim left".to_owned()).collect()
}

/// Whether an answer that was given again is the one that the lead's sender got, or the operator's.
fn is_first_answer(settled: &Settled, happened: &[Happened], accepted: &[u32], of: &str) -> bool {
    if settled.body() == operator::BODY {
        return accepted.iter().any(|number| lead(*number) == of);
    }
    let sender = happened.iter().find(|happened| body(happened.post.number) == settled.body());
    // One that was killed after it had settled is not heard of.
    let Some(Happened { post, answer, .. }) = sender else { return true };
    let same = match (settled, answer) {
        (Settled::Accepted { .. }, Some(answer)) => *answer == Answer::Accepted,
        (Settled::Unknown { .. }, Some(answer)) => *answer == Answer::Unknown,
        (_, None) => true,
    };
    let is_true = !matches!(settled, Settled::Accepted { .. }) || accepted.contains(&post.number);
    same && is_true && post.lead == of
}

/// Why a claim may stay open: its process was killed during the request, or later, with what it kept.
fn left_by(item: &Value, happened: &[Happened], killed: &[u32]) -> Option<&'static str> {
    let number: u32 = item["request_id"]["S"].as_str().unwrap().parse().unwrap();
    let sender = happened.iter().find(|happened| happened.post.number == number)?;
    match sender.answer {
        None => Some("a killed process's claim at the end"),
        Some(_) if killed.contains(&sender.process) => Some("a kept claim that ended with its process"),
        Some(_) => None,
    }
}
