//! What must hold between the relay and the others.

use crate::{
    results::{Figure, Results, ratio},
    subject::{Subject, Who},
    table::{megabytes, number, table},
};

struct Goal {
    title: &'static str,
    figure: Figure,
    one: Who,
    other: Who,
    most: f64,
}

const fn goal(title: &'static str, figure: Figure, one: Who, other: Who, most: f64) -> Goal {
    Goal { title, figure, one, other, most }
}

const START: &str = "start to the first `/next`";
const FIRST: &str = "first lead";
const CPU: &str = "CPU time a lead";
const MEMORY: &str = "peak memory";

/// What the zipped relay may have, in millions of bytes.
const ZIP: f64 = 3.5;

/// What the relay itself may take for a lead, in microseconds.
const OWN_WORK: f64 = 20.0;

const GOALS: [Goal; 13] = [
    goal(START, Results::start, Who::RelayUnconnected, Who::Floor, 2.0),
    goal(START, Results::start, Who::RelayUnconnected, Who::Python, 1.0 / 10.0),
    goal(START, Results::start, Who::RelayOffUnconnected, Who::PythonOff, 1.0 / 10.0),
    goal(FIRST, Results::first, Who::Relay, Who::Python, 1.0 / 5.0),
    goal(FIRST, Results::first, Who::RelayOff, Who::PythonOff, 1.0 / 5.0),
    goal(CPU, Results::cpu, Who::RelayOff, Who::Thin, 1.5),
    goal(CPU, Results::cpu, Who::Relay, Who::Thin, 3.0),
    goal(CPU, Results::cpu, Who::Relay, Who::Python, 1.0 / 5.0),
    goal(CPU, Results::cpu, Who::RelayOff, Who::PythonOff, 1.0 / 5.0),
    goal(MEMORY, Results::memory, Who::Relay, Who::Thin, 1.5),
    goal(MEMORY, Results::memory, Who::RelayOff, Who::Thin, 1.5),
    goal(MEMORY, Results::memory, Who::Relay, Who::Python, 1.0 / 3.0),
    goal(MEMORY, Results::memory, Who::RelayOff, Who::PythonOff, 1.0 / 3.0),
];

/// Each, and whether it does. Nothing about what was not measured.
pub fn table_of(subjects: &[Subject], results: &Results) -> String {
    let zip = subjects.iter().find(|subject| subject.who == Who::Relay).map(|relay| megabytes(relay.zip));
    let zip = zip.map(|zip| row("zipped function, MB", Who::Relay.title().to_owned(), zip, ZIP));
    let own_work = results.own_work(|time| time.same_thread);
    let own_work = own_work.map(|time| row("own work in a loop, µs", Who::RelayOff.title().to_owned(), time, OWN_WORK));
    let rows = GOALS.iter().filter_map(|goal| ratio_row(goal, results)).chain(own_work).chain(zip);
    table(&["figure", "of", "measured", "at most", "holds"], 2, rows)
}

fn ratio_row(goal: &Goal, results: &Results) -> Option<Vec<String>> {
    let measured = ratio(results, goal.figure, goal.one, goal.other)?;
    let pair = format!("{} : {}", goal.one.title(), goal.other.title());
    Some(row(goal.title, pair, measured, goal.most))
}

fn row(figure: &str, of: String, measured: f64, most: f64) -> Vec<String> {
    let holds = if measured <= most { "yes" } else { "no" };
    vec![figure.to_owned(), of, number(Some(measured), 3), number(Some(most), 3), holds.to_owned()]
}
