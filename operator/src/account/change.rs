//! Changes of an account.

use lendswift_relay::account::AccountId;
use serde_json::json;

use super::{
    api_key::ApiKey,
    document::{Document, short},
    key_text,
    store::{Current, Read, Store},
    token,
};
use crate::{
    cli::Ask,
    failure::{ExitStatus, Failure},
    output::Output,
    prompt,
};

/// Adds an API key.
pub(super) async fn rotate_key(
    store: &Store,
    name: &AccountId,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let (current, mut document) = open(store, name).await?;
    let key = ApiKey::generate()?;
    document.add_digest(&key.digest());
    let keys = document.digests().len();
    let text = document.into_secret()?;
    if dry_run {
        let would = json!({ "result": "would_be_added", "account": name.to_string(), "keys": keys });
        output.print(&would, format!("would add an API key to the account {name}, which then has {keys}"));
        return Ok(ExitStatus::Done);
    }
    store.replace(name, &current, &text).await?;
    let added = json!({
        "result": "added",
        "account": name.to_string(),
        "api_key": key.reveal(),
        "digest": key.digest(),
        "keys": keys,
    });
    output.print(&added, key_text(&format!("Added an API key to the account {name}, which now has {keys}."), &key));
    output.hint(format!(
        "\nWhen the log's span.key shows that the sender uses it, remove the old one: lendswift account show {name}"
    ));
    Ok(ExitStatus::Done)
}

/// Removes the API key whose digest begins with `prefix`.
pub(super) async fn revoke_key(
    store: &Store,
    name: &AccountId,
    prefix: &str,
    ask: Ask,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let (current, mut document) = open(store, name).await?;
    let (revoked, kept): (Vec<_>, Vec<_>) =
        document.digests().into_iter().partition(|digest| digest.starts_with(prefix));
    let see = format!("See `lendswift account show {name}`.");
    let digest = match revoked.as_slice() {
        [] => {
            return Err(Failure::refused(format!("no API key of {name} has a digest that begins with {prefix}"), see));
        }
        [digest, others @ ..] if others.iter().all(|other| other == digest) => short(digest),
        _ => {
            let message = format!("{} API keys of {name} have digests that begin with {prefix}", revoked.len());
            return Err(Failure::refused(message, format!("Give more digits. {see}")));
        }
    };
    if kept.is_empty() {
        return Err(Failure::refused(
            format!("{digest} is the last API key of {name}"),
            format!(
                "Add another one first with `lendswift account rotate-key {name}`, or close the account with \
                     `lendswift account close {name}`."
            ),
        ));
    }
    let keys = kept.len();
    document.set_digests(kept);
    let text = document.into_secret()?;
    if !dry_run {
        let question = format!("Remove the API key {digest} of {name}? A sender that uses it gets 401");
        prompt::confirm(&question, ask)?;
        store.replace(name, &current, &text).await?;
    }
    let result = if dry_run { "would_be_removed" } else { "removed" };
    let document = json!({ "result": result, "account": name.to_string(), "digest": digest, "keys": keys });
    let verb = if dry_run { "would remove" } else { "Removed" };
    output.print(&document, format!("{verb} the API key {digest} of {name}, which keeps {keys}."));
    if !dry_run {
        output.hint(
            "Processes that have the secret cached accept it for up to SECRET_TTL_SECONDS, 5 minutes by default.",
        );
    }
    Ok(ExitStatus::Done)
}

/// Replaces the token.
pub(super) async fn set_token(
    store: &Store,
    name: &AccountId,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let (current, mut document) = open(store, name).await?;
    if document.is_sandbox() {
        return Err(Failure::refused(
            format!("the account {name} is a sandbox, which has no token"),
            "Add another account for live leads: lendswift account add NAME.",
        ));
    }
    let token = token(name)?;
    document.set_token(&token);
    let text = document.into_secret()?;
    if !dry_run {
        store.replace(name, &current, &text).await?;
    }
    let result = if dry_run { "would_be_replaced" } else { "replaced" };
    let verb = if dry_run { "would replace" } else { "Replaced" };
    output.print(
        &json!({ "result": result, "account": name.to_string() }),
        format!("{verb} the token of the account {name}."),
    );
    if !dry_run {
        output.hint("Each process uses it when it reads the secret again, or when AI Rudder refuses the old one.");
    }
    Ok(ExitStatus::Done)
}

/// Marks the secret for deletion.
pub(super) async fn close(
    store: &Store,
    name: &AccountId,
    recovery_days: i64,
    ask: Ask,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let existing = store.describe(name).await?.ok_or_else(|| missing(name))?;
    if let Some(deleted) = existing.deleted {
        let document = json!({ "result": "already_closed", "account": name.to_string(), "deleted": deleted });
        output.print(&document, format!("The account {name} is closed already, since {deleted}."));
        return Ok(ExitStatus::Done);
    }
    if dry_run {
        let document = json!({ "result": "would_be_closed", "account": name.to_string() });
        output.print(&document, format!("would close the account {name}"));
        return Ok(ExitStatus::Done);
    }
    prompt::confirm(&format!("Close the account {name}? Its leads get 401 then"), ask)?;
    let deletion = store.delete(name, recovery_days).await?;
    let document = json!({ "result": "closed", "account": name.to_string(), "deletion": deletion });
    let until = deletion.map(|date| format!(" AWS deletes its secret on {date}.")).unwrap_or_default();
    output.print(&document, format!("Closed the account {name}.{until}"));
    output.hint(format!(
        "Processes that have the secret cached accept its API keys for up to SECRET_TTL_SECONDS, 5 minutes by \
         default.\nAsk AI Rudder to revoke the token. Until the deletion, `lendswift account restore {name}` opens it \
         again."
    ));
    Ok(ExitStatus::Done)
}

/// Takes the mark for deletion off the secret.
pub(super) async fn restore(
    store: &Store,
    name: &AccountId,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let existing = store.describe(name).await?.ok_or_else(|| missing(name))?;
    let (result, text) = match (existing.deleted.is_some(), dry_run) {
        (false, _) => ("already_open", format!("The account {name} is open.")),
        (true, true) => ("would_be_restored", format!("would open the account {name} again")),
        (true, false) => {
            store.restore(name).await?;
            ("restored", format!("The account {name} is open again, with its token and its API keys."))
        }
    };
    output.print(&json!({ "result": result, "account": name.to_string() }), text);
    Ok(ExitStatus::Done)
}

/// Reads the secret of an open account, whose API keys the relay can read.
async fn open(store: &Store, name: &AccountId) -> Result<(Current, Document), Failure> {
    match store.read(name).await? {
        Read::Current(current) => {
            let document =
                Document::parse(&current.text).map_err(|fault| unreadable(store, name, &fault.to_string()))?;
            Ok((current, document))
        }
        Read::Binary => Err(unreadable(store, name, "the secret is binary")),
        Read::Missing => Err(missing(name)),
        Read::Closed => Err(Failure::refused(
            format!("the account {name} is closed: its secret is marked for deletion"),
            format!("Open it again first: lendswift account restore {name}"),
        )),
    }
}

fn unreadable(store: &Store, name: &AccountId, fault: &str) -> Failure {
    Failure::refused(
        format!("the relay cannot read the secret {}: {fault}", store.secret_name(name)),
        "Nothing was changed. Repair it in the console of Secrets Manager; docs/deploying.md has its form.",
    )
}

pub(super) fn missing(name: &AccountId) -> Failure {
    Failure::refused(
        format!("there is no account {name}"),
        "`lendswift account list` lists the accounts. Check --stack, --secret-prefix, --region and --profile.",
    )
}
