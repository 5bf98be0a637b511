//! Where everything listens.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
};

use support::{
    TABLE, TOKEN,
    fakes::{DynamoDb, Rudder, SecretsManager},
};
use tokio::net::TcpListener;

/// The four sockets of this process.
pub struct Places {
    pub door: TcpListener,
    pub rudder: Rudder,
    pub secrets: SecretsManager,
    pub dynamodb: DynamoDb,
}

/// Why one of them can't be had.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("port {} on {} is taken ({who}); choose other ports with --port", .address.port(), .address.ip())]
    Taken { who: &'static str, address: SocketAddr },
    #[error("can't listen on {address} ({who}): {cause}")]
    Refused { who: &'static str, address: SocketAddr, cause: io::Error },
}

impl Places {
    /// Four ports in a row, or any four for port 0.
    pub async fn open(bind: IpAddr, port: u16) -> Result<Self, PlaceError> {
        let address = |place: u16| SocketAddr::new(bind, if port == 0 { 0 } else { port.saturating_add(place) });
        let [door, rudder, secrets, dynamodb] = [0, 1, 2, 3].map(address);
        Ok(Self {
            door: TcpListener::bind(door).await.map_err(failure("the front door", door))?,
            rudder: Rudder::start(rudder, [TOKEN]).await.map_err(failure("the fake of AI Rudder", rudder))?,
            secrets: SecretsManager::start(secrets).await.map_err(failure("the fake of Secrets Manager", secrets))?,
            dynamodb: DynamoDb::start(dynamodb).await.map_err(failure("the fake of DynamoDB", dynamodb))?,
        })
    }
}

fn failure(who: &'static str, address: SocketAddr) -> impl Fn(io::Error) -> PlaceError {
    move |cause| match cause.kind() {
        ErrorKind::AddrInUse => PlaceError::Taken { who, address },
        _ => PlaceError::Refused { who, address, cause },
    }
}

/// The URL of a listener, for a client on this machine.
pub fn url(address: SocketAddr) -> String {
    reachable(&format!("http://{address}"))
}

/// "Every address" is one to listen on, not one to connect to.
pub fn reachable(url: &str) -> String {
    url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
}

/// What a function that another tool runs needs to reach the fakes.
pub fn for_other_tools(rudder_url: &str, secrets_url: &str, dynamodb_url: &str) -> String {
    let on_loopback = ["//127.", "//[::1]"].iter().any(|start| rudder_url.contains(start));
    // Without it the relay takes plain http to a loopback address only.
    let plain_http = if on_loopback { "" } else { " AWS_SAM_LOCAL=true" };
    format!(
        "AI Rudder is at {rudder_url}, Secrets Manager at {secrets_url}, DynamoDB at {dynamodb_url}.\n\n\
         A function run by another tool meets them with these variables:\n\
         CLAIMS_TABLE={TABLE} UPSTREAM_BASE_URL={rudder_url} AWS_ENDPOINT_URL_SECRETS_MANAGER={secrets_url} \
         AWS_ENDPOINT_URL_DYNAMODB={dynamodb_url} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=local \
         AWS_SECRET_ACCESS_KEY=local{plain_http}\n"
    )
}
