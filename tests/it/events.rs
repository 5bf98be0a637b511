//! Every sample event, through the real relay, against its snapshot. `SNAPSHOTS=overwrite cargo test` writes them anew.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use snapbox::{Assert, Data};

use crate::{snapshot, stage::Stage};

pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn every_event_gets_the_answer_and_makes_the_push_of_its_snapshot() {
    let assert = Assert::new().action_env("SNAPSHOTS");
    for file in files("events") {
        // Each on a stage of its own, so that none depends on what came before it.
        let stage = Stage::with_ledger().await;
        let answer = stage.serve(&fs::read_to_string(&file).unwrap()).await;
        let text = snapshot::text(&answer, &stage.rudder.received());
        assert.eq(text, Data::read_from(&snapshot::path_for(&file), None).raw());
    }
}

#[test]
fn every_event_has_a_snapshot_and_every_snapshot_an_event() {
    let events: BTreeSet<PathBuf> = files("events").iter().map(|event| snapshot::path_for(event)).collect();
    let snapshots: BTreeSet<PathBuf> = files("tests/it/snapshots").into_iter().collect();
    assert_eq!(events, snapshots);
    assert!(events.len() >= 12);
}

#[test]
fn every_event_is_whole_as_api_gateway_would_make_it() {
    let keys = |value: &serde_json::Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    for file in files("events") {
        let event: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let required =
            ["version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"];
        for key in required {
            assert!(keys(&event).contains(key), "{} has no {key}", file.display());
        }
        let context = &event["requestContext"];
        for key in ["accountId", "apiId", "domainName", "http", "requestId", "routeKey", "stage", "time", "timeEpoch"] {
            assert!(keys(context).contains(key), "{} has no requestContext.{key}", file.display());
        }
        assert_eq!(event["version"], "2.0");
        assert_eq!(context["http"]["path"], event["rawPath"]);
    }
}
