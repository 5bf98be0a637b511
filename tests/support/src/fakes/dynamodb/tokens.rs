//! Client request tokens, as the API reference of `TransactWriteItems` describes them under `ClientRequestToken`.

use std::{collections::HashMap, time::Duration};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::fault::Fault;

/// "A client request token is valid for 10 minutes after the first request that uses it is completed."
const VALIDITY: Duration = Duration::from_secs(600);

/// What AWS's documentation leaves open about client request tokens. What it specifies always holds: the same request
/// succeeds again without effect for 10 minutes after it succeeded, and is `TransactionInProgressException` while it
/// runs; another request with that token is `IdempotentParameterMismatchException` after a success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenRules {
    /// Whether any other request with the token of a cancelled transaction is `IdempotentParameterMismatchException` for 10
    /// minutes, while the same one is evaluated anew. Otherwise the token may be used for any request.
    pub remember_cancelled: bool,
    /// Whether another request is `IdempotentParameterMismatchException` while a transaction with its token is running.
    /// Otherwise it is `TransactionInProgressException`, like the same request.
    pub mismatch_while_running: bool,
}

impl TokenRules {
    /// All of them: a caller must be correct under each.
    pub const ALL: [Self; 4] = [
        Self { remember_cancelled: false, mismatch_while_running: false },
        Self { remember_cancelled: false, mismatch_while_running: true },
        Self { remember_cancelled: true, mismatch_while_running: false },
        Self { remember_cancelled: true, mismatch_while_running: true },
    ];
}

/// A request without its token.
pub(super) type Parameters = Map<String, Value>;

#[derive(Default)]
pub(super) struct Tokens {
    pub(super) rules: TokenRules,
    known: HashMap<String, Known>,
}

struct Known {
    parameters: Parameters,
    state: State,
}

enum State {
    Running,
    Succeeded(Instant),
    Cancelled(Instant),
}

/// How a transaction ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    Succeeded,
    Cancelled,
    /// It was no valid request.
    Invalid,
}

impl Tokens {
    /// Whether a request repeats one that has succeeded.
    pub(super) fn is_repetition(&mut self, token: &str, parameters: &Parameters, now: Instant) -> Result<bool, Fault> {
        self.known.retain(|_, known| known.is_valid(now));
        let Some(known) = self.known.get(token) else { return Ok(false) };
        match (&known.state, known.parameters == *parameters) {
            (State::Succeeded(_), true) => Ok(true),
            (State::Cancelled(_), true) => Ok(false),
            (State::Running, true) => Err(Fault::in_progress()),
            (State::Running, false) if !self.rules.mismatch_while_running => Err(Fault::in_progress()),
            (State::Running | State::Succeeded(_) | State::Cancelled(_), false) => Err(Fault::parameter_mismatch()),
        }
    }

    pub(super) fn begin(&mut self, token: &str, parameters: &Parameters) {
        self.known.insert(token.to_owned(), Known { parameters: parameters.clone(), state: State::Running });
    }

    pub(super) fn end(&mut self, token: &str, end: End, now: Instant) {
        let state = match end {
            End::Succeeded => State::Succeeded(now),
            End::Cancelled if self.rules.remember_cancelled => State::Cancelled(now),
            End::Cancelled | End::Invalid => return drop(self.known.remove(token)),
        };
        if let Some(known) = self.known.get_mut(token) {
            known.state = state;
        }
    }
}

impl Known {
    fn is_valid(&self, now: Instant) -> bool {
        match self.state {
            State::Running => true,
            State::Succeeded(completed) | State::Cancelled(completed) => now < completed + VALIDITY,
        }
    }
}
