//! An HTTP server in place of API Gateway: it converts each request into an event, and the relay's result into a
//! response.

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
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::StreamExt;
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use support::fakes::api_gateway;
use tokio::{net::TcpListener, time::Instant};

use crate::{docs, exchanges::Exchanges, print, request_line};

/// API Gateway's limit for a request body.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// The function's default timeout in `template.yaml`.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(29);

/// The relay, and what is recorded of its requests.
pub struct Server {
    pub relay: Relay,
    pub exchanges: Arc<Exchanges>,
}

impl Server {
    /// Serves requests concurrently until the process ends.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let docs: Router<Arc<Self>> = docs::router(Arc::clone(&self.exchanges));
        axum::serve(listener, docs.fallback(respond).with_state(Arc::new(self))).await
    }

    async fn relay(&self, head: &Parts, body: &[u8]) -> api_gateway::Response {
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let id = request_id();
        let event = api_gateway::event(head.method.as_str(), target, &head.headers, body, &id);
        self.exchanges.begin(&id, &head.method, head.uri.path());
        let response = support::serve(&self.relay, &event.to_string(), context(id.clone())).await;
        self.exchanges.finish(&id, &response);
        response
    }

    fn print_line(&self, method: &Method, uri: &Uri, started: Instant, response: &api_gateway::Response) {
        print(request_line::format(method, uri, response, started.elapsed(), self.exchanges.pushes()));
    }
}

async fn respond(State(server): State<Arc<Server>>, request: Request) -> Response {
    if docs::is_start_page(&request) {
        return Redirect::temporary("/docs").into_response();
    }
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let Ok(body) = read(body).await else {
        // The connection broke, so the client does not receive this response.
        return StatusCode::BAD_REQUEST.into_response();
    };
    // A task, since a Lambda function also continues if its caller disconnects.
    let response = tokio::spawn(async move {
        let response = match body {
            Some(body) => server.relay(&head, &body).await,
            None => too_large(),
        };
        server.print_line(&head.method, &head.uri, started, &response);
        response
    });
    response.await.ok().and_then(http_response).unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The whole body, or `None` if it is too large. It is read to its end even then: a client that is still writing when
/// the connection closes may not receive the response.
async fn read(body: Body) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut chunks = body.into_data_stream();
    let mut whole = Some(Vec::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        whole = whole.filter(|read| read.len() + chunk.len() <= MAX_BODY);
        if let Some(read) = &mut whole {
            read.extend_from_slice(&chunk);
        }
    }
    Ok(whole)
}

/// API Gateway's own response.
fn too_large() -> api_gateway::Response {
    api_gateway::Response {
        status: 413,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: br#"{"message":"Request Entity Too Large"}"#.to_vec(),
    }
}

fn http_response(response: api_gateway::Response) -> Option<Response> {
    let mut builder = Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body)).ok()
}

/// The context that Lambda passes with the event.
fn context(request_id: String) -> Context {
    let deadline = SystemTime::now() + FUNCTION_TIMEOUT;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut context = Context::default();
    context.request_id = request_id;
    context.deadline = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
    context
}

/// Eleven random bytes in base64, the form of API Gateway's request ids.
fn request_id() -> String {
    let mut bytes = [0; 11];
    fastrand::fill(&mut bytes);
    BASE64_STANDARD.encode(bytes)
}
