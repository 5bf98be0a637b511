//! The report, as Markdown.

use bench_support::Failure;
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    args::Args,
    machine,
    results::{Measured, Results},
    targets::Check,
};

const EXPLANATION: &str = "\
AI Rudder, Secrets Manager and DynamoDB are fakes on the same machine behind TLS 1.3; the network adds time only at a
distance. CPU time and memory are those of the function's process alone. A lead's time is from the moment when the
runtime API hands out its event until it has the response; p50 and p99 are of the later leads of all rounds.
";

/// Everything that was measured, and whether the targets are met.
pub fn format(results: &Results, targets: &[Check], args: &Args) -> Result<String, Failure> {
    Ok([
        conditions(args)?,
        figures("medians", &TIMES, &results.candidates),
        figures("CPU time, medians", &CPU_TIMES, &results.candidates),
        if args.round_trip_ms > 0 { figures("at a distance", &FAR, &results.candidates) } else { String::new() },
        checks(targets),
        overhead(results).unwrap_or_default(),
        EXPLANATION.to_owned(),
    ]
    .join("\n"))
}

fn conditions(args: &Args) -> Result<String, Failure> {
    Ok(format!(
        "{}; {}.\n{} rounds, each of a first lead and {} later ones, {} at a time. AI Rudder takes {} ms longer; at a \
         distance, the round trip to each dependency takes {} ms.\n",
        machine::describe()?,
        if args.all_processors { "all cores used" } else { "one core used" },
        args.rounds,
        args.leads,
        args.at_a_time,
        args.delay_ms,
        args.round_trip_ms,
    ))
}

/// A column of a table with a row per candidate.
type Column = (&'static str, fn(&Measured) -> String);

const TIMES: [Column; 8] = [
    ("start, ms", |measured| format!("{:.2}", measured.near.median(|sample| sample.start))),
    ("first lead, ms", |measured| format!("{:.2}", measured.near.median(|sample| sample.first))),
    ("p50, ms", |measured| format!("{:.2}", measured.near.response_time(50))),
    ("p99, ms", |measured| format!("{:.2}", measured.near.response_time(99))),
    ("leads per second", |measured| format!("{:.0}", measured.near.median(|sample| sample.per_second))),
    ("memory, MiB", |measured| format!("{:.1}", measured.near.median(|sample| sample.memory))),
    ("binary, MB", |measured| format!("{:.2}", megabytes(measured.candidate.binary))),
    ("zip, MB", |measured| format!("{:.2}", megabytes(measured.candidate.zip))),
];

const CPU_TIMES: [Column; 4] = [
    ("start, ms", |measured| format!("{:.2}", measured.near.median(|sample| sample.start_cpu))),
    ("first lead, ms", |measured| format!("{:.2}", measured.near.median(|sample| sample.first_cpu))),
    ("later lead, ms", |measured| format!("{:.3}", measured.near.median(|sample| sample.later_cpu))),
    ("range over the rounds, ms", |measured| {
        let (least, most) = measured.near.range(|sample| sample.later_cpu);
        format!("{least:.3}–{most:.3}")
    }),
];

const FAR: [Column; 5] = [
    ("start, ms", |measured| format!("{:.2}", measured.far.median(|sample| sample.start))),
    ("first lead, ms", |measured| format!("{:.2}", measured.far.median(|sample| sample.first))),
    ("p50, ms", |measured| format!("{:.2}", measured.far.response_time(50))),
    ("p99, ms", |measured| format!("{:.2}", measured.far.response_time(99))),
    ("CPU per lead, ms", |measured| format!("{:.3}", measured.far.median(|sample| sample.later_cpu))),
];

fn figures(title: &str, columns: &[Column], candidates: &[Measured]) -> String {
    let head: Vec<_> = [title].into_iter().chain(columns.iter().map(|(title, _)| *title)).collect();
    let row = |measured: &Measured| {
        let name = measured.candidate.variant.title().to_owned();
        [name].into_iter().chain(columns.iter().map(|(_, cell)| cell(measured))).collect()
    };
    table(&head, 1, candidates.iter().map(row))
}

/// Nothing if no target's candidates were measured.
fn checks(targets: &[Check]) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let row = |check: &Check| {
        vec![
            check.figure.to_owned(),
            check.of.clone(),
            format!("{:.3}", check.measured),
            format!("{:.3}", check.limit),
            format!("{:.0} %", check.tolerance * 100.0),
            if check.missed().is_some() { "missed" } else { "met" }.to_owned(),
        ]
    };
    table(&["target", "of", "measured", "at most", "tolerance", "result"], 2, targets.iter().map(row))
}

fn overhead(results: &Results) -> Option<String> {
    Some(format!(
        "In-process overhead: without the ledger, a lead takes {:.0} µs of CPU time more than its push alone.\n",
        results.overhead()?
    ))
}

/// A table whose first columns hold words, and the others numbers.
fn table(head: &[&str], words: usize, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(head).add_rows(rows);
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

/// Millions of bytes.
pub fn megabytes(bytes: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a program has fewer than 2^52 bytes")]
    let bytes = bytes as f64;
    bytes / 1e6
}
