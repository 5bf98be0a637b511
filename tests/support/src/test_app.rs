//! The relay, set up as in Lambda, between fakes of all its dependencies.

use std::{
    ffi::OsString,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::Deref,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use lambda_http::{Context, LambdaEvent};
use lendswift_relay::{
    aws::Aws,
    clock::Clock,
    config::{Config, ConfigError},
    gateway,
    relay::Relay,
    telemetry::metrics::Recorder,
};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json, value::RawValue};
use sha2::{Digest, Sha256};

use crate::{
    ObservedResponse, Request,
    fakes::{
        DynamoDb, Rudder, SecretsManager,
        api_gateway::{self, Response},
    },
    log_capture,
};

/// The account of the sample events.
pub const ACCOUNT: &str = "acme";
/// The sandbox account, with the same API key.
pub const SANDBOX: &str = "acme-sandbox";
/// Their API key.
pub const KEY: &str = "infinity-example-key";
/// Its token, as AI Rudder publishes it for an example.
pub const TOKEN: &str = "1JqFE7K6ucf94hAvqu+7Jg";
/// The key under which [`once_per_phone_secret`] hashes phone numbers.
pub const HASH_KEY: &str = "c4d2a96b7f1e03585ad9e6b0417c83f2910bd5ae6c74f83b2e5907d1a8fc4663";
/// The ledger's table.
pub const TABLE: &str = "lendswift-claims";
/// Any free port of this machine.
pub const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Everything that the relay talks to.
pub struct Fakes {
    /// Accepts [`TOKEN`].
    pub rudder: Rudder,
    /// Has the secret of [`ACCOUNT`].
    pub secrets: SecretsManager,
    /// Has [`TABLE`].
    pub dynamodb: DynamoDb,
}

impl Fakes {
    /// Starts them on free ports.
    pub async fn start() -> io::Result<Self> {
        let rudder = Rudder::start(FREE_PORT, [TOKEN]).await?;
        let secrets = SecretsManager::start(FREE_PORT).await?;
        let dynamodb = DynamoDb::start(FREE_PORT).await?;
        seed(&secrets, &dynamodb);
        Ok(Self { rudder, secrets, dynamodb })
    }

    /// Replaces the account's secret.
    pub fn set_secret(&self, token: &str, keys: &[&str]) {
        self.secrets.put(format!("lendswift/{ACCOUNT}"), secret(token, keys));
    }

    /// A relay between them, without a ledger unless a variable names its table. Later variables win.
    pub fn relay(&self, variables: &[(&str, &str)]) -> Relay {
        self.relay_with(&aws(), variables)
    }

    /// As [`Self::relay`], with this AWS configuration.
    pub fn relay_with(&self, aws: &SdkConfig, variables: &[(&str, &str)]) -> Relay {
        let addresses = self.addresses();
        let addresses = addresses.each_ref().map(|(name, url)| (*name, url.as_str()));
        relay(aws, &[&addresses, variables].concat())
    }

    /// As [`Self::relay`], with a wall clock that now shows this time.
    pub fn relay_at(&self, wall: SystemTime, variables: &[(&str, &str)]) -> Relay {
        let addresses = self.addresses();
        let addresses = addresses.each_ref().map(|(name, url)| (*name, url.as_str()));
        relay_by(Clock::starting_at(wall), &aws(), &[&addresses, variables].concat())
    }

    /// The variables that lead the relay to them.
    pub(crate) fn addresses(&self) -> [(&'static str, String); 3] {
        [
            ("UPSTREAM_BASE_URL", self.rudder.base_url()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.secrets.url()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.url()),
        ]
    }
}

/// The relay in this process, and what it talks to.
pub struct TestApp {
    /// The fakes.
    pub fakes: Fakes,
    /// The relay between them.
    pub relay: Relay,
}

impl Deref for TestApp {
    type Target = Fakes;

    fn deref(&self) -> &Fakes {
        &self.fakes
    }
}

impl TestApp {
    /// Without a ledger: every valid lead is pushed.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With a ledger.
    pub async fn with_ledger() -> Self {
        Self::with(&[("CLAIMS_TABLE", TABLE)]).await
    }

    /// With these variables, see [`Fakes::relay`].
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        Self::try_with(variables).await.expect("a free port on this machine")
    }

    /// As [`Self::with`], for callers that report a missing port themselves.
    pub async fn try_with(variables: &[(&str, &str)]) -> io::Result<Self> {
        let fakes = Fakes::start().await?;
        let relay = fakes.relay(variables);
        Ok(Self { fakes, relay })
    }

    /// What API Gateway makes of the response to this event.
    pub async fn serve(&self, event: &str) -> Response {
        serve(&self.relay, event, Context::default()).await
    }

    /// Posts a request.
    pub async fn post(&self, request: &Request) -> ObservedResponse {
        post(&self.relay, request, Context::default()).await
    }

    /// Posts a request that Lambda gives this many milliseconds.
    pub async fn post_within(&self, request: &Request, left: i64) -> ObservedResponse {
        post(&self.relay, request, with_deadline(left)).await
    }
}

/// Posts a request to any relay.
pub async fn post(relay: &Relay, request: &Request, context: Context) -> ObservedResponse {
    // Boxed: a request's future is larger than Clippy allows on the stack.
    Box::pin(serve(relay, &request.event(), context)).await.into()
}

/// A relay as `main` builds it, from variables and an AWS configuration; later variables win.
pub fn relay(aws: &SdkConfig, variables: &[(&str, &str)]) -> Relay {
    relay_by(Clock::SYSTEM, aws, variables)
}

fn relay_by(clock: Clock, aws: &SdkConfig, variables: &[(&str, &str)]) -> Relay {
    log_capture::start_shipped_log();
    let config = config(variables).expect("valid variables");
    let mut relay_aws = Aws::new(&config).expect("a client can be built");
    relay_aws.sdk = aws.clone();
    Relay::new(&config, relay_aws, clock).expect("a relay can be built")
}

/// The configuration of these variables, with a region and without a ledger unless they say otherwise. Later variables win.
pub fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let defaults = [("CLAIMS_TABLE", "off"), ("AWS_REGION", "us-east-1")];
    Config::from_variables(|name| {
        let mut all = defaults.iter().chain(variables).rev();
        all.find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
    })
}

/// Stores what AWS holds for the sample events: the secrets of the account and of the sandbox account, and the ledger's table.
pub fn seed(secrets: &SecretsManager, dynamodb: &DynamoDb) {
    secrets.put(format!("lendswift/{ACCOUNT}"), secret(TOKEN, &[KEY]));
    secrets.put(format!("lendswift/{SANDBOX}"), sandbox_secret(&[KEY]));
    dynamodb.create_table(TABLE);
}

/// AWS as the relay reaches it, whatever the environment of the tests says.
pub fn aws() -> SdkConfig {
    aws_trusting(Vec::new())
}

/// As [`aws`], with these certificates trusted too.
pub fn aws_trusting(extra_roots: Vec<CertificateDer<'static>>) -> SdkConfig {
    let credentials = Credentials::from_keys("local", "local", None);
    let mut config = config(&[]).expect("valid defaults");
    config.aws.extra_roots = extra_roots;
    let sdk = Aws::new(&config).expect("a client can be built").sdk.to_builder();
    sdk.credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

/// An account's secret, for keys in clear.
pub fn secret(token: &str, keys: &[&str]) -> String {
    json!({"lendswift_token": token, "api_key_sha256": digests(keys)}).to_string()
}

/// An account's secret with these members in addition to [`TOKEN`] and [`KEY`].
pub fn secret_with(members: &Value) -> String {
    let mut secret: Value = serde_json::from_str(&secret(TOKEN, &[KEY])).expect("JSON");
    if let (Some(secret), Some(members)) = (secret.as_object_mut(), members.as_object()) {
        secret.extend(members.clone());
    }
    secret.to_string()
}

/// The account's secret with a policy that allows one call of a phone number in 24 hours.
pub fn once_per_phone_secret() -> String {
    secret_with(&json!({"policy": {"once_per_phone_hours": 24}, "hash_key": HASH_KEY}))
}

/// A sandbox account's secret, for keys in clear.
pub fn sandbox_secret(keys: &[&str]) -> String {
    json!({"sandbox": true, "api_key_sha256": digests(keys)}).to_string()
}

fn digests(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| hex::encode(Sha256::digest(key))).collect()
}

/// Sends an event through a relay as Lambda does: as text, in and out.
pub async fn serve(relay: &Relay, event: &str, context: Context) -> Response {
    let payload: Box<RawValue> = serde_json::from_str(event).expect("an event is JSON");
    let response: Value = match gateway::serve(relay, Recorder::default(), LambdaEvent { payload, context }).await {
        Ok(response) => serde_json::to_value(response).expect("a response can be written"),
        Err(never) => match never {},
    };
    api_gateway::response(&response)
}

/// Lambda's context with this many milliseconds left.
pub fn with_deadline(left: i64) -> Context {
    let mut context = Context::default();
    context.deadline = deadline_in(left);
    context
}

/// The time this many milliseconds from now, as Lambda gives a deadline.
pub fn deadline_in(left: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(now).unwrap_or_default().saturating_add_signed(left)
}

/// Unix seconds.
pub fn now() -> u64 {
    deadline_in(0) / 1000
}
