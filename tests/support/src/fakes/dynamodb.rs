//! A fake of DynamoDB: an emulator runs the expressions, and this module adds what AWS's transactions do beyond them
//! (client request tokens, items locked by a transaction that is still running) and the ways in which a call can fail.
//!
//! [`DynamoCore`] is all of it without a socket, on tokio's clock; [`DynamoDb`] is a core behind HTTP.

mod behaviour;
mod core;
mod engine;
mod fault;
mod tables;
mod tokens;

use std::{
    collections::BTreeSet,
    future, io,
    net::SocketAddr,
    ops::Deref,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, Uri,
        header::{CONTENT_TYPE, DATE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use serde_json::{Map, Value};

use self::fault::Fault;
pub use self::{
    behaviour::DynamoBehaviour,
    core::{DynamoAnswer, DynamoCore, DynamoOutcome},
    tokens::TokenRules,
};
use crate::fakes::server::{Connections, Server, hang_up, lock};

const TARGET: &str = "DynamoDB_20120810.";

/// DynamoDB on a socket, which checks no signature; dropping it stops it.
///
/// Everything else is its [`DynamoCore`], which it dereferences to.
pub struct DynamoDb {
    server: Server,
    core: DynamoCore,
    actions: Actions,
    seconds_ahead: Arc<AtomicI64>,
}

/// The actions of IAM that the calls needed so far.
type Actions = Arc<Mutex<BTreeSet<String>>>;

impl DynamoDb {
    /// Starts on `address` (port 0 takes a free one) without any table.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let core = DynamoCore::new()?;
        let actions = Actions::default();
        let seconds_ahead = Arc::<AtomicI64>::default();
        let state = (core.clone(), Arc::clone(&actions));
        let dated = middleware::from_fn_with_state(Arc::clone(&seconds_ahead), dated);
        let router = Router::new().fallback(answer).with_state(state).layer(dated);
        let server = Server::start(address, router).await?;
        Ok(Self { server, core, actions, seconds_ahead })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The endpoint to give the AWS SDK.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The actions of IAM that the calls needed so far: in place of a transaction, those of its writes (DynamoDB's developer
    /// guide, "Using IAM with DynamoDB transactions").
    pub fn actions(&self) -> BTreeSet<String> {
        lock(&self.actions).clone()
    }

    /// Makes the `Date` of its responses this many seconds later than this machine's time. Nothing else depends on it.
    pub fn set_seconds_ahead(&self, seconds: i64) {
        self.seconds_ahead.store(seconds, Relaxed);
    }

    /// Its connections as of now.
    pub fn connections(&self) -> Connections {
        self.server.connections()
    }
}

/// The server adds a socket to the core and hides nothing of it.
impl Deref for DynamoDb {
    type Target = DynamoCore;

    fn deref(&self) -> &DynamoCore {
        &self.core
    }
}

async fn answer(
    State((core, actions)): State<(DynamoCore, Actions)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target").map(HeaderValue::to_str);
    let operation = match (method, uri.path(), target) {
        (Method::POST, "/", Some(Ok(target))) => target.strip_prefix(TARGET),
        _ => None,
    };
    let Some(operation) = operation else { return Fault::unknown_operation().into_response() };

    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    match request["TransactItems"].as_array() {
        Some(writes) => {
            let kinds = writes.iter().filter_map(Value::as_object).flat_map(Map::keys);
            lock(&actions).extend(kinds.map(|kind| format!("{kind}Item")));
        }
        None => _ = lock(&actions).insert(operation.to_owned()),
    }
    match core.call(operation, &body).await {
        DynamoOutcome::Answered(answer) => answer.into_response(),
        DynamoOutcome::Hang => future::pending().await,
        DynamoOutcome::Reset => hang_up(),
    }
}

/// Adds the `Date` to a response.
async fn dated(State(seconds_ahead): State<Arc<AtomicI64>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let seconds = seconds_ahead.load(Relaxed);
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let date = if seconds < 0 { now - distance } else { now + distance };
    if let Ok(date) = httpdate::fmt_http_date(date).parse() {
        response.headers_mut().insert(DATE, date);
    }
    response
}

impl IntoResponse for DynamoAnswer {
    fn into_response(self) -> Response {
        (self.status, [(CONTENT_TYPE, Self::MEDIA_TYPE)], self.body).into_response()
    }
}

#[cfg(test)]
mod tests;
