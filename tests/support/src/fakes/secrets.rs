//! A fake of AWS Secrets Manager: the operations with which an operator keeps secrets, and the ways in which they can
//! fail.

mod behaviour;
mod fault;
mod operation;
mod secret;
mod vault;

use std::{
    collections::{HashMap, VecDeque},
    future, io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, Method, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

pub use self::behaviour::{SecretsBehaviour, WriteBehaviour};
use self::{behaviour::is_signed_now, fault::Fault, operation::Operation, vault::Vault};
use crate::fakes::server::{Connections, Server, lock};

const TARGET: &str = "secretsmanager.";
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// Secrets Manager on a socket, which checks no signature unless it is asked to; dropping it stops it.
pub struct SecretsManager {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    vault: Vault,
    behaviour: SecretsBehaviour,
    next: VecDeque<SecretsBehaviour>,
    by_name: HashMap<String, SecretsBehaviour>,
    writes: HashMap<String, WriteBehaviour>,
    calls: Vec<String>,
}

impl State {
    /// That of the next calls takes precedence over that of all calls, and that over the one of a name.
    fn behaviour(&mut self, name: &str) -> SecretsBehaviour {
        let next = self.next.pop_front().unwrap_or(self.behaviour);
        let by_name = self.by_name.get(name).copied();
        if next == SecretsBehaviour::Normal { by_name.unwrap_or_default() } else { next }
    }
}

impl SecretsManager {
    /// Starts on `address` (port 0 takes a free one) without any secret.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::<Mutex<State>>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let server = Server::start(address, router).await?;
        Ok(Self { server, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The endpoint to give the AWS SDK.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its connections as of now.
    pub fn connections(&self) -> Connections {
        self.server.connections()
    }

    /// Stores a secret. If one of that name exists, it gets a new version and is no longer marked for deletion.
    pub fn put(&self, name: impl Into<String>, secret_string: impl Into<String>) {
        lock(&self.state).vault.store(name.into(), secret_string.into());
    }

    /// The names or ARNs of the calls of GetSecretValue, in order.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.state).calls.clone()
    }

    /// Answers every following call of this operation like this, which is any but GetSecretValue.
    pub fn behave_in(&self, operation: impl Into<String>, behaviour: WriteBehaviour) {
        lock(&self.state).writes.insert(operation.into(), behaviour);
    }

    /// Answers every following call of GetSecretValue like this. The other operations succeed or fail as in AWS, unless
    /// [`Self::behave_in`] says otherwise.
    pub fn behave(&self, behaviour: SecretsBehaviour) {
        lock(&self.state).behaviour = behaviour;
    }

    /// Answers the next calls like this, one each, and then as before.
    pub fn behave_next(&self, behaviours: impl IntoIterator<Item = SecretsBehaviour>) {
        lock(&self.state).next.extend(behaviours);
    }

    /// Answers every following call for this secret like this, unless all are answered in another way.
    pub fn behave_for(&self, name: impl Into<String>, behaviour: SecretsBehaviour) {
        lock(&self.state).by_name.insert(name.into(), behaviour);
    }
}

async fn answer(
    Shared(state): Shared<Arc<Mutex<State>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix(TARGET));
    let operation = operation.filter(|_| method == Method::POST && uri.path() == "/");
    let name = operation.ok_or_else(Fault::unknown_operation)?;
    let operation = Operation::parse(name, &body)?;
    let response = match &operation {
        Operation::Get(get) => read(&state, &operation, &get.secret_id, &headers).await?,
        _ => write(&state, name, &operation).await?,
    };
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], response.to_string()).into_response())
}

/// Another operation. It is carried out, or not, before its answer is late or lost.
async fn write(state: &Mutex<State>, name: &str, operation: &Operation) -> Result<Value, Fault> {
    let (behaviour, response) = {
        let mut state = lock(state);
        let behaviour = state.writes.get(name).copied().unwrap_or_default();
        let is_done = behaviour != WriteBehaviour::Fails;
        (behaviour, if is_done { state.vault.call(operation) } else { Ok(Value::Null) })
    };
    match behaviour {
        WriteBehaviour::Normal => {}
        WriteBehaviour::Slow(wait) => tokio::time::sleep(wait).await,
        WriteBehaviour::Fails | WriteBehaviour::DoneAndFails => return Err(behaviour::lost()),
        WriteBehaviour::DoneAndFailsAfter(wait) => {
            tokio::time::sleep(wait).await;
            return Err(behaviour::lost());
        }
    }
    response
}

/// GetSecretValue, which the tests make fail.
async fn read(state: &Mutex<State>, get: &Operation, id: &str, headers: &HeaderMap) -> Result<Value, Fault> {
    // The secret as it is when it is asked for, however late the answer.
    let (behaviour, secret) = {
        let mut state = lock(state);
        state.calls.push(id.to_owned());
        (state.behaviour(id), state.vault.call(get))
    };
    match behaviour {
        SecretsBehaviour::Slow(wait) => tokio::time::sleep(wait).await,
        SecretsBehaviour::Hang => future::pending().await,
        SecretsBehaviour::ChecksTime if is_signed_now(headers) => {}
        other => behaviour::fault(other, id).map_or(Ok(()), Err)?,
    }
    let mut secret = secret?;
    if let Some(text) = secret["SecretString"].as_str().filter(|_| behaviour == SecretsBehaviour::Binary) {
        secret["SecretBinary"] = json!(BASE64_STANDARD.encode(text));
        secret.as_object_mut().map(|secret| secret.remove("SecretString"));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests;
