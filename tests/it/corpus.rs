//! The inputs that fuzzing starts from, and those with which it found a bug.

use std::{collections::BTreeSet, fs, path::Path};

use lendswift_relay::{
    lead::ParsedLead,
    rudder::{UpstreamBody, UpstreamCodes, verdict},
};
use serde_json::Value;
use support::{api_gateway, invariants, snapshot::files};

/// The files of a corpus, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files(&format!("fuzz/corpus/{target}")).iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

#[test]
fn the_leads_keep_the_invariants_and_are_of_every_kind() {
    let corpus = corpus("lead");
    let kinds: BTreeSet<&str> = corpus
        .iter()
        .map(|(_, body)| {
            invariants::lead(body);
            match ParsedLead::parse(body) {
                Ok(ParsedLead { lead: Ok(_), .. }) => "valid",
                Ok(ParsedLead { lead: Err(_), .. }) => "faults",
                Err(_) => "malformed",
            }
        })
        .collect();
    assert!(corpus.len() >= 17);
    assert_eq!(kinds, BTreeSet::from(["valid", "faults", "malformed"]));
}

#[test]
fn the_responses_keep_the_invariants_and_reach_every_verdict() {
    let corpus = corpus("upstream_answer");
    let mut reached = BTreeSet::new();
    for (_, answer) in &corpus {
        invariants::upstream_answer(answer);
        if let Some((status, body)) = answer.split_first_chunk::<2>() {
            let body = UpstreamBody::parse(body.to_vec());
            let verdict = verdict(u16::from_be_bytes(*status), body.code(), &UpstreamCodes::default());
            reached.insert(format!("{verdict:?}"));
        }
    }
    // A new verdict does not compile in `support::invariants` before it is given an outcome.
    let all = ["Accepted", "Refused", "RateLimited", "TokenRefused", "Unknown"];
    assert_eq!(reached, all.map(str::to_owned).into());
    assert!(corpus.len() >= 9);
}

#[test]
fn the_bodies_of_the_sample_events_are_in_the_corpus() {
    let corpus: BTreeSet<(String, Vec<u8>)> = corpus("lead").into_iter().collect();
    for path in files("events") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let event: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let body = api_gateway::body(&event).unwrap_or_default();
        // Bodies that are refused unread are left out.
        if (1..=65_536).contains(&body.len()) {
            assert!(corpus.contains(&(name.clone(), body)), "{name} is not in fuzz/corpus/lead, or differs");
        }
    }
}
