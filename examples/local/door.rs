//! The front door: an HTTP request becomes API Gateway's event, and the relay's answer the response.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, Uri, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::StreamExt;
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use support::fakes::api_gateway;
use tokio::{net::TcpListener, time::Instant};

use crate::{line, pushes::Pushes, say};

/// The most that API Gateway takes.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// The time that the function has, as deployed.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(29);

/// The relay and what is told of its requests.
pub struct Door {
    pub relay: Relay,
    pub pushes: Arc<Pushes>,
}

impl Door {
    /// Answers whoever comes, any number at a time.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, Router::new().fallback(answer).with_state(Arc::new(self))).await
    }

    async fn relay(&self, head: &Parts, body: &[u8]) -> api_gateway::Response {
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let id = request_id();
        let event = api_gateway::event(head.method.as_str(), target, &head.headers, body, &id);
        support::serve(&self.relay, &event.to_string(), context(id)).await
    }

    fn tell(&self, method: &Method, uri: &Uri, begun: Instant, answer: &api_gateway::Response) {
        say(line::of(method, uri, answer, begun.elapsed(), self.pushes.so_far()));
    }
}

async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response {
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let Ok(body) = read(body).await else {
        // The sender has gone: nobody reads this.
        return StatusCode::BAD_REQUEST.into_response();
    };
    // A task, since a function goes on where its sender does not wait.
    let answered = tokio::spawn(async move {
        let answer = match body {
            Some(body) => door.relay(&head, &body).await,
            None => too_large(),
        };
        door.tell(&head.method, &head.uri, begun, &answer);
        answer
    });
    answered.await.ok().and_then(response).unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The whole body, or nothing if it is too large. That one is read to its end as well: a sender who is still writing when
/// the connection closes may never see the answer.
async fn read(body: Body) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut chunks = body.into_data_stream();
    let mut whole = Some(Vec::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        whole = whole.filter(|begun| begun.len() + chunk.len() <= MAX_BODY);
        if let Some(begun) = &mut whole {
            begun.extend_from_slice(&chunk);
        }
    }
    Ok(whole)
}

/// API Gateway's own answer, in its words.
fn too_large() -> api_gateway::Response {
    api_gateway::Response {
        status: 413,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: br#"{"message":"Request Entity Too Large"}"#.to_vec(),
    }
}

fn response(answer: api_gateway::Response) -> Option<Response> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).ok()
}

/// What Lambda tells the function beside the event.
fn context(request_id: String) -> Context {
    let deadline = SystemTime::now() + FUNCTION_TIMEOUT;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut context = Context::default();
    context.request_id = request_id;
    context.deadline = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
    context
}

/// Eleven random bytes in base64, as API Gateway's ids look.
fn request_id() -> String {
    let mut bytes = [0; 11];
    fastrand::fill(&mut bytes);
    BASE64_STANDARD.encode(bytes)
}
