//! What an account is, without its secret's content.

use std::fmt;

use lendswift_relay::{account::AccountId, policy::PolicyError};
use serde_json::json;

use super::{
    document::{Document, Kind, kind, short},
    revoke::MALFORMED,
    store::{Description, Read, Store},
};
use crate::{
    aws::Aws,
    check::has_ledger,
    deployment::Deployment,
    failure::{ExitStatus, Failure},
    output::{Output, count, members, table, with},
    policy::Rules,
};

/// The members of an account, for people.
const MEMBERS: [&str; 12] = [
    "account",
    "state",
    "kind",
    "fault",
    "api_keys",
    "policy",
    "ignored_members",
    "secret",
    "kms_key",
    "created",
    "changed",
    "deleted",
];

/// What the relay finds in an account's secret.
pub(crate) struct Checked {
    pub(crate) account: String,
    /// What the account is, or what is wrong with it.
    pub(crate) result: Result<String, String>,
}

/// A secret that the relay accepts.
struct Accepted {
    kind: Kind,
    keys: usize,
    rules: Rules,
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.kind.as_str(), count(self.keys, "API key"))?;
        if self.rules.is_empty() { Ok(()) } else { write!(f, "; {}", self.rules) }
    }
}

/// Lists the accounts.
pub(super) async fn list(store: &Store, output: Output) -> Result<ExitStatus, Failure> {
    let secrets = store.list().await?;
    let state = |secret: &Description| if secret.deleted.is_some() { "closed" } else { "open" };
    let accounts: Vec<_> = secrets
        .iter()
        .map(|secret| {
            json!({
                "account": secret.account,
                "state": state(secret),
                "created": secret.created,
                "changed": secret.changed,
                "deleted": secret.deleted,
            })
        })
        .collect();
    let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
    let rows = secrets.iter().map(|secret| {
        [secret.account.clone(), state(secret).to_owned(), or_none(&secret.created), or_none(&secret.changed)]
    });
    output.print(&json!({ "accounts": accounts }), table(["account", "state", "created", "changed"], rows, false))?;
    output.hint(format!("\n{}", count(secrets.len(), "account")));
    Ok(ExitStatus::Done)
}

/// Shows an account.
pub(super) async fn show(store: &Store, name: &AccountId, output: Output) -> Result<ExitStatus, Failure> {
    let Some(secret) = store.describe(name).await? else { return Err(super::change::missing(name)) };
    let read = store.read(name).await?;
    let checked = check_read(&read);
    let document = if let Read::Current(current) = &read { Document::parse(&current.text).ok() } else { None };
    let keys = document.as_ref().map(key_names).unwrap_or_default();
    let shown = json!({
        "account": secret.account,
        "secret": store.secret_name(name),
        "state": if secret.deleted.is_some() { "closed" } else { "open" },
        "kind": checked.as_ref().ok().map(|checked| checked.kind.as_str()),
        "fault": checked.as_ref().err(),
        "api_keys": keys,
        "policy": checked.as_ref().ok().map(|checked| checked.rules.value()),
        "ignored_members": document.as_ref().map(Document::other_members),
        "kms_key": secret.kms_key,
        "created": secret.created,
        "changed": secret.changed,
        "deleted": secret.deleted,
    });
    let words = with(shown.clone(), "policy", checked.ok().map(|checked| checked.rules.to_string()));
    output.print(&shown, members(&words, &MEMBERS))?;
    Ok(ExitStatus::Done)
}

/// The beginnings of the digests. What is no digest is not shown: it may be an API key.
fn key_names(document: &Document) -> Vec<String> {
    let digests = document.digests().into_iter().map(|digest| short(&digest));
    digests.chain((0..document.malformed()).map(|_| MALFORMED.to_owned())).collect()
}

/// Checks that the relay accepts an account's secret, and that its policy suits the function.
pub(super) async fn check(
    store: &Store,
    name: &AccountId,
    (aws, deployment): (&Aws, &Deployment),
    output: Output,
) -> Result<ExitStatus, Failure> {
    let misconfigured = |fault: String| {
        Failure::refused(
            format!("the account {name}: {fault}"),
            format!("See AccountMisconfiguredAlarm in docs/operating.md, and `lendswift account show {name}`."),
        )
    };
    let accepted = check_read(&store.read(name).await?).map_err(misconfigured)?;
    let Accepted { kind, keys, rules } = &accepted;
    let has_ledger = if rules.has_once_per_phone() { has_ledger(aws, deployment).await } else { None };
    if has_ledger == Some(false) {
        return Err(misconfigured(PolicyError::NoLedger.to_string()));
    }
    let document = json!({
        "account": name.to_string(),
        "result": "ok",
        "kind": kind.as_str(),
        "keys": keys,
        "policy": rules.value(),
        "has_ledger": has_ledger,
    });
    output.print(&document, format!("The account {name} is in order: {accepted}."))?;
    if rules.has_once_per_phone() && has_ledger.is_none() {
        output.hint(
            "Not checked: whether the function has a ledger, which the policy needs. The command must read the stack, \
             and may need lambda:GetFunctionConfiguration.",
        );
    }
    Ok(ExitStatus::Done)
}

/// Checks every account whose secret has the prefix.
pub(crate) async fn check_all(store: &Store) -> Result<Vec<Checked>, Failure> {
    let mut checked = Vec::new();
    for secret in store.list().await? {
        let account = secret.account;
        let result = match account.parse() {
            Err(_) => Err("no account can have this name, so the relay never reads this secret".to_owned()),
            Ok(_) if secret.deleted.is_some() => Ok("closed".to_owned()),
            Ok(name) => match store.read(&name).await {
                Ok(read) => check_read(&read).map(|accepted| accepted.to_string()),
                Err(failure) => Err(failure.to_string()),
            },
        };
        checked.push(Checked { account, result });
    }
    Ok(checked)
}

/// What the relay's own parser says of a secret.
fn check_read(read: &Read) -> Result<Accepted, String> {
    match read {
        Read::Missing => Err("there is no secret of this name".to_owned()),
        Read::NoVersion => Err("the secret has no current version".to_owned()),
        Read::Closed => Err("closed: the secret is marked for deletion".to_owned()),
        Read::Binary => Err("the secret is binary".to_owned()),
        Read::Current(current) => {
            let kind = kind(&current.text).map_err(|fault| fault.to_string())?;
            let document = Document::parse(&current.text).map_err(|fault| fault.to_string())?;
            let rules = document.rules().map_err(|fault| fault.to_string())?;
            Ok(Accepted { kind, keys: document.digests().len(), rules })
        }
    }
}
