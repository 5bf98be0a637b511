//! What the subjects talk to.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use rustls::{ALL_VERSIONS, ServerConfig};
use support::{
    Authority, FREE_PORT as ANYWHERE, TABLE, TOKEN, TlsProxy as Front,
    fakes::{Answering, DynamoDb, Rudder, SecretsManager},
    seed as furnish,
};

use crate::{Failure, far::far};

/// The table of the relay in Python, whose key has the name that Powertools gives it.
pub const PYTHON_TABLE: &str = "lendswift-python";

/// AI Rudder, Secrets Manager, DynamoDB, all behind TLS.
pub struct Neighbours {
    rudder: Rudder,
    _secrets: SecretsManager,
    _dynamodb: DynamoDb,
    _fronts: [Front; 3],
    /// Where each of them is reached.
    doors: [SocketAddr; 3],
    authority: PathBuf,
}

impl Neighbours {
    /// On free ports: AI Rudder so much slower, and all of them so far away.
    pub async fn start(delay: Duration, round_trip: Duration, folder: &Path) -> Result<Self, Failure> {
        let mut neighbours = Self::at([ANYWHERE; 3], folder.join("ca.pem")).await?;
        neighbours.rudder.answering(move || Answering::After(delay));
        if !round_trip.is_zero() {
            for door in &mut neighbours.doors {
                *door = far(*door, round_trip).await?;
            }
        }
        Ok(neighbours)
    }

    /// AI Rudder, Secrets Manager and DynamoDB at these addresses, with the sample account and a table for each ledger. The
    /// certificate to trust is written into a file.
    pub async fn at(
        [rudder_at, secrets_at, dynamodb_at]: [SocketAddr; 3],
        authority: PathBuf,
    ) -> Result<Self, Failure> {
        let rudder = Rudder::start(ANYWHERE, [TOKEN]).await?;
        let secrets = SecretsManager::start(ANYWHERE).await?;
        let dynamodb = DynamoDb::start(ANYWHERE).await?;
        furnish(&secrets, &dynamodb);
        dynamodb.create_table_of_another_shape(PYTHON_TABLE);
        let issuer = Authority::default();
        fs::write(&authority, issuer.pem())?;
        let fronts = [
            front(rudder_at, rudder.address(), &issuer).await?,
            front(secrets_at, secrets.address(), &issuer).await?,
            front(dynamodb_at, dynamodb.address(), &issuer).await?,
        ];
        let doors = fronts.each_ref().map(|front| front.address);
        Ok(Self { rudder, _secrets: secrets, _dynamodb: dynamodb, _fronts: fronts, doors, authority })
    }

    /// How a process finds them.
    pub fn variables(&self) -> [(&'static str, String); 5] {
        let [rudder, secrets, dynamodb] = self.doors.map(|door| format!("https://localhost:{}", door.port()));
        let authority = self.authority.to_string_lossy().into_owned();
        [
            ("UPSTREAM_BASE_URL", format!("{rudder}/api/push/lendswift-under-wirting")),
            ("UPSTREAM_CA_FILE", authority.clone()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("AWS_CA_BUNDLE", authority),
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

async fn front(address: SocketAddr, behind: SocketAddr, issuer: &Authority) -> io::Result<Front> {
    let mut server: ServerConfig = issuer.server("localhost", 30, ALL_VERSIONS);
    // The stand-ins speak nothing else, and the thin relay would take HTTP/2.
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Front::at(address, behind, server).await
}

/// The ledger's table of the relay.
pub const RELAY_TABLE: &str = TABLE;
