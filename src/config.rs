//! The configuration, read once at start-up. No other module reads environment variables.

mod address;
mod parse;
mod roots;
mod variables;

use std::{env, ffi::OsString, time::Duration};

use reqwest::Url;
use rustls::pki_types::CertificateDer;
use tracing::level_filters::LevelFilter;

pub use self::variables::{DefaultValue, VARIABLES, Variable};
use self::{
    parse::Environment,
    variables::{
        AWS_LAMBDA_MAX_CONCURRENCY, DUPLICATE_WINDOW_SECONDS, SECRET_MAX_STALE_SECONDS, SECRET_TTL_SECONDS,
        UPSTREAM_CA_FILE, UPSTREAM_CONNECT_TIMEOUT_MS, UPSTREAM_KEEP_ALIVE_MS, UPSTREAM_TIMEOUT_MS,
    },
};
use crate::rudder::UpstreamConfig;

/// The configuration. Each field's documentation names its variable, and [`VARIABLES`] describes it. An empty variable counts
/// as not set.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SECRET_PREFIX`.
    pub secret_prefix: String,
    /// `SECRET_TTL_SECONDS`.
    pub secret_ttl: Duration,
    /// `SECRET_MAX_STALE_SECONDS`.
    pub secret_max_stale: Duration,
    /// `UPSTREAM_*`.
    pub upstream: UpstreamConfig,
    /// `CLAIMS_TABLE`.
    pub claims: Claims,
    /// `DUPLICATE_WINDOW_SECONDS`.
    pub duplicate_window: Duration,
    /// `AWS_*`.
    pub aws: AwsConfig,
    /// `CONNECT_AT_START`.
    pub connect_at_start: bool,
    /// `STACK_NAME`: a dimension of every metric.
    pub stack_name: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_VERSION`: a field of every log line about a request.
    pub function_version: Option<String>,
    /// `AWS_LAMBDA_MAX_CONCURRENCY`: how many events are served at a time.
    pub concurrency: u64,
    /// `AWS_LAMBDA_LOG_*`.
    pub log: LogConfig,
}

/// Where leads are recorded before they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claims {
    /// Nowhere: every valid lead is pushed, even a repeated one.
    Off,
    /// In the DynamoDB table of this name.
    Table(String),
}

/// How AWS is reached.
#[derive(Debug, Clone)]
pub struct AwsConfig {
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, or `AWS_ENDPOINT_URL`.
    pub secrets_manager: Option<Url>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, or `AWS_ENDPOINT_URL`.
    pub dynamodb: Option<Url>,
    /// `AWS_CA_BUNDLE`.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// The level and format of the log, as Lambda's advanced logging controls set them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// `AWS_LAMBDA_LOG_LEVEL`.
    pub level: LevelFilter,
    /// Whether `AWS_LAMBDA_LOG_FORMAT` is `JSON`.
    pub json: bool,
}

/// A variable with an invalid value. The message never contains the value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {fault}")]
pub struct ConfigError {
    variable: &'static str,
    fault: String,
}

impl Config {
    /// Reads the process's environment. `Err` names the first variable with an invalid value.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    /// Reads the variables that `lookup` returns. `Err` as for [`Self::from_env`].
    pub fn from_variables(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let environment = Environment(lookup);
        let secret_ttl = environment.number(&SECRET_TTL_SECONDS)?;
        Ok(Self {
            secret_prefix: environment.secret_prefix()?,
            secret_ttl: Duration::from_secs(secret_ttl),
            secret_max_stale: Duration::from_secs(environment.number_from(&SECRET_MAX_STALE_SECONDS, secret_ttl)?),
            upstream: UpstreamConfig {
                base_url: environment.base_url()?,
                codes: environment.upstream_codes()?,
                timeout: Duration::from_millis(environment.number(&UPSTREAM_TIMEOUT_MS)?),
                connect_timeout: Duration::from_millis(environment.number(&UPSTREAM_CONNECT_TIMEOUT_MS)?),
                keep_alive: Duration::from_millis(environment.number(&UPSTREAM_KEEP_ALIVE_MS)?),
                extra_roots: environment.extra_roots(&UPSTREAM_CA_FILE)?,
            },
            claims: environment.claims()?,
            duplicate_window: Duration::from_secs(environment.number(&DUPLICATE_WINDOW_SECONDS)?),
            aws: environment.aws()?,
            connect_at_start: environment.connect_at_start()?,
            stack_name: environment.stack_name()?,
            function_version: environment.function_version()?,
            concurrency: environment.number(&AWS_LAMBDA_MAX_CONCURRENCY)?,
            log: LogConfig { level: environment.log_level()?, json: environment.log_format_is_json()? },
        })
    }
}

#[cfg(test)]
mod tests;
