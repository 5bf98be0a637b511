//! `lendswift account policy …`.

mod set;

use lendswift_relay::account::AccountId;
use serde_json::json;

use super::{
    change::open,
    store::{Current, Store},
};
use crate::{
    aws::Aws,
    cli::PolicyCommand,
    deployment::Deployment,
    failure::{ExitStatus, Failure},
    output::{Output, members},
};

pub(super) async fn run(
    command: PolicyCommand,
    store: &Store,
    aws: &Aws,
    deployment: &Deployment,
    output: Output,
) -> Result<ExitStatus, Failure> {
    match command {
        PolicyCommand::Show { name } => show(store, &name, output).await,
        PolicyCommand::Set { name, change, ask, dry_run } => {
            let (current, document): (Current, _) = open(store, &name).await?;
            let plan = set::plan(&name, document, &change)?;
            plan.needs_ledger(aws, deployment).await?;
            plan.write(store, &name, &current, (ask, dry_run), output).await
        }
    }
}

/// Shows the policy. A malformed one is not shown, because it could contain another part of the secret.
async fn show(store: &Store, name: &AccountId, output: Output) -> Result<ExitStatus, Failure> {
    let (_, document) = open(store, name).await?;
    let (rules, hash_key) = (document.rules(), document.hash_key());
    let fault = rules.as_ref().map_or_else(|fault| Some(*fault), |rules| hash_key.fault(rules));
    let shown = json!({
        "account": name.to_string(),
        "policy": rules.as_ref().ok().map(crate::policy::Rules::value),
        "meaning": rules.as_ref().ok().map(ToString::to_string),
        "fault": fault.map(|fault| fault.to_string()),
        "hash_key": hash_key.as_str(),
    });
    output.print(&shown, members(&shown, &["account", "policy", "meaning", "fault", "hash_key"]))?;
    if fault.is_some() {
        output.hint(format!(
            "\nThe relay sends none of its leads: account_misconfigured. `lendswift account policy set {name} --help` \
             shows how to replace it."
        ));
    }
    Ok(ExitStatus::Done)
}
