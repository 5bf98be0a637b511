//! The accounts' secrets in Secrets Manager.

mod write;

use aws_sdk_secretsmanager::{
    Client,
    error::ProvideErrorMetadata,
    types::{Filter, FilterNameStringType},
};
use lendswift_relay::account::AccountId;
use secrecy::SecretString;

pub(super) use self::write::Created;
use crate::{
    aws::{Aws, Call, call_failed},
    failure::Failure,
    output::time,
};

/// The label of the version that the relay reads.
const CURRENT: &str = "AWSCURRENT";

/// The secrets with one prefix.
pub(crate) struct Store {
    client: Client,
    prefix: String,
}

/// What Secrets Manager knows of a secret, without its content.
pub(crate) struct Description {
    /// The rest of the name after the prefix: the account, unless it can be none.
    pub(crate) account: String,
    pub(crate) created: Option<String>,
    pub(crate) changed: Option<String>,
    /// When AWS deletes it, if it is marked for deletion.
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
    /// It exists, and no version is the current one.
    NoVersion,
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
                // Also that of a secret without a current version.
                Some("ResourceNotFoundException") => {
                    Ok(if self.describe(account).await?.is_some() { Read::NoVersion } else { Read::Missing })
                }
                // The only request that this call can be invalid for.
                Some("InvalidRequestException") => Ok(Read::Closed),
                _ => Err(call_failed(call("secretsmanager:GetSecretValue", &id), &error)),
            },
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
