//! One process: it handles one event after the other, as `Relay::send_once` does, and may freeze or be killed.

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
    claim::{Claim, Claimed, IdempotencyKey, Known, Ledger, Settled},
    clock::Clock,
};
use tokio::{
    join,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::rudder::{Pushed, Rudder};

/// What is posted.
#[derive(Clone, Debug)]
pub struct Post {
    /// Of its own.
    pub number: u32,
    /// The lead's body as it is sent.
    pub lead: &'static str,
    pub key: Option<&'static str>,
    /// When it comes.
    pub at: Instant,
    /// What Lambda leaves it.
    pub left: Duration,
}

/// What a sender is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    Refused,
    NotSent,
    Unknown,
    Replayed(Settled),
    Pending,
    Interrupted,
    Unavailable,
    KeyReused,
}

/// What happened to a post: its answer, or `None` where its process was killed.
#[derive(Clone, Debug)]
pub struct Happened {
    pub post: Post,
    pub answer: Option<Answer>,
    /// The process that handled it, which may have been killed later.
    pub process: u32,
}

/// What all processes of a schedule share.
#[derive(Clone)]
pub struct World {
    pub rudder: Rudder,
    pub happened: Arc<Mutex<Vec<Happened>>>,
    pub killed: Arc<Mutex<Vec<u32>>>,
    /// The true time when the schedule began.
    pub wall: SystemTime,
    pub began: Instant,
}

impl World {
    /// The true time of an instant, in milliseconds since the Unix epoch: what Lambda's clock shows.
    pub fn true_ms(&self, at: Instant) -> u64 {
        let wall = self.wall + at.duration_since(self.began);
        let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        since.as_millis().try_into().unwrap()
    }
}

/// One process.
pub struct Process {
    pub number: u32,
    pub ledger: Ledger,
    pub clock: Clock,
    pub world: World,
    pub random: Mutex<Rng>,
}

/// The body of a settled answer.
pub fn body(number: u32) -> String {
    format!(r#"{{"code":200,"post":{number}}}"#)
}

impl Process {
    /// Handles an event, as `Relay::send_once` does with a lead that is in order.
    pub async fn handle(&self, post: &Post) -> Answer {
        let deadline = self.world.true_ms(Instant::now() + post.left);
        let received = self.world.true_ms(Instant::now());
        let budget = Budget::between(Some(received), deadline, self.clock);
        if budget.for_push(PUSH_LIMIT, self.clock.now()).is_err() {
            return Answer::Unavailable;
        }
        let account = "acme".parse().unwrap();
        let key = post.key.map(|key| key.parse::<IdempotencyKey>().unwrap());
        let request_id = post.number.to_string();
        let claim = Claim::new(&account, post.lead.as_bytes(), key.as_ref(), &request_id, budget.lease());
        let claimed = self.ledger.claim(claim, budget).await;
        let claim = match claimed {
            Ok(Claimed::Ours(claim)) => claim,
            Ok(Claimed::Known(known)) => {
                self.ledger.close_left(budget).await;
                return answer(known);
            }
            Err(_) => {
                self.ledger.close_left(budget).await;
                return Answer::Unavailable;
            }
        };
        let closed = async {
            let pushed = self.push(post, &claim, budget).await;
            self.close(post, &claim, pushed, budget).await
        };
        join!(closed, self.ledger.close_left(budget)).0
    }

    async fn close(&self, post: &Post, claim: &Claim, pushed: Option<Pushed>, budget: Budget) -> Answer {
        let answer = match pushed {
            Some(Pushed::Accepted) => Answer::Accepted,
            Some(Pushed::Refused) => Answer::Refused,
            None | Some(Pushed::RateLimited) => Answer::NotSent,
            Some(Pushed::NoAnswer) => Answer::Unknown,
        };
        let body = body(post.number);
        match answer {
            Answer::Accepted => self.ledger.settle(claim, &Settled::Accepted { body }, budget).await,
            Answer::Unknown => {
                let status = http::StatusCode::GATEWAY_TIMEOUT;
                self.ledger.settle(claim, &Settled::Unknown { status, body }, budget).await;
            }
            _ => self.ledger.release(claim, budget).await,
        }
        answer
    }

    /// Pushes a lead where the lease runs, by both looks at it; `None` where nothing was sent.
    async fn push(&self, post: &Post, claim: &Claim, budget: Budget) -> Option<Pushed> {
        let (connects, unreachable) = {
            let mut random = self.random.lock().unwrap();
            (Duration::from_millis(random.u64(1..300)), random.u8(0..10) == 0)
        };
        let until = budget.for_push(PUSH_LIMIT, self.clock.now()).ok()?;
        timeout_at(until, sleep(connects)).await.ok().filter(|()| !unreachable)?;
        if !claim.lease().runs(self.clock) {
            return None;
        }
        // The request's head is made, and the task may be frozen here.
        tokio::task::yield_now().await;
        if !claim.lease().runs(self.clock) {
            return None;
        }
        Some(self.world.rudder.push(post.number, until).await)
    }
}

const PUSH_LIMIT: Duration = Duration::from_secs(10);

fn answer(known: Known) -> Answer {
    match known {
        Known::InProgress => Answer::Pending,
        Known::Interrupted(_) => Answer::Interrupted,
        Known::Answered(settled) => Answer::Replayed(settled),
        Known::KeyReused => Answer::KeyReused,
        Known::Unreadable => panic!("an item that this version wrote can't be read"),
    }
}

/// Does not run `task` between these instants: a frozen process does nothing, whatever happens meanwhile.
pub async fn frozen<T>(from: Instant, until: Instant, task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    let mut freezes = pin!(sleep_until(from));
    let mut thaws = pin!(sleep_until(until));
    poll_fn(|context| {
        // Polled, so that this is woken when it thaws.
        let thawed = thaws.as_mut().poll(context).is_ready();
        if freezes.as_mut().poll(context).is_ready() && !thawed {
            return Poll::Pending;
        }
        task.as_mut().poll(context)
    })
    .await
}
