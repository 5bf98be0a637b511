//! The latest requests to the relay, each with the pushes that AI Rudder received for it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::{Method, header::CONTENT_TYPE};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use support::{
    TABLE,
    fakes::{DynamoDb, Received, Rudder, api_gateway::Response},
};

use crate::request_line::{clock, header};

/// The page shows this number of requests. Older ones are dropped, so that the process does not grow.
const SHOWN: usize = 50;

/// Counts all pushes, and keeps the latest requests.
pub struct Exchanges {
    rudder: Rudder,
    dynamodb: DynamoDb,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    pushes: usize,
    last_push: Option<Received>,
    latest: VecDeque<Exchange>,
}

/// A request, its response once it is there, and its pushes.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// `None` if a push cannot be matched to a request.
    request_id: Option<String>,
    /// In UTC.
    time: String,
    /// `None` for a request to a relay in another tool, of which only the push is seen here.
    request: Option<String>,
    response: Option<Summary>,
    pushes: Vec<Push>,
}

/// The parts of a response that say what became of the lead.
#[derive(Clone, Debug, Serialize)]
struct Summary {
    status: u16,
    lead_outcome: Option<String>,
    lead_error: Option<String>,
    replayed: bool,
    sandbox: bool,
}

/// A request that AI Rudder received.
#[derive(Clone, Debug, Serialize)]
struct Push {
    path: String,
    content_type: Option<String>,
    /// Whether AI Rudder took the lead.
    accepted: bool,
    /// The JSON as it arrived.
    body: Box<RawValue>,
}

impl Exchanges {
    pub fn new(rudder: Rudder, dynamodb: DynamoDb) -> Self {
        Self { rudder, dynamodb, log: Mutex::default() }
    }

    /// Records a request that arrives.
    pub fn begin(&self, request_id: &str, method: &Method, path: &str) {
        let request = format!("{method} {path}");
        self.updated().add(Exchange::new(Some(request_id.to_owned()), Some(request)));
    }

    /// Records the response to a request.
    pub fn finish(&self, request_id: &str, response: &Response) {
        let mut log = self.updated();
        if let Some(exchange) = log.find(request_id) {
            exchange.response = Some(Summary::new(response));
        }
    }

    /// The number of all pushes so far.
    pub fn pushes(&self) -> usize {
        self.updated().pushes
    }

    pub fn last_push(&self) -> Option<Received> {
        self.updated().last_push.clone()
    }

    /// The latest first.
    pub fn latest(&self) -> Vec<Exchange> {
        self.updated().latest.iter().rev().cloned().collect()
    }

    /// Takes the new pushes from the fake, so that it does not keep all of them in memory.
    fn updated(&self) -> MutexGuard<'_, Log> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        for push in self.rudder.take_received() {
            let request_id = log.request_of(&self.claimants(&push));
            log.pushes += 1;
            log.last_push = Some(push.clone());
            log.add_push(request_id, Push::new(push));
        }
        log
    }

    /// The requests that claimed a lead with this payload. A push does not name its request, but the ledger does: a
    /// lead's item ends with the SHA-256 of its payload.
    fn claimants(&self, push: &Received) -> Vec<String> {
        let lead = format!("#lead#{}", hex::encode(Sha256::digest(&push.body)));
        let items = self.dynamodb.items(TABLE);
        let text = |item: &Value, name: &str| item.pointer(&format!("/{name}/S"))?.as_str().map(str::to_owned);
        let claims = items.iter().filter(|item| text(item, "pk").is_some_and(|pk| pk.ends_with(&lead)));
        claims.filter_map(|item| text(item, "request_id")).collect()
    }
}

impl Log {
    /// The request of a push, by the requests that the ledger names. Two accounts can post the same lead: the push
    /// belongs to the one that has none yet. A refused lead has no claim any more: then it is the only open request.
    fn request_of(&mut self, claimants: &[String]) -> Option<String> {
        let has_push = |id: &String| {
            self.latest.iter().any(|exchange| exchange.request_id.as_ref() == Some(id) && !exchange.pushes.is_empty())
        };
        let claimant = claimants.iter().find(|id| !has_push(id)).or(claimants.first());
        let mut open = self.latest.iter().filter(|exchange| exchange.response.is_none());
        let only_open = match (open.next(), open.next()) {
            (Some(only), None) => only.request_id.as_ref(),
            _ => None,
        };
        claimant.or(only_open).cloned()
    }

    fn find(&mut self, request_id: &str) -> Option<&mut Exchange> {
        self.latest.iter_mut().find(|exchange| exchange.request_id.as_deref() == Some(request_id))
    }

    fn add(&mut self, exchange: Exchange) {
        self.latest.push_back(exchange);
        if self.latest.len() > SHOWN {
            self.latest.pop_front();
        }
    }

    fn add_push(&mut self, request_id: Option<String>, push: Push) {
        if let Some(exchange) = request_id.as_deref().and_then(|id| self.find(id)) {
            exchange.pushes.push(push);
            return;
        }
        let mut exchange = Exchange::new(request_id, None);
        exchange.pushes.push(push);
        self.add(exchange);
    }
}

impl Exchange {
    fn new(request_id: Option<String>, request: Option<String>) -> Self {
        Self { request_id, time: clock(), request, response: None, pushes: Vec::new() }
    }
}

impl Summary {
    fn new(response: &Response) -> Self {
        let text = |name| header(response, name).map(str::to_owned);
        Self {
            status: response.status,
            lead_outcome: text("lead-outcome"),
            lead_error: text("lead-error"),
            replayed: header(response, "idempotent-replayed").is_some(),
            sandbox: header(response, "lead-sandbox").is_some(),
        }
    }
}

impl Push {
    fn new(push: Received) -> Self {
        let content_type = push.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        // Another client may post anything to the fake.
        let body = RawValue::from_string(push.body).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { path: push.path, content_type, accepted: push.accepted, body }
    }
}
