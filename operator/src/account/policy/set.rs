//! Changing a policy.

use lendswift_relay::{account::AccountId, policy::PolicyError};
use serde_json::json;

use crate::{
    account::{
        change::refuse_malformed,
        document::Document,
        random,
        store::{Current, Store},
    },
    aws::Aws,
    check::has_ledger,
    cli::{Ask, DryRun, PolicyChange},
    deployment::Deployment,
    failure::{ExitStatus, Failure},
    output::{Output, members},
    policy::{KeyChange, KeyRefusal, Rules},
    prompt,
};

/// A change that the relay accepts.
pub(super) struct Plan {
    document: Document,
    before: Result<Rules, PolicyError>,
    after: Rules,
    hash_key: KeyChange,
}

/// Plans a change of this secret. `Err` if the result would be malformed.
pub(super) fn plan(name: &AccountId, mut document: Document, change: &PolicyChange) -> Result<Plan, Failure> {
    refuse_malformed(name, &document)?;
    let before = document.rules();
    let after = match &before {
        Ok(before) => before.with(change),
        Err(_) if change.is_whole() => Rules::default().with(change),
        Err(fault) => return Err(malformed(name, *fault)),
    };
    // Each rule was parsed as an argument, and no rule depends on another.
    let after = after.map_err(|fault| Failure::usage(fault.to_string(), "Nothing was changed. Correct the rule."))?;
    // A malformed policy may have needed it. Then the command asks in any case.
    let was_needed = before.as_ref().is_ok_and(Rules::has_once_per_phone);
    let hash_key = document.hash_key().change(was_needed, &after, change.new_hash_key);
    let hash_key = hash_key.map_err(|refusal| key_refused(name, refusal))?;
    if matches!(hash_key, KeyChange::Created | KeyChange::Replaced) {
        document.set_hash_key(&random()?)?;
    }
    Ok(Plan { document, before, after, hash_key })
}

impl Plan {
    /// `Err` if a rule needs the ledger, and the command can see that there is none.
    pub(super) async fn needs_ledger(&self, aws: &Aws, deployment: &Deployment) -> Result<(), Failure> {
        if self.after.has_once_per_phone() && has_ledger(aws, deployment).await == Some(false) {
            return Err(Failure::refused(
                PolicyError::NoLedger.to_string(),
                "Nothing was changed. Give the function a table first, or set --once-per-phone-hours off.",
            ));
        }
        Ok(())
    }

    /// Writes the change, unless nothing would change.
    pub(super) async fn write(
        mut self,
        store: &Store,
        name: &AccountId,
        current: &Current,
        (ask, DryRun { dry_run }): (Ask, DryRun),
        output: Output,
    ) -> Result<ExitStatus, Failure> {
        if self.changes_nothing() {
            return self.print("already_set", name, output);
        }
        self.document.set_rules(&self.after);
        let question = self.question(name);
        let document = std::mem::take(&mut self.document);
        let text = document.into_secret()?;
        if dry_run {
            return self.print("would_be_set", name, output);
        }
        if let Some(question) = question {
            prompt::confirm(&question, ask)?;
        }
        let if_unclear = format!("`lendswift account policy show {name}` shows the policy.");
        store.replace(name, current, &text, &if_unclear).await?;
        let status = self.print("set", name, output)?;
        output.hint(
            "\nProcesses that have the secret cached follow the old policy for up to SECRET_TTL_SECONDS, 5 minutes by \
             default.",
        );
        if matches!(self.hash_key, KeyChange::Created | KeyChange::Replaced) {
            output.hint("Phone numbers that were called before do not count.");
        }
        Ok(status)
    }

    fn changes_nothing(&self) -> bool {
        let keeps_key = matches!(self.hash_key, KeyChange::Kept | KeyChange::NotNeeded);
        let is_same = self.before.as_ref().is_ok_and(|before| before.is_same_as(&self.after));
        keeps_key && is_same && self.document.has_policy() != self.after.is_empty()
    }

    /// What the operator must confirm: a change after which leads could be sent that are refused now.
    fn question(&self, name: &AccountId) -> Option<String> {
        let loosens = self.before.as_ref().map_or(true, |before| before.is_loosened_by(&self.after));
        let effect = match (loosens, self.hash_key) {
            (_, KeyChange::Replaced) => "The phone numbers called so far can then be called again",
            (true, _) => "Leads that are refused now can then be sent",
            (false, _) => return None,
        };
        Some(format!("Set the policy of {name} to: {}? {effect}", self.after))
    }

    fn print(&self, result: &str, name: &AccountId, output: Output) -> Result<ExitStatus, Failure> {
        let before = self.before.as_ref();
        let was_fault = before.err().map(|fault| format!("malformed: {fault}"));
        let document = json!({
            "result": result,
            "account": name.to_string(),
            "was": before.ok().map(Rules::value),
            "was_fault": before.err().map(ToString::to_string),
            "policy": self.after.value(),
            "hash_key": self.hash_key,
        });
        let words = json!({
            "was": before.map_or_else(|_| was_fault, |rules| Some(rules.to_string())),
            "now": self.after.to_string(),
            "hash_key": if self.hash_key == KeyChange::NotNeeded { json!(null) } else { json!(self.hash_key) },
        });
        let (head, names) = match result {
            "already_set" => (format!("The account {name} has this policy already."), &["now"][..]),
            "would_be_set" => (format!("would set the policy of the account {name}"), &["was", "now", "hash_key"][..]),
            _ => (format!("Set the policy of the account {name}."), &["was", "now", "hash_key"][..]),
        };
        output.print(&document, format!("{head}\n{}", members(&words, names)))?;
        Ok(ExitStatus::Done)
    }
}

fn malformed(name: &AccountId, fault: PolicyError) -> Failure {
    Failure::refused(
        format!("the policy of the account {name} is malformed: {fault}"),
        "Nothing was changed. A malformed policy is replaced only as a whole: give both --calling-hours and \
         --once-per-phone-hours, each with a rule or `off`.",
    )
}

fn key_refused(name: &AccountId, refusal: KeyRefusal) -> Failure {
    let restore = "Nothing was changed. Restore the hash_key that was there in the console of Secrets Manager. Or add \
                   --new-hash-key, and the relay does not recognize the phone numbers called so far.";
    match refusal {
        KeyRefusal::Malformed => {
            Failure::refused(format!("the hash_key of the account {name} is not 64 hex digits"), restore)
        }
        KeyRefusal::Lost => Failure::refused(
            format!("the account {name} has no hash_key, and its policy needs the one that it had"),
            restore,
        ),
        KeyRefusal::NotNeeded => Failure::refused(
            format!("the policy of the account {name} would not use a hash_key: it has no once_per_phone_hours"),
            "Nothing was changed. Add --once-per-phone-hours, or leave out --new-hash-key.",
        ),
    }
}
