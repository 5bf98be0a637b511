//! What DynamoDB does with a request, without any delay: the emulator's work, and around it tokens and locks.

use std::collections::HashSet;

use dynoxide::{DynoxideError, errors::CancellationReason};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    fault::{Fault, cancelled, conflict, throttled},
    tables::{ItemKey, Tables},
    tokens::{End, Tokens},
};

pub(super) const TRANSACTION: &str = "TransactWriteItems";

/// The answer to a transaction that was done.
pub(super) const DONE: &str = "{}";

/// AWS refuses longer tokens; so does the emulator, in AWS's words.
const LONGEST_TOKEN: usize = 36;

pub(super) struct Engine {
    pub(super) tables: Tables,
    pub(super) tokens: Tokens,
    locked: HashSet<ItemKey>,
}

/// What cancels a transaction in addition to locks and conditions.
#[derive(Clone, Copy)]
pub(super) enum Obstacle {
    /// Another transaction has each of its items.
    Conflict,
    /// Another transaction has the item at this index.
    ConflictAt(usize),
    /// The table's capacity is too low for each of its items.
    Throttled,
}

/// A running transaction, which holds its items' locks.
pub(super) struct Transaction {
    token: Option<String>,
    /// The request without its token.
    parameters: Map<String, Value>,
    /// `None` where an item's key can't be read, which the emulator will refuse.
    keys: Vec<Option<ItemKey>>,
}

impl Engine {
    pub(super) fn new() -> dynoxide::Result<Self> {
        Ok(Self { tables: Tables::new()?, tokens: Tokens::default(), locked: HashSet::new() })
    }

    pub(super) fn perform(&mut self, operation: &str, body: &[u8], now: Instant) -> Result<String, Fault> {
        if operation == TRANSACTION {
            return self.transact(body, None, now);
        }
        let is_write = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem");
        if is_write && ItemKey::of(&parse(body)?).is_some_and(|key| self.locked.contains(&key)) {
            return Err(Fault::conflict());
        }
        if is_write {
            return Ok(self.tables.write(operation, &parse(body)?)?);
        }
        Ok(self.tables.run(operation, body).ok_or_else(Fault::unknown_operation)??)
    }

    pub(super) fn transact(&mut self, body: &[u8], obstacle: Option<Obstacle>, now: Instant) -> Result<String, Fault> {
        match self.begin(body, obstacle, now)? {
            Some(transaction) => self.finish(transaction, now),
            None => Ok(DONE.to_owned()),
        }
    }

    /// Locks the transaction's items, unless it is cancelled at once. `None` if it repeats one that is [`DONE`].
    pub(super) fn begin(
        &mut self,
        body: &[u8],
        obstacle: Option<Obstacle>,
        now: Instant,
    ) -> Result<Option<Transaction>, Fault> {
        let transaction = Transaction::parse(body)?;
        if let Some(token) = &transaction.token {
            if self.tokens.is_repetition(token, &transaction.parameters, now)? {
                return Ok(None);
            }
            self.tokens.begin(token, &transaction.parameters);
        }
        let hindered = self.hindered(&transaction, obstacle);
        if hindered.iter().any(Option::is_some) {
            return Err(self.cancel(&transaction, &hindered, now));
        }
        self.locked.extend(transaction.keys.iter().flatten().cloned());
        Ok(Some(transaction))
    }

    /// Evaluates the transaction, applies it unless it is cancelled, and unlocks its items.
    pub(super) fn finish(&mut self, transaction: Transaction, now: Instant) -> Result<String, Fault> {
        for key in transaction.keys.iter().flatten() {
            self.locked.remove(key);
        }
        let result = self.tables.write(TRANSACTION, &transaction.parameters);
        let end = match result {
            Ok(_) => End::Succeeded,
            Err(DynoxideError::TransactionCanceledException(..)) => End::Cancelled,
            Err(_) => End::Invalid,
        };
        self.end(&transaction, end, now);
        Ok(result?)
    }

    /// For each item of the transaction its reason to cancel, if there is one.
    fn hindered(&self, transaction: &Transaction, obstacle: Option<Obstacle>) -> Vec<Option<CancellationReason>> {
        let hinders = |(index, key): (usize, &Option<ItemKey>)| match obstacle {
            Some(Obstacle::Conflict) => Some(conflict()),
            Some(Obstacle::ConflictAt(at)) if at == index => Some(conflict()),
            Some(Obstacle::Throttled) => Some(throttled()),
            _ => key.as_ref().filter(|key| self.locked.contains(key)).map(|_| conflict()),
        };
        transaction.keys.iter().enumerate().map(hinders).collect()
    }

    /// Cancels the transaction for these reasons, and for the conditions that do not hold at its other items: AWS
    /// prepares each item on its own, and reports what each one answered.
    fn cancel(&mut self, transaction: &Transaction, hindered: &[Option<CancellationReason>], now: Instant) -> Fault {
        let request = transaction.impossible_at(hindered);
        match self.tables.run_parsed(TRANSACTION, &request) {
            Err(DynoxideError::TransactionCanceledException(_, found)) => {
                self.end(transaction, End::Cancelled, now);
                let reasons = found.into_iter().zip(hindered);
                cancelled(reasons.map(|(found, hindered)| hindered.clone().unwrap_or(found)).collect())
            }
            Err(error) => {
                self.end(transaction, End::Invalid, now);
                error.into()
            }
            Ok(_) => unreachable!("a transaction with an impossible condition was done"),
        }
    }

    fn end(&mut self, transaction: &Transaction, end: End, now: Instant) {
        if let Some(token) = &transaction.token {
            self.tokens.end(token, end, now);
        }
    }
}

impl Transaction {
    fn parse(body: &[u8]) -> Result<Self, Fault> {
        let mut parameters = parse(body)?;
        let token = parameters.get("ClientRequestToken").and_then(Value::as_str).map(str::to_owned);
        let token = token.filter(|token| token.len() <= LONGEST_TOKEN);
        if token.is_some() {
            parameters.remove("ClientRequestToken");
        }
        let keys = items(&parameters).map(|item| ItemKey::of(action(item)?)).collect();
        Ok(Self { token, parameters, keys })
    }

    /// The request with a condition at each hindered item that no item meets.
    fn impossible_at(&self, hindered: &[Option<CancellationReason>]) -> Map<String, Value> {
        let mut request = self.parameters.clone();
        let items = request.get_mut("TransactItems").and_then(Value::as_array_mut).into_iter().flatten();
        for ((item, key), _) in items.zip(&self.keys).zip(hindered).filter(|(_, hindered)| hindered.is_some()) {
            if let Some(key) = key {
                *item = json!({ "ConditionCheck": key.impossible() });
            }
        }
        request
    }
}

fn parse(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    serde_json::from_slice(body).map_err(|fault| DynoxideError::SerializationException(fault.to_string()).into())
}

fn items(parameters: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    parameters.get("TransactItems").and_then(Value::as_array).into_iter().flatten()
}

/// The action of a transaction's item: a `Put`, `Update`, `Delete` or `ConditionCheck`.
fn action(item: &Value) -> Option<&Map<String, Value>> {
    item.as_object()?.values().find_map(Value::as_object)
}
