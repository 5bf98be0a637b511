//! AI Rudder's push endpoint, which follows its contract to the letter.

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
    extract::{self, Request},
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use tokio::{sync::watch, time::timeout};

use self::reply::envelope;
pub use self::{contract::check_contract, reply::Reply};
use crate::fakes::server::{Connections, Server, hang_up, lock};

const PATH: &str = "/api/push/lendswift-under-wirting";

/// AI Rudder on a socket; dropping it stops it.
pub struct Rudder {
    server: Server,
    state: Arc<Mutex<State>>,
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
    /// Whether it met the contract and was accepted: the consumer would be called.
    pub accepted: bool,
}

/// What becomes of the response to a lead that AI Rudder accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// It is sent after a wait on tokio's clock.
    After(Duration),
    /// The connection is closed instead.
    Reset,
    /// It is never sent.
    Hang,
}

struct State {
    tokens: HashSet<String>,
    answering: Box<dyn FnMut() -> Answering + Send>,
    script: VecDeque<Scripted>,
    received: Vec<Received>,
    arrivals: watch::Sender<usize>,
}

/// `None` never responds.
type Scripted = Option<Reply>;

/// The status and the message of AI Rudder's refusal.
type Refusal = (StatusCode, String);

enum Outcome {
    Scripted(Scripted),
    Accepted(Answering),
    Refused(Refusal),
}

impl Rudder {
    /// Starts on `address` (port 0 takes a free one) and accepts `tokens`.
    pub async fn start(address: SocketAddr, tokens: impl IntoIterator<Item = impl Into<String>>) -> io::Result<Self> {
        let (arrived, arrivals) = watch::channel(0);
        let state = Arc::new(Mutex::new(State {
            tokens: tokens.into_iter().map(Into::into).collect(),
            answering: Box::new(|| Answering::After(Duration::ZERO)),
            script: VecDeque::new(),
            received: Vec::new(),
            arrivals: arrived,
        }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let server = Server::start(address, router).await?;
        Ok(Self { server, state, arrivals })
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
        lock(&self.state).received.clone()
    }

    /// Every request since the last call of this.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.state).received)
    }

    /// Forgets every request: the next one is the first again.
    pub fn reset(&self) {
        let mut state = lock(&self.state);
        state.received.clear();
        state.arrivals.send_replace(0);
    }

    /// Waits until this many requests have arrived in all. Fails after a minute.
    pub async fn arrived(&self, times: usize) {
        let mut arrivals = self.arrivals.clone();
        let arrived = timeout(Duration::from_secs(60), arrivals.wait_for(|arrivals| *arrivals >= times));
        arrived.await.expect("the requests arrive").expect("the sender is in the state");
    }

    /// Accepts these tokens from now on, and no others.
    pub fn replace_tokens(&self, tokens: impl IntoIterator<Item = impl Into<String>>) {
        lock(&self.state).tokens = tokens.into_iter().map(Into::into).collect();
    }

    /// Its connections as of now.
    pub fn connections(&self) -> Connections {
        self.server.connections()
    }

    /// How many connections there were.
    pub fn connections_made(&self) -> usize {
        self.server.connections_made()
    }

    /// Calls `how` for every accepted lead from now on. Scripted responses take precedence.
    pub fn answering(&self, how: impl FnMut() -> Answering + Send + 'static) {
        lock(&self.state).answering = Box::new(how);
    }

    /// Gives `reply` to the next request; several are used up in order.
    pub fn answer_next(&self, reply: Reply) {
        lock(&self.state).script.push_back(Some(reply));
    }

    /// Reads the next request and never responds; queued like [`Self::answer_next`].
    pub fn hang_next(&self) {
        lock(&self.state).script.push_back(None);
    }
}

async fn answer(extract::State(state): extract::State<Arc<Mutex<State>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body::to_bytes(body, usize::MAX).await else {
        return envelope(StatusCode::BAD_REQUEST, "the body broke off", 0);
    };
    let path = target(&head).to_owned();

    let (outcome, number) = {
        let mut state = lock(&state);
        let verdict = judge(&head, &body, &state.tokens);
        let outcome = match (state.script.pop_front(), verdict) {
            (Some(scripted), _) => Outcome::Scripted(scripted),
            (None, Ok(())) => Outcome::Accepted((state.answering)()),
            (None, Err(refusal)) => Outcome::Refused(refusal),
        };
        state.received.push(Received {
            path,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            accepted: matches!(outcome, Outcome::Accepted(_)),
        });
        let number = *state.arrivals.borrow();
        state.arrivals.send_modify(|arrivals| *arrivals += 1);
        (outcome, number)
    };

    match outcome {
        Outcome::Scripted(Some(reply)) => reply.into_response(),
        Outcome::Scripted(None) | Outcome::Accepted(Answering::Hang) => future::pending().await,
        Outcome::Accepted(Answering::Reset) => hang_up(),
        Outcome::Accepted(Answering::After(wait)) => {
            // On a paused clock, even no time does not pass.
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            envelope(StatusCode::OK, "success", number)
        }
        Outcome::Refused((status, message)) => envelope(status, &message, number),
    }
}

fn judge(head: &Parts, body: &[u8], tokens: &HashSet<String>) -> Result<(), Refusal> {
    let refused = |status, message: &str| (status, message.to_owned());
    let segment = target(head).strip_prefix(PATH).and_then(|rest| rest.strip_prefix('/'));
    let segment = segment.filter(|segment| !segment.is_empty() && !segment.contains('/'));
    let segment = segment.ok_or_else(|| refused(StatusCode::NOT_FOUND, "no such path"))?;
    if !decoded(segment).is_some_and(|token| tokens.contains(&token)) {
        return Err(refused(StatusCode::UNAUTHORIZED, "invalid token"));
    }
    if head.method != Method::POST {
        return Err(refused(StatusCode::METHOD_NOT_ALLOWED, "only POST is allowed"));
    }
    let media_types: Vec<_> = head.headers.get_all(CONTENT_TYPE).iter().collect();
    if media_types != ["application/json"] {
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type must be application/json"));
    }
    check_contract(body).map_err(|fault| (StatusCode::BAD_REQUEST, fault.to_string()))
}

/// With the query: a push has none, unless its token was cut in two.
fn target(head: &Parts) -> &str {
    head.uri.path_and_query().map_or("", |target| target.as_str())
}

/// `None` if a `%` escapes nothing: the token was not encoded.
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
