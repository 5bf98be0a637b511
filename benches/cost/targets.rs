//! What the relay may cost, as a multiple of another candidate in the same run, and zipped.

use crate::{
    candidate::Variant::{self, Baseline, PassThrough, Relay, RelayUnconnected, RelayWithoutLedger},
    report::megabytes,
    results::{Figure, Results},
};

/// How far a ratio may exceed its limit. Between runs on one machine, the CPU time of the same program differs by 10 %.
const TOLERANCE: f64 = 0.1;

/// Of the zipped relay, in MB. It is the same in every run, so it has no tolerance.
const ZIP_LIMIT: f64 = 3.5;

const RATIOS: [(&str, Figure, Variant, Variant, f64); 5] = [
    ("start", |sample| sample.start, RelayUnconnected, Baseline, 2.0),
    ("CPU time per lead", |sample| sample.later_cpu, RelayWithoutLedger, PassThrough, 1.5),
    ("CPU time per lead", |sample| sample.later_cpu, Relay, PassThrough, 3.0),
    ("peak memory", |sample| sample.memory, Relay, PassThrough, 1.5),
    ("peak memory", |sample| sample.memory, RelayWithoutLedger, PassThrough, 1.5),
];

/// A measured figure and its limit.
pub struct Check {
    pub figure: &'static str,
    pub of: String,
    pub measured: f64,
    pub limit: f64,
    pub tolerance: f64,
}

impl Check {
    /// A line that says so, if the target is missed.
    pub fn missed(&self) -> Option<String> {
        let Self { figure, of, measured, limit, tolerance } = self;
        let percent = tolerance * 100.0;
        (*measured > limit * (1.0 + tolerance)).then(|| {
            format!("Target missed: {figure}, {of}: {measured:.3}; the limit is {limit:.3} plus {percent:.0} %.")
        })
    }
}

/// Checks every target whose candidates were measured.
pub fn check(results: &Results) -> Vec<Check> {
    let ratios = RATIOS.into_iter().filter_map(|(figure, value, one, other, limit)| {
        let measured = results.of(one)?.median(value) / results.of(other)?.median(value);
        let of = format!("{} / {}", one.title(), other.title());
        Some(Check { figure, of, measured, limit, tolerance: TOLERANCE })
    });
    let zip = results.of(Relay).map(|relay| {
        let measured = megabytes(relay.candidate.zip);
        Check { figure: "zip, MB", of: Relay.title().to_owned(), measured, limit: ZIP_LIMIT, tolerance: 0.0 }
    });
    ratios.chain(zip).collect()
}
