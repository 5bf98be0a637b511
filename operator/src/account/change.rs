//! Changes of an account.

use lendswift_relay::account::{AccountId, SecretError};
use serde_json::json;

use super::{
    api_key::ApiKey,
    document::Document,
    key_text, lost_key, revoke,
    store::{Current, Read, Store},
    token,
};
use crate::{
    cli::{Ask, KeySelector},
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
    refuse_malformed(name, &document)?;
    let key = ApiKey::generate()?;
    document.add_digest(&key.digest())?;
    let keys = document.digests().len();
    let text = document.into_secret()?;
    if dry_run {
        let would = json!({ "result": "would_be_added", "account": name.to_string(), "keys": keys });
        output.print(&would, format!("would add an API key to the account {name}, which then has {keys}"))?;
        return Ok(ExitStatus::Done);
    }
    Output::expect_key()?;
    store.replace(name, &current, &text, &lost_key(name, &key)).await?;
    let added = json!({
        "result": "added",
        "account": name.to_string(),
        "api_key": key.reveal(),
        "digest": key.digest(),
        "keys": keys,
    });
    let text = key_text(&format!("Added an API key to the account {name}, which now has {keys}."), &key);
    output.print_key(&added, text, &lost_key(name, &key))?;
    output.hint(format!(
        "\nWhen the log's span.key shows that the sender uses it, remove the old one: lendswift account show {name}"
    ));
    Ok(ExitStatus::Done)
}

/// Removes an API key, or the entries that are no digests.
pub(super) async fn revoke_key(
    store: &Store,
    name: &AccountId,
    selector: &KeySelector,
    ask: Ask,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    let (current, mut document) = open(store, name).await?;
    let (digest, kept) = revoke::choose(name, &document, selector)?;
    let keys = kept.len();
    document.set_digests(&kept)?;
    let text = document.into_secret()?;
    if !dry_run {
        let question = format!("Remove the API key {digest} of {name}? A sender that uses it gets 401");
        prompt::confirm(&question, ask)?;
        store.replace(name, &current, &text, &format!("`lendswift account show {name}` lists its API keys.")).await?;
    }
    let result = if dry_run { "would_be_removed" } else { "removed" };
    let document = json!({ "result": result, "account": name.to_string(), "digest": digest, "keys": keys });
    let verb = if dry_run { "would remove" } else { "Removed" };
    output.print(&document, format!("{verb} the API key {digest} of {name}, which keeps {keys}."))?;
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
    match document.is_sandbox() {
        Some(false) => refuse_malformed(name, &document)?,
        Some(true) => {
            return Err(Failure::refused(
                format!("the account {name} is a sandbox, which has no token"),
                "Add another account for live leads: lendswift account add NAME.",
            ));
        }
        None => return Err(unreadable(store, name, &SecretError::Sandbox.to_string())),
    }
    let token = token(name)?;
    document.set_token(&token)?;
    let text = document.into_secret()?;
    if !dry_run {
        let if_unclear =
            format!("`lendswift account show {name}` has the time of the last change. Run the command again.");
        store.replace(name, &current, &text, &if_unclear).await?;
    }
    let result = if dry_run { "would_be_replaced" } else { "replaced" };
    let verb = if dry_run { "would replace" } else { "Replaced" };
    output.print(
        &json!({ "result": result, "account": name.to_string() }),
        format!("{verb} the token of the account {name}."),
    )?;
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
        output.print(&document, format!("The account {name} is closed already."))?;
        return Ok(ExitStatus::Done);
    }
    if dry_run {
        let document = json!({ "result": "would_be_closed", "account": name.to_string() });
        output.print(&document, format!("would close the account {name}"))?;
        return Ok(ExitStatus::Done);
    }
    prompt::confirm(&format!("Close the account {name}? Its leads get 401 then"), ask)?;
    let deletion = store.delete(name, recovery_days).await?;
    let document = json!({ "result": "closed", "account": name.to_string(), "deletion": deletion });
    let until = deletion.map(|date| format!(" AWS deletes its secret on {date}.")).unwrap_or_default();
    output.print(&document, format!("Closed the account {name}.{until}"))?;
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
    output.print(&json!({ "result": result, "account": name.to_string() }), text)?;
    Ok(ExitStatus::Done)
}

/// Reads the secret of an open account, whose API keys the relay can read.
pub(super) async fn open(store: &Store, name: &AccountId) -> Result<(Current, Document), Failure> {
    match store.read(name).await? {
        Read::Current(current) => {
            let document =
                Document::parse(&current.text).map_err(|fault| unreadable(store, name, &fault.to_string()))?;
            Ok((current, document))
        }
        Read::Binary => Err(unreadable(store, name, "the secret is binary")),
        Read::NoVersion => Err(unreadable(store, name, "it has no current version")),
        Read::Missing => Err(missing(name)),
        Read::Closed => Err(Failure::refused(
            format!("the account {name} is closed: its secret is marked for deletion"),
            format!("Open it again first: lendswift account restore {name}"),
        )),
    }
}

/// Entries that are no digests make the account `account_misconfigured`, and no change of another kind repairs that.
pub(super) fn refuse_malformed(name: &AccountId, document: &Document) -> Result<(), Failure> {
    match document.malformed() {
        0 => Ok(()),
        malformed => Err(has_malformed(name, malformed)),
    }
}

pub(super) fn has_malformed(name: &AccountId, malformed: usize) -> Failure {
    Failure::refused(
        format!("api_key_sha256 of the account {name} has entries that are not 64 hex digits: {malformed}"),
        format!("Nothing was changed. Remove them first: lendswift account revoke-key {name} malformed"),
    )
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
