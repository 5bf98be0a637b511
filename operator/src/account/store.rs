//! The accounts' secrets in Secrets Manager.

use aws_sdk_secretsmanager::{
    Client,
    error::ProvideErrorMetadata,
    types::{Filter, FilterNameStringType},
};
use lendswift_relay::account::AccountId;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    aws::{Aws, Call, call_failed},
    failure::Failure,
    output::time,
};

/// The label of a version that is not the current one yet. Moving `AWSCURRENT` from the version that was read to this
/// one is the only step that changes what the relay reads, and Secrets Manager refuses it if another version is the
/// current one by now.
const PENDING: &str = "lendswift-pending";
const CURRENT: &str = "AWSCURRENT";

/// The secrets with one prefix.
pub(crate) struct Store {
    client: Client,
    prefix: String,
}

/// The secret was created.
pub(super) struct Stored;

/// What Secrets Manager knows of a secret, without its content.
pub(crate) struct Description {
    /// The rest of the name after the prefix: the account, unless it can be none.
    pub(crate) account: String,
    pub(crate) created: Option<String>,
    pub(crate) changed: Option<String>,
    /// When it was marked for deletion, or when AWS deletes it, as the service returns it.
    pub(crate) deleted: Option<String>,
    pub(crate) kms_key: Option<String>,
}

/// The current version of a secret. No `Debug`: it contains a token.
pub(crate) struct Current {
    pub(crate) text: SecretString,
    version: String,
}

/// The state of a secret.
pub(crate) enum Read {
    /// It does not exist.
    Missing,
    /// It is marked for deletion.
    Closed,
    /// It is binary, which the relay does not read.
    Binary,
    Current(Current),
}

impl Store {
    pub(crate) fn new(aws: &Aws, prefix: &str) -> Self {
        Self { client: aws.secrets_manager(), prefix: prefix.to_owned() }
    }

    /// The name of an account's secret.
    pub(crate) fn secret_name(&self, account: &AccountId) -> String {
        format!("{}/{account}", self.prefix)
    }

    /// An account's secret without its content; `None` if it does not exist.
    pub(super) async fn describe(&self, account: &AccountId) -> Result<Option<Description>, Failure> {
        let id = self.secret_name(account);
        match self.client.describe_secret().secret_id(&id).send().await {
            Ok(secret) => Ok(Some(Description {
                account: account.to_string(),
                created: secret.created_date.map(date),
                changed: secret.last_changed_date.map(date),
                deleted: secret.deleted_date.map(date),
                kms_key: secret.kms_key_id,
            })),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(call_failed(call("secretsmanager:DescribeSecret", &id), &error)),
        }
    }

    /// All secrets with the prefix, closed accounts' too.
    pub(crate) async fn list(&self) -> Result<Vec<Description>, Failure> {
        let start = format!("{}/", self.prefix);
        let filter = Filter::builder().key(FilterNameStringType::Name).values(&start).build();
        let list = self.client.list_secrets().filters(filter).include_planned_deletion(true);
        let mut pages = list.into_paginator().send();
        let mut secrets = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| call_failed(call("secretsmanager:ListSecrets", &start), &error))?;
            for secret in page.secret_list.unwrap_or_default() {
                let Some(account) = secret.name.as_deref().and_then(|name| name.strip_prefix(&start)) else { continue };
                secrets.push(Description {
                    account: account.to_owned(),
                    created: secret.created_date.map(date),
                    changed: secret.last_changed_date.map(date),
                    deleted: secret.deleted_date.map(date),
                    kms_key: secret.kms_key_id,
                });
            }
        }
        secrets.sort_by(|a, b| a.account.cmp(&b.account));
        Ok(secrets)
    }

    /// Reads an account's secret.
    pub(crate) async fn read(&self, account: &AccountId) -> Result<Read, Failure> {
        let id = self.secret_name(account);
        // The label is the default in AWS. moto has another default once the label was moved.
        match self.client.get_secret_value().secret_id(&id).version_stage(CURRENT).send().await {
            Ok(secret) => match (secret.secret_string, secret.version_id) {
                (Some(text), Some(version)) => Ok(Read::Current(Current { text: text.into(), version })),
                _ => Ok(Read::Binary),
            },
            Err(error) => match error.code() {
                Some("ResourceNotFoundException") => Ok(Read::Missing),
                // The only request that this call can be invalid for.
                Some("InvalidRequestException") => Ok(Read::Closed),
                _ => Err(call_failed(call("secretsmanager:GetSecretValue", &id), &error)),
            },
        }
    }

    /// Creates an account's secret. `None` if there is one already.
    pub(super) async fn create(
        &self,
        account: &AccountId,
        text: &SecretString,
        kms_key: Option<&str>,
    ) -> Result<Option<Stored>, Failure> {
        let id = self.secret_name(account);
        let create = self.client.create_secret().name(&id).secret_string(text.expose_secret());
        let create = create.client_request_token(Uuid::new_v4().to_string()).set_kms_key_id(kms_key.map(str::to_owned));
        match create.send().await {
            Ok(_) => Ok(Some(Stored)),
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(None),
            Err(error) => Err(call_failed(call("secretsmanager:CreateSecret", &id), &error)),
        }
    }

    /// Replaces the version that was read. `Err` if another version is the current one by now; then nothing is changed.
    pub(super) async fn replace(
        &self,
        account: &AccountId,
        read: &Current,
        text: &SecretString,
    ) -> Result<(), Failure> {
        let id = self.secret_name(account);
        let version = Uuid::new_v4().to_string();
        let put = self.client.put_secret_value().secret_id(&id).secret_string(text.expose_secret());
        let put = put.client_request_token(&version).version_stages(PENDING).send().await;
        put.map_err(|error| call_failed(call("secretsmanager:PutSecretValue", &id), &error))?;
        let promote = self.client.update_secret_version_stage().secret_id(&id).version_stage(CURRENT);
        let promote = promote.move_to_version_id(&version).remove_from_version_id(&read.version).send().await;
        let Err(error) = promote else { return Ok(()) };
        // A repeated request fails although the first one succeeded. The current version shows which it was.
        match self.read(account).await? {
            Read::Current(current) if current.version == version => Ok(()),
            Read::Current(current) if current.version == read.version => {
                Err(call_failed(call("secretsmanager:UpdateSecretVersionStage", &id), &error))
            }
            _ => Err(Failure::refused(
                format!("the secret {id} was changed at the same time by another operator"),
                "Nothing was changed by this command. Run it again.",
            )),
        }
    }

    /// Marks an account's secret for deletion, and returns when AWS deletes it.
    pub(super) async fn delete(&self, account: &AccountId, recovery_days: i64) -> Result<Option<String>, Failure> {
        let id = self.secret_name(account);
        let delete = self.client.delete_secret().secret_id(&id).recovery_window_in_days(recovery_days);
        let deleted = delete.send().await;
        let deleted = deleted.map_err(|error| call_failed(call("secretsmanager:DeleteSecret", &id), &error))?;
        Ok(deleted.deletion_date.map(date))
    }

    /// Takes the mark off an account's secret.
    pub(super) async fn restore(&self, account: &AccountId) -> Result<(), Failure> {
        let id = self.secret_name(account);
        let restored = self.client.restore_secret().secret_id(&id).send().await;
        restored.map(drop).map_err(|error| call_failed(call("secretsmanager:RestoreSecret", &id), &error))
    }
}

fn call<'a>(action: &'static str, subject: &'a str) -> Call<'a> {
    Call { action, subject }
}

fn date(date: aws_sdk_secretsmanager::primitives::DateTime) -> String {
    time(u64::try_from(date.secs()).unwrap_or_default())
}
