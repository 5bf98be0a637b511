//! What the command prints: results on stdout, as text or as one JSON document; everything else on stderr.

use std::{
    fmt::Display,
    fs::{self, File},
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use lendswift_relay::lead::Fault;
use serde_json::{Value, json};

use crate::failure::{ExitStatus, Failure};

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result, in the form that the operator chose. The reader may have gone, as in `lendswift … | head`.
    pub(crate) fn print(self, document: &Value, text: impl Display) -> Result<(), Failure> {
        match self.write(document, text) {
            Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Failure::output(
                format!("the result cannot be written to stdout: {cause}"),
                "What the command did is done. Run it again with another output: it says what was done before.",
            )),
            _ => Ok(()),
        }
    }

    /// Prints the only copy of an API key. `Err` if any of it could not be written.
    pub(crate) fn print_key(self, document: &Value, text: impl Display, fix: &str) -> Result<(), Failure> {
        self.write(document, text).map_err(|cause| {
            Failure::output(format!("the API key was stored, and cannot be written to stdout: {cause}"), fix)
        })
    }

    /// Whether an API key can be printed: an empty line is written first, before AWS stores the key's digest. `Err`
    /// also if stdout is closed or `/dev/null`: Rust's runtime opens `/dev/null` in place of a closed stdout.
    pub(crate) fn expect_key() -> Result<(), Failure> {
        let fix = "Nothing was changed. The API key is shown only once: run the command with a terminal, a file or a \
                   pipe as stdout.";
        if is_null(&io::stdout()) {
            return Err(Failure::output("stdout is closed or /dev/null, so the new API key would be lost", fix));
        }
        let mut stdout = io::stdout();
        stdout.write_all(b"\n").and_then(|()| stdout.flush()).map_err(|cause| {
            Failure::output(format!("stdout cannot be written to, so the new API key would be lost: {cause}"), fix)
        })
    }

    fn write(self, document: &Value, text: impl Display) -> io::Result<()> {
        let text = if self.json { format!("{document:#}") } else { text.to_string() };
        let mut stdout = io::stdout();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }

    /// Prints a hint for people.
    pub(crate) fn hint(self, text: impl Display) {
        if !self.json {
            line(text);
        }
    }

    /// Prints a failure. With JSON, stdout gets it too.
    pub(crate) fn failure(self, failure: &Failure) {
        explain(failure);
        if self.json {
            let fields = Some(&failure.faults).filter(|faults| !faults.is_empty());
            let document = json!({ "error": failure.message(), "fix": failure.fix(), "fields": fields });
            // stdout may be the failure. stderr has it too.
            if failure.status != ExitStatus::Output {
                let _ = self.write(&document, "");
            }
        }
    }
}

/// Whether a stream is `/dev/null`.
fn is_null(stream: &impl AsFd) -> bool {
    let stream = stream.as_fd().try_clone_to_owned().and_then(|stream| File::from(stream).metadata());
    let null = fs::metadata("/dev/null");
    let (Ok(stream), Ok(null)) = (stream, null) else { return false };
    stream.file_type().is_char_device() && stream.rdev() == null.rdev()
}

/// Prints a failure on stderr, with what helps.
pub(crate) fn explain(failure: &Failure) {
    line(format_args!("lendswift: {failure}"));
    for Fault { field, kind } in &failure.faults {
        line(format_args!("  {field}: {kind} ({})", kind.code()));
    }
    line(failure.fix());
}

/// Writes a line to stderr. If that fails, there is no other place to report it; the exit code does.
fn line(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A table without lines. With `wraps`, its cells are as wide as a terminal allows; ids must stay whole.
pub(crate) fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    wraps: bool,
) -> String {
    let mut table = Table::new();
    let arrangement = if wraps { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
    table.load_style(presets::NOTHING).set_content_arrangement(arrangement);
    table.set_header(head.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// These members of an object, one per line and in this order. Those without a value are left out.
pub(crate) fn members(document: &Value, names: &[&str]) -> String {
    let value = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(values) if values.is_empty() => None,
        Value::Array(values) => Some(values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        other => Some(other.to_string()),
    };
    let line = |name: &&str| Some(format!("{:17}{}", name.replace('_', " "), value(document.get(*name)?)?));
    names.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// An object with another member.
pub(crate) fn with(mut document: Value, name: &str, member: impl Into<Value>) -> Value {
    if let Some(members) = document.as_object_mut() {
        members.insert(name.to_owned(), member.into());
    }
    document
}

/// A progress display on stderr, which is hidden if stderr is no terminal. Without a length it counts.
pub(crate) fn progress(verb: &'static str, length: Option<usize>) -> ProgressBar {
    let bar = match length {
        Some(length) => ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX)),
        None => ProgressBar::no_length(),
    };
    let template = if length.is_some() {
        "{prefix} {wide_bar} {pos}/{len} {per_sec} {eta}"
    } else {
        "{prefix} {spinner} {human_pos} items"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_prefix(verb)
}

/// A number of things.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A time in UTC.
pub(crate) fn time(unix: u64) -> String {
    // Times beyond year 9999 have no such form.
    let latest = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(unix)).unwrap_or(latest).min(latest);
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Unix seconds.
pub(crate) fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
