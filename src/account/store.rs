//! Secrets Manager, asked for one secret.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use tokio::time::{Instant, timeout_at};

use super::{
    AccountId,
    cause::cause,
    secret::{Secret, SecretError},
};
use crate::{aws, config::Config, log};

/// The accounts' secrets where they are kept.
#[derive(Debug, Clone)]
pub(super) struct Store {
    client: Client,
    prefix: String,
}

/// Why a secret could not be had. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StoreError {
    /// There is no secret of that name.
    #[error("no such secret")]
    NotFound,
    /// An operator has deleted it, and AWS keeps it for a while. To everybody else the same as none.
    #[error("the secret is marked for deletion")]
    Deleted,
    /// It is there, and can't be used: no permission, no key to decrypt it, not of the right form.
    #[error("secret unreadable: {0}")]
    Unreadable(String),
    /// Secrets Manager may answer the next time: time-out, throttling, a fault of its own, a signature that has expired.
    #[error("Secrets Manager failed: {0}")]
    Transient(String),
}

impl Store {
    pub(super) fn new(config: &Config, aws: &SdkConfig) -> Self {
        // One attempt: `get` has its own retries, which no quota can take away.
        let aws = aws::service(aws, config.aws.secrets_manager.as_ref());
        Self { client: Client::new(&aws), prefix: config.secret_prefix.clone() }
    }

    /// Opens the connection that secrets are read over.
    pub(super) async fn connect(&self) {
        aws::connect(self.client.get_secret_value().secret_id(&self.prefix).send()).await;
    }

    /// The secret of an account. A transient failure is followed by an immediate retry, signed anew with the present clock.
    pub(super) async fn get(&self, id: &AccountId, until: Instant) -> Result<Secret, StoreError> {
        let in_time = timeout_at(until, self.attempts(id)).await;
        in_time.unwrap_or_else(|_| Err(StoreError::Transient("no answer in time".to_owned())))
    }

    async fn attempts(&self, id: &AccountId) -> Result<Secret, StoreError> {
        let mut attempts = 0;
        let value = loop {
            attempts += 1;
            match self.client.get_secret_value().secret_id(format!("{}/{id}", self.prefix)).send().await {
                Ok(value) => break value,
                Err(error) if attempts < max_attempts(&error) => {}
                Err(error) => return Err(self.failure(id, &error)),
            }
        };
        let secret = value.secret_string().ok_or(SecretError::Binary).and_then(Secret::read);
        secret.map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    fn failure(&self, id: &AccountId, error: &SdkError<GetSecretValueError>) -> StoreError {
        let SdkError::ServiceError(answer) = error else {
            return StoreError::Transient(log::chain(error));
        };
        let error = answer.err();
        let cause = || cause(error.code(), error.message(), &self.prefix, &id.to_string());
        if error.is_resource_not_found_exception() {
            StoreError::NotFound
        } else if error.is_invalid_request_exception() && error.message().is_some_and(says_deleted) {
            StoreError::Deleted
        } else if aws::is_transient(answer.raw().status().as_u16(), error.code()) {
            StoreError::Transient(cause())
        } else {
            StoreError::Unreadable(cause())
        }
    }
}

/// How often a secret is asked for at most when this is the answer. An expired signature has two retries: the SDK shifts the
/// time of a signature by the difference from AWS's clock that it measured at the last response (its
/// `ServiceClockSkewInterceptor`), which is wrong for the first retry where this machine's clock was set in the meantime.
fn max_attempts(error: &SdkError<GetSecretValueError>) -> u32 {
    match error {
        SdkError::ServiceError(answer) if aws::has_expired(answer.err().code()) => 3,
        SdkError::ServiceError(answer) if !aws::is_transient(answer.raw().status().as_u16(), answer.err().code()) => 1,
        _ => 2,
    }
}

/// Whether the message of an `InvalidRequestException` is about a deleted secret. Nothing but the message says so. AWS: "You
/// can't perform this operation on the secret because it was marked for deletion."; its API reference: "a secret that's
/// currently marked deleted"; other operations: "scheduled for deletion".
fn says_deleted(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["marked for deletion", "marked deleted", "marked as deleted", "scheduled for deletion"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_secret_is_recognised_by_awss_words() {
        for message in [
            "You can't perform this operation on the secret because it was marked for deletion.",
            "You can\u{2019}t perform this operation on the secret because it was marked for deletion.",
            "An error occurred: You tried to perform the operation on a secret that's currently marked deleted.",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ] {
            assert!(says_deleted(message), "{message}");
        }
        for message in ["", "You tried to enable rotation on a secret without a Lambda function.", "deletion"] {
            assert!(!says_deleted(message), "{message}");
        }
    }
}
