//! The real relay, set up as in Lambda, with stand-ins for everything around it.

use std::{
    ffi::OsString,
    io,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use lambda_http::{Context, LambdaEvent};
use lendswift_relay::{
    aws,
    clock::Clock,
    config::{Aws, Config},
    gateway,
    relay::Relay,
};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use stand_ins::{
    DynamoDb, Rudder, SecretsManager,
    api_gateway::{self, Response},
};

/// The account that the sample events are for.
pub const ACCOUNT: &str = "acme";
/// Its key.
pub const KEY: &str = "infinity-example-key";
/// Its token, as AI Rudder publishes it for an example.
pub const TOKEN: &str = "1JqFE7K6ucf94hAvqu+7Jg";

/// The ledger's table.
pub const TABLE: &str = "lendswift-claims";

/// The relay and what it talks to.
pub struct Stage {
    pub rudder: Rudder,
    pub secrets: SecretsManager,
    pub dynamodb: DynamoDb,
    pub relay: Relay,
}

/// Any free port of this machine.
pub const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

impl Stage {
    /// Everything on free ports, without a ledger: what is posted is pushed.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same, with some variables set.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        Self::open(variables).await.expect("a free port on this machine")
    }

    /// Everything on free ports, with a ledger.
    pub async fn with_ledger() -> Self {
        Self::with(&[("CLAIMS_TABLE", TABLE)]).await
    }

    /// The stand-ins on free ports with the one account and the table, and a relay with some variables set.
    pub async fn open(variables: &[(&str, &str)]) -> io::Result<Self> {
        let rudder = Rudder::start(ANYWHERE, [TOKEN]).await?;
        let secrets = SecretsManager::start(ANYWHERE).await?;
        let dynamodb = DynamoDb::start(ANYWHERE).await?;
        furnish(&secrets, &dynamodb);
        let relay = relay_between(&rudder, &secrets, &dynamodb, variables);
        Ok(Self { rudder, secrets, dynamodb, relay })
    }

    /// One more relay between the same neighbours.
    pub fn another_relay(&self, variables: &[(&str, &str)]) -> Relay {
        relay_between(&self.rudder, &self.secrets, &self.dynamodb, variables)
    }

    /// What API Gateway answers when it sends this event to the function.
    pub async fn serve(&self, event: &str) -> Response {
        serve(&self.relay, event, Context::default()).await
    }
}

/// A relay between an AI Rudder and a Secrets Manager, with some variables set; without a ledger unless one of them says
/// otherwise.
pub fn relay(rudder_url: &str, secrets_url: &str, variables: &[(&str, &str)]) -> Relay {
    let neighbours = [("UPSTREAM_BASE_URL", rudder_url), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_url)];
    relay_over(&aws(), &[&neighbours, variables].concat())
}

/// The same with a DynamoDB.
fn relay_between(rudder: &Rudder, secrets: &SecretsManager, dynamodb: &DynamoDb, variables: &[(&str, &str)]) -> Relay {
    let dynamodb = dynamodb.url();
    let variables = [&[("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.as_str())], variables].concat();
    relay(&rudder.base_url(), &secrets.url(), &variables)
}

/// A relay as `main` builds it, from variables and an AWS configuration; later variables win.
pub fn relay_over(aws: &SdkConfig, variables: &[(&str, &str)]) -> Relay {
    #[cfg(test)]
    start_log();
    let defaults = [("CLAIMS_TABLE", "off"), ("AWS_REGION", "us-east-1")];
    let config = Config::read(|name| {
        let mut all = defaults.iter().chain(variables).rev();
        all.find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
    });
    Relay::new(&config.expect("variables in order"), aws, Clock::SYSTEM).expect("a relay can be built")
}

/// What AWS holds for the sample events: the account's secret, and the ledger's table.
pub fn furnish(secrets: &SecretsManager, dynamodb: &DynamoDb) {
    secrets.put(format!("lendswift/{ACCOUNT}"), secret(TOKEN, &[KEY]));
    dynamodb.create_table(TABLE);
}

/// AWS as the relay reaches it, blind to the environment that the tests run in.
pub fn aws() -> SdkConfig {
    aws_trusting(Vec::new())
}

/// The same with these certificates trusted too.
pub fn aws_trusting(extra_roots: Vec<CertificateDer<'static>>) -> SdkConfig {
    let credentials = Credentials::from_keys("local", "local", None);
    let aws = Aws { region: "us-east-1".to_owned(), secrets_manager: None, dynamodb: None, extra_roots };
    let aws = aws::sdk_config(&aws).expect("a client can be built").to_builder();
    aws.credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

/// An account's secret, for keys in clear.
pub fn secret(token: &str, keys: &[&str]) -> String {
    let digests: Vec<String> = keys.iter().map(|key| hex::encode(Sha256::digest(key))).collect();
    serde_json::json!({"lendswift_token": token, "api_key_sha256": digests}).to_string()
}

/// Sends an event through a relay as Lambda would: as text, in and out.
pub async fn serve(relay: &Relay, event: &str, context: Context) -> Response {
    let payload: Box<RawValue> = serde_json::from_str(event).expect("an event is JSON");
    let answer = gateway::serve(relay, LambdaEvent { payload, context }).await;
    let answer: Value = match answer {
        Ok(answer) => serde_json::to_value(answer).expect("a response can be written"),
        Err(never) => match never {},
    };
    api_gateway::response(&answer)
}

/// Lambda's word that there are so many milliseconds left.
pub fn with_deadline(left: i64) -> Context {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let mut context = Context::default();
    context.deadline = u64::try_from(now).unwrap_or_default().saturating_add_signed(left);
    context
}

/// Starts the shipped log at its most talkative level, into the file that `LOG_FILE` names, or into nothing; as JSON where
/// `LOG_FORMAT` says so. Always, since a line that nobody listens to when it is first reached is taken for one that nobody
/// ever will.
#[cfg(test)]
fn start_log() {
    use std::{env, fs::File, sync::Once};

    use lendswift_relay::{config::Log, log};
    use tracing::level_filters::LevelFilter;

    static STARTED: Once = Once::new();
    let json = env::var_os("LOG_FORMAT").is_some_and(|format| format == "JSON");
    let log = Log { level: LevelFilter::TRACE, json };
    STARTED.call_once(|| match env::var_os("LOG_FILE") {
        Some(path) => log::start(log, File::create(path).expect("a file to log to")),
        None => log::start(log, io::sink),
    });
}
