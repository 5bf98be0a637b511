//! DynamoDB: what a transaction comes to when it arrives. The conditions are the relay's own functions.

use lendswift_relay::claim::{
    conditions::{LeadItem, Recorded, may_claim_lead, may_release_lead, may_settle_lead},
    protocol::{Busy, Reply},
};

use super::{
    mutant::Mutant,
    rules::Rules,
    state::{Found, Id, Request, State, Token},
};

/// Before the first window's end, and after it.
const NOW: [i64; 2] = [5, 15];
/// When the items expire that are written then.
const EXPIRES: [i64; 2] = [10, 20];

impl Rules {
    /// A request arrives. `None`: its conditions hold, and it is done by [`write`], now or later.
    pub fn arrive(&self, state: &mut State, id: Id, request: Request) -> Option<Reply<Found>> {
        if let Some(reply) = self.by_token(state, id, request) {
            return Some(reply);
        }
        if request == Request::Void {
            return None;
        }
        if state.locked_by.is_some() {
            cancel(state, id, request);
            return Some(Reply::Busy(Busy::LeadConflict));
        }
        if self.may(state, id, request) {
            return None;
        }
        cancel(state, id, request);
        state.item.as_ref().map(|item| Reply::Refused(found(item)))
    }

    /// What DynamoDB says by the token alone.
    fn by_token(&self, state: &State, id: Id, request: Request) -> Option<Reply<Found>> {
        let has_no_tokens = matches!(self.mutant, Some(Mutant::RetryUnderNewToken | Mutant::ClaimIgnoresOutcomeOfOwn));
        if !request.has_token() || has_no_tokens {
            return None;
        }
        match state.claims[usize::from(id)].token {
            Token::Done(done) if done == request => Some(Reply::Done),
            Token::Done(_) => Some(Reply::Mismatch),
            Token::Running(running) if running != request && self.aws.mismatch_while_running => Some(Reply::Mismatch),
            // `TransactionInProgressException`, which the table reports as doubt.
            Token::Running(_) => Some(Reply::InDoubt),
            Token::Cancelled(cancelled) if cancelled != request && self.aws.remembers_cancelled => {
                Some(Reply::Mismatch)
            }
            Token::Cancelled(_) | Token::Unused => None,
        }
    }

    /// Whether the request's conditions hold.
    fn may(&self, state: &State, id: Id, request: Request) -> bool {
        let item = state.item.as_ref();
        let is_own = item.is_some_and(|item| item.claim == Some(id));
        let is_open = item.is_some_and(|item| item.outcome == Recorded::Nothing);
        let now = NOW[usize::from(state.claims[usize::from(id)].second_window)];
        match (request, self.mutant) {
            (Request::Claim, Some(Mutant::ClaimIgnoresOutcomeOfOwn))
            | (Request::Release, Some(Mutant::ReleaseIgnoresOutcome))
                if is_own =>
            {
                true
            }
            (Request::Release, Some(Mutant::ReleaseByLead)) if is_open => true,
            (Request::SettleAccepted | Request::SettleUnknown, Some(Mutant::SettleByLead)) => item.is_some(),
            (Request::Claim, _) => may_claim_lead(item, &id, now),
            (Request::Void, _) => true,
            (Request::Release, _) => may_release_lead(item, &id),
            (Request::SettleAccepted, _) => may_settle_lead(item, &id, Recorded::Accepted),
            (Request::SettleUnknown, _) => may_settle_lead(item, &id, Recorded::Unknown),
        }
    }
}

/// A request whose conditions hold is written.
pub fn write(state: &mut State, id: Id, request: Request) {
    match request {
        Request::Claim => {
            let expires = EXPIRES[usize::from(state.claim(id).second_window)];
            state.item = Some(LeadItem { claim: Some(id), outcome: Recorded::Nothing, expires: Some(expires) });
        }
        Request::Void => {}
        Request::Release => state.item = None,
        Request::SettleAccepted => settle(state, Recorded::Accepted),
        Request::SettleUnknown => settle(state, Recorded::Unknown),
    }
    if request.has_token() {
        state.claim(id).token = Token::Done(request);
    }
    unlock(state, id, request);
}

/// A request whose conditions hold begins to run.
pub fn run(state: &mut State, id: Id, request: Request) {
    if request != Request::Void {
        state.locked_by = Some((id, request));
    }
    if request.has_token() {
        state.claim(id).token = Token::Running(request);
    }
}

/// A transaction is cancelled: nothing is written.
pub fn cancel(state: &mut State, id: Id, request: Request) {
    if request.has_token() {
        state.claim(id).token = Token::Cancelled(request);
    }
    unlock(state, id, request);
}

fn unlock(state: &mut State, id: Id, request: Request) {
    state.locked_by = state.locked_by.filter(|by| *by != (id, request));
}

pub fn settle(state: &mut State, outcome: Recorded) {
    if let Some(item) = &mut state.item {
        item.outcome = outcome;
    }
}

fn found(item: &LeadItem<Id>) -> Found {
    Found { claim: item.claim.unwrap_or_default(), outcome: item.outcome }
}
