//! What became of the leads of a list.

use serde_json::{Value, json};

use super::list::Listed;
use crate::{
    decision::{Decision, Reason, Resolution},
    failure::{ExitStatus, Failure},
    lead::result,
    output::{Output, count, explain, table},
};

/// What became of a lead.
pub(super) enum Outcome {
    Decided(Decision),
    /// It was reopened, and another lead has its phone number by now.
    ReopenedWithoutNumber,
    /// The table does not have it, and nothing shows that it ever had.
    NotFound,
    Failed(Failure),
}

/// The results of all leads.
pub(super) struct Report<'a> {
    resolution: Resolution,
    dry_run: bool,
    total: usize,
    written: usize,
    done_before: usize,
    table: &'a str,
    of_another_lead: Vec<Listed>,
    not_found: Vec<Listed>,
    refused: Vec<(Listed, Reason)>,
    failed: Vec<(Listed, Failure)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(resolution: Resolution, dry_run: bool, total: usize, table: &'a str) -> Self {
        let (of_another_lead, not_found, refused, failed) = Default::default();
        let (written, done_before) = (0, 0);
        Self { resolution, dry_run, total, written, done_before, table, of_another_lead, not_found, refused, failed }
    }

    /// Adds a lead's result.
    pub(super) fn add(&mut self, listed: Listed, outcome: Outcome) {
        match outcome {
            Outcome::Decided(Decision::Allowed) => self.written += 1,
            Outcome::ReopenedWithoutNumber => {
                self.written += 1;
                self.of_another_lead.push(listed);
            }
            Outcome::Decided(Decision::Done) => self.done_before += 1,
            Outcome::Decided(Decision::Refused(reason)) => self.refused.push((listed, reason)),
            Outcome::NotFound => self.not_found.push(listed),
            Outcome::Failed(failure) => self.failed.push((listed, failure)),
        }
    }

    /// Prints it, and returns the exit code.
    pub(super) fn print(&self, output: Output) -> Result<ExitStatus, Failure> {
        output.print(&self.json(), self.text())?;
        if let Some((_, failure)) = self.failed.first() {
            explain(failure);
            return Ok(ExitStatus::Aws);
        }
        let is_done = self.refused.is_empty() && self.not_found.is_empty();
        Ok(if is_done { ExitStatus::Done } else { ExitStatus::Refused })
    }

    fn name(&self, decision: &Decision) -> &'static str {
        result(self.resolution, decision, self.dry_run)
    }

    /// The leads that were not begun after a failure.
    fn not_begun(&self) -> usize {
        let ended = self.written + self.done_before + self.not_found.len() + self.refused.len() + self.failed.len();
        self.total.saturating_sub(ended)
    }

    fn json(&self) -> Value {
        let refused = self.refused.iter().map(|(Listed { lead, claim, .. }, reason)| {
            let mut entry = json!({ "lead": lead, "claim": claim, "why": reason.to_string() });
            if let (Some(entry), Ok(Value::Object(reason))) = (entry.as_object_mut(), serde_json::to_value(reason)) {
                entry.extend(reason);
            }
            entry
        });
        let failed = self.failed.iter().map(
            |(Listed { lead, claim, .. }, failure)| json!({ "lead": lead, "claim": claim, "why": failure.to_string() }),
        );
        json!({
            self.name(&Decision::Allowed): self.written,
            self.name(&Decision::Done): self.done_before,
            "phone_number_of_another_lead": self.of_another_lead.iter().map(|listed| &listed.claim).collect::<Vec<_>>(),
            "not_found": self.not_found.iter().map(|listed| &listed.claim).collect::<Vec<_>>(),
            "refused": refused.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "not_begun": self.not_begun(),
        })
    }

    /// The refused leads, each with its reason, and then the numbers.
    fn text(&self) -> String {
        let refused = self.refused.iter().map(|(listed, reason)| [listed.claim.clone(), format!("refused: {reason}")]);
        let failed = self.failed.iter().map(|(listed, failure)| [listed.claim.clone(), format!("failed: {failure}")]);
        let not_found = self.not_found.iter().map(|listed| [listed.claim.clone(), "not found".to_owned()]);
        let of_another_lead = self.of_another_lead.iter().map(|listed| {
            [
                listed.claim.clone(),
                "reopened: another lead has its phone number, so a post gets recently_called".to_owned(),
            ]
        });
        let rows: Vec<_> = of_another_lead.chain(not_found).chain(refused).chain(failed).collect();
        let numbers = [
            (self.written, self.name(&Decision::Allowed).replace('_', " ")),
            (self.done_before, self.name(&Decision::Done).replace('_', " ")),
            (
                self.not_found.len(),
                format!("not found in the table {} (reopened before, or in another table)", self.table),
            ),
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
