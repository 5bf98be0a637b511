//! Every sample event, through the real relay, against its snapshot. `SNAPSHOTS=overwrite cargo test` rewrites the snapshots.

use std::{collections::BTreeSet, fs, path::PathBuf};

use snapbox::{Assert, Data};
use support::TestApp;
use support::snapshot::{self, files};

#[tokio::test]
async fn every_event_has_the_response_and_the_push_of_its_snapshot() {
    let assert = Assert::new().action_env("SNAPSHOTS");
    for file in files("events") {
        // With an app of its own, so that no event depends on the one before it.
        let app = TestApp::with_ledger().await;
        let response = app.serve(&fs::read_to_string(&file).unwrap()).await;
        let text = snapshot::text(&response, &app.rudder.received());
        assert.eq(text, Data::read_from(&snapshot::path_for(&file), None).raw());
    }
}

#[test]
fn every_event_has_a_snapshot_and_every_snapshot_an_event() {
    let events: BTreeSet<PathBuf> = files("events").iter().map(|event| snapshot::path_for(event)).collect();
    let snapshots: BTreeSet<PathBuf> = files("tests/it/snapshots").into_iter().collect();
    assert_eq!(events, snapshots);
    assert!(!events.is_empty());
}
