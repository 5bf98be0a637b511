//! The result of one event as text: the whole response, and the pushes that AI Rudder received.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use uuid::Uuid;

use crate::{
    fakes::{Received, api_gateway::Response},
    in_repository,
};

/// The files of a folder of the repository, in order.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(in_repository(folder)).expect("the folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

/// The snapshot of an event file.
pub fn path_for(event: &Path) -> PathBuf {
    let name = event.file_stem().unwrap_or_default();
    in_repository("tests/it/snapshots").join(name).with_extension("txt")
}

/// The response and the pushes. The relay's own timestamp is left out where it is the time of day, and the random `lead-id`.
pub fn text(response: &Response, received: &[Received]) -> String {
    let mut text = format!("HTTP {}\n", response.status);
    let value = |name: &str, value: &str| match name {
        "lead-id" if value.parse::<Uuid>().is_ok() => "a UUID".to_owned(),
        _ => value.to_owned(),
    };
    let mut headers: Vec<_> =
        response.headers.iter().map(|(name, text)| format!("{name}: {}\n", value(name, text))).collect();
    headers.sort();
    text.extend(headers);
    let _ = writeln!(text, "\n{}", without_the_time_of_day(&String::from_utf8_lossy(&response.body)));
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

/// The body with `"timestamp":"now"` in place of a time within the last minute.
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
