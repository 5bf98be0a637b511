//! The real binary as a process under Lambda, with stand-ins for its neighbours.

use std::{path::Path, time::Duration};

use stand_ins::{DynamoBehaviour, DynamoDb, Invoked, Lambda, Rudder, SecretsManager, api_gateway};

use crate::{
    request::Request,
    stage::{ANYWHERE, TABLE, TOKEN, furnish},
    told::{Told, in_ms},
};

/// A process and what it talks to.
pub struct House {
    pub rudder: Rudder,
    pub secrets: SecretsManager,
    pub dynamodb: DynamoDb,
    pub lambda: Lambda,
}

/// The operation that every write of the ledger is.
pub const WRITE: &str = "TransactWriteItems";

impl House {
    pub async fn open(variables: &[(&str, &str)]) -> Self {
        let rudder = Rudder::start(ANYWHERE, [TOKEN]).await.unwrap();
        let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
        let dynamodb = DynamoDb::start(ANYWHERE).await.unwrap();
        furnish(&secrets, &dynamodb);
        let lambda = process(&rudder.base_url(), &secrets.url(), &dynamodb.url(), variables).await;
        Self { rudder, secrets, dynamodb, lambda }
    }

    /// One more process between the same neighbours.
    pub async fn another_process(&self, variables: &[(&str, &str)]) -> Lambda {
        process(&self.rudder.base_url(), &self.secrets.url(), &self.dynamodb.url(), variables).await
    }

    /// Posts to the process, and tells it that it has so many milliseconds. Nothing where it died.
    pub async fn post(&self, request: &Request, left: i64) -> Option<Told> {
        post(&self.lambda, request, in_ms(left)).await
    }

    /// Posts to a process that lives.
    pub async fn told(&self, request: &Request) -> Told {
        self.post(request, 30_000).await.expect("the process lives")
    }

    /// Starts the process again.
    pub async fn restart(&self) {
        self.lambda.restart().await.unwrap();
        self.lambda.ready().await.unwrap();
    }

    /// Waits until the ledger has done all that it was asked for, by a process that died meanwhile too.
    pub async fn ledger_at_rest(&self) {
        self.dynamodb.behave(DynamoBehaviour::Normal);
        let asked = self.dynamodb.calls().iter().filter(|call| *call == WRITE).count();
        self.dynamodb.done(WRITE, asked).await;
    }
}

async fn process(rudder: &str, secrets: &str, dynamodb: &str, variables: &[(&str, &str)]) -> Lambda {
    let neighbours = [
        ("CLAIMS_TABLE", TABLE),
        ("UPSTREAM_BASE_URL", rudder),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ];
    let binary = Path::new(env!("CARGO_BIN_EXE_lendswift-relay"));
    let lambda = Lambda::start(binary, &[&neighbours, variables].concat()).await.unwrap();
    lambda.ready().await.unwrap();
    lambda
}

/// Posts to a process, and tells it a deadline. Every post is answered, unless the process dies.
pub async fn post(lambda: &Lambda, request: &Request, deadline_ms: u64) -> Option<Told> {
    let event = request.event();
    let invoked = lambda.invoke(&event, deadline_ms);
    match tokio::time::timeout(Duration::from_secs(60), invoked).await.expect("an answer, or a death") {
        Invoked::Answered(answer) => Some(Told::new(&api_gateway::response(&answer))),
        Invoked::Died(_) => None,
        Invoked::Failed(error) => panic!("an error in place of an answer: {error}"),
    }
}
