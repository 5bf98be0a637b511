//! What CloudWatch counts: namespace, names and dimensions in one place, for alarms and dashboards to refer to.
//!
//! The function writes them to its log in CloudWatch's embedded metric format. Dimensions have few values, and none is of
//! a sender's making.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use metrics::{Unit, counter, describe_histogram, histogram};

use crate::{
    account::Source,
    answer::Answer,
    rudder::{Code, UpstreamCodes},
};

/// The namespace of all of them.
pub const NAMESPACE: &str = "LendswiftRelay";
/// Answers, by `outcome`.
pub const LEADS: &str = "Leads";
/// Answers with an error of the relay's own, or that stands for AI Rudder's, by `error`. A secret that can't be read is
/// `account_misconfigured`, though its senders are told `unauthorized`; a claim that could not be settled or released is
/// `claim_left`, whatever its sender was answered.
pub const ERRORS: &str = "Errors";
/// The `error` of a claim that could not be settled or released, which no sender gets.
pub const CLAIM_LEFT: &str = "claim_left";
/// Faults of leads, by `field`.
pub const FAULTS: &str = "Faults";
/// How long the push took, all tries of it, in milliseconds.
pub const UPSTREAM_MILLISECONDS: &str = "UpstreamMilliseconds";
/// Secrets that opened an account, by the `result` of looking for them: `cached`, `read` or `stale`.
pub const SECRET_READS: &str = "SecretReads";
/// Answers of AI Rudder under HTTP 2xx with a `code` of its own, by `code`: those that `UPSTREAM_CODES` names, and those
/// that left a doubt.
pub const UPSTREAM_CODES: &str = "UpstreamCodes";

/// How many codes that are not configured get a label of their own, per process: CloudWatch bills each as a metric.
const UNNAMED_CODES: usize = 50;

/// The values of the dimension `code`. AI Rudder makes them, so they are bounded.
#[derive(Debug, Default)]
pub(crate) struct CodeLabels {
    named: UpstreamCodes,
    unnamed: Mutex<BTreeSet<i64>>,
}

impl CodeLabels {
    /// The values where these codes are named.
    pub(crate) fn new(named: UpstreamCodes) -> Self {
        Self { named, unnamed: Mutex::default() }
    }

    /// The value for a code: `other` where it can't be logged, or where too many came before it.
    fn of(&self, code: i64) -> Cow<'static, str> {
        let mut unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
        let has_label = self.named.contains(code) || unnamed.contains(&code) || unnamed.len() < UNNAMED_CODES;
        match Code::Integer(code).for_logs().filter(|_| has_label) {
            Some(code) => {
                if !self.named.contains(code) {
                    unnamed.insert(code);
                }
                Cow::Owned(code.to_string())
            }
            None => Cow::Borrowed("other"),
        }
    }
}

/// Says what the numbers are of. Called once, when there is something that records them.
pub fn describe() {
    describe_histogram!(UPSTREAM_MILLISECONDS, Unit::Milliseconds, "how long the push took");
}

/// Counts an answer.
pub(crate) fn answered(answer: &Answer) {
    counter!(LEADS, "outcome" => answer.outcome.as_str()).increment(1);
    if let Some(error) = answer.counted_as {
        counter!(ERRORS, "error" => error).increment(1);
    }
    for fault in answer.faults() {
        counter!(FAULTS, "field" => fault.field.clone()).increment(1);
    }
}

/// Counts a claim that could not be closed.
pub(crate) fn claim_left() {
    counter!(ERRORS, "error" => CLAIM_LEFT).increment(1);
}

/// Counts a push of so many milliseconds.
pub(crate) fn pushed(milliseconds: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a push ends within half a minute")]
    histogram!(UPSTREAM_MILLISECONDS).record(milliseconds as f64);
}

/// Counts where a secret came from.
pub(crate) fn opened(source: Source) {
    counter!(SECRET_READS, "result" => source.as_str()).increment(1);
}

/// Counts a code of AI Rudder's own.
pub(crate) fn own_code(labels: &CodeLabels, code: i64) {
    counter!(UPSTREAM_CODES, "code" => labels.of(code)).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_codes_that_nobody_named_are_told_apart_and_no_more() {
        let labels = CodeLabels::new("10510=refused 1234567=refused".parse().unwrap());
        for code in 1..=50 {
            assert_eq!(labels.of(code), code.to_string());
        }
        for (code, label) in [(51, "other"), (50, "50"), (1, "1"), (10510, "10510"), (-1, "other"), (51, "other")] {
            assert_eq!(labels.of(code), label, "{code}");
        }
    }

    #[test]
    fn a_code_that_can_not_be_logged_has_no_label_and_takes_nobodys_place() {
        let labels = CodeLabels::new("1234567=refused".parse().unwrap());
        for code in (1_000_000..1_000_100).chain([16_501_231_234, -1_000_000, 1_234_567]) {
            assert_eq!(labels.of(code), "other", "{code}");
        }
        for code in [999_999, -999_999] {
            assert_eq!(labels.of(code), code.to_string());
        }
    }
}
