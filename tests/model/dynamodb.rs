//! DynamoDB: the result of each transaction that arrives. The conditions are the relay's own functions.

use lendswift_relay::claim::{
    conditions::{LeadItem, RecordedOutcome, may_claim_lead, may_release_lead, may_settle_lead},
    protocol::{Reply, TransientError},
};

use super::{
    mutant::Mutant,
    scenario::Scenario,
    state::{Found, Id, Request, State, Token},
};

/// A second before the first duplicate window ends, and one after.
const NOW: [i64; 2] = [5, 15];
/// When items that are written at those seconds expire.
const EXPIRES: [i64; 2] = [10, 20];

impl Scenario {
    /// A request arrives. `None`: its conditions hold, and the caller applies it with [`write`], now or later.
    pub fn arrive(&self, state: &mut State, id: Id, request: Request) -> Option<Reply<Found>> {
        if let Some(reply) = self.reply_by_token(state, id, request) {
            return Some(reply);
        }
        if request == Request::Void {
            return None;
        }
        if state.locked_by.is_some() {
            cancel(state, id, request);
            return Some(Reply::Transient(TransientError::LeadConflict));
        }
        if self.may(state, id, request) {
            return None;
        }
        cancel(state, id, request);
        state.item.as_ref().map(|item| Reply::ConditionFailed(found(item)))
    }

    /// The reply that follows from the token alone.
    fn reply_by_token(&self, state: &State, id: Id, request: Request) -> Option<Reply<Found>> {
        let has_no_tokens = matches!(self.mutant, Some(Mutant::RetryUnderNewToken | Mutant::ClaimOverwritesOutcome));
        if !request.has_token() || has_no_tokens {
            return None;
        }
        match state.claims[usize::from(id)].token {
            Token::Done(done) if done == request => Some(Reply::Done),
            Token::Done(_) => Some(Reply::TokenMismatch),
            Token::Running(running) if running != request && self.aws.mismatch_while_running => {
                Some(Reply::TokenMismatch)
            }
            // `TransactionInProgressException`, which `claim::table` reports as `InDoubt`.
            Token::Running(_) => Some(Reply::InDoubt),
            Token::Cancelled(cancelled) if cancelled != request && self.aws.remembers_cancelled => {
                Some(Reply::TokenMismatch)
            }
            Token::Cancelled(_) | Token::Unused => None,
        }
    }

    /// Whether the request's conditions hold.
    fn may(&self, state: &State, id: Id, request: Request) -> bool {
        let item = state.item.as_ref();
        let is_own = item.is_some_and(|item| item.claim == Some(id));
        let is_open = item.is_some_and(|item| item.outcome == RecordedOutcome::Absent);
        let now = NOW[usize::from(state.claims[usize::from(id)].second_window)];
        match (request, self.mutant) {
            (Request::Claim, Some(Mutant::ClaimOverwritesOutcome))
            | (Request::Release, Some(Mutant::ReleaseIgnoresOutcome))
                if is_own =>
            {
                true
            }
            (Request::Release, Some(Mutant::ReleaseIgnoresClaimId)) if is_open => true,
            (Request::SettleAccepted | Request::SettleUnknown, Some(Mutant::SettleIgnoresClaimId)) => item.is_some(),
            (Request::Claim, _) => may_claim_lead(item, &id, now),
            (Request::Void, _) => true,
            (Request::Release, _) => may_release_lead(item, &id),
            (Request::SettleAccepted, _) => may_settle_lead(item, &id, RecordedOutcome::Accepted),
            (Request::SettleUnknown, _) => may_settle_lead(item, &id, RecordedOutcome::Unknown),
        }
    }
}

/// Applies a request whose conditions hold.
pub fn write(state: &mut State, id: Id, request: Request) {
    match request {
        Request::Claim => {
            let expires = EXPIRES[usize::from(state.claim(id).second_window)];
            state.item = Some(LeadItem { claim: Some(id), outcome: RecordedOutcome::Absent, expires: Some(expires) });
        }
        Request::Void => {}
        Request::Release => state.item = None,
        Request::SettleAccepted => settle(state, RecordedOutcome::Accepted),
        Request::SettleUnknown => settle(state, RecordedOutcome::Unknown),
    }
    if request.has_token() {
        state.claim(id).token = Token::Done(request);
    }
    unlock(state, id, request);
}

/// Starts a request whose conditions hold.
pub fn run(state: &mut State, id: Id, request: Request) {
    if request != Request::Void {
        state.locked_by = Some((id, request));
    }
    if request.has_token() {
        state.claim(id).token = Token::Running(request);
    }
}

/// Cancels a transaction: nothing is written.
pub fn cancel(state: &mut State, id: Id, request: Request) {
    if request.has_token() {
        state.claim(id).token = Token::Cancelled(request);
    }
    unlock(state, id, request);
}

fn unlock(state: &mut State, id: Id, request: Request) {
    state.locked_by = state.locked_by.filter(|by| *by != (id, request));
}

pub fn settle(state: &mut State, outcome: RecordedOutcome) {
    if let Some(item) = &mut state.item {
        item.outcome = outcome;
    }
}

fn found(item: &LeadItem<Id>) -> Found {
    Found { claim: item.claim.unwrap_or_default(), outcome: item.outcome }
}
