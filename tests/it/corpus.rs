//! The inputs that fuzzing starts from, and any that it found something with.

use std::{collections::BTreeSet, fs, path::Path};

use base64::prelude::*;
use lendswift_relay::{
    lead::ParsedLead,
    rudder::{UpstreamBody, UpstreamCodes, Verdict, verdict},
};
use serde_json::Value;

use crate::invariants;

/// The files of a corpus, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn what_holds_for_any_lead_holds_for_the_corpus() {
    let corpus = corpus("lead");
    assert!(corpus.len() >= 16);
    for (_, body) in &corpus {
        invariants::lead(body);
    }
}

#[test]
fn what_holds_for_any_upstream_answer_holds_for_the_corpus() {
    let corpus = corpus("upstream_answer");
    assert!(corpus.len() >= 9);
    for (_, answer) in &corpus {
        invariants::upstream_answer(answer);
    }
}

#[test]
fn the_corpus_has_a_lead_one_with_faults_and_a_body_that_is_none() {
    let readings: BTreeSet<&str> = corpus("lead")
        .iter()
        .map(|(_, body)| match ParsedLead::parse(body) {
            Ok(ParsedLead { lead: Ok(_), .. }) => "a lead",
            Ok(ParsedLead { lead: Err(_), .. }) => "faults",
            Err(_) => "malformed",
        })
        .collect();
    assert_eq!(readings, BTreeSet::from(["a lead", "faults", "malformed"]));
}

#[test]
fn the_corpus_reaches_every_verdict() {
    let reached: BTreeSet<String> = corpus("upstream_answer")
        .iter()
        .filter_map(|(_, answer)| {
            let (status, body) = answer.split_first_chunk::<2>()?;
            let body = UpstreamBody::read(body.to_vec());
            let verdict = verdict(u16::from_be_bytes(*status), body.code(), &UpstreamCodes::default());
            // A new verdict has to be named here, and reached by the corpus.
            match verdict {
                Verdict::Accepted
                | Verdict::Refused
                | Verdict::RateLimited
                | Verdict::TokenRefused
                | Verdict::Unknown => Some(format!("{verdict:?}")),
            }
        })
        .collect();
    let all = ["Accepted", "Refused", "RateLimited", "TokenRefused", "Unknown"];
    assert_eq!(reached, all.map(str::to_owned).into());
}

#[test]
fn the_bodies_of_the_sample_events_are_in_the_corpus() {
    let corpus: BTreeSet<(String, Vec<u8>)> = corpus("lead").into_iter().collect();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let event: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let body = event["body"].as_str().unwrap_or_default();
        let body = match event["isBase64Encoded"].as_bool() {
            Some(true) => BASE64_STANDARD.decode(body).unwrap_or_default(),
            _ => body.as_bytes().to_vec(),
        };
        // Those that never get to be read are left out.
        if (1..=65_536).contains(&body.len()) {
            assert!(corpus.contains(&(name.clone(), body)), "{name} is not in fuzz/corpus/lead, or differs");
        }
    }
}
