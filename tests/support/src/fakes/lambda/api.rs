//! Lambda's runtime API, where a function's process gets events and responds to them.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{self, Path},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::fakes::server::Server;

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:lendswift-relay";
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// The function's response, or the error that it reported.
pub type Outcome = Result<Value, Value>;

/// The runtime API of one process on a socket; dropping it stops it.
pub struct RuntimeApi {
    server: Server,
    state: State,
}

type State = Arc<watch::Sender<Events>>;

#[derive(Default)]
struct Events {
    queue: VecDeque<Event>,
    running: HashMap<String, Event>,
    answered_in: Option<Duration>,
    ready: Option<Instant>,
    polling: bool,
}

struct Event {
    id: String,
    body: String,
    deadline_ms: u64,
    handed_out: Option<Instant>,
    outcome: oneshot::Sender<Outcome>,
}

impl RuntimeApi {
    /// Starts on `address`; port 0 takes a free one.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let state = State::default();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(Arc::clone(&state));
        let server = Server::start(address, router).await?;
        Ok(Self { server, state })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Waits for the first request for an event.
    pub async fn ready(&self) {
        self.until(|events| events.ready.is_some()).await;
    }

    /// Waits for a request for an event that has none yet.
    pub async fn polled(&self) {
        self.until(|events| events.polling).await;
    }

    /// Without end if the process never answers.
    pub async fn invoke(&self, event: &str, deadline_ms: u64) -> Outcome {
        let (outcome, answer) = oneshot::channel();
        let event =
            Event { id: Uuid::new_v4().to_string(), body: event.to_owned(), deadline_ms, handed_out: None, outcome };
        self.state.send_modify(|events| events.queue.push_back(event));
        answer.await.expect("an event is kept until it is answered")
    }

    pub(super) fn ready_at(&self) -> Option<Instant> {
        self.state.borrow().ready
    }

    pub(super) fn answered_in(&self) -> Option<Duration> {
        self.state.borrow().answered_in
    }

    async fn until(&self, reached: impl FnMut(&Events) -> bool) {
        self.state.subscribe().wait_for(reached).await.expect("the sender is borrowed from self");
    }
}

async fn next(extract::State(state): extract::State<State>) -> Response {
    state.send_modify(|events| {
        events.ready.get_or_insert_with(Instant::now);
        events.polling = true;
    });
    let mut seen = state.subscribe();
    loop {
        seen.wait_for(|events| !events.queue.is_empty()).await.expect("this request has the sender");
        let mut response = None;
        state.send_modify(|events| response = events.hand_out());
        if let Some(response) = response {
            return response;
        }
    }
}

impl Events {
    fn hand_out(&mut self) -> Option<Response> {
        let mut event = self.queue.pop_front()?;
        event.handed_out = Some(Instant::now());
        let headers = [
            (CONTENT_TYPE.as_str(), "application/json".to_owned()),
            ("lambda-runtime-aws-request-id", event.id.clone()),
            ("lambda-runtime-deadline-ms", event.deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", ARN.to_owned()),
            ("lambda-runtime-trace-id", TRACE.to_owned()),
        ];
        let response = (headers, event.body.clone()).into_response();
        self.polling = false;
        self.running.insert(event.id.clone(), event);
        Some(response)
    }

    fn take_back(&mut self, id: &str) -> Option<Event> {
        let event = self.running.remove(id)?;
        self.answered_in = event.handed_out.map(|handed_out| handed_out.elapsed());
        Some(event)
    }
}

async fn response(extract::State(state): extract::State<State>, Path(id): Path<String>, body: Bytes) -> Response {
    finish(&state, &id, Ok(read(&body)))
}

async fn error(extract::State(state): extract::State<State>, Path(id): Path<String>, body: Bytes) -> Response {
    finish(&state, &id, Err(read(&body)))
}

fn finish(state: &State, id: &str, outcome: Outcome) -> Response {
    let mut finished = None;
    state.send_modify(|events| finished = events.take_back(id));
    let Some(event) = finished else {
        let fault = json!({ "errorMessage": "Invalid request ID", "errorType": "InvalidRequestID" });
        return (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/json")], fault.to_string()).into_response();
    };
    // An error means that the caller has given up, which is not the function's concern.
    let _ = event.outcome.send(outcome);
    (StatusCode::ACCEPTED, [(CONTENT_TYPE, "application/json")], r#"{"status":"OK"}"#).into_response()
}

/// `null` if it is no JSON, which the relay never sends.
fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

#[cfg(test)]
mod tests;
