//! The shipped binary as a process under Lambda, between fakes of its dependencies.

use std::{ops::Deref, path::Path, time::Duration};

use crate::{
    Fakes, ObservedResponse, Request, TABLE, deadline_in,
    fakes::{DynamoBehaviour, DynamoCore, Invoked, Lambda, api_gateway},
};

/// A process and what it talks to.
pub struct ProcessHarness {
    /// The fakes.
    pub fakes: Fakes,
    /// The process.
    pub lambda: Lambda,
}

impl Deref for ProcessHarness {
    type Target = Fakes;

    fn deref(&self) -> &Fakes {
        &self.fakes
    }
}

impl Fakes {
    /// Starts the relay's binary as a process between them, with the ledger, a JSON log and these variables.
    pub async fn process(&self, binary: &str, variables: &[(&str, &str)]) -> Lambda {
        let addresses = self.addresses();
        let addresses = addresses.each_ref().map(|(name, url)| (*name, url.as_str()));
        let defaults = [("CLAIMS_TABLE", TABLE), ("AWS_LAMBDA_LOG_FORMAT", "JSON")];
        let variables = [&addresses[..], &defaults, variables].concat();
        Lambda::start(Path::new(binary), &variables).await.expect("the binary starts")
    }
}

impl ProcessHarness {
    /// Any operation that writes.
    pub const WRITE: &str = DynamoCore::WRITE;

    /// Starts the fakes and then the relay's binary, and waits until it asks for its first event.
    pub async fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let fakes = Fakes::start().await.expect("free ports");
        let lambda = fakes.process(binary, variables).await;
        lambda.ready().await.expect("the process starts");
        Self { fakes, lambda }
    }

    /// Posts to the process with this many milliseconds to the deadline. `None` if it died.
    pub async fn post_within(&self, request: &Request, left: i64) -> Option<ObservedResponse> {
        self.lambda.post(request, deadline_in(left)).await
    }

    /// Posts to a process that does not die.
    pub async fn post(&self, request: &Request) -> ObservedResponse {
        self.post_within(request, 30_000).await.expect("the process lives")
    }

    /// Starts the process again.
    pub async fn restart(&self) {
        self.lambda.restart().await.expect("the binary starts");
        self.lambda.ready().await.expect("the process starts");
    }

    /// Ends every fault of DynamoDB, and waits until it has done every write that it was asked for, even by a process that
    /// has died.
    pub async fn settle_ledger(&self) {
        self.dynamodb.behave(DynamoBehaviour::Normal);
        self.dynamodb.done(Self::WRITE, self.dynamodb.writes()).await;
    }
}

impl Lambda {
    /// Posts to the process with this deadline, in milliseconds since 1970. `None` if it died.
    pub async fn post(&self, request: &Request, deadline_ms: u64) -> Option<ObservedResponse> {
        let event = request.event();
        let invoked = tokio::time::timeout(Duration::from_secs(60), self.invoke(&event, deadline_ms)).await;
        match invoked.expect("a response, or the end of the process") {
            Invoked::Answered(response) => Some(api_gateway::response(&response).into()),
            Invoked::Died(_) => None,
            Invoked::Failed(error) => panic!("an error in place of a response: {error}"),
        }
    }
}
