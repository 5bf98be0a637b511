//! The sockets of the relay and the fakes.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
};

use support::{
    TABLE, TOKEN,
    fakes::{DynamoDb, Rudder, SecretsManager},
};
use tokio::net::TcpListener;

/// The relay's listener, and the fakes, which listen too.
pub struct Listeners {
    pub relay: TcpListener,
    pub rudder: Rudder,
    pub secrets: SecretsManager,
    pub dynamodb: DynamoDb,
}

/// A socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error(
        "port {} on {} is already in use, and {name} needs it\n\
         Stop the other program, or choose four other ports in a row with --port, for example --port 9100.",
        .address.port(), .address.ip()
    )]
    InUse { name: &'static str, address: SocketAddr },
    #[error(
        "{name} cannot listen on {address}: {cause}\n\
         Choose an address of this machine with --bind, such as 127.0.0.1, and ports above 1023 with --port."
    )]
    Failed { name: &'static str, address: SocketAddr, cause: io::Error },
}

impl Listeners {
    /// Opens four ports in a row, or any four free ports if `port` is 0.
    pub async fn open(bind: IpAddr, port: u16) -> Result<Self, ListenError> {
        let address = |offset: u16| SocketAddr::new(bind, if port == 0 { 0 } else { port.saturating_add(offset) });
        let [relay, rudder, secrets, dynamodb] = [0, 1, 2, 3].map(address);
        Ok(Self {
            relay: TcpListener::bind(relay).await.map_err(failure("the relay", relay))?,
            rudder: Rudder::start(rudder, [TOKEN]).await.map_err(failure("the fake of AI Rudder", rudder))?,
            secrets: SecretsManager::start(secrets).await.map_err(failure("the fake of Secrets Manager", secrets))?,
            dynamodb: DynamoDb::start(dynamodb).await.map_err(failure("the fake of DynamoDB", dynamodb))?,
        })
    }
}

fn failure(name: &'static str, address: SocketAddr) -> impl Fn(io::Error) -> ListenError {
    move |cause| match cause.kind() {
        ErrorKind::AddrInUse => ListenError::InUse { name, address },
        _ => ListenError::Failed { name, address, cause },
    }
}

/// The URL of a listener, for a client on this machine.
pub fn url(address: SocketAddr) -> String {
    reachable(&format!("http://{address}"))
}

/// Replaces the unspecified address, which clients cannot connect to, with the loopback address.
pub fn reachable(url: &str) -> String {
    url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
}

/// The variables with which `lendswift` and the AWS CLI reach the example's accounts and leads.
pub fn for_the_operator(secrets_url: &str, dynamodb_url: &str) -> String {
    format!(
        "To use lendswift or the AWS CLI on these accounts and leads, as in docs/running-locally.md, set these variables \
         first:\n\
         export AWS_ENDPOINT_URL_SECRETS_MANAGER={secrets_url} AWS_ENDPOINT_URL_DYNAMODB={dynamodb_url} \
         AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local SECRET_PREFIX=lendswift \
         CLAIMS_TABLE={TABLE}\n"
    )
}

/// The variables with which a relay in another tool uses these fakes.
pub fn for_other_tools(rudder_url: &str, secrets_url: &str, dynamodb_url: &str) -> String {
    let on_loopback = ["//127.", "//[::1]"].iter().any(|start| rudder_url.contains(start));
    // Without this variable the relay accepts plain HTTP only for a loopback address.
    let plain_http = if on_loopback { "" } else { " AWS_SAM_LOCAL=true" };
    format!(
        "The fakes: AI Rudder at {rudder_url}, Secrets Manager at {secrets_url}, DynamoDB at {dynamodb_url}.\n\n\
         To use them from a relay in another tool, such as `cargo lambda watch`, set these variables there:\n\
         CLAIMS_TABLE={TABLE} UPSTREAM_BASE_URL={rudder_url} AWS_ENDPOINT_URL_SECRETS_MANAGER={secrets_url} \
         AWS_ENDPOINT_URL_DYNAMODB={dynamodb_url} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=local \
         AWS_SECRET_ACCESS_KEY=local{plain_http}\n"
    )
}
