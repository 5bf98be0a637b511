//! What CloudWatch counts: namespace, names and dimensions in one place, for alarms and dashboards to refer to.
//!
//! The function writes them to its log in CloudWatch's embedded metric format. Dimensions have few values, and none is of
//! a sender's making.

use metrics::{Unit, counter, describe_histogram, histogram};

use crate::{account::Source, answer::Answer};

/// The namespace of all of them.
pub const NAMESPACE: &str = "LendswiftRelay";
/// Answers, by `outcome`.
pub const LEADS: &str = "Leads";
/// Answers with an error of the relay's own, or that stands for AI Rudder's, by `error`. A secret that can't be read is
/// `account_misconfigured`, though its senders are told `unauthorized`; a claim that could not be settled or released is
/// `claim_left`, whatever its sender was answered.
pub const ERRORS: &str = "Errors";
/// Faults of leads, by `field`.
pub const FAULTS: &str = "Faults";
/// How long the push took, all tries of it, in milliseconds.
pub const UPSTREAM_MILLISECONDS: &str = "UpstreamMilliseconds";
/// Secrets that opened an account, by the `result` of looking for them: `cached`, `read` or `stale`.
pub const SECRET_READS: &str = "SecretReads";

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

/// Counts a claim that could not be closed, as an error that no sender gets.
pub(crate) fn claim_left() {
    counter!(ERRORS, "error" => "claim_left").increment(1);
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
