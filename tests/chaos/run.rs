//! The random choices of a run, and its printed counts.

use std::{env, fmt::Display};

use fastrand::Rng;

/// A generator whose seed makes a run repeatable, as far as the machine allows it.
pub fn seeded(test: &str) -> Rng {
    let seed = env::var("CHAOS_SEED").map_or(4, |seed| seed.parse().expect("CHAOS_SEED is a number"));
    report(format_args!("{test}: CHAOS_SEED={seed}"));
    Rng::with_seed(seed)
}

/// Prints what was counted.
#[expect(clippy::print_stdout, reason = "the counts of a long test are its report")]
pub fn report(counted: impl Display) {
    println!("{counted}");
}
