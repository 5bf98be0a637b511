//! Reads an account's secret from Secrets Manager.

use std::sync::{Arc, LazyLock};

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
use crate::{
    aws,
    config::{Claims, Config},
    telemetry::log::LogText,
};

/// The client of Secrets Manager.
#[derive(Debug, Clone)]
pub(super) struct Store {
    /// Created when it is first used: it parses the list of AWS's partitions, which takes a third of a start.
    client: Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>,
    prefix: String,
    has_ledger: bool,
}

/// Why a secret could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StoreError {
    /// The secret does not exist.
    NotFound,
    /// The secret is marked for deletion. Callers get the responses for a secret that does not exist.
    Deleted,
    /// The secret exists, but cannot be used: no permission to read it, no KMS key to decrypt it, or malformed content.
    Unreadable(LogText),
    /// A retry may succeed: timeout, throttling, an internal error, an expired signature.
    Transient(LogText),
}

impl StoreError {
    /// The cause, for the log.
    pub(super) fn log_text(&self) -> LogText {
        match self {
            Self::NotFound => LogText::from("no such secret"),
            Self::Deleted => LogText::from("the secret is marked for deletion"),
            Self::Unreadable(cause) => LogText::from(format!("secret unreadable: {}", cause.as_str())),
            Self::Transient(cause) => LogText::from(format!("Secrets Manager failed: {}", cause.as_str())),
        }
    }
}

impl From<SecretError> for StoreError {
    fn from(error: SecretError) -> Self {
        Self::Unreadable(LogText::from_error(&error))
    }
}

impl Store {
    pub(super) fn new(config: &Config, aws: &SdkConfig) -> Self {
        let aws = aws::service_config(aws, config.aws.secrets_manager.as_ref());
        let client: Box<dyn FnOnce() -> Client + Send> = Box::new(move || Client::new(&aws));
        Self {
            client: Arc::new(LazyLock::new(client)),
            prefix: config.secret_prefix.clone(),
            has_ledger: config.claims != Claims::Off,
        }
    }

    /// Creates the client, unless it exists.
    pub(super) fn prepare(&self) {
        LazyLock::force(&self.client);
    }

    /// Reads an account's secret. A transient failure is retried immediately with a new signature, once or twice, and not
    /// beyond `until`.
    pub(super) async fn get(&self, id: &AccountId, until: Instant) -> Result<Secret, StoreError> {
        let in_time = timeout_at(until, self.attempts(id)).await;
        in_time.unwrap_or_else(|_| Err(StoreError::Transient(LogText::from("no response in time"))))
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
        let secret = value.secret_string().ok_or(SecretError::Binary).and_then(Secret::parse)?;
        Ok(if self.has_ledger { secret } else { secret.without_ledger() })
    }

    fn failure(&self, id: &AccountId, error: &SdkError<GetSecretValueError>) -> StoreError {
        let SdkError::ServiceError(response) = error else {
            return StoreError::Transient(LogText::from_error(error));
        };
        let (status, error) = (response.raw().status().as_u16(), response.err());
        let cause = LogText::from(cause(error.code(), error.message(), &self.prefix, &id.to_string()));
        classify(status, error.code(), error.message(), cause)
    }
}

/// Classifies an error response of Secrets Manager by its HTTP status, code and message.
fn classify(status: u16, code: Option<&str>, message: Option<&str>, cause: LogText) -> StoreError {
    match code {
        Some("ResourceNotFoundException") => StoreError::NotFound,
        Some("InvalidRequestException") if message.is_some_and(says_deleted) => StoreError::Deleted,
        code if aws::is_transient(status, code) => StoreError::Transient(cause),
        _ => StoreError::Unreadable(cause),
    }
}

/// The total number of attempts that this error allows. An expired signature is retried twice: the SDK corrects a signature's
/// time by the clock difference that it measured at the last response (`ServiceClockSkewInterceptor`), and this difference is
/// wrong for the first retry if this machine's clock was set in between.
fn max_attempts(error: &SdkError<GetSecretValueError>) -> u32 {
    match error {
        SdkError::ServiceError(response) if aws::means_expired(response.err().code()) => 3,
        SdkError::ServiceError(response)
            if !aws::is_transient(response.raw().status().as_u16(), response.err().code()) =>
        {
            1
        }
        _ => 2,
    }
}

/// Whether the message of an `InvalidRequestException` is about a deleted secret; the error has no other sign of it.
/// GetSecretValue's message is "You can't perform this operation on the secret because it was marked for deletion.", its API
/// reference has "a secret that's currently marked deleted", and other operations have "scheduled for deletion".
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
    fn a_deleted_secret_is_recognized_by_the_message() {
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

    #[test]
    fn an_error_response_is_classified_by_code_and_message() {
        let deleted = "You can't perform this operation on the secret because it was marked for deletion.";
        let cause = || LogText::from("the cause");
        for (status, code, message, expected) in [
            (400, Some("ResourceNotFoundException"), None, StoreError::NotFound),
            (400, Some("InvalidRequestException"), Some(deleted), StoreError::Deleted),
            (400, Some("InvalidRequestException"), Some("rotation is not enabled"), StoreError::Unreadable(cause())),
            (400, Some("InvalidRequestException"), None, StoreError::Unreadable(cause())),
            (400, Some("AccessDeniedException"), Some(deleted), StoreError::Unreadable(cause())),
            (400, Some("ThrottlingException"), Some(deleted), StoreError::Transient(cause())),
            (500, None, None, StoreError::Transient(cause())),
            (400, None, None, StoreError::Unreadable(cause())),
        ] {
            assert_eq!(classify(status, code, message, cause()), expected, "{status} {code:?}");
        }
    }
}
