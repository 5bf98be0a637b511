//! What the relay may cost, as a multiple of another candidate in the same run, and zipped.

use crate::{
    args::Args,
    candidate::Variant::{
        self, Baseline, PassThrough, Relay, RelayUnconnected, RelayUnconnectedWithoutLedger, RelayWithoutLedger,
        RelayWithoutReuse,
    },
    report::megabytes,
    results::{Figure, Results},
};

/// How far a figure may exceed its limit. Between runs on one machine, the CPU time of the same program differs by 10 %.
const TOLERANCE: f64 = 0.1;

/// Of the zipped relay, in MB. It is the same in every run, so it has no tolerance.
const ZIP_LIMIT: f64 = 3.3;

const RATIOS: [(&str, Figure, Variant, Variant, f64); 6] = [
    ("start", |sample| sample.start, RelayUnconnected, Baseline, 1.4),
    ("start", |sample| sample.start, RelayUnconnectedWithoutLedger, Baseline, 1.25),
    ("CPU time per lead", |sample| sample.later_cpu, RelayWithoutLedger, PassThrough, 0.95),
    ("CPU time per lead", |sample| sample.later_cpu, Relay, PassThrough, 2.5),
    ("peak memory", |sample| sample.memory, Relay, PassThrough, 1.1),
    ("peak memory", |sample| sample.memory, RelayWithoutLedger, PassThrough, 1.1),
];

/// The limits of p50 at a distance, as a number of trips and of milliseconds more. A trip is the pass-through relay's p50.
const TRIPS: [(Variant, f64, f64); 3] =
    [(RelayWithoutLedger, 1.05, 0.0), (Relay, 3.0, 1.0), (RelayWithoutReuse, 4.0, 1.5)];

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

/// Checks every target whose candidates were measured. The limits are those of one lead at a time.
pub fn check(results: &Results, args: &Args) -> Vec<Check> {
    if args.at_a_time > 1 {
        return Vec::new();
    }
    let ratios = RATIOS.into_iter().filter_map(|(figure, value, one, other, limit)| {
        let measured = results.of(one)?.near.median(value) / results.of(other)?.near.median(value);
        let of = format!("{} / {}", one.title(), other.title());
        Some(Check { figure, of, measured, limit, tolerance: TOLERANCE })
    });
    let trips = TRIPS.into_iter().filter(|_| args.round_trip_ms > 0).filter_map(|(variant, trips, more)| {
        let trip = results.of(PassThrough)?.far.response_time(50);
        let measured = results.of(variant)?.far.response_time(50);
        let of = format!("{}; {trips} trips of {trip:.2} and {more}", variant.title());
        Some(Check { figure: "p50 at a distance, ms", of, measured, limit: trips * trip + more, tolerance: 0.0 })
    });
    let zip = results.of(Relay).map(|relay| {
        let measured = megabytes(relay.candidate.zip);
        Check { figure: "zip, MB", of: Relay.title().to_owned(), measured, limit: ZIP_LIMIT, tolerance: 0.0 }
    });
    ratios.chain(trips).chain(zip).collect()
}
