//! The metrics: their namespace, names and dimensions in one place, for the template, the alarms and the reference.
//!
//! The function writes them to its log in CloudWatch's embedded metric format. Each dimension has few values, none of which a
//! caller can choose freely.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use http::StatusCode;
use metrics::{Unit, counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector, Error};

use crate::{
    account::SecretSource,
    answer::{Answer, Subject},
    rudder::{Code, UpstreamCodes},
};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "LendswiftRelay";

/// The dimension of all metrics, by which the stacks of one AWS account and region differ: `STACK_NAME`.
pub const STACK: &str = "stack";

/// A metric, with its documentation.
#[derive(Debug)]
pub struct Metric {
    /// The name in CloudWatch.
    pub name: &'static str,
    /// The only dimension in addition to [`STACK`], if there is one.
    pub dimension: Option<&'static str>,
    /// The unit.
    pub unit: &'static str,
    /// What the metric counts or measures.
    pub meaning: &'static str,
}

const LEADS: Metric = Metric {
    name: "Leads",
    dimension: Some("outcome"),
    unit: "Count",
    meaning: "Responses to authenticated posts to `…/leads` of live accounts, by their `lead-outcome`, except replays.",
};
const REPLAYS: Metric = Metric {
    name: "Replays",
    dimension: Some("outcome"),
    unit: "Count",
    meaning: "Responses that repeat the stored response to an earlier post of the lead, by their `lead-outcome`. They count in \
              no other metric but `SecretReads`.",
};
const SANDBOX_REQUESTS: Metric = Metric {
    name: "SandboxRequests",
    dimension: Some("outcome"),
    unit: "Count",
    meaning: "Responses to authenticated requests of sandbox accounts, by their `lead-outcome`. They count in no other \
              metric but `SecretReads`.",
};
const ERRORS: Metric = Metric {
    name: "Errors",
    dimension: Some("error"),
    unit: "Count",
    meaning: "Responses with an error, by its name, even if the body is AI Rudder's envelope; except replays, responses to \
              sandbox accounts, and responses to validate and status requests that need no operator and are not \
              `unauthorized`. A secret that cannot be read \
              counts as `account_misconfigured`, although the caller gets `unauthorized`. A claim that could not be settled \
              or released counts as `claim_left`, whatever the response was.",
};
const FAULTS: Metric = Metric {
    name: "Faults",
    dimension: Some("field"),
    unit: "Count",
    meaning: "Faults of invalid leads that were posted to `…/leads` of a live account, by the field's JSON pointer.",
};
const UPSTREAM_MILLISECONDS: Metric = Metric {
    name: "UpstreamMilliseconds",
    dimension: None,
    unit: "Milliseconds",
    meaning: "Duration of a push, with all attempts to connect. After a refused token it includes the refresh of the secret \
              and the second push.",
};
const SECRET_READS: Metric = Metric {
    name: "SecretReads",
    dimension: Some("result"),
    unit: "Count",
    meaning: "Authenticated requests whose account's secret was read (`read`), or was stale because Secrets Manager failed \
              (`stale`). A cached secret does not count: it would add a line to the log for almost every lead.",
};
const UPSTREAM_CODES: Metric = Metric {
    name: "UpstreamCodes",
    dimension: Some("code"),
    unit: "Count",
    meaning: "AI Rudder's responses under HTTP 2xx with a `code` of its own: those that the variable `UPSTREAM_CODES` names, \
              and those whose meaning is unknown. At most 50 of the latter per process; the others count as `other`.",
};

/// All metrics.
pub const METRICS: &[&Metric] =
    &[&LEADS, &REPLAYS, &SANDBOX_REQUESTS, &ERRORS, &FAULTS, &UPSTREAM_MILLISECONDS, &SECRET_READS, &UPSTREAM_CODES];

/// The `error` of a claim that could not be settled or released. No caller receives it.
pub const CLAIM_LEFT: &str = "claim_left";

/// How many codes that are not configured get a label of their own, per process. CloudWatch bills each label as a metric.
const MAX_UNCONFIGURED_CODES: usize = 50;

/// The values of the dimension `code`. AI Rudder chooses them, so the relay bounds their number.
#[derive(Debug, Default)]
pub(crate) struct CodeLabels {
    configured: UpstreamCodes,
    unconfigured: Mutex<BTreeSet<i64>>,
}

impl CodeLabels {
    pub(crate) fn new(configured: UpstreamCodes) -> Self {
        Self { configured, unconfigured: Mutex::default() }
    }

    /// The label of a code. It is `other` if the code must not be logged, or if too many codes already have a label.
    fn label(&self, code: i64) -> Cow<'static, str> {
        let mut unconfigured = self.unconfigured.lock().unwrap_or_else(PoisonError::into_inner);
        let has_label = self.configured.contains(code)
            || unconfigured.contains(&code)
            || unconfigured.len() < MAX_UNCONFIGURED_CODES;
        match Code::Integer(code).loggable().filter(|_| has_label) {
            Some(code) => {
                if !self.configured.contains(code) {
                    unconfigured.insert(code);
                }
                Cow::Owned(code.to_string())
            }
            None => Cow::Borrowed("other"),
        }
    }
}

/// Installs the recorder, whose metrics all have the dimension [`STACK`] if there is a stack. Call this once, at start-up. `Err`
/// if another recorder is installed.
pub fn start(stack: Option<String>) -> Result<Recorder, Error> {
    let builder = Builder::new().cloudwatch_namespace(NAMESPACE);
    let builder = match stack {
        Some(stack) => builder.with_dimension(STACK, stack),
        None => builder,
    };
    let collector = builder.init()?;
    describe();
    Ok(Recorder(Some(collector)))
}

/// Sets the units. [`start`] calls it; a test with its own recorder calls it too.
pub fn describe() {
    describe_histogram!(UPSTREAM_MILLISECONDS.name, Unit::Milliseconds, UPSTREAM_MILLISECONDS.meaning);
}

/// The metrics that were recorded since the last event. The default records nothing, for tests.
#[derive(Clone, Copy, Default)]
pub struct Recorder(Option<&'static Collector>);

impl Recorder {
    /// Writes the metrics to standard output, which is the function's log. A failure does not delay the response.
    pub(crate) fn flush(self) {
        let Some(collector) = self.0 else { return };
        let mut lines = Vec::with_capacity(1024);
        let _ = collector.flush(&mut lines).and_then(|()| io::stdout().write_all(&lines));
    }
}

/// Counts a response. Replays and those to a sandbox account have metrics of their own, those to a caller who was not
/// authenticated count only as errors, and those to an inquiry only as errors that need an operator.
pub(crate) fn count_response(answer: &Answer) {
    let outcome = answer.outcome.as_str();
    match answer.subject {
        Subject::Lead if answer.replayed => return counter!(REPLAYS.name, "outcome" => outcome).increment(1),
        Subject::Lead => counter!(LEADS.name, "outcome" => outcome).increment(1),
        Subject::Unauthenticated => {}
        Subject::Sandbox => return counter!(SANDBOX_REQUESTS.name, "outcome" => outcome).increment(1),
        // A wrong API key counts wherever it is tried.
        Subject::Inquiry if answer.needs_operator || answer.status == StatusCode::UNAUTHORIZED => {}
        Subject::Inquiry => return,
    }
    if let Some(error) = answer.metric {
        counter!(ERRORS.name, "error" => error).increment(1);
    }
    for fault in answer.faults() {
        counter!(FAULTS.name, "field" => fault.field.clone()).increment(1);
    }
}

/// Counts a claim that could not be closed.
pub(crate) fn count_left_claim() {
    counter!(ERRORS.name, "error" => CLAIM_LEFT).increment(1);
}

/// Records the duration of a push.
pub(crate) fn record_push(milliseconds: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a push ends within half a minute")]
    histogram!(UPSTREAM_MILLISECONDS.name).record(milliseconds as f64);
}

/// Counts an authenticated request whose secret did not come from the cache alone.
pub(crate) fn count_secret_source(source: SecretSource) {
    if source != SecretSource::Cached {
        counter!(SECRET_READS.name, "result" => source.as_str()).increment(1);
    }
}

/// Counts a code of AI Rudder's own.
pub(crate) fn count_own_code(labels: &CodeLabels, code: i64) {
    counter!(UPSTREAM_CODES.name, "code" => labels.label(code)).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_unconfigured_codes_get_their_own_labels() {
        let labels = CodeLabels::new("10510=refused 1234567=refused".parse().unwrap());
        for code in 1..=50 {
            assert_eq!(labels.label(code), code.to_string());
        }
        for (code, label) in [(51, "other"), (50, "50"), (1, "1"), (10510, "10510"), (-1, "other"), (51, "other")] {
            assert_eq!(labels.label(code), label, "{code}");
        }
    }

    #[test]
    fn a_code_that_must_not_be_logged_gets_no_label() {
        let labels = CodeLabels::new("1234567=refused".parse().unwrap());
        for code in (1_000_000..1_000_100).chain([16_501_231_234, -1_000_000, 1_234_567]) {
            assert_eq!(labels.label(code), "other", "{code}");
        }
        for code in [999_999, -999_999] {
            assert_eq!(labels.label(code), code.to_string());
        }
    }
}
