//! The variables: name, default, bounds and meaning, for the parser and the reference documentation.

use std::ops::RangeInclusive;

/// A variable of the environment.
#[derive(Debug)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// The value if the variable is not set or empty.
    pub default: DefaultValue,
    /// The values that are accepted.
    pub accepted: &'static str,
    /// What the variable sets.
    pub meaning: &'static str,
}

/// What an unset variable means.
#[derive(Debug)]
pub enum DefaultValue {
    /// An error: without a value the process does not start.
    Required,
    /// The setting is absent.
    None,
    /// The same as this value.
    Value(&'static str),
}

/// A variable whose value is a whole number.
pub(super) struct Number {
    pub(super) variable: Variable,
    pub(super) default: u64,
    pub(super) range: RangeInclusive<u64>,
}

pub(super) const CLAIMS_TABLE: Variable = Variable {
    name: "CLAIMS_TABLE",
    default: DefaultValue::Required,
    accepted: "a table's name, or `off`",
    meaning: "The DynamoDB table of the ledger. With `off` there is no ledger, and every valid lead is pushed, even a repeated one.",
};
pub(super) const SECRET_PREFIX: Variable = Variable {
    name: "SECRET_PREFIX",
    default: DefaultValue::Value("lendswift"),
    accepted: "at most 400 of `A-Z a-z 0-9 / _ + = . @ -`, not ending with `/`",
    meaning: "The prefix of every secret's name: `{prefix}/{account}`.",
};
pub(super) const SECRET_TTL_SECONDS: Number = Number {
    variable: Variable {
        name: "SECRET_TTL_SECONDS",
        default: DefaultValue::Value("300"),
        accepted: "1 to 86400",
        meaning: "How long a secret is used before it is read again.",
    },
    default: 300,
    range: 1..=86_400,
};
pub(super) const SECRET_MAX_STALE_SECONDS: Number = Number {
    variable: Variable {
        name: "SECRET_MAX_STALE_SECONDS",
        default: DefaultValue::Value("3600"),
        accepted: "`SECRET_TTL_SECONDS` to 86400",
        meaning: "How long a secret is used while Secrets Manager fails. The default is `SECRET_TTL_SECONDS` if that is longer.",
    },
    default: 3600,
    range: 1..=86_400,
};
pub(super) const UPSTREAM_BASE_URL: Variable = Variable {
    name: "UPSTREAM_BASE_URL",
    default: DefaultValue::Value(super::address::AI_RUDDER),
    accepted: "an `https` URL; `http` only to a loopback address, or if `AWS_SAM_LOCAL` is `true`",
    meaning: "AI Rudder's address without the token.",
};
pub(super) const UPSTREAM_TIMEOUT_MS: Number = Number {
    variable: Variable {
        name: "UPSTREAM_TIMEOUT_MS",
        default: DefaultValue::Value("10000"),
        accepted: "1000 to 29000",
        meaning: "How long a push may take, with all attempts to connect and the response.",
    },
    default: 10_000,
    range: 1000..=29_000,
};
pub(super) const UPSTREAM_CONNECT_TIMEOUT_MS: Number = Number {
    variable: Variable {
        name: "UPSTREAM_CONNECT_TIMEOUT_MS",
        default: DefaultValue::Value("2000"),
        accepted: "100 to 29000",
        meaning: "How long one attempt to connect to AI Rudder may take.",
    },
    default: 2000,
    range: 100..=29_000,
};
pub(super) const UPSTREAM_KEEP_ALIVE_MS: Number = Number {
    variable: Variable {
        name: "UPSTREAM_KEEP_ALIVE_MS",
        default: DefaultValue::Value("1000"),
        accepted: "0 to 60000",
        meaning: "How long a connection to AI Rudder may be idle before the next lead uses it; with 0, each lead opens its own.",
    },
    default: 1000,
    range: 0..=60_000,
};
pub(super) const UPSTREAM_CODES: Variable = Variable {
    name: "UPSTREAM_CODES",
    default: DefaultValue::None,
    accepted: "pairs such as `10510=refused 10814=token_refused 10901=rate_limited`; any codes but 200 and 400 to 499",
    meaning: "What AI Rudder's own codes mean under HTTP 2xx. Any other code that HTTP does not define means `unknown`.",
};
pub(super) const UPSTREAM_CA_FILE: Variable = Variable {
    name: "UPSTREAM_CA_FILE",
    default: DefaultValue::None,
    accepted: "the path of a PEM file",
    meaning: "Certificates to trust for AI Rudder, in addition to the public roots.",
};
pub(super) const DUPLICATE_WINDOW_SECONDS: Number = Number {
    variable: Variable {
        name: "DUPLICATE_WINDOW_SECONDS",
        default: DefaultValue::Value("604800"),
        accepted: "3600 to 31536000",
        meaning: "How long after its claim a lead counts as a duplicate.",
    },
    default: 604_800,
    range: 3600..=31_536_000,
};
pub(super) const CONNECT_AT_START: Variable = Variable {
    name: "CONNECT_AT_START",
    default: DefaultValue::Value("true"),
    accepted: "`true` or `false`",
    meaning: "Whether a process connects to AWS and looks up AI Rudder's address before its first event.",
};
pub(super) const STACK_NAME: Variable = Variable {
    name: "STACK_NAME",
    default: DefaultValue::None,
    accepted: "a CloudFormation stack's name",
    meaning: "The dimension `stack` of every metric. If it is not set, the metrics have no such dimension.",
};
pub(super) const AWS_REGION: Variable = Variable {
    name: "AWS_REGION",
    default: DefaultValue::Required,
    accepted: "a region, such as `us-east-1`",
    meaning: "The region of the secrets and the ledger. Lambda sets it.",
};
pub(super) const AWS_ENDPOINT_URL: Variable = Variable {
    name: "AWS_ENDPOINT_URL",
    default: DefaultValue::None,
    accepted: "as `UPSTREAM_BASE_URL`",
    meaning: "The endpoint of Secrets Manager and DynamoDB, in place of AWS's own.",
};
pub(super) const AWS_ENDPOINT_URL_SECRETS_MANAGER: Variable = Variable {
    name: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    default: DefaultValue::None,
    accepted: "as `UPSTREAM_BASE_URL`",
    meaning: "The endpoint of Secrets Manager. It overrides `AWS_ENDPOINT_URL`.",
};
pub(super) const AWS_ENDPOINT_URL_DYNAMODB: Variable = Variable {
    name: "AWS_ENDPOINT_URL_DYNAMODB",
    default: DefaultValue::None,
    accepted: "as `UPSTREAM_BASE_URL`",
    meaning: "The endpoint of DynamoDB. It overrides `AWS_ENDPOINT_URL`.",
};
pub(super) const AWS_CA_BUNDLE: Variable = Variable {
    name: "AWS_CA_BUNDLE",
    default: DefaultValue::None,
    accepted: "the path of a PEM file",
    meaning: "Certificates to trust for AWS, in addition to the public roots.",
};
pub(super) const AWS_SAM_LOCAL: Variable = Variable {
    name: "AWS_SAM_LOCAL",
    default: DefaultValue::None,
    accepted: "`true`",
    meaning: "Allows `http` URLs to any address. `sam local` sets it.",
};
pub(super) const AWS_LAMBDA_MAX_CONCURRENCY: Number = Number {
    variable: Variable {
        name: "AWS_LAMBDA_MAX_CONCURRENCY",
        default: DefaultValue::Value("1"),
        accepted: "1 to 10000",
        meaning: "How many events a process serves at a time. Above 1, it uses all processors. Lambda sets it for Managed Instances.",
    },
    default: 1,
    range: 1..=10_000,
};
pub(super) const AWS_LAMBDA_LOG_LEVEL: Variable = Variable {
    name: "AWS_LAMBDA_LOG_LEVEL",
    default: DefaultValue::Value("INFO"),
    accepted: "`TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`, in any case",
    meaning: "The least severe level that is logged. `FATAL` logs what `ERROR` does. Lambda sets it.",
};
pub(super) const AWS_LAMBDA_LOG_FORMAT: Variable = Variable {
    name: "AWS_LAMBDA_LOG_FORMAT",
    default: DefaultValue::Value("Text"),
    accepted: "`JSON` or `Text`, in any case",
    meaning: "The format of the log. Lambda sets it.",
};

pub(super) const AWS_LAMBDA_FUNCTION_VERSION: Variable = Variable {
    name: "AWS_LAMBDA_FUNCTION_VERSION",
    default: DefaultValue::None,
    accepted: "any text",
    meaning: "The function's version, for the log. Lambda sets it.",
};

/// All variables that the relay reads itself. The AWS SDK reads the credentials' own.
pub const VARIABLES: &[&Variable] = &[
    &CLAIMS_TABLE,
    &SECRET_PREFIX,
    &SECRET_TTL_SECONDS.variable,
    &SECRET_MAX_STALE_SECONDS.variable,
    &UPSTREAM_BASE_URL,
    &UPSTREAM_TIMEOUT_MS.variable,
    &UPSTREAM_CONNECT_TIMEOUT_MS.variable,
    &UPSTREAM_KEEP_ALIVE_MS.variable,
    &UPSTREAM_CODES,
    &UPSTREAM_CA_FILE,
    &DUPLICATE_WINDOW_SECONDS.variable,
    &CONNECT_AT_START,
    &STACK_NAME,
    &AWS_REGION,
    &AWS_ENDPOINT_URL,
    &AWS_ENDPOINT_URL_SECRETS_MANAGER,
    &AWS_ENDPOINT_URL_DYNAMODB,
    &AWS_CA_BUNDLE,
    &AWS_SAM_LOCAL,
    &AWS_LAMBDA_MAX_CONCURRENCY.variable,
    &AWS_LAMBDA_LOG_LEVEL,
    &AWS_LAMBDA_LOG_FORMAT,
    &AWS_LAMBDA_FUNCTION_VERSION,
];
