//! What all rounds found.

use std::{collections::BTreeMap, time::Duration};

use crate::{own_work::OwnWork, round::Sample, subject::Who};

/// The rounds of each subject.
#[derive(Default)]
pub struct Results {
    rounds: BTreeMap<Who, Vec<Sample>>,
    own_work: Vec<OwnWork>,
}

/// A figure of a subject: times in milliseconds, memory in MiB.
pub type Figure = fn(&Results, Who) -> Option<f64>;

impl Results {
    /// Takes in one more round.
    pub fn add(&mut self, who: Who, sample: Sample) {
        self.rounds.entry(who).or_default().push(sample);
    }

    /// From the start of the process to its first request for an event.
    pub fn start(&self, who: Who) -> Option<f64> {
        self.median(who, |sample| ms(sample.start))
    }

    /// Time on the processor for that.
    pub fn start_cpu(&self, who: Who) -> Option<f64> {
        self.median(who, |sample| ms(sample.start_cpu))
    }

    /// The answer to the first lead.
    pub fn first(&self, who: Who) -> Option<f64> {
        self.median(who, |sample| ms(sample.first))
    }

    /// Time on the processor for that.
    pub fn first_cpu(&self, who: Who) -> Option<f64> {
        self.median(who, |sample| ms(sample.first_cpu))
    }

    /// The time within which this share of the later leads, of all rounds, was answered.
    pub fn following(&self, who: Who, percent: usize) -> Option<f64> {
        let times = self.rounds.get(&who)?.iter().flat_map(|sample| &sample.following).copied().map(ms);
        percentile(times.collect(), percent)
    }

    /// Time on the processor for a later lead.
    pub fn cpu(&self, who: Who) -> Option<f64> {
        self.median(who, |sample| ms(sample.cpu))
    }

    /// The least and the most of it that a round had.
    pub fn cpu_range(&self, who: Who) -> Option<(f64, f64)> {
        let times: Vec<_> = self.rounds.get(&who)?.iter().map(|sample| ms(sample.cpu)).collect();
        Some((times.iter().copied().reduce(f64::min)?, times.into_iter().reduce(f64::max)?))
    }

    /// The most memory at once.
    pub fn memory(&self, who: Who) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "no process has so much")]
        self.median(who, |sample| sample.memory as f64 / 1_048_576.0)
    }

    /// Takes in what the relay itself took for a lead in one more round.
    pub fn add_own_work(&mut self, own_work: OwnWork) {
        self.own_work.push(own_work);
    }

    /// What the relay itself takes for a lead, in microseconds, where it was measured.
    pub fn own_work(&self, figure: fn(&OwnWork) -> f64) -> Option<f64> {
        percentile(self.own_work.iter().map(figure).collect(), 50)
    }

    fn median(&self, who: Who, figure: fn(&Sample) -> f64) -> Option<f64> {
        percentile(self.rounds.get(&who)?.iter().map(figure).collect(), 50)
    }
}

/// How many times as much one has as the other, where both were measured.
pub fn ratio(results: &Results, figure: Figure, one: Who, other: Who) -> Option<f64> {
    Some(figure(results, one)? / figure(results, other)?)
}

/// The least figure that so many percent of all do not exceed.
fn percentile(mut figures: Vec<f64>, percent: usize) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let rank = (figures.len() * percent).div_ceil(100);
    figures.get(rank.saturating_sub(1)).copied()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
