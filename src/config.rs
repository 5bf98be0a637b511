//! What the environment says, read once at start-up. No other file reads a variable of the relay's own.

mod address;
mod roots;

use std::{env, ffi::OsString, ops::RangeInclusive, time::Duration};

use reqwest::Url;
use rustls::pki_types::CertificateDer;
use tracing::level_filters::LevelFilter;

use crate::rudder::{UpstreamCodes, UpstreamCodesError};

/// The configuration of the relay. Each field names its variable; an empty variable counts as none.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SECRET_PREFIX` (`lendswift`): what an account's name follows in the name of its secret.
    pub secret_prefix: String,
    /// `SECRET_TTL_SECONDS` (300), 1 to 86,400: how long a secret is used before it is read again.
    pub secret_ttl: Duration,
    /// `SECRET_MAX_STALE_SECONDS` (3600, or the above where that is longer), from the above to 86,400: how long it is used
    /// while it can't be read again.
    pub secret_max_stale: Duration,
    /// Where AI Rudder is and how long it gets.
    pub upstream: Upstream,
    /// `CLAIMS_TABLE` (required): the ledger of leads that were sent, a DynamoDB table or `off`.
    pub claims: Claims,
    /// `DUPLICATE_WINDOW_SECONDS` (604,800), 3600 to 31,536,000: how long a lead is remembered.
    pub duplicate_window: Duration,
    /// Where AWS is.
    pub aws: Aws,
    /// `CONNECT_AT_START` (`true`): whether a process connects to AWS, and looks AI Rudder up, before it asks for its first
    /// lead.
    pub connect_at_start: bool,
    /// What is logged and how.
    pub log: Log,
}

/// How AI Rudder is reached.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// `UPSTREAM_BASE_URL` (AI Rudder's): the address up to the token. `https`, or `http` to a loopback address, or `http`
    /// where `AWS_SAM_LOCAL` is `true`.
    pub base_url: Url,
    /// `UPSTREAM_TIMEOUT_MS` (10,000), 1000 to 29,000: how long a push may take, all attempts and the answer included.
    pub timeout: Duration,
    /// `UPSTREAM_CONNECT_TIMEOUT_MS` (2000), 100 to 29,000: how long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// `UPSTREAM_CODES` (none): what AI Rudder's own codes under HTTP 2xx mean, as pairs like `10510=refused`.
    pub codes: UpstreamCodes,
    /// `UPSTREAM_CA_FILE` (none): a PEM file of certificates to trust there beside the public ones.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// The ledger that keeps a lead from being sent twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claims {
    /// `off`: none. Every post of a lead is a push.
    Off,
    /// The name of its DynamoDB table.
    Table(String),
}

/// How AWS's services are reached.
#[derive(Debug, Clone)]
pub struct Aws {
    /// `AWS_REGION` (required; Lambda sets it): the region of the secrets and of the ledger.
    pub region: String,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, or `AWS_ENDPOINT_URL` (none): what stands for Secrets Manager. An address under
    /// the same rule as `UPSTREAM_BASE_URL`.
    pub secrets_manager: Option<Url>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, or `AWS_ENDPOINT_URL` (none): what stands for DynamoDB. As above.
    pub dynamodb: Option<Url>,
    /// `AWS_CA_BUNDLE` (none): a PEM file of certificates to trust there beside the public ones, not instead of them.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// How the relay logs, as Lambda's advanced logging controls set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// `AWS_LAMBDA_LOG_LEVEL` (`INFO`): `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`.
    pub level: LevelFilter,
    /// `AWS_LAMBDA_LOG_FORMAT` (`Text`): whether it is `JSON`.
    pub json: bool,
}

/// A variable that the relay can't start with. Never holds its value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {fault}")]
pub struct ConfigError {
    variable: &'static str,
    fault: String,
}

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| env::var_os(name))
    }

    /// Reads variables from wherever `lookup` has them.
    pub fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let variables = Variables(lookup);
        let secret_ttl = variables.number("SECRET_TTL_SECONDS", 300, 1..=86_400)?;
        Ok(Self {
            secret_prefix: variables.secret_prefix()?,
            secret_ttl: Duration::from_secs(secret_ttl),
            secret_max_stale: Duration::from_secs(variables.number(
                "SECRET_MAX_STALE_SECONDS",
                secret_ttl.max(3600),
                secret_ttl..=86_400,
            )?),
            upstream: Upstream {
                base_url: variables.base_url()?,
                codes: variables.upstream_codes()?,
                timeout: Duration::from_millis(variables.number("UPSTREAM_TIMEOUT_MS", 10_000, 1000..=29_000)?),
                connect_timeout: Duration::from_millis(variables.number(
                    "UPSTREAM_CONNECT_TIMEOUT_MS",
                    2000,
                    100..=29_000,
                )?),
                extra_roots: variables.extra_roots("UPSTREAM_CA_FILE")?,
            },
            claims: variables.claims()?,
            duplicate_window: Duration::from_secs(variables.number(
                "DUPLICATE_WINDOW_SECONDS",
                604_800,
                3600..=31_536_000,
            )?),
            aws: variables.aws()?,
            connect_at_start: variables.connect_at_start()?,
            log: Log { level: variables.log_level()?, json: variables.log_format_is_json()? },
        })
    }
}

/// The variables, by name.
struct Variables<L>(L);

impl<L: Fn(&str) -> Option<OsString>> Variables<L> {
    fn text(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        let value = (self.0)(variable).filter(|value| !value.is_empty());
        value.map(OsString::into_string).transpose().map_err(|_| fault(variable, "is not UTF-8"))
    }

    fn number(&self, variable: &'static str, default: u64, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let Some(text) = self.text(variable)? else { return Ok(default) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number
            .ok_or_else(|| fault(variable, format!("must be a whole number from {} to {}", range.start(), range.end())))
    }

    /// Characters as Secrets Manager allows them in a name; the account's own name is in there too.
    fn secret_prefix(&self) -> Result<String, ConfigError> {
        let variable = "SECRET_PREFIX";
        let prefix = self.text(variable)?.unwrap_or_else(|| "lendswift".to_owned());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if prefix.len() <= 400 && prefix.chars().all(allowed) && !prefix.ends_with('/') {
            Ok(prefix)
        } else {
            Err(fault(variable, "must be at most 400 of the characters A-Z a-z 0-9 / _ + = . @ - and not end with /"))
        }
    }

    fn base_url(&self) -> Result<Url, ConfigError> {
        let variable = "UPSTREAM_BASE_URL";
        self.address(variable, self.text(variable)?.as_deref().unwrap_or(address::AI_RUDDER))
    }

    fn endpoint(&self, variable: &'static str) -> Result<Option<Url>, ConfigError> {
        self.text(variable)?.map(|text| self.address(variable, &text)).transpose()
    }

    fn address(&self, variable: &'static str, text: &str) -> Result<Url, ConfigError> {
        let sam_local = self.text("AWS_SAM_LOCAL")?.as_deref() == Some("true");
        address::parse(text, sam_local).map_err(|error| fault(variable, error.to_string()))
    }

    fn upstream_codes(&self) -> Result<UpstreamCodes, ConfigError> {
        let variable = "UPSTREAM_CODES";
        let codes = self.text(variable)?.unwrap_or_default().parse();
        codes.map_err(|error: UpstreamCodesError| fault(variable, error.to_string()))
    }

    fn extra_roots(&self, variable: &'static str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let Some(path) = self.text(variable)? else { return Ok(Vec::new()) };
        roots::read(&path).map_err(|error| fault(variable, error.to_string()))
    }

    fn claims(&self) -> Result<Claims, ConfigError> {
        let variable = "CLAIMS_TABLE";
        match self.text(variable)?.as_deref() {
            None => Err(fault(variable, "is required: the name of a DynamoDB table, or off for no ledger")),
            Some("off") => Ok(Claims::Off),
            Some(name) if is_table(name) => Ok(Claims::Table(name.to_owned())),
            Some(_) => Err(fault(variable, "must be off, or 3 to 255 of the characters A-Z a-z 0-9 _ . -")),
        }
    }

    fn aws(&self) -> Result<Aws, ConfigError> {
        let everywhere = self.endpoint("AWS_ENDPOINT_URL")?;
        let region = "AWS_REGION";
        Ok(Aws {
            region: self.text(region)?.ok_or_else(|| fault(region, "is required: an AWS region, like us-east-1"))?,
            secrets_manager: self.endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER")?.or_else(|| everywhere.clone()),
            dynamodb: self.endpoint("AWS_ENDPOINT_URL_DYNAMODB")?.or(everywhere),
            extra_roots: self.extra_roots("AWS_CA_BUNDLE")?,
        })
    }

    fn connect_at_start(&self) -> Result<bool, ConfigError> {
        let variable = "CONNECT_AT_START";
        let Some(text) = self.text(variable)? else { return Ok(true) };
        text.parse().map_err(|_| fault(variable, "must be true or false"))
    }

    fn log_level(&self) -> Result<LevelFilter, ConfigError> {
        let variable = "AWS_LAMBDA_LOG_LEVEL";
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

    fn log_format_is_json(&self) -> Result<bool, ConfigError> {
        let variable = "AWS_LAMBDA_LOG_FORMAT";
        match self.text(variable)?.map(|format| format.to_ascii_uppercase()).as_deref() {
            Some("JSON") => Ok(true),
            Some("TEXT") | None => Ok(false),
            Some(_) => Err(fault(variable, "must be JSON or Text")),
        }
    }
}

/// Whether a table can have that name (DynamoDB's naming rules).
fn is_table(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (3..=255).contains(&name.len()) && name.chars().all(allowed)
}

fn fault(variable: &'static str, fault: impl Into<String>) -> ConfigError {
    ConfigError { variable, fault: fault.into() }
}

#[cfg(test)]
mod tests;
