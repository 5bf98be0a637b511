//! `lendswift account …`: one secret per account.

mod api_key;
mod change;
mod document;
mod policy;
mod revoke;
mod show;
mod store;

use lendswift_relay::account::AccountId;
use serde_json::json;

use self::{
    api_key::{ApiKey, random},
    document::Document,
    store::{Created, Store},
};
pub(crate) use self::{show::check_all, store::Store as SecretStore};
use crate::{
    aws::Aws,
    cli::{AccountCommand, Global, RefusedArgument},
    deployment::{Deployment, Need},
    failure::{ExitStatus, Failure},
    output::Output,
    prompt,
};

pub(crate) async fn run(command: AccountCommand, global: &Global, output: Output) -> Result<ExitStatus, Failure> {
    if let AccountCommand::Add { refused, .. } | AccountCommand::SetToken { refused, .. } = &command {
        refuse_argument(refused)?;
    }
    let aws = Aws::load(global).await?;
    let deployment = Deployment::find(&aws, global, Need::Secrets).await?;
    let store = Store::new(&aws, deployment.secret_prefix()?);
    match command {
        AccountCommand::Add { name, sandbox, kms_key_id, dry_run, .. } => {
            let kms_key = kms_key_id.as_deref().or_else(|| deployment.kms_key());
            if kms_key.is_none() && !deployment.is_stack() {
                output.hint("No stack is read, so AWS's own key encrypts the secret. --kms-key-id names another one.");
            }
            add(&store, &name, sandbox, kms_key, dry_run.dry_run, output).await
        }
        AccountCommand::List => show::list(&store, output).await,
        AccountCommand::Show { name } => show::show(&store, &name, output).await,
        AccountCommand::Check { name } => show::check(&store, &name, (&aws, &deployment), output).await,
        AccountCommand::Policy { command } => policy::run(command, &store, &aws, &deployment, output).await,
        AccountCommand::RotateKey { name, dry_run } => change::rotate_key(&store, &name, dry_run.dry_run, output).await,
        AccountCommand::RevokeKey { name, key, ask, dry_run } => {
            change::revoke_key(&store, &name, &key, ask, dry_run.dry_run, output).await
        }
        AccountCommand::SetToken { name, dry_run, .. } => {
            change::set_token(&store, &name, dry_run.dry_run, output).await
        }
        AccountCommand::Close { name, recovery_days, ask, dry_run } => {
            change::close(&store, &name, recovery_days, ask, dry_run.dry_run, output).await
        }
        AccountCommand::Restore { name, dry_run } => change::restore(&store, &name, dry_run.dry_run, output).await,
    }
}

/// A token as an argument stands in the shell's history and in the process list.
fn refuse_argument(arguments: &[RefusedArgument]) -> Result<(), Failure> {
    if arguments.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(
        "this command takes no token as an argument: the shell's history and the process list would have it",
        "Run it without, and enter the token at the prompt or pipe it to stdin. If the argument was a token, ask AI \
         Rudder for another one.",
    ))
}

async fn add(
    store: &Store,
    name: &AccountId,
    sandbox: bool,
    kms_key: Option<&str>,
    dry_run: bool,
    output: Output,
) -> Result<ExitStatus, Failure> {
    // Before the token is asked for. Creating the secret fails for an existing one in any case.
    if let Some(existing) = store.describe(name).await? {
        return Err(already_exists(name, existing.deleted.is_some()));
    }
    let mut document = if sandbox { Document::sandbox()? } else { Document::with_token(&token(name)?)? };
    let key = ApiKey::generate()?;
    document.add_digest(&key.digest())?;
    let (secret, text) = (store.secret_name(name), document.into_secret()?);
    if dry_run {
        let document = json!({
            "result": "would_be_created", "account": name.to_string(), "secret": secret, "kms_key": kms_key
        });
        output.print(&document, format!("would create the account {name}: the secret {secret}"))?;
        return Ok(ExitStatus::Done);
    }
    Output::expect_key()?;
    if store.create(name, &text, kms_key, &lost_key(name, &key)).await? == Created::ExistsAlready {
        return Err(already_exists(name, false));
    }
    let document = json!({
        "result": "created",
        "account": name.to_string(),
        "secret": secret,
        "api_key": key.reveal(),
        "digest": key.digest(),
        "kms_key": kms_key,
    });
    let text = key_text(&format!("Created the account {name}: the secret {secret}."), &key);
    output.print_key(&document, text, &lost_key(name, &key))?;
    output.hint("The account works at once, or within 30 seconds if its name was just used.");
    Ok(ExitStatus::Done)
}

fn token(name: &AccountId) -> Result<secrecy::SecretString, Failure> {
    prompt::token(&name.to_string())
}

/// The text with which a new API key is shown, once.
fn key_text(what: &str, key: &ApiKey) -> String {
    format!(
        "{what}\n\nAPI key, shown only now: {}\nIts digest begins with:  {}",
        key.reveal(),
        document::short(&key.digest())
    )
}

/// What to do about an API key that may be valid, and that was not printed.
fn lost_key(name: &AccountId, key: &ApiKey) -> String {
    let digest = document::short(&key.digest());
    format!(
        "Nobody has the API key whose digest begins with {digest}. If `lendswift account show {name}` lists it, add \
         another one with `lendswift account rotate-key {name}`, and then remove it with `lendswift account revoke-key \
         {name} {digest}`."
    )
}

fn already_exists(name: &AccountId, is_closed: bool) -> Failure {
    if is_closed {
        return Failure::refused(
            format!("the account {name} is closed: its secret is marked for deletion"),
            format!("Open it again with `lendswift account restore {name}`, or choose another name."),
        );
    }
    Failure::refused(
        format!("the account {name} exists already"),
        format!(
            "Nothing was changed. For another API key run `lendswift account rotate-key {name}`, for another token \
             `lendswift account set-token {name}`."
        ),
    )
}
