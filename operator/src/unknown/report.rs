//! What became of the leads of a list.

use serde_json::{Value, json};

use super::list::Listed;
use crate::{
    decision::{Decision, Reason, Resolution},
    failure::{ExitStatus, Failure},
    lead::result,
    output::{Output, count, explain, table},
};

/// The decision about a lead, or why there is none.
pub(super) type Outcome = Result<Decision, Failure>;

/// The results of all leads.
pub(super) struct Report {
    resolution: Resolution,
    dry_run: bool,
    total: usize,
    written: usize,
    done_before: usize,
    refused: Vec<(Listed, Reason)>,
    failed: Vec<(Listed, Failure)>,
}

impl Report {
    pub(super) fn new(resolution: Resolution, dry_run: bool, total: usize) -> Self {
        Self { resolution, dry_run, total, written: 0, done_before: 0, refused: Vec::new(), failed: Vec::new() }
    }

    /// Adds a lead's result.
    pub(super) fn add(&mut self, listed: Listed, outcome: Outcome) {
        match outcome {
            Ok(Decision::Allowed) => self.written += 1,
            Ok(Decision::Done) => self.done_before += 1,
            Ok(Decision::Refused(reason)) => self.refused.push((listed, reason)),
            Err(failure) => self.failed.push((listed, failure)),
        }
    }

    /// Prints it, and returns the exit code.
    pub(super) fn print(&self, output: Output) -> ExitStatus {
        output.print(&self.json(), self.text());
        if let Some((_, failure)) = self.failed.first() {
            explain(failure);
            return ExitStatus::Aws;
        }
        if self.refused.is_empty() { ExitStatus::Done } else { ExitStatus::Refused }
    }

    fn name(&self, decision: &Decision) -> &'static str {
        result(self.resolution, decision, self.dry_run)
    }

    /// The leads that were not begun after a failure.
    fn not_begun(&self) -> usize {
        self.total.saturating_sub(self.written + self.done_before + self.refused.len() + self.failed.len())
    }

    fn json(&self) -> Value {
        let refused = self.refused.iter().map(|(Listed { lead, claim }, reason)| {
            let mut entry = json!({ "lead": lead, "claim": claim, "why": reason.to_string() });
            if let (Some(entry), Ok(Value::Object(reason))) = (entry.as_object_mut(), serde_json::to_value(reason)) {
                entry.extend(reason);
            }
            entry
        });
        let failed = self.failed.iter().map(
            |(Listed { lead, claim }, failure)| json!({ "lead": lead, "claim": claim, "why": failure.to_string() }),
        );
        json!({
            self.name(&Decision::Allowed): self.written,
            self.name(&Decision::Done): self.done_before,
            "refused": refused.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "not_begun": self.not_begun(),
        })
    }

    /// The refused leads, each with its reason, and then the numbers.
    fn text(&self) -> String {
        let refused = self.refused.iter().map(|(listed, reason)| [listed.claim.clone(), format!("refused: {reason}")]);
        let failed = self.failed.iter().map(|(listed, failure)| [listed.claim.clone(), format!("failed: {failure}")]);
        let rows: Vec<_> = refused.chain(failed).collect();
        let numbers = [
            (self.written, self.name(&Decision::Allowed).replace('_', " ")),
            (self.done_before, self.name(&Decision::Done).replace('_', " ")),
            (self.refused.len(), "refused".to_owned()),
            (self.failed.len(), "failed".to_owned()),
            (self.not_begun(), "not begun".to_owned()),
        ];
        let numbers = numbers.into_iter().filter(|(number, _)| *number > 0);
        let numbers: Vec<_> = numbers.map(|(number, name)| format!("{number} {name}")).collect();
        let summary = format!("{}: {}", count(self.total, "lead"), numbers.join(", "));
        if rows.is_empty() { summary } else { format!("{}\n\n{summary}", table(["claim", "result"], rows, false)) }
    }
}
