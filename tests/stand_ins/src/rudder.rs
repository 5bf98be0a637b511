//! AI Rudder's push endpoint, which keeps to its contract to the letter.

mod contract;
mod reply;

use std::{
    collections::{HashSet, VecDeque},
    future, io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router, body,
    extract::{Request, State},
    http::{HeaderMap, Method, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use tokio::sync::watch;

pub use self::reply::Reply;
use self::reply::{Refusal, accepted};
use crate::server::{Connections, Server, hang_up, lock};

const PATH: &str = "/api/push/lendswift-under-wirting";

/// AI Rudder on a socket; dropping it stops it.
pub struct Rudder {
    server: Server,
    desk: Arc<Mutex<Desk>>,
    arrivals: watch::Receiver<usize>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request's target as it was on the wire, not decoded.
    pub path: String,
    /// Every header.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
    /// Whether it met the contract and was answered so: the consumer would be telephoned.
    pub accepted: bool,
}

/// What becomes of the answer to a lead that AI Rudder accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// It is sent after a wait on tokio's clock.
    After(Duration),
    /// The connection is closed instead.
    Broken,
    /// It is never sent.
    Silent,
}

struct Desk {
    tokens: HashSet<String>,
    answering: Box<dyn FnMut() -> Answering + Send>,
    script: VecDeque<Scripted>,
    received: Vec<Received>,
    arrivals: watch::Sender<usize>,
}

enum Scripted {
    Answer(Reply),
    Silence,
}

enum Treatment {
    Scripted(Scripted),
    Accepted(Answering),
    Refused(Refusal),
}

impl Rudder {
    /// Starts on `address` (port 0 takes a free one) and accepts `tokens`.
    pub async fn start(address: SocketAddr, tokens: impl IntoIterator<Item = impl Into<String>>) -> io::Result<Self> {
        let (arrived, arrivals) = watch::channel(0);
        let desk = Arc::new(Mutex::new(Desk {
            tokens: tokens.into_iter().map(Into::into).collect(),
            answering: Box::new(|| Answering::After(Duration::ZERO)),
            script: VecDeque::new(),
            received: Vec::new(),
            arrivals: arrived,
        }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&desk));
        let server = Server::start(address, router).await?;
        Ok(Self { server, desk, arrivals })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The endpoint's URL without the token and without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}{PATH}", self.address())
    }

    /// Every request so far, in the order of arrival.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.desk).received.clone()
    }

    /// Every request since the last time this was asked.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.desk).received)
    }

    /// Waits until so many requests have arrived in all.
    pub async fn arrived(&self, times: usize) {
        // Fails only when the sender is gone, which lives as long as this.
        let _ = self.arrivals.clone().wait_for(|arrivals| *arrivals >= times).await;
    }

    /// Accepts these tokens from now on, and no others.
    pub fn replace_tokens(&self, tokens: impl IntoIterator<Item = impl Into<String>>) {
        lock(&self.desk).tokens = tokens.into_iter().map(Into::into).collect();
    }

    /// Its connections as of now.
    pub fn connections(&self) -> Connections {
        self.server.connections()
    }

    /// Asks this from now on how it answers a lead that it accepts, once for each. What is scripted comes first.
    pub fn answering(&self, how: impl FnMut() -> Answering + Send + 'static) {
        lock(&self.desk).answering = Box::new(how);
    }

    /// Gives `reply` to the next request; several scripts are used up in the order they came.
    pub fn answer_next(&self, reply: Reply) {
        lock(&self.desk).script.push_back(Scripted::Answer(reply));
    }

    /// Takes the next request and never answers it; queued like [`Self::answer_next`].
    pub fn hang_next(&self) {
        lock(&self.desk).script.push_back(Scripted::Silence);
    }
}

async fn answer(State(desk): State<Arc<Mutex<Desk>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body::to_bytes(body, usize::MAX).await else {
        return Refusal::bad_request("the body broke off").into_response();
    };
    let path = target(&head).to_owned();

    let treatment = {
        let mut desk = lock(&desk);
        let verdict = judge(&head, &body, &desk.tokens);
        let treatment = match (desk.script.pop_front(), verdict) {
            (Some(scripted), _) => Treatment::Scripted(scripted),
            (None, Ok(())) => Treatment::Accepted((desk.answering)()),
            (None, Err(refusal)) => Treatment::Refused(refusal),
        };
        desk.received.push(Received {
            path,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            accepted: matches!(treatment, Treatment::Accepted(_)),
        });
        desk.arrivals.send_modify(|arrivals| *arrivals += 1);
        treatment
    };

    match treatment {
        Treatment::Scripted(Scripted::Answer(reply)) => reply.into_response(),
        Treatment::Scripted(Scripted::Silence) | Treatment::Accepted(Answering::Silent) => future::pending().await,
        Treatment::Accepted(Answering::Broken) => hang_up(),
        Treatment::Accepted(Answering::After(wait)) => {
            tokio::time::sleep(wait).await;
            accepted()
        }
        Treatment::Refused(refusal) => refusal.into_response(),
    }
}

fn judge(head: &Parts, body: &[u8], tokens: &HashSet<String>) -> Result<(), Refusal> {
    let segment = target(head)
        .strip_prefix(PATH)
        .and_then(|rest| rest.strip_prefix('/'))
        .filter(|segment| !segment.is_empty() && !segment.contains('/'))
        .ok_or_else(Refusal::not_found)?;
    if !decoded(segment).is_some_and(|token| tokens.contains(&token)) {
        return Err(Refusal::invalid_token());
    }
    if head.method != Method::POST {
        return Err(Refusal::method_not_allowed());
    }
    let mut media_types = head.headers.get_all(CONTENT_TYPE).iter();
    match (media_types.next(), media_types.next()) {
        (Some(only), None) if only == "application/json" => {}
        _ => return Err(Refusal::unsupported_media_type()),
    }
    contract::check(body).map_err(|fault| Refusal::bad_request(fault.to_string()))
}

/// With the query, which no push has: it would be a token cut in two.
fn target(head: &Parts) -> &str {
    head.uri.path_and_query().map_or("", |target| target.as_str())
}

/// Nothing if a `%` escapes nothing: the sender left it as it stood in the token.
fn decoded(segment: &str) -> Option<String> {
    let well_escaped = segment.split('%').skip(1).all(|escape| {
        let digits = escape.as_bytes().iter().take(2);
        digits.filter(|digit| digit.is_ascii_hexdigit()).count() == 2
    });
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    well_escaped.then(|| text.into_owned())
}

#[cfg(test)]
mod tests;
