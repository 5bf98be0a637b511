//! The guarantees that are checked at the end of every schedule.

use lendswift_relay::claim::Settled;
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::fakes::DynamoCore;

use super::{
    operator,
    process::{PostRecord, Response, World, body},
    schedule::{FIRST_CLOSING_POST, LEADS, lead},
};

/// The `pk` of a lead's item.
pub fn pk(lead: &str) -> String {
    format!("acme#lead#{}", hex::encode(Sha256::digest(lead)))
}

/// Panics if a guarantee is broken. Returns the names of the events that were seen.
pub fn verify(world: &World, dynamodb: &DynamoCore) -> Vec<String> {
    let records = world.records.lock().unwrap().clone();
    let accepted = world.rudder.accepted();
    let details = || format!("{records:#?}\naccepted: {accepted:?}\n{:#?}", dynamodb.items("claims"));
    let calls = most_calls(&accepted, world.once_per_phone);
    assert!(calls <= 1, "AI Rudder called {calls} times: {}", details());
    assert!(locked_numbers(dynamodb).is_empty(), "a phone number belongs to a lead that has no item: {}", details());
    let mut seen = Vec::new();
    for PostRecord { post, response, .. } in &records {
        let called = accepted.contains(&post.number);
        let (is_correct, name) = match response {
            None => (true, "no response"),
            Some(Response::Accepted) => (called, "accepted"),
            Some(Response::Unknown) => (true, "unknown"),
            Some(Response::Refused) => (!called, "refused"),
            Some(Response::NotSent) => (!called, "not_sent"),
            // Another post has the same lead, with any key, or something else wrote its item.
            Some(Response::Pending) => {
                let mut others = records.iter().filter(|other| other.post.number != post.number);
                let is_posted = others.any(|other| other.post.lead == post.lead);
                let is_written = || world.conflicts.lock().unwrap().iter().any(|body| body.contains(&pk(post.lead)));
                (!called && (is_posted || is_written()), "pending")
            }
            Some(Response::Interrupted) => (!called, "interrupted"),
            Some(Response::Unavailable) => (!called, "unavailable"),
            Some(Response::KeyReused) => (!called, "key reused"),
            Some(Response::RecentlyCalled) => {
                let is_other = |other: &PostRecord| LEADS.contains(&other.post.lead) && other.post.lead != post.lead;
                (!called && world.once_per_phone && records.iter().any(is_other), "recently called")
            }
            Some(Response::Replayed(settled)) => {
                let name = if matches!(settled, Settled::Accepted { .. }) {
                    "accepted, replayed"
                } else {
                    "unknown, replayed"
                };
                (!called && is_first_response(settled, &records, &accepted, post.lead), name)
            }
        };
        assert!(is_correct, "post {} got the response {name}: {}", post.number, details());
        seen.push(name.to_owned());
    }
    for item in dynamodb.items("claims") {
        if item.get("claim").is_some() && item.get("outcome").is_none() {
            let reason = reason_open(&item, &records, &world.killed.lock().unwrap());
            let reason = reason
                .unwrap_or_else(|| panic!("an open claim whose process is still running: {item:#}\n{}", details()));
            seen.push(reason.to_owned());
        }
    }
    seen
}

/// How often a lead was called, or if both leads have one phone number, both together.
fn most_calls(accepted: &[u32], once_per_phone: bool) -> usize {
    let calls = LEADS.map(|lead_body| {
        accepted.iter().filter(|number| lead(**number) == lead_body && **number < FIRST_CLOSING_POST).count()
    });
    if once_per_phone { calls.iter().sum() } else { calls.into_iter().max().unwrap() }
}

/// The items of phone numbers that no post can free.
fn locked_numbers(dynamodb: &DynamoCore) -> Vec<Value> {
    let items = dynamodb.items("claims");
    let has_item = |pk: &Value| items.iter().any(|item| item["pk"] == *pk);
    items.iter().filter(|item| item.get("lead_claim").is_some() && !has_item(&item["lead_pk"])).cloned().collect()
}

/// An event for each claim that a live process could not close yet.
pub fn kept_claims(world: &World, dynamodb: &DynamoCore) -> Vec<String> {
    let (records, killed) = (world.records.lock().unwrap().clone(), world.killed.lock().unwrap().clone());
    let is_open = |item: &Value| item.get("claim").is_some() && item.get("outcome").is_none();
    let items = dynamodb.items("claims").into_iter().filter(is_open);
    items.filter(|item| reason_open(item, &records, &killed).is_none()).map(|_| "claim kept".to_owned()).collect()
}

/// Whether a replayed response is the one that the lead's sender got, or the operator's.
fn is_first_response(settled: &Settled, records: &[PostRecord], accepted: &[u32], of: &str) -> bool {
    if settled.body() == operator::BODY {
        return accepted.iter().any(|number| lead(*number) == of);
    }
    let sender = records.iter().find(|record| body(record.post.number) == settled.body());
    // A post without a record has no response to compare.
    let Some(PostRecord { post, response, .. }) = sender else { return true };
    let same_outcome = match (settled, response) {
        (Settled::Accepted { .. }, Some(response)) => *response == Response::Accepted,
        (Settled::Unknown { .. }, Some(response)) => *response == Response::Unknown,
        (_, None) => true,
    };
    let is_true = !matches!(settled, Settled::Accepted { .. }) || accepted.contains(&post.number);
    same_outcome && is_true && post.lead == of
}

/// Why a claim may stay open: its process was killed during the request, or later with the claims that it kept.
fn reason_open(item: &Value, records: &[PostRecord], killed: &[u32]) -> Option<&'static str> {
    let number: u32 = item["request_id"]["S"].as_str().unwrap().parse().unwrap();
    let sender = records.iter().find(|record| record.post.number == number)?;
    match sender.response {
        None => Some("open claim of a killed process"),
        Some(_) if killed.contains(&sender.process) => Some("kept claim of a process that was killed later"),
        Some(_) => None,
    }
}
