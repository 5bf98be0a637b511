//! What one event leads to, as text: the whole answer, and what AI Rudder got.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    fakes::{Received, api_gateway::Response},
    in_repository,
};

/// The snapshot that belongs to an event file.
pub fn path_for(event: &Path) -> PathBuf {
    let name = event.file_stem().unwrap_or_default();
    in_repository("tests/it/snapshots").join(name).with_extension("txt")
}

/// The answer and the pushes, written out. The relay's own timestamp is left out where it is the time of day.
pub fn text(answer: &Response, received: &[Received]) -> String {
    let mut text = format!("HTTP {}\n", answer.status);
    let mut headers: Vec<_> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    headers.sort();
    text.extend(headers);
    let _ = writeln!(text, "\n{}", without_the_time_of_day(&String::from_utf8_lossy(&answer.body)));
    if received.is_empty() {
        text.push_str("\nAI Rudder received nothing.\n");
    }
    for push in received {
        let content_type = push.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("none");
        let _ =
            writeln!(text, "\nAI Rudder received\nPOST {}\ncontent-type: {content_type}\n\n{}", push.path, push.body);
    }
    text
}

/// The body with `"timestamp":"now"` where it says a second of the last minute.
fn without_the_time_of_day(body: &str) -> String {
    let field = "\"timestamp\":";
    let Some((before, rest)) = body.split_once(field) else { return body.to_owned() };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(digits);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match digits.parse::<u64>() {
        Ok(timestamp) if timestamp <= now && timestamp + 60 > now => format!("{before}{field}\"now\"{after}"),
        _ => body.to_owned(),
    }
}
