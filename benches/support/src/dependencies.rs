//! The services that the measured programs call.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use rustls::ALL_VERSIONS;
use serde_json::json;
use support::{
    Authority, TlsProxy,
    fakes::{Answering, DynamoDb, Rudder, SecretsManager},
};

use crate::{Failure, latency_proxy, programs};

/// The ledger's table.
pub const TABLE: &str = "lendswift-claims";

/// The AI Rudder token of the sample events' account.
pub const TOKEN: &str = "1JqFE7K6ucf94hAvqu+7Jg";

/// The SHA-256 of `infinity-example-key`, the API key in the sample events.
const API_KEY_SHA256: &str = "a06c94cbfaa98dd84941fec7cba0488adb41cd250d5d1ea2129422967f024c95";

/// A free port of this machine.
pub const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Where a measured program reaches its dependencies.
#[derive(Clone)]
pub struct Endpoints {
    /// Of AI Rudder, Secrets Manager and DynamoDB, in this order.
    pub addresses: [SocketAddr; 3],
    /// The file with the certificate that the program must trust.
    pub authority: PathBuf,
}

impl Endpoints {
    /// These addresses, and a certificate in a file of this name.
    #[must_use]
    pub fn at(addresses: [SocketAddr; 3], authority: &str) -> Self {
        Self { addresses, authority: programs::folder().join(authority) }
    }

    /// The variables that the program reads them from.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 5] {
        let [rudder, secrets, dynamodb] = self.addresses.map(|address| format!("https://localhost:{}", address.port()));
        let authority = self.authority.to_string_lossy().into_owned();
        [
            ("UPSTREAM_BASE_URL", format!("{rudder}/api/push/lendswift-under-wirting")),
            ("UPSTREAM_CA_FILE", authority.clone()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("AWS_CA_BUNDLE", authority),
        ]
    }
}

/// Fakes of AI Rudder, Secrets Manager and DynamoDB behind TLS, with the sample events' account and the ledger's table.
pub struct Dependencies {
    /// Where they are reached.
    pub endpoints: Endpoints,
    rudder: Rudder,
    _secrets: SecretsManager,
    _dynamodb: DynamoDb,
    _proxies: Vec<TlsProxy>,
}

impl Dependencies {
    /// Starts them at these endpoints.
    pub async fn start(mut endpoints: Endpoints) -> Result<Self, Failure> {
        let rudder = Rudder::start(FREE, [TOKEN]).await?;
        let secrets = SecretsManager::start(FREE).await?;
        let dynamodb = DynamoDb::start(FREE).await?;
        let secret = json!({ "lendswift_token": TOKEN, "api_key_sha256": [API_KEY_SHA256] });
        secrets.put("lendswift/acme", secret.to_string());
        dynamodb.create_table(TABLE);
        let authority = Authority::default();
        fs::create_dir_all(programs::folder())?;
        fs::write(&endpoints.authority, authority.pem())?;
        let mut proxies = Vec::new();
        for (address, fake) in
            endpoints.addresses.iter_mut().zip([rudder.address(), secrets.address(), dynamodb.address()])
        {
            // TLS sessions of its own. The fakes do not speak HTTP/2, which reqwest would choose.
            let mut tls = authority.server("localhost", 30, ALL_VERSIONS);
            tls.alpn_protocols = vec![b"http/1.1".to_vec()];
            let proxy = TlsProxy::start_at(*address, fake, tls).await;
            *address = proxy.address();
            proxies.push(proxy);
        }
        Ok(Self { endpoints, rudder, _secrets: secrets, _dynamodb: dynamodb, _proxies: proxies })
    }

    /// Moves all of them away, by this time there and back.
    pub async fn add_latency(&mut self, round_trip: Duration) -> Result<(), Failure> {
        for address in &mut self.endpoints.addresses {
            *address = latency_proxy::start(*address, round_trip).await?;
        }
        Ok(())
    }

    /// Makes AI Rudder take this much longer for each lead.
    pub fn delay_pushes(&self, delay: Duration) {
        self.rudder.answering(move || Answering::After(delay));
    }

    /// How many leads AI Rudder accepted since the last call. An error if it refused one.
    pub fn take_pushes(&self) -> Result<usize, Failure> {
        let pushes = self.rudder.take_received();
        match pushes.iter().find(|push| !push.accepted) {
            Some(push) => Err(format!("AI Rudder did not accept {}", push.body).into()),
            None => Ok(pushes.len()),
        }
    }
}
