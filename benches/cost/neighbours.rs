//! What the subjects talk to.

use std::{fs, time::Duration};

use rustls::ALL_VERSIONS;
use stand_ins::{Answering, DynamoDb, Rudder, SecretsManager};
use tempfile::TempDir;

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
    folder: TempDir,
}

impl Neighbours {
    /// On free ports, with the sample account, a table for each ledger, and AI Rudder so much slower.
    pub async fn start(delay: Duration) -> Result<Self, Failure> {
        let rudder = Rudder::start(ANYWHERE, [TOKEN]).await?;
        rudder.answering(move || Answering::After(delay));
        let secrets = SecretsManager::start(ANYWHERE).await?;
        let dynamodb = DynamoDb::start(ANYWHERE).await?;
        furnish(&secrets, &dynamodb);
        dynamodb.create_table_of_another_shape(PYTHON_TABLE);
        let authority = Authority::new();
        let mut server = authority.server("localhost", 30, ALL_VERSIONS);
        // The stand-in speaks nothing else, and the thin relay would take HTTP/2.
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let front = Front::of(rudder.address(), server).await;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("ca.pem"), authority.pem())?;
        Ok(Self { rudder, secrets, dynamodb, front, folder })
    }

    /// How a process finds them.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        let base = self.rudder.base_url();
        let here = self.rudder.address().to_string();
        let front = format!("localhost:{}", self.front.address.port());
        [
            ("UPSTREAM_BASE_URL", base.replace("http://", "https://").replace(&here, &front)),
            ("UPSTREAM_CA_FILE", self.folder.path().join("ca.pem").to_string_lossy().into_owned()),
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
