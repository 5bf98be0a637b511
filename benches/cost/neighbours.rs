//! What the subjects talk to.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use rustls::ALL_VERSIONS;
use stand_ins::{Answering, DynamoDb, Rudder, SecretsManager};

use crate::{
    Failure,
    front::{Authority, Front},
    stage::{ANYWHERE, TABLE, TOKEN, furnish},
};

/// The table of the relay in Python, whose key has the name that Powertools gives it.
pub const PYTHON_TABLE: &str = "lendswift-python";

/// AI Rudder behind TLS, Secrets Manager, DynamoDB.
pub struct Neighbours {
    rudder: Rudder,
    secrets: SecretsManager,
    dynamodb: DynamoDb,
    front: Front,
    authority: PathBuf,
}

impl Neighbours {
    /// On free ports, with AI Rudder so much slower.
    pub async fn start(delay: Duration, folder: &Path) -> Result<Self, Failure> {
        let neighbours = Self::at([ANYWHERE; 3], folder.join("ca.pem")).await?;
        neighbours.rudder.answering(move || Answering::After(delay));
        Ok(neighbours)
    }

    /// AI Rudder, Secrets Manager and DynamoDB at these addresses, with the sample account and a table for each ledger. The
    /// certificate to trust is written into a file.
    pub async fn at([tls, secrets, dynamodb]: [SocketAddr; 3], authority: PathBuf) -> Result<Self, Failure> {
        let rudder = Rudder::start(ANYWHERE, [TOKEN]).await?;
        let secrets = SecretsManager::start(secrets).await?;
        let dynamodb = DynamoDb::start(dynamodb).await?;
        furnish(&secrets, &dynamodb);
        dynamodb.create_table_of_another_shape(PYTHON_TABLE);
        let issuer = Authority::new();
        let mut server = issuer.server("localhost", 30, ALL_VERSIONS);
        // The stand-in speaks nothing else, and the thin relay would take HTTP/2.
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let front = Front::at(tls, rudder.address(), server).await?;
        fs::write(&authority, issuer.pem())?;
        Ok(Self { rudder, secrets, dynamodb, front, authority })
    }

    /// How a process finds them.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        let base = self.rudder.base_url();
        let here = self.rudder.address().to_string();
        let front = format!("localhost:{}", self.front.address.port());
        [
            ("UPSTREAM_BASE_URL", base.replace("http://", "https://").replace(&here, &front)),
            ("UPSTREAM_CA_FILE", self.authority.to_string_lossy().into_owned()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.secrets.url()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.url()),
        ]
    }

    /// How many leads AI Rudder got since this was asked last, all of which it has to have accepted.
    pub fn pushes(&self) -> Result<usize, Failure> {
        let pushes = self.rudder.take_received();
        match pushes.iter().find(|push| !push.accepted) {
            Some(push) => Err(format!("AI Rudder did not accept {}", push.body).into()),
            None => Ok(pushes.len()),
        }
    }
}

/// The ledger's table of the relay.
pub const RELAY_TABLE: &str = TABLE;
