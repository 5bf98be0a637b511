//! Parses the environment. An error names the variable and the accepted values, and never the value.

use std::ffi::OsString;

use reqwest::Url;
use rustls::pki_types::CertificateDer;
use tracing::level_filters::LevelFilter;

use super::{
    AwsConfig, Claims, ConfigError, address, roots,
    variables::{
        AWS_CA_BUNDLE, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SECRETS_MANAGER,
        AWS_LAMBDA_FUNCTION_VERSION, AWS_LAMBDA_LOG_FORMAT, AWS_LAMBDA_LOG_LEVEL, AWS_REGION, AWS_SAM_LOCAL,
        CLAIMS_TABLE, CONNECT_AT_START, Number, SECRET_PREFIX, STACK_NAME, UPSTREAM_BASE_URL, UPSTREAM_CODES, Variable,
    },
};
use crate::rudder::{UpstreamCodes, UpstreamCodesError};

/// The variables of the environment.
pub(super) struct Environment<L>(pub(super) L);

impl<L: Fn(&str) -> Option<OsString>> Environment<L> {
    fn text(&self, variable: &Variable) -> Result<Option<String>, ConfigError> {
        let value = (self.0)(variable.name).filter(|value| !value.is_empty());
        value.map(OsString::into_string).transpose().map_err(|_| fault(variable, "is not UTF-8"))
    }

    pub(super) fn number(&self, number: &Number) -> Result<u64, ConfigError> {
        self.number_from(number, *number.range.start())
    }

    /// A number with a minimum that depends on another variable.
    pub(super) fn number_from(&self, number: &Number, min: u64) -> Result<u64, ConfigError> {
        let Some(text) = self.text(&number.variable)? else { return Ok(number.default.max(min)) };
        let range = min..=*number.range.end();
        let value = text.parse().ok().filter(|value| range.contains(value));
        let expected = || format!("must be a whole number from {} to {}", range.start(), range.end());
        value.ok_or_else(|| fault(&number.variable, expected()))
    }

    /// Allows the characters of a secret's name, which has at most 512 (CreateSecret, `Name`). 400 leave room for `/` and the
    /// account's name.
    pub(super) fn secret_prefix(&self) -> Result<String, ConfigError> {
        let variable = &SECRET_PREFIX;
        let prefix = self.text(variable)?.unwrap_or_else(|| "lendswift".to_owned());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if prefix.len() <= 400 && prefix.chars().all(allowed) && !prefix.ends_with('/') {
            Ok(prefix)
        } else {
            Err(fault(variable, "must be at most 400 of the characters A-Z a-z 0-9 / _ + = . @ - and not end with /"))
        }
    }

    pub(super) fn base_url(&self) -> Result<Url, ConfigError> {
        let variable = &UPSTREAM_BASE_URL;
        self.address(variable, self.text(variable)?.as_deref().unwrap_or(address::AI_RUDDER))
    }

    fn endpoint(&self, variable: &Variable) -> Result<Option<Url>, ConfigError> {
        self.text(variable)?.map(|text| self.address(variable, &text)).transpose()
    }

    fn address(&self, variable: &Variable, text: &str) -> Result<Url, ConfigError> {
        let sam_local = self.text(&AWS_SAM_LOCAL)?.as_deref() == Some("true");
        address::parse(text, sam_local).map_err(|error| fault(variable, error.to_string()))
    }

    pub(super) fn upstream_codes(&self) -> Result<UpstreamCodes, ConfigError> {
        let variable = &UPSTREAM_CODES;
        let codes = self.text(variable)?.unwrap_or_default().parse();
        codes.map_err(|error: UpstreamCodesError| fault(variable, error.to_string()))
    }

    pub(super) fn extra_roots(&self, variable: &Variable) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let Some(path) = self.text(variable)? else { return Ok(Vec::new()) };
        roots::read(&path).map_err(|error| fault(variable, error.to_string()))
    }

    pub(super) fn claims(&self) -> Result<Claims, ConfigError> {
        let variable = &CLAIMS_TABLE;
        match self.text(variable)?.as_deref() {
            None => Err(fault(variable, "is required: the name of a DynamoDB table, or off for no ledger")),
            Some("off") => Ok(Claims::Off),
            Some(name) if is_table_name(name) => Ok(Claims::Table(name.to_owned())),
            Some(_) => Err(fault(variable, "must be off, or 3 to 255 of the characters A-Z a-z 0-9 _ . -")),
        }
    }

    pub(super) fn aws(&self) -> Result<AwsConfig, ConfigError> {
        let for_both = self.endpoint(&AWS_ENDPOINT_URL)?;
        let region = &AWS_REGION;
        Ok(AwsConfig {
            region: self.text(region)?.ok_or_else(|| fault(region, "is required: an AWS region, like us-east-1"))?,
            secrets_manager: self.endpoint(&AWS_ENDPOINT_URL_SECRETS_MANAGER)?.or_else(|| for_both.clone()),
            dynamodb: self.endpoint(&AWS_ENDPOINT_URL_DYNAMODB)?.or(for_both),
            extra_roots: self.extra_roots(&AWS_CA_BUNDLE)?,
        })
    }

    pub(super) fn connect_at_start(&self) -> Result<bool, ConfigError> {
        let variable = &CONNECT_AT_START;
        let Some(text) = self.text(variable)? else { return Ok(true) };
        text.parse().map_err(|_| fault(variable, "must be true or false"))
    }

    /// Allows the names that a stack can have (CreateStack, `StackName`).
    pub(super) fn stack_name(&self) -> Result<Option<String>, ConfigError> {
        let variable = &STACK_NAME;
        let Some(name) = self.text(variable)? else { return Ok(None) };
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.len() <= 128 && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(allowed) {
            Ok(Some(name))
        } else {
            Err(fault(variable, "must be a letter and at most 127 of the characters A-Z a-z 0-9 -"))
        }
    }

    pub(super) fn function_version(&self) -> Result<Option<String>, ConfigError> {
        self.text(&AWS_LAMBDA_FUNCTION_VERSION)
    }

    pub(super) fn log_level(&self) -> Result<LevelFilter, ConfigError> {
        let variable = &AWS_LAMBDA_LOG_LEVEL;
        let Some(level) = self.text(variable)? else { return Ok(LevelFilter::INFO) };
        match level.to_ascii_uppercase().as_str() {
            "TRACE" => Ok(LevelFilter::TRACE),
            "DEBUG" => Ok(LevelFilter::DEBUG),
            "INFO" => Ok(LevelFilter::INFO),
            "WARN" => Ok(LevelFilter::WARN),
            "ERROR" | "FATAL" => Ok(LevelFilter::ERROR),
            _ => Err(fault(variable, "must be TRACE, DEBUG, INFO, WARN, ERROR or FATAL")),
        }
    }

    pub(super) fn log_format_is_json(&self) -> Result<bool, ConfigError> {
        let variable = &AWS_LAMBDA_LOG_FORMAT;
        match self.text(variable)?.map(|format| format.to_ascii_uppercase()).as_deref() {
            Some("JSON") => Ok(true),
            Some("TEXT") | None => Ok(false),
            Some(_) => Err(fault(variable, "must be JSON or Text")),
        }
    }
}

/// Whether a DynamoDB table can have that name ("Naming rules" in its developer guide).
fn is_table_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (3..=255).contains(&name.len()) && name.chars().all(allowed)
}

fn fault(variable: &Variable, fault: impl Into<String>) -> ConfigError {
    ConfigError { variable: variable.name, fault: fault.into() }
}
