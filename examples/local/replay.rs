//! Replays event files, and compares each response with its snapshot.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::de::IgnoredAny;
use snapbox::{Assert, Data, IntoData, report::Palette};
use support::{TABLE, TestApp, fakes::api_gateway::Response, snapshot};

use crate::{print, request_line};

/// The comparison of a response with its snapshot.
enum Comparison {
    Equal,
    Differs(String),
    NoSnapshot,
}

#[derive(Default)]
struct Summary {
    events: usize,
    differ: usize,
    without_snapshot: usize,
    unreadable: usize,
}

/// Replays every file. The exit code is 1 if a file cannot be read, has no snapshot, or leads to a different response.
pub async fn run(files: &[PathBuf]) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut summary = Summary::default();
    for file in files {
        summary.events += 1;
        match read(file) {
            Ok(event) => summary.count(&replay_one(file, &event).await?),
            Err(reason) => {
                summary.unreadable += 1;
                print(format_args!("{}: {reason}\n", file.display()));
            }
        }
    }
    print(summary.line());
    Ok(if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> Result<String, String> {
    let event = fs::read_to_string(file).map_err(|error| {
        format!("cannot read this file: {error}\nGive the path of an event file, for example events/accepted.json.")
    })?;
    serde_json::from_str::<IgnoredAny>(&event).map_err(|error| {
        format!("this file is not JSON: {error}\nIt must contain one HTTP API event, as events/accepted.json does.")
    })?;
    Ok(event)
}

/// Uses a relay and fakes of its own, so that the result does not depend on other events.
async fn replay_one(file: &Path, event: &str) -> io::Result<Comparison> {
    let app = TestApp::try_with(&[("CLAIMS_TABLE", TABLE)]).await?;
    let response = app.serve(event).await;
    let text = snapshot::text(&response, &app.rudder.received());
    let comparison = compare(text, &snapshot::path_for(file))?;
    report(file, &response, &comparison);
    Ok(comparison)
}

fn compare(text: String, snapshot: &Path) -> io::Result<Comparison> {
    if !snapshot.try_exists()? {
        return Ok(Comparison::NoSnapshot);
    }
    let expected = Data::read_from(snapshot, None).raw();
    let assert = Assert::new().palette(Palette::plain());
    let compared = assert.try_eq(Some(&"this response"), text.into_data(), expected);
    Ok(compared.map_or_else(|error| Comparison::Differs(error.to_string()), |()| Comparison::Equal))
}

fn report(file: &Path, response: &Response, comparison: &Comparison) {
    let outcome = request_line::header(response, "lead-outcome").unwrap_or("without lead-outcome");
    let snapshot = snapshot::path_for(file);
    let snapshot = snapshot.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&snapshot).display();
    print(format_args!("{}: {} {outcome}", file.display(), response.status));
    print(String::from_utf8_lossy(&response.body));
    print(match comparison {
        Comparison::Equal => "equals its snapshot\n".to_owned(),
        Comparison::Differs(diff) => format!(
            "differs from {snapshot}:\n{}\n\
             If the new response is right, run `SNAPSHOTS=overwrite cargo test --test it`.\n",
            diff.trim()
        ),
        Comparison::NoSnapshot => format!(
            "has no snapshot: {snapshot} does not exist\n\
             For a file in events/, `SNAPSHOTS=overwrite cargo test --test it` creates it.\n"
        ),
    });
}

impl Summary {
    fn count(&mut self, comparison: &Comparison) {
        match comparison {
            Comparison::Equal => {}
            Comparison::Differs(_) => self.differ += 1,
            Comparison::NoSnapshot => self.without_snapshot += 1,
        }
    }

    fn is_success(&self) -> bool {
        self.differ + self.without_snapshot + self.unreadable == 0
    }

    fn line(&self) -> String {
        let events = if self.events == 1 { "event" } else { "events" };
        let differ = if self.differ == 1 { "differs from its snapshot" } else { "differ from their snapshots" };
        let more = [(self.without_snapshot, "without a snapshot"), (self.unreadable, "not readable")];
        let more = more.into_iter().filter(|(count, _)| *count > 0);
        let parts = [(self.events, events), (self.differ, differ)].into_iter().chain(more);
        parts.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    }
}
