//! Secrets Manager, asked for one secret.

use std::time::Duration;

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};

use super::{
    AccountId,
    secret::{Secret, SecretError},
};
use crate::{aws, config::Config, log};

/// What Secrets Manager gets for one secret, a second attempt after a failed one included. A slow attempt has no limit of
/// its own: TCP repeats a lost packet by itself, no connection is used again after it lay idle for long, and giving up
/// early would throw an answer away that may be on its way.
const TIME_LIMIT: Duration = Duration::from_secs(2);

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
    /// It is there, and can't be used: no permission, no key to decrypt it, about to be deleted, not of the right form.
    #[error("secret unreadable: {0}")]
    Unreadable(String),
    /// Secrets Manager may answer the next time: time-out, throttling, a fault of its own.
    #[error("Secrets Manager failed: {0}")]
    Passing(String),
}

impl Store {
    pub(super) fn new(config: &Config, aws: &SdkConfig) -> Self {
        let limits = TimeoutConfig::builder().operation_timeout(TIME_LIMIT).build();
        let aws = aws::service(aws, config.aws.secrets_manager.as_ref(), limits, 2);
        Self { client: Client::new(&aws), prefix: config.secret_prefix.clone() }
    }

    /// Opens the connection that secrets are read over.
    pub(super) async fn connect(&self) {
        aws::connect(self.client.get_secret_value().secret_id(&self.prefix).send()).await;
    }

    /// The secret of an account, within two seconds.
    pub(super) async fn get(&self, id: &AccountId) -> Result<Secret, StoreError> {
        let request = self.client.get_secret_value().secret_id(format!("{}/{id}", self.prefix));
        let value = request.send().await?;
        let secret = value.secret_string().ok_or(SecretError::Binary).and_then(Secret::read);
        secret.map_err(|error| StoreError::Unreadable(error.to_string()))
    }
}

impl From<SdkError<GetSecretValueError>> for StoreError {
    fn from(error: SdkError<GetSecretValueError>) -> Self {
        let SdkError::ServiceError(answer) = &error else {
            return Self::Passing(log::chain(&error));
        };
        if answer.err().is_resource_not_found_exception() {
            return Self::NotFound;
        }
        let status = answer.raw().status();
        let code = answer.err().code().unwrap_or("no error code").to_owned();
        if status.is_server_error() || status.as_u16() == 429 || is_throttling(&code) {
            Self::Passing(code)
        } else {
            Self::Unreadable(code)
        }
    }
}

/// The codes by which AWS services ask for patience, with HTTP 400.
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
    )
}
