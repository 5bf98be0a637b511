//! The tables, as Markdown.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    results::{Figure, Results, ratio},
    subject::{Subject, Who},
};

/// A table with so many columns of words, and then numbers.
pub fn table(head: &[&str], words: usize, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(head).add_rows(rows);
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

/// A row a subject.
pub fn medians(subjects: &[Subject], results: &Results) -> String {
    let head = ["medians", "start, ms", "first lead, ms", "p50, ms", "p99, ms", "memory, MiB", "binary, MB", "zip, MB"];
    table(&head, 1, subjects.iter().map(|subject| medians_of(subject, results)))
}

fn medians_of(subject: &Subject, results: &Results) -> Vec<String> {
    let who = subject.who;
    vec![
        who.title().to_owned(),
        number(results.start(who), 2),
        number(results.first(who), 2),
        number(results.following(who, 50), 2),
        number(results.following(who, 99), 2),
        number(results.memory(who), 1),
        number(subject.binary.map(megabytes), 2),
        number(Some(megabytes(subject.zip)), 2),
    ]
}

/// What each subject takes of a processor.
pub fn processor(subjects: &[Subject], results: &Results) -> String {
    let head =
        ["CPU time, medians", "start, ms", "first lead, ms", "a later lead, ms", "least and most of a round, ms"];
    table(&head, 1, subjects.iter().map(|subject| processor_of(subject.who, results)))
}

fn processor_of(who: Who, results: &Results) -> Vec<String> {
    vec![
        who.title().to_owned(),
        number(results.start_cpu(who), 2),
        number(results.first_cpu(who), 2),
        number(results.cpu(who), 3),
        results.cpu_range(who).map_or_else(String::new, |(least, most)| format!("{least:.3} {most:.3}")),
    ]
}

/// What each subject has of what another has.
pub fn ratios(subjects: &[Subject], results: &Results) -> String {
    let head = [
        "ratios",
        "start / floor",
        "CPU / thin",
        "memory / thin",
        "start / Python",
        "first lead / Python",
        "CPU / Python",
        "memory / Python",
    ];
    table(&head, 1, subjects.iter().map(|subject| ratios_of(subject.who, results)))
}

fn ratios_of(who: Who, results: &Results) -> Vec<String> {
    let has_a_ledger = matches!(who, Who::Relay | Who::RelayUnconnected | Who::Python);
    let python = if has_a_ledger { Who::Python } else { Who::PythonOff };
    let columns: [(Figure, Who); 7] = [
        (Results::start, Who::Floor),
        (Results::cpu, Who::Thin),
        (Results::memory, Who::Thin),
        (Results::start, python),
        (Results::first, python),
        (Results::cpu, python),
        (Results::memory, python),
    ];
    let ratios = columns.map(|(figure, other)| number(ratio(results, figure, who, other), 3));
    [who.title().to_owned()].into_iter().chain(ratios).collect()
}

/// A number with so many decimals, where there is one.
pub fn number(number: Option<f64>, decimals: usize) -> String {
    number.map_or_else(|| "–".to_owned(), |number| format!("{number:.decimals$}"))
}

/// Bytes in millions.
pub fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no program is so large")]
    let bytes = bytes as f64;
    bytes / 1e6
}
