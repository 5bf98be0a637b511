//! Event files through the relay, each answer against its snapshot.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::de::IgnoredAny;
use snapbox::{Assert, Data, IntoData, report::Palette};
use support::{TABLE, TestApp, fakes::api_gateway::Response, snapshot};

use crate::{line, say};

/// What an answer turned out to be.
enum Finding {
    Same,
    Differs(String),
    NoSnapshot,
}

#[derive(Default)]
struct Summary {
    events: usize,
    differ: usize,
    without_snapshot: usize,
    not_read: usize,
}

/// Replays every file. Fails if any answer differs, or can't be compared.
pub async fn replay(files: &[PathBuf]) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut summary = Summary::default();
    for file in files {
        summary.events += 1;
        match read(file) {
            Ok(event) => summary.count(&replay_one(file, &event).await?),
            Err(why) => {
                summary.not_read += 1;
                say(format_args!("{}: {why}\n", file.display()));
            }
        }
    }
    say(summary.line());
    Ok(if summary.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> Result<String, String> {
    let event = fs::read_to_string(file).map_err(|error| format!("can't be read: {error}"))?;
    serde_json::from_str::<IgnoredAny>(&event).map_err(|error| format!("is not JSON: {error}"))?;
    Ok(event)
}

/// With an app of its own, so that no event depends on the one before it.
async fn replay_one(file: &Path, event: &str) -> io::Result<Finding> {
    let app = TestApp::try_with(&[("CLAIMS_TABLE", TABLE)]).await?;
    let answer = app.serve(event).await;
    let text = snapshot::text(&answer, &app.rudder.received());
    let finding = compare(text, &snapshot::path_for(file))?;
    tell(file, &answer, &finding);
    Ok(finding)
}

fn compare(text: String, snapshot: &Path) -> io::Result<Finding> {
    if !snapshot.try_exists()? {
        return Ok(Finding::NoSnapshot);
    }
    let expected = Data::read_from(snapshot, None).raw();
    let assert = Assert::new().palette(Palette::plain());
    let compared = assert.try_eq(Some(&"this answer"), text.into_data(), expected);
    Ok(compared.map_or_else(|error| Finding::Differs(error.to_string()), |()| Finding::Same))
}

fn tell(file: &Path, answer: &Response, finding: &Finding) {
    let outcome = line::header(answer, "lead-outcome").unwrap_or("no outcome");
    let snapshot = snapshot::path_for(file);
    let snapshot = snapshot.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&snapshot).display();
    say(format_args!("{}: {} {outcome}", file.display(), answer.status));
    say(String::from_utf8_lossy(&answer.body));
    say(match finding {
        Finding::Same => "= snapshot\n".to_owned(),
        Finding::Differs(diff) => format!("differs from {snapshot}\n{}\n", diff.trim()),
        Finding::NoSnapshot => format!("no snapshot: there is no {snapshot}\n"),
    });
}

impl Summary {
    fn count(&mut self, finding: &Finding) {
        match finding {
            Finding::Same => {}
            Finding::Differs(_) => self.differ += 1,
            Finding::NoSnapshot => self.without_snapshot += 1,
        }
    }

    fn is_good(&self) -> bool {
        self.differ + self.without_snapshot + self.not_read == 0
    }

    fn line(&self) -> String {
        let events = if self.events == 1 { "event" } else { "events" };
        let differ = if self.differ == 1 { "differs" } else { "differ" };
        let more = [(self.without_snapshot, "without snapshot"), (self.not_read, "not read")];
        let more = more.into_iter().filter(|(count, _)| *count > 0);
        let parts = [(self.events, events), (self.differ, differ)].into_iter().chain(more);
        parts.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    }
}
