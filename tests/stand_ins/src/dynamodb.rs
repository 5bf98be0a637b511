//! DynamoDB, which is an emulator's work, and its bad days, which are this crate's.

mod fault;
mod tables;

use std::{
    collections::VecDeque,
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
use serde_json::{Value, json};
use tokio::sync::watch;

use self::{fault::Fault, tables::Tables};
use crate::server::{Connections, Server, hang_up, lock};

const TARGET: &str = "DynamoDB_20120810.";
const MEDIA_TYPE: &str = "application/x-amz-json-1.0";

/// DynamoDB on a socket, which checks no signature; dropping it stops it.
pub struct DynamoDb {
    server: Server,
    desk: Arc<Desk>,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Default)]
pub enum DynamoBehaviour {
    /// It is done and answered.
    #[default]
    Normal,
    /// `InternalServerError`, HTTP 500; nothing is done.
    Down,
    /// `ThrottlingException`; nothing is done.
    Throttled,
    /// A transaction is cancelled for `ThrottlingError`; nothing is done.
    ThrottledInTransaction,
    /// `AccessDeniedException`; nothing is done.
    Denied,
    /// Every item of it is part of another transaction: `TransactionCanceledException` for a
    /// transaction, `TransactionConflictException` for the rest; nothing is done.
    Conflicting,
    /// Nothing is done and nothing answered.
    Silent,
    /// Nothing is done, and the connection is closed without an answer.
    Broken,
    /// As normal, after a wait on tokio's clock; done even if nobody waits for the answer any more.
    Slow(Duration),
    /// It is done, and answered after a wait on tokio's clock.
    DoneButSlow(Duration),
    /// It is done and never answered.
    DoneButSilent,
    /// It is done, and the connection is closed without an answer.
    DoneButBroken,
}

struct Desk {
    tables: Tables,
    orders: Mutex<Orders>,
    calls: watch::Sender<Vec<String>>,
    done: watch::Sender<Vec<String>>,
}

#[derive(Default)]
struct Orders {
    behaviour: DynamoBehaviour,
    next: VecDeque<(String, DynamoBehaviour)>,
}

impl DynamoDb {
    /// Starts on `address` (port 0 takes a free one) without any table.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let desk = Arc::new(Desk {
            tables: Tables::new().map_err(io::Error::other)?,
            orders: Mutex::default(),
            calls: watch::Sender::default(),
            done: watch::Sender::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&desk));
        let server = Server::start(address, router).await?;
        Ok(Self { server, desk })
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

    /// Creates a table as the relay needs it: on demand, with the string `pk` for a key.
    pub fn create_table(&self, name: &str) {
        self.desk.tables.create(name, "pk");
    }

    /// Creates a table with a key of another name than the relay's.
    pub fn create_table_of_another_shape(&self, name: &str) {
        self.desk.tables.create(name, "id");
    }

    /// Every item of a table in DynamoDB's JSON, in the order of `pk`.
    pub fn items(&self, table: &str) -> Vec<Value> {
        self.desk.tables.items(table)
    }

    /// Stores an item in DynamoDB's JSON, in place of the one with that key if there is one.
    pub fn put(&self, table: &str, item: Value) {
        self.desk.tables.ask("PutItem", &json!({ "TableName": table, "Item": item }));
    }

    /// The operations asked for so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.desk.calls.borrow().clone()
    }

    /// Treats every following call like this, save those that [`Self::next`] speaks of.
    pub fn behave(&self, behaviour: DynamoBehaviour) {
        lock(&self.desk.orders).behaviour = behaviour;
    }

    /// Treats the next call of `operation` (`PutItem`, say) like this; several are used up in the
    /// order they came.
    pub fn next(&self, operation: &str, behaviour: DynamoBehaviour) {
        lock(&self.desk.orders).next.push_back((operation.to_owned(), behaviour));
    }

    /// Waits until `operation` has been asked for so many times in all.
    pub async fn called(&self, operation: &str, times: usize) {
        reach(&self.desk.calls, operation, times).await;
    }

    /// Waits until `operation` has been done so many times in all, with whatever result.
    pub async fn done(&self, operation: &str, times: usize) {
        reach(&self.desk.done, operation, times).await;
    }
}

async fn reach(log: &watch::Sender<Vec<String>>, operation: &str, times: usize) {
    let reached = |log: &Vec<String>| log.iter().filter(|entry| *entry == operation).count() >= times;
    log.subscribe().wait_for(reached).await.expect("the sender outlives this borrow of it");
}

impl Desk {
    fn treatment(&self, operation: &str) -> DynamoBehaviour {
        let mut orders = lock(&self.orders);
        let next = orders.next.iter().position(|(named, _)| named == operation);
        next.and_then(|next| orders.next.remove(next)).map_or(orders.behaviour, |(_, behaviour)| behaviour)
    }

    fn act(&self, operation: &str, body: &[u8]) -> Response {
        let result = self.tables.run(operation, body);
        self.done.send_modify(|done| done.push(operation.to_owned()));
        match result {
            Ok(json) => (StatusCode::OK, [(CONTENT_TYPE, MEDIA_TYPE)], json).into_response(),
            Err(fault) => fault.into_response(),
        }
    }
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    let target = headers.get("x-amz-target").map(HeaderValue::to_str);
    let operation = match (method, uri.path(), target) {
        (Method::POST, "/", Some(Ok(target))) => target.strip_prefix(TARGET),
        _ => None,
    };
    let operation = operation.ok_or_else(Fault::unknown_operation)?;

    let behaviour = desk.treatment(operation);
    desk.calls.send_modify(|calls| calls.push(operation.to_owned()));
    match behaviour {
        DynamoBehaviour::Normal => Ok(desk.act(operation, &body)),
        DynamoBehaviour::Down => Err(Fault::down()),
        DynamoBehaviour::Throttled => Err(Fault::throttled()),
        DynamoBehaviour::ThrottledInTransaction => Err(Fault::throttled_in_transaction(&body)),
        DynamoBehaviour::Denied => Err(Fault::denied(operation)),
        DynamoBehaviour::Conflicting => Err(Fault::conflicting(operation, &body)),
        DynamoBehaviour::Silent => future::pending().await,
        DynamoBehaviour::Broken => Ok(hang_up()),
        DynamoBehaviour::Slow(wait) => Ok(late(desk, operation.to_owned(), body, wait).await),
        DynamoBehaviour::DoneButSlow(wait) => {
            let done = desk.act(operation, &body);
            tokio::time::sleep(wait).await;
            Ok(done)
        }
        DynamoBehaviour::DoneButSilent => {
            desk.act(operation, &body);
            future::pending().await
        }
        DynamoBehaviour::DoneButBroken => {
            desk.act(operation, &body);
            Ok(hang_up())
        }
    }
}

/// In a task of its own, since the one that answers ends with the connection.
async fn late(desk: Arc<Desk>, operation: String, body: Bytes, wait: Duration) -> Response {
    let work = tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        desk.act(&operation, &body)
    });
    work.await.unwrap_or_else(|_| hang_up())
}

#[cfg(test)]
mod tests;
