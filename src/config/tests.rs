//! Configurations from sets of variables.

use std::{cell::RefCell, collections::BTreeSet};

use super::*;
use crate::rudder::UpstreamCodes;

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    Config::from_variables(|name| {
        let mut all = variables.iter().chain(&[("AWS_REGION", "us-east-1")]);
        let (_, value) = all.find(|(variable, _)| *variable == name)?;
        Some(OsString::from(value))
    })
    .map_err(|error| error.to_string())
}

/// The error for one variable, with all required variables set.
fn error_for(variable: &str, value: &str) -> String {
    read(&[("CLAIMS_TABLE", "off"), (variable, value)]).unwrap_err()
}

#[test]
fn only_the_table_and_the_region_are_required() {
    let config = read(&[("CLAIMS_TABLE", "off")]).unwrap();
    assert_eq!(config.secret_prefix, "lendswift");
    assert_eq!(config.secret_ttl, Duration::from_secs(300));
    assert_eq!(config.secret_max_stale, Duration::from_secs(3600));
    assert_eq!(
        config.upstream.base_url.as_str(),
        "https://flex-route-ia.airudder.com/api/push/lendswift-under-wirting"
    );
    assert_eq!(config.upstream.timeout, Duration::from_secs(10));
    assert_eq!(config.upstream.connect_timeout, Duration::from_secs(2));
    assert_eq!(config.upstream.keep_alive, Duration::from_secs(1));
    assert_eq!(config.upstream.codes, UpstreamCodes::default());
    assert!(config.upstream.extra_roots.is_empty());
    assert!(config.aws.extra_roots.is_empty());
    assert_eq!(config.claims, Claims::Off);
    assert_eq!(config.duplicate_window, Duration::from_secs(604_800));
    assert!(config.connect_at_start);
    assert_eq!((config.stack_name, config.function_version), (None, None));
    assert_eq!(config.log, LogConfig { level: LevelFilter::INFO, json: false });
}

#[test]
fn every_variable_is_read() {
    let config = read(&[
        ("CLAIMS_TABLE", "off"),
        ("SECRET_PREFIX", "prod/lendswift"),
        ("SECRET_TTL_SECONDS", "60"),
        ("SECRET_MAX_STALE_SECONDS", "120"),
        ("UPSTREAM_BASE_URL", "http://127.0.0.1:9001/push"),
        ("UPSTREAM_TIMEOUT_MS", "5000"),
        ("UPSTREAM_CONNECT_TIMEOUT_MS", "500"),
        ("UPSTREAM_KEEP_ALIVE_MS", "250"),
        ("UPSTREAM_CODES", "10510=refused 10814=token_refused"),
        ("DUPLICATE_WINDOW_SECONDS", "3600"),
        ("AWS_REGION", "eu-west-1"),
        ("CONNECT_AT_START", "false"),
        ("STACK_NAME", "Leads-2"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9003"),
        ("AWS_LAMBDA_LOG_LEVEL", "fatal"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ])
    .unwrap();
    assert_eq!(config.secret_prefix, "prod/lendswift");
    assert_eq!((config.secret_ttl, config.secret_max_stale), (Duration::from_secs(60), Duration::from_secs(120)));
    assert_eq!(config.upstream.base_url.as_str(), "http://127.0.0.1:9001/push");
    assert_eq!(config.upstream.timeout, Duration::from_secs(5));
    assert_eq!(config.upstream.connect_timeout, Duration::from_millis(500));
    assert_eq!(config.upstream.keep_alive, Duration::from_millis(250));
    assert_eq!(Ok(config.upstream.codes), "10510=refused 10814=token_refused".parse());
    assert_eq!(config.duplicate_window, Duration::from_secs(3600));
    assert_eq!(config.aws.region, "eu-west-1");
    assert!(!config.connect_at_start);
    assert_eq!([config.stack_name, config.function_version], [Some("Leads-2".into()), Some("$LATEST".into())]);
    assert_eq!(config.aws.secrets_manager, None);
    assert_eq!(config.aws.dynamodb.unwrap().as_str(), "http://127.0.0.1:9003/");
    assert_eq!(config.log, LogConfig { level: LevelFilter::ERROR, json: true });
}

#[test]
fn a_services_own_endpoint_overrides_the_common_one() {
    let config = read(&[
        ("CLAIMS_TABLE", "off"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9002"),
    ]);
    let aws = config.unwrap().aws;
    assert_eq!(aws.secrets_manager.unwrap().as_str(), "http://127.0.0.1:9002/");
    assert_eq!(aws.dynamodb.unwrap().as_str(), "http://127.0.0.1:4566/");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = read(&[("CLAIMS_TABLE", "off"), ("UPSTREAM_CA_FILE", ""), ("SECRET_PREFIX", "")]).unwrap();
    assert_eq!(config.secret_prefix, "lendswift");
    let endpoints =
        ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_DYNAMODB", "UPSTREAM_BASE_URL"];
    let none = read(&[&[("CLAIMS_TABLE", "off")][..], &endpoints.map(|name| (name, ""))].concat()).unwrap();
    let addresses = (none.aws.secrets_manager, none.aws.dynamodb, none.upstream.base_url);
    assert_eq!(addresses, (None, None, config.upstream.base_url));
    let required = "CLAIMS_TABLE: is required: the name of a DynamoDB table, or off for no ledger";
    assert_eq!(read(&[("CLAIMS_TABLE", "")]).unwrap_err(), required);
    assert_eq!(read(&[]).unwrap_err(), required);
}

#[test]
fn an_error_names_the_variable_and_the_accepted_values() {
    for (variable, value, expected) in [
        ("CLAIMS_TABLE", "no", "must be off, or 3 to 255 of the characters A-Z a-z 0-9 _ . -"),
        ("CLAIMS_TABLE", "lead claims", "must be off, or 3 to 255 of the characters A-Z a-z 0-9 _ . -"),
        ("SECRET_TTL_SECONDS", "0", "must be a whole number from 1 to 86400"),
        ("SECRET_TTL_SECONDS", "5m", "must be a whole number from 1 to 86400"),
        ("SECRET_MAX_STALE_SECONDS", "299", "must be a whole number from 300 to 86400"),
        ("UPSTREAM_TIMEOUT_MS", "999", "must be a whole number from 1000 to 29000"),
        ("UPSTREAM_TIMEOUT_MS", "29001", "must be a whole number from 1000 to 29000"),
        ("UPSTREAM_CONNECT_TIMEOUT_MS", "-1", "must be a whole number from 100 to 29000"),
        ("UPSTREAM_KEEP_ALIVE_MS", "60001", "must be a whole number from 0 to 60000"),
        ("DUPLICATE_WINDOW_SECONDS", "3599", "must be a whole number from 3600 to 31536000"),
        ("UPSTREAM_BASE_URL", "rudder.example", "must be an https URL"),
        ("UPSTREAM_BASE_URL", "http://a.b", "may be http only to a loopback address, or if AWS_SAM_LOCAL is true"),
        ("UPSTREAM_CA_FILE", "no/such/file.pem", "can't be read: entity not found"),
        ("UPSTREAM_CA_FILE", "Cargo.toml", "must be a PEM file of one or more certificates"),
        ("CONNECT_AT_START", "yes", "must be true or false"),
        ("STACK_NAME", "1st", "must be a letter and at most 127 of the characters A-Z a-z 0-9 -"),
        ("STACK_NAME", "my_stack", "must be a letter and at most 127 of the characters A-Z a-z 0-9 -"),
        ("AWS_REGION", "", "is required: an AWS region, like us-east-1"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "must be an https URL"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "secrets", "must be an https URL"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "file:///db", "must be an https URL"),
        (
            "AWS_ENDPOINT_URL_DYNAMODB",
            "https://user@db.example",
            "must not contain a user name, a password, a query or a fragment",
        ),
        ("UPSTREAM_CODES", "10510", "must be pairs like 10510=refused, separated by white space"),
        ("UPSTREAM_CODES", "200=refused", "a code must be a whole number, and neither 200 nor one of 400 to 499"),
        ("UPSTREAM_CODES", "10510=accepted", "a code must mean refused, token_refused or rate_limited"),
        ("UPSTREAM_CODES", "10510=refused 10510=refused", "a code must not be listed twice"),
        ("AWS_CA_BUNDLE", "Cargo.toml", "must be a PEM file of one or more certificates"),
        ("AWS_LAMBDA_LOG_LEVEL", "verbose", "must be TRACE, DEBUG, INFO, WARN, ERROR or FATAL"),
        ("AWS_LAMBDA_LOG_FORMAT", "XML", "must be JSON or Text"),
    ] {
        let error = if variable == "CLAIMS_TABLE" {
            read(&[(variable, value)]).unwrap_err()
        } else {
            error_for(variable, value)
        };
        assert_eq!(error, format!("{variable}: {expected}"));
    }
    for prefix in ["a b", "lendswift/", "é", &"a".repeat(401)] {
        assert!(error_for("SECRET_PREFIX", prefix).starts_with("SECRET_PREFIX: must be at most 400"), "{prefix}");
    }
}

#[test]
fn http_is_allowed_to_loopback_and_under_sam_local() {
    for variable in
        ["UPSTREAM_BASE_URL", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_DYNAMODB"]
    {
        let with = |url: &str, sam_local: &str| {
            read(&[("CLAIMS_TABLE", "off"), ("AWS_SAM_LOCAL", sam_local), (variable, url)]).map(|_| ())
        };
        let refused = "may be http only to a loopback address, or if AWS_SAM_LOCAL is true";
        for url in [
            "http://172.17.0.1:9001",
            "http://host.docker.internal:9001",
            "http://secretsmanager.us-east-1.amazonaws.com",
        ] {
            assert_eq!(with(url, "true"), Ok(()), "{variable} {url}");
            for not_sam_local in ["", "false", "TRUE", "1"] {
                assert_eq!(with(url, not_sam_local), Err(format!("{variable}: {refused}")), "{url} {not_sam_local}");
            }
        }
        for url in ["http://127.0.0.1:9001", "http://localhost:9001", "http://[::1]:9001", "https://172.17.0.1"] {
            assert_eq!(with(url, ""), Ok(()), "{variable} {url}");
        }
    }
}

#[test]
fn a_long_ttl_extends_the_default_stale_time() {
    let config = read(&[("CLAIMS_TABLE", "off"), ("SECRET_TTL_SECONDS", "7200")]).unwrap();
    assert_eq!(config.secret_max_stale, Duration::from_secs(7200));
}

#[test]
fn the_ledger_is_a_table_or_off() {
    assert_eq!(read(&[("CLAIMS_TABLE", "off")]).unwrap().claims, Claims::Off);
    for name in ["claims", "Lead_Claims.2-x", "abc", &"a".repeat(255)] {
        assert_eq!(read(&[("CLAIMS_TABLE", name)]).unwrap().claims, Claims::Table(name.to_owned()));
    }
    for name in ["ab", &"a".repeat(256), "a/b", "t\u{e4}ble"] {
        assert!(read(&[("CLAIMS_TABLE", name)]).is_err(), "{name}");
    }
}

#[test]
fn the_listed_variables_are_those_that_are_read() {
    let read = RefCell::new(BTreeSet::new());
    let _ = Config::from_variables(|name| {
        read.borrow_mut().insert(name.to_owned());
        matches!(name, "CLAIMS_TABLE" | "AWS_REGION").then(|| "off".into())
    });
    let listed: BTreeSet<String> = VARIABLES.iter().map(|variable| variable.name.to_owned()).collect();
    assert_eq!(read.into_inner(), listed);
    assert_eq!(listed.len(), VARIABLES.len(), "each is listed once");
}

#[test]
fn the_listed_defaults_are_the_real_ones() {
    let with = |variable: &str, value: &str| {
        let claims = if variable == "CLAIMS_TABLE" { value } else { "off" };
        let config = read(&[("CLAIMS_TABLE", claims), (variable, value)]);
        config.map(|config| format!("{config:?}"))
    };
    let by_default = with("CLAIMS_TABLE", "off");
    for variable in VARIABLES {
        match variable.default {
            DefaultValue::Required => {
                assert!(with(variable.name, "").unwrap_err().contains("is required"), "{variable:?}");
            }
            DefaultValue::None => assert_eq!(with(variable.name, ""), by_default, "{variable:?}"),
            DefaultValue::Value(default) => assert_eq!(with(variable.name, default), by_default, "{variable:?}"),
        }
    }
}

#[test]
fn the_listed_bounds_are_the_real_ones() {
    for number in [
        &SECRET_TTL_SECONDS,
        &SECRET_MAX_STALE_SECONDS,
        &UPSTREAM_TIMEOUT_MS,
        &UPSTREAM_CONNECT_TIMEOUT_MS,
        &UPSTREAM_KEEP_ALIVE_MS,
        &AWS_LAMBDA_MAX_CONCURRENCY,
        &DUPLICATE_WINDOW_SECONDS,
    ] {
        let (least, most) = (number.range.start(), number.range.end());
        let least = if number.variable.name == "SECRET_MAX_STALE_SECONDS" {
            "`SECRET_TTL_SECONDS`".to_owned()
        } else {
            least.to_string()
        };
        assert_eq!(number.variable.accepted, format!("{least} to {most}"));
    }
}
