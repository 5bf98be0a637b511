//! AWS Secrets Manager as far as reading a secret goes.

use std::{
    collections::HashMap,
    future, io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use crate::server::{Connections, Server, lock};

const TARGET: &[u8] = b"secretsmanager.GetSecretValue";
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// Secrets Manager on a socket, which checks no signature; dropping it stops it.
pub struct SecretsManager {
    server: Server,
    vault: Arc<Mutex<Vault>>,
}

/// How every call is answered until told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub enum Behaviour {
    /// As AWS does when all is well.
    #[default]
    Normal,
    /// `AccessDeniedException`.
    Denied,
    /// `ThrottlingException`.
    Throttled,
    /// HTTP 429 with a code of no meaning.
    TooMany,
    /// `InternalServiceError`, HTTP 500.
    Down,
    /// Never.
    Silent,
    /// As normal, after a wait on tokio's clock.
    Slow(Duration),
    /// With a binary secret instead of text.
    Binary,
}

#[derive(Default)]
struct Vault {
    secrets: HashMap<String, String>,
    behaviour: Behaviour,
    calls: Vec<String>,
}

impl SecretsManager {
    /// Starts on `address` (port 0 takes a free one) without any secret.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let vault = Arc::<Mutex<Vault>>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&vault));
        let server = Server::start(address, router).await?;
        Ok(Self { server, vault })
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

    /// Stores a secret, in place of the one of that name if there is one.
    pub fn put(&self, name: impl Into<String>, secret_string: impl Into<String>) {
        lock(&self.vault).secrets.insert(name.into(), secret_string.into());
    }

    /// Deletes a secret.
    pub fn remove(&self, name: &str) {
        lock(&self.vault).secrets.remove(name);
    }

    /// The names asked for so far, in order.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.vault).calls.clone()
    }

    /// Answers every following call like this.
    pub fn behave(&self, behaviour: Behaviour) {
        lock(&self.vault).behaviour = behaviour;
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

async fn answer(
    State(vault): State<Arc<Mutex<Vault>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    let target = headers.get("x-amz-target").map(HeaderValue::as_bytes);
    if (method, uri.path(), target) != (Method::POST, "/", Some(TARGET)) {
        return Err(UNKNOWN_OPERATION);
    }
    let GetSecretValue { secret_id: name } = serde_json::from_slice(&body).map_err(|_| SERIALIZATION)?;

    // The secret as it is when it is asked for, however late the answer.
    let (behaviour, secret) = {
        let mut vault = lock(&vault);
        vault.calls.push(name.clone());
        (vault.behaviour, vault.secrets.get(&name).cloned())
    };
    match behaviour {
        Behaviour::Normal | Behaviour::Binary => {}
        Behaviour::Slow(wait) => tokio::time::sleep(wait).await,
        Behaviour::Silent => future::pending().await,
        Behaviour::Denied => return Err(ACCESS_DENIED),
        Behaviour::Throttled => return Err(THROTTLING),
        Behaviour::TooMany => return Err(TOO_MANY),
        Behaviour::Down => return Err(INTERNAL_SERVICE_ERROR),
    }

    let secret = secret.ok_or(RESOURCE_NOT_FOUND)?;
    let (kind, value) = match behaviour {
        Behaviour::Binary => ("SecretBinary", BASE64_STANDARD.encode(secret)),
        _ => ("SecretString", secret),
    };
    let body = json!({
        "ARN": format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-a1b2c3"),
        "CreatedDate": 1_683_135_757.123,
        "Name": name,
        kind: value,
        "VersionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
        "VersionStages": ["AWSCURRENT"],
    });
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response())
}

struct Fault {
    status: StatusCode,
    kind: &'static str,
    message: &'static str,
}

const UNKNOWN_OPERATION: Fault = Fault {
    status: StatusCode::BAD_REQUEST,
    kind: "UnknownOperationException",
    message: "Only GetSecretValue is known here.",
};
const SERIALIZATION: Fault = Fault {
    status: StatusCode::BAD_REQUEST,
    kind: "SerializationException",
    message: "The body is no GetSecretValue request.",
};
const ACCESS_DENIED: Fault = Fault {
    status: StatusCode::BAD_REQUEST,
    kind: "AccessDeniedException",
    message: "The caller is not authorized to perform: secretsmanager:GetSecretValue",
};
const THROTTLING: Fault =
    Fault { status: StatusCode::BAD_REQUEST, kind: "ThrottlingException", message: "Rate exceeded" };
const TOO_MANY: Fault = Fault { status: StatusCode::TOO_MANY_REQUESTS, kind: "UnheardOfException", message: "Later." };
const INTERNAL_SERVICE_ERROR: Fault = Fault {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    kind: "InternalServiceError",
    message: "An error occurred on the server side.",
};
const RESOURCE_NOT_FOUND: Fault = Fault {
    status: StatusCode::BAD_REQUEST,
    kind: "ResourceNotFoundException",
    message: "Secrets Manager can't find the specified secret.",
};

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE.as_str(), MEDIA_TYPE), ("x-amzn-errortype", self.kind)];
        let body = json!({ "__type": self.kind, "Message": self.message });
        (self.status, headers, body.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests;
