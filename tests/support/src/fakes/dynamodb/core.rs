//! DynamoDB without a socket.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::StatusCode;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    behaviour::{DynamoBehaviour, Random, Script},
    engine::{DONE, Engine, Obstacle, TRANSACTION},
    fault::Fault,
    tokens::TokenRules,
};
use crate::fakes::server::lock;

/// DynamoDB without a socket, on tokio's clock. Clones share the same tables.
#[derive(Clone)]
pub struct DynamoCore(Arc<Shared>);

struct Shared {
    engine: Mutex<Engine>,
    script: Mutex<Script>,
    calls: watch::Sender<Vec<String>>,
    done: watch::Sender<Vec<String>>,
}

/// What a caller gets for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DynamoOutcome {
    /// A response.
    Answered(DynamoAnswer),
    /// No response, ever; the connection stays open.
    Hang,
    /// No response: the connection is closed.
    Reset,
}

/// An HTTP response of DynamoDB, whose media type is [`Self::MEDIA_TYPE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoAnswer {
    /// 200, 400 or 500.
    pub status: StatusCode,
    /// JSON.
    pub body: String,
}

impl DynamoAnswer {
    /// The `content-type` of every response.
    pub const MEDIA_TYPE: &str = "application/x-amz-json-1.0";
}

impl From<Result<String, Fault>> for DynamoAnswer {
    fn from(result: Result<String, Fault>) -> Self {
        result.map_or_else(|fault| fault, |body| Self { status: StatusCode::OK, body })
    }
}

/// Whether an operation has this name, or is a write and this is [`DynamoCore::WRITE`].
pub(super) fn is(operation: &str, named: &str) -> bool {
    operation == named || (named == DynamoCore::WRITE && WRITES.contains(&operation))
}

const WRITES: [&str; 4] = [TRANSACTION, "PutItem", "UpdateItem", "DeleteItem"];

impl DynamoCore {
    /// Any operation that writes, wherever the name of an operation is expected.
    pub const WRITE: &str = "any write";

    /// Without any table.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Shared {
            engine: Mutex::new(Engine::new().map_err(io::Error::other)?),
            script: Mutex::default(),
            calls: watch::Sender::default(),
            done: watch::Sender::default(),
        })))
    }

    /// Creates a table as the relay needs it: on demand, with the string `pk` for a key.
    pub fn create_table(&self, name: &str) {
        lock(&self.0.engine).tables.create(name, "pk");
    }

    /// Creates a table with a key of another name than the relay's.
    pub fn create_table_of_another_shape(&self, name: &str) {
        lock(&self.0.engine).tables.create(name, "id");
    }

    /// Every item of a table in DynamoDB's JSON, in the order of `pk`.
    pub fn items(&self, table: &str) -> Vec<Value> {
        lock(&self.0.engine).tables.items(table)
    }

    /// Stores an item in DynamoDB's JSON, in place of the one with that key if there is one. It ignores locks
    /// and is not among [`Self::calls`].
    pub fn put(&self, table: &str, item: Value) {
        lock(&self.0.engine).tables.ask("PutItem", &json!({ "TableName": table, "Item": item }));
    }

    /// The operations asked for so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.0.calls.borrow().clone()
    }

    /// How many writes were asked for so far.
    pub fn writes(&self) -> usize {
        self.0.calls.borrow().iter().filter(|call| is(call, Self::WRITE)).count()
    }

    /// How many write capacity units the writes consumed so far.
    pub fn write_units(&self) -> f64 {
        lock(&self.0.engine).tables.write_units
    }

    /// Sets the behaviour for every following call, except for those that [`Self::next`], [`Self::fail_for`] or
    /// [`Self::behave_at_random`] applies to.
    pub fn behave(&self, behaviour: DynamoBehaviour) {
        lock(&self.0.script).behaviour = behaviour;
    }

    /// Sets the behaviour for the next call of `operation` (such as `PutItem`, or [`Self::WRITE`]), before everything else;
    /// several are used up in order.
    pub fn next(&self, operation: &str, behaviour: DynamoBehaviour) {
        lock(&self.0.script).next.push_back((operation.to_owned(), behaviour));
    }

    /// Answers every call in the next `duration` of tokio's clock with HTTP 500, and does nothing.
    pub fn fail_for(&self, duration: Duration) {
        lock(&self.0.script).down_until = Some(Instant::now() + duration);
    }

    /// Gives `percent` of the following calls one of `behaviours`, each with the same probability, instead of that of
    /// [`Self::behave`]. The same seed picks the same calls and behaviours; 0 percent ends it.
    pub fn behave_at_random(&self, seed: u64, percent: u8, behaviours: &[DynamoBehaviour]) {
        lock(&self.0.script).random =
            Some(Random { rng: Rng::with_seed(seed), percent, behaviours: behaviours.to_vec() });
    }

    /// Decides what AWS's documentation leaves open about client request tokens.
    pub fn set_token_rules(&self, rules: TokenRules) {
        lock(&self.0.engine).tokens.rules = rules;
    }

    /// Waits until `operation` has been called this many times in all. Fails after a minute.
    pub async fn called(&self, operation: &str, times: usize) {
        reach(&self.0.calls, operation, times).await;
    }

    /// Waits until `operation` has been done this many times in all, with whatever result. Fails after a minute.
    pub async fn done(&self, operation: &str, times: usize) {
        reach(&self.0.done, operation, times).await;
    }

    /// Handles a request that has arrived now, with its scripted behaviour.
    pub async fn call(&self, operation: &str, body: &[u8]) -> DynamoOutcome {
        let behaviour = lock(&self.0.script).behaviour(operation, Instant::now());
        self.call_as(behaviour, operation, body).await
    }

    /// Handles a request that has arrived now with this behaviour, whatever the script says.
    pub async fn call_as(&self, behaviour: DynamoBehaviour, operation: &str, body: &[u8]) -> DynamoOutcome {
        self.0.calls.send_modify(|calls| calls.push(operation.to_owned()));
        let behaviour = match operation {
            TRANSACTION => behaviour,
            _ if is(operation, Self::WRITE) => behaviour.of_a_single_write(),
            _ => behaviour.of_a_read(),
        };
        let answer = match behaviour {
            DynamoBehaviour::Normal => self.perform(operation, body),
            DynamoBehaviour::Down => Fault::down(),
            DynamoBehaviour::Throttled => Fault::throttled(),
            DynamoBehaviour::ThrottledInTransaction => self.hindered(Obstacle::Throttled, body),
            DynamoBehaviour::Denied => Fault::denied(operation),
            DynamoBehaviour::Conflicting if operation != TRANSACTION => Fault::conflict(),
            DynamoBehaviour::Conflicting => self.hindered(Obstacle::Conflict, body),
            DynamoBehaviour::ConflictingAt(index) => self.hindered(Obstacle::ConflictAt(index), body),
            DynamoBehaviour::Hang => return DynamoOutcome::Hang,
            DynamoBehaviour::Reset => return DynamoOutcome::Reset,
            DynamoBehaviour::Slow(wait) => return answered(self.later(wait, operation, body)).await,
            DynamoBehaviour::Held(wait) => return self.held(wait, body).await,
            DynamoBehaviour::Twice(wait) => {
                drop(self.later(wait, operation, body));
                self.perform(operation, body)
            }
            DynamoBehaviour::AppliedSlow(wait) => {
                let answer = self.perform(operation, body);
                tokio::time::sleep(wait).await;
                answer
            }
            DynamoBehaviour::AppliedNoResponse => {
                self.perform(operation, body);
                return DynamoOutcome::Hang;
            }
            DynamoBehaviour::AppliedReset => {
                self.perform(operation, body);
                return DynamoOutcome::Reset;
            }
            DynamoBehaviour::AppliedDown => {
                self.perform(operation, body);
                Fault::down()
            }
        };
        DynamoOutcome::Answered(answer)
    }

    fn perform(&self, operation: &str, body: &[u8]) -> DynamoAnswer {
        let result = lock(&self.0.engine).perform(operation, body, Instant::now());
        self.note_done(operation);
        result.into()
    }

    fn hindered(&self, obstacle: Obstacle, body: &[u8]) -> DynamoAnswer {
        let result = lock(&self.0.engine).transact(body, Some(obstacle), Instant::now());
        if result.is_ok() {
            self.note_done(TRANSACTION);
        }
        result.into()
    }

    /// In a task of its own, which the end of the caller does not end.
    fn later(&self, wait: Duration, operation: &str, body: &[u8]) -> JoinHandle<DynamoAnswer> {
        let (core, operation, body) = (self.clone(), operation.to_owned(), body.to_vec());
        run_after(wait, move || core.perform(&operation, &body))
    }

    async fn held(&self, wait: Duration, body: &[u8]) -> DynamoOutcome {
        let begun = lock(&self.0.engine).begin(body, None, Instant::now());
        let transaction = match begun {
            Ok(Some(transaction)) => transaction,
            over => {
                self.note_done(TRANSACTION);
                return DynamoOutcome::Answered(over.map(|_| DONE.to_owned()).into());
            }
        };
        let core = self.clone();
        let finish = move || {
            let result = lock(&core.0.engine).finish(transaction, Instant::now());
            core.note_done(TRANSACTION);
            result.into()
        };
        answered(run_after(wait, finish)).await
    }

    fn note_done(&self, operation: &str) {
        self.0.done.send_modify(|done| done.push(operation.to_owned()));
    }
}

/// Counts from now, and runs even if what it returns is dropped.
fn run_after(wait: Duration, work: impl FnOnce() -> DynamoAnswer + Send + 'static) -> JoinHandle<DynamoAnswer> {
    let due = Instant::now() + wait;
    tokio::spawn(async move {
        tokio::time::sleep_until(due).await;
        work()
    })
}

/// Work that panicked or that the end of its runtime ended is never answered.
async fn answered(work: JoinHandle<DynamoAnswer>) -> DynamoOutcome {
    work.await.map_or(DynamoOutcome::Reset, DynamoOutcome::Answered)
}

/// Fails after a minute.
async fn reach(log: &watch::Sender<Vec<String>>, operation: &str, times: usize) {
    let reached = |log: &Vec<String>| log.iter().filter(|entry| is(entry, operation)).count() >= times;
    let mut log = log.subscribe();
    let limit = Duration::from_secs(60);
    timeout(limit, log.wait_for(reached)).await.expect("the calls come").expect("the sender is borrowed");
}
