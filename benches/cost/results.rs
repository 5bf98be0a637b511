//! What all rounds found.

use crate::{
    candidate::{Candidate, Variant},
    round::Sample,
};

/// One figure of a round.
pub type Figure = fn(&Sample) -> f64;

/// A candidate, with what the rounds found.
pub struct Measured {
    pub candidate: Candidate,
    /// With every dependency on this machine.
    pub near: Samples,
    /// With every dependency at a distance.
    pub far: Samples,
}

#[derive(Default)]
pub struct Samples(pub Vec<Sample>);

/// Everything that was measured.
pub struct Results {
    pub candidates: Vec<Measured>,
    pub overheads: Vec<f64>,
}

impl Samples {
    /// The median over all rounds.
    pub fn median(&self, figure: Figure) -> f64 {
        percentile(self.0.iter().map(figure).collect(), 50)
    }

    pub fn range(&self, figure: Figure) -> (f64, f64) {
        let figures = || self.0.iter().map(figure);
        (figures().fold(f64::INFINITY, f64::min), figures().fold(f64::NEG_INFINITY, f64::max))
    }

    /// The response time that this percentage of the later leads, of all rounds, did not exceed.
    pub fn response_time(&self, percent: usize) -> f64 {
        percentile(self.0.iter().flat_map(|sample| sample.later.iter().copied()).collect(), percent)
    }
}

impl Results {
    /// A variant, if it was measured.
    pub fn of(&self, variant: Variant) -> Option<&Measured> {
        self.candidates.iter().find(|measured| measured.candidate.variant == variant)
    }

    /// The median overhead, if it was measured.
    pub fn overhead(&self) -> Option<f64> {
        (!self.overheads.is_empty()).then(|| percentile(self.overheads.clone(), 50))
    }
}

/// The least of the figures that this percentage of them does not exceed.
pub fn percentile(mut figures: Vec<f64>, percent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    let rank = (figures.len() * percent).div_ceil(100);
    figures.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
