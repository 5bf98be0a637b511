//! One process: it handles events as `Relay::send_once` does, and may be suspended or killed.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use lendswift_relay::{
    budget::Budget,
    claim::{Claim, Claimed, IdempotencyKey, Known, Ledger, Namespace, PhoneItem, Settled},
    clock::Clock,
};
use tokio::{
    join,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    network::Conflicts,
    rudder::{PushResult, Rudder},
    schedule::LEADS,
};

/// A request to the relay.
#[derive(Clone, Debug)]
pub struct Post {
    /// Its number in the schedule.
    pub number: u32,
    /// The payload of the lead.
    pub lead: &'static str,
    /// The idempotency key.
    pub key: Option<&'static str>,
    /// When it arrives.
    pub at: Instant,
    /// The time until Lambda's deadline.
    pub time_left: Duration,
}

/// The response to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    Accepted,
    Refused,
    NotSent,
    Unknown,
    Replayed(Settled),
    Pending,
    Interrupted,
    Unavailable,
    KeyReused,
    RecentlyCalled,
}

/// A post with its response.
#[derive(Clone, Debug)]
pub struct PostRecord {
    pub post: Post,
    /// `None` if its process was killed during the request.
    pub response: Option<Response>,
    /// The process that handled it, which may have been killed later.
    pub process: u32,
}

/// The state that all processes of a schedule share.
#[derive(Clone)]
pub struct World {
    pub rudder: Rudder,
    pub records: Arc<Mutex<Vec<PostRecord>>>,
    pub conflicts: Conflicts,
    /// Whether both leads have the same phone number, which may be called only once.
    pub once_per_phone: bool,
    /// For each push over a reused connection, whether the connection broke.
    pub reuses: Arc<Mutex<Vec<bool>>>,
    /// The numbers of the processes that were killed.
    pub killed: Arc<Mutex<Vec<u32>>>,
    /// The true time when the schedule began.
    pub wall: SystemTime,
    pub started_at: Instant,
}

impl World {
    /// The true time at an instant, in milliseconds since the Unix epoch. It is the time of Lambda and API Gateway.
    pub fn true_ms(&self, at: Instant) -> u64 {
        let wall = self.wall + at.duration_since(self.started_at);
        let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        since.as_millis().try_into().unwrap()
    }
}

/// How a process reaches AI Rudder.
#[derive(Clone, Copy)]
enum Connection {
    Unreachable,
    /// An earlier lead left it.
    Reused {
        /// Whether AI Rudder closes it while the lead is on its way.
        breaks: bool,
    },
    /// It is open at this time.
    OpenAt(Instant),
}

/// One process.
pub struct Process {
    pub number: u32,
    pub ledger: Ledger,
    pub clock: Clock,
    pub world: World,
    pub random: Mutex<Rng>,
}

/// The response body that settling a post stores.
pub fn body(number: u32) -> String {
    format!(r#"{{"code":200,"post":{number}}}"#)
}

impl Process {
    /// Handles an event as `Relay::send_once` handles a valid lead.
    pub async fn handle(&self, post: &Post) -> Response {
        let deadline = self.world.true_ms(Instant::now() + post.time_left);
        let received = self.world.true_ms(Instant::now());
        let budget = Budget::new(Some(received), deadline, self.clock);
        if budget.push_until(PUSH_LIMIT, self.clock.now()).is_err() {
            return Response::Unavailable;
        }
        let namespace = Namespace::live(&"acme".parse().unwrap());
        let key = post.key.map(|key| key.parse::<IdempotencyKey>().unwrap());
        let request_id = post.number.to_string();
        let keys = namespace.items(post.lead.as_bytes(), key.as_ref());
        let claim = Claim::new(&namespace, keys, self.phone_item(&namespace, post.lead), &request_id, budget.lease());
        let connection = self.connection();
        let claimed = self.ledger.claim(claim, budget).await;
        let claim = match claimed {
            Ok(Claimed::Ours(claim)) => claim,
            Ok(Claimed::Known(known)) => {
                self.ledger.close_left_claims(budget).await;
                return response(known);
            }
            Err(_) => {
                self.ledger.close_left_claims(budget).await;
                return Response::Unavailable;
            }
        };
        let closed = async {
            let result = self.push(post, &claim, connection, budget).await;
            self.close(post, &claim, result, budget).await
        };
        join!(closed, self.ledger.close_left_claims(budget)).0
    }

    /// The item of a lead's phone number. The period is the shortest one that is allowed.
    fn phone_item(&self, namespace: &Namespace, lead: &str) -> Option<PhoneItem> {
        let number = if LEADS.contains(&lead) { "the number of both" } else { lead };
        self.world.once_per_phone.then(|| namespace.phone_item(number, Duration::from_secs(3600)))
    }

    async fn close(&self, post: &Post, claim: &Claim, result: Option<PushResult>, budget: Budget) -> Response {
        let response = match result {
            Some(PushResult::Accepted) => Response::Accepted,
            Some(PushResult::Refused) => Response::Refused,
            None | Some(PushResult::RateLimited) => Response::NotSent,
            Some(PushResult::NoResponse) => Response::Unknown,
        };
        let body = body(post.number);
        match response {
            Response::Accepted => self.ledger.settle(claim, &Settled::Accepted { body }, budget).await,
            Response::Unknown => {
                let status = http::StatusCode::GATEWAY_TIMEOUT;
                self.ledger.settle(claim, &Settled::Unknown { status, error: None, body }, budget).await;
            }
            _ => self.ledger.release(claim, budget).await,
        }
        response
    }

    /// The connection for a lead. A new one is opened while the claim is written.
    fn connection(&self) -> Connection {
        let mut random = self.random.lock().unwrap();
        match random.u8(0..10) {
            0 => Connection::Unreachable,
            1..4 => Connection::Reused { breaks: random.u8(0..4) == 0 },
            _ => Connection::OpenAt(self.clock.now() + Duration::from_millis(random.u64(1..300))),
        }
    }

    /// Pushes a lead if the lease checks pass: one over a reused connection, two over a new one. `None` if nothing was sent.
    async fn push(&self, post: &Post, claim: &Claim, connection: Connection, budget: Budget) -> Option<PushResult> {
        let until = budget.push_until(PUSH_LIMIT, self.clock.now()).ok()?;
        match connection {
            Connection::Unreachable => return None,
            Connection::Reused { .. } => {}
            Connection::OpenAt(at) => {
                timeout_at(until, sleep_until(at)).await.ok()?;
                if !claim.lease().runs(self.clock) {
                    return None;
                }
            }
        }
        // The relay renders the request's head here; the process may be suspended.
        tokio::task::yield_now().await;
        if !claim.lease().runs(self.clock) {
            return None;
        }
        if let Connection::Reused { breaks } = connection {
            self.world.reuses.lock().unwrap().push(breaks);
            if breaks {
                return Some(self.world.rudder.close_on(post.number));
            }
        }
        Some(self.world.rudder.push(post.number, until).await)
    }
}

const PUSH_LIMIT: Duration = Duration::from_secs(10);

fn response(known: Known) -> Response {
    match known {
        Known::InProgress { .. } => Response::Pending,
        Known::Interrupted { .. } => Response::Interrupted,
        Known::Settled { settled, .. } => Response::Replayed(settled),
        Known::KeyReused => Response::KeyReused,
        Known::RecentlyCalled { .. } => Response::RecentlyCalled,
        Known::Unreadable => panic!("the ledger cannot read an item that it wrote"),
    }
}

/// Runs `task`, but does not poll it between these two instants, as in a suspended process.
pub async fn suspended<T>(from: Instant, until: Instant, task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    let mut suspension = pin!(sleep_until(from));
    let mut end = pin!(sleep_until(until));
    poll_fn(|context| {
        // Polled on every call, so that the task is woken when the process resumes.
        let is_over = end.as_mut().poll(context).is_ready();
        if suspension.as_mut().poll(context).is_ready() && !is_over {
            return Poll::Pending;
        }
        task.as_mut().poll(context)
    })
    .await
}
