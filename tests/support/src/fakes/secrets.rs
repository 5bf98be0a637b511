//! A fake of AWS Secrets Manager that can only return secrets.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
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
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::fakes::server::{Connections, Server, lock};

const TARGET: &[u8] = b"secretsmanager.GetSecretValue";
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// How far the time of a signature may be from AWS's: 5 minutes.
const MAX_SKEW: Duration = Duration::from_secs(300);

/// Secrets Manager on a socket, which checks no signature unless it is asked to; dropping it stops it.
pub struct SecretsManager {
    server: Server,
    vault: Arc<Mutex<Vault>>,
}

/// How a call is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretsBehaviour {
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
    Hang,
    /// As normal, after a wait on tokio's clock.
    Slow(Duration),
    /// With a binary secret instead of text.
    Binary,
    /// `InvalidRequestException`, as for a secret that an operator has deleted: AWS keeps it for a week to a month.
    Deleted,
    /// `InvalidSignatureException`, as for a request that was signed too long ago.
    Expired,
    /// As normal where `x-amz-date` is within five minutes of the present, or else as `Expired`.
    ChecksTime,
    /// HTTP 400 with this error and this message.
    Fails(&'static str, &'static str),
}

#[derive(Default)]
struct Vault {
    secrets: HashMap<String, String>,
    behaviour: SecretsBehaviour,
    next: VecDeque<SecretsBehaviour>,
    by_name: HashMap<String, SecretsBehaviour>,
    calls: Vec<String>,
}

impl Vault {
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

    /// The names asked for so far, in order.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.vault).calls.clone()
    }

    /// Answers every following call like this.
    pub fn behave(&self, behaviour: SecretsBehaviour) {
        lock(&self.vault).behaviour = behaviour;
    }

    /// Answers the next calls like this, one each, and then as before.
    pub fn behave_next(&self, behaviours: impl IntoIterator<Item = SecretsBehaviour>) {
        lock(&self.vault).next.extend(behaviours);
    }

    /// Answers every following call for this secret like this, unless all are answered in another way.
    pub fn behave_for(&self, name: impl Into<String>, behaviour: SecretsBehaviour) {
        lock(&self.vault).by_name.insert(name.into(), behaviour);
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
        return Err(Fault::bad_request("UnknownOperationException", "Only GetSecretValue is known here."));
    }
    let GetSecretValue { secret_id: name } = serde_json::from_slice(&body)
        .map_err(|_| Fault::bad_request("SerializationException", "The body is no GetSecretValue request."))?;

    // The secret as it is when it is asked for, however late the answer.
    let (behaviour, secret) = {
        let mut vault = lock(&vault);
        vault.calls.push(name.clone());
        (vault.behaviour(&name), vault.secrets.get(&name).cloned())
    };
    match behaviour {
        SecretsBehaviour::Slow(wait) => tokio::time::sleep(wait).await,
        SecretsBehaviour::Hang => future::pending().await,
        SecretsBehaviour::ChecksTime if is_signed_now(&headers) => {}
        other => fault(other, &name).map_or(Ok(()), Err)?,
    }

    let secret = secret.ok_or_else(|| {
        Fault::bad_request("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    })?;
    let (kind, value) = match behaviour {
        SecretsBehaviour::Binary => ("SecretBinary", BASE64_STANDARD.encode(secret)),
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

/// The error of a behaviour that has one.
fn fault(behaviour: SecretsBehaviour, name: &str) -> Option<Fault> {
    Some(match behaviour {
        SecretsBehaviour::Denied => Fault::bad_request(
            "AccessDeniedException",
            format!(
                "User: arn:aws:sts::123456789012:assumed-role/relay/relay is not authorized to perform: \
                 secretsmanager:GetSecretValue on resource: {name} because no identity-based policy allows the \
                 secretsmanager:GetSecretValue action"
            ),
        ),
        SecretsBehaviour::Throttled => Fault::bad_request("ThrottlingException", "Rate exceeded"),
        SecretsBehaviour::TooMany => Fault::new(StatusCode::TOO_MANY_REQUESTS, "UnheardOfException", "Later."),
        SecretsBehaviour::Deleted => Fault::bad_request(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        ),
        SecretsBehaviour::Expired | SecretsBehaviour::ChecksTime => Fault::bad_request(
            "InvalidSignatureException",
            "Signature expired: 20261126T090000Z is now earlier than 20261126T093000Z (20261126T093500Z - 5 min.)",
        ),
        SecretsBehaviour::Fails(kind, message) => Fault::bad_request(kind, message),
        SecretsBehaviour::Down => {
            let message = "An error occurred on the server side.";
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError", message)
        }
        _ => return None,
    })
}

/// Whether a request was signed within the last or next five minutes, by its `x-amz-date`: `20261126T093000Z`.
fn is_signed_now(headers: &HeaderMap) -> bool {
    let date = headers.get("x-amz-date").and_then(|date| date.to_str().ok()).unwrap_or_default();
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
    let (day, time) =
        ([part(0, 4), part(4, 6), part(6, 8)].join("-"), [part(9, 11), part(11, 13), part(13, 15)].join(":"));
    let signed = OffsetDateTime::parse(&format!("{day}T{time}Z"), &Rfc3339);
    signed.is_ok_and(|signed| (OffsetDateTime::now_utc() - signed).unsigned_abs() <= MAX_SKEW)
}

struct Fault {
    status: StatusCode,
    kind: &'static str,
    message: Cow<'static, str>,
}

impl Fault {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, kind, message: message.into() }
    }

    fn bad_request(kind: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE.as_str(), MEDIA_TYPE), ("x-amzn-errortype", self.kind)];
        let body = json!({ "__type": self.kind, "Message": self.message });
        (self.status, headers, body.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests;
