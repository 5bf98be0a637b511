//! DynamoDB: the result of each transaction that arrives. The conditions are the relay's own functions.

use lendswift_relay::claim::{
    conditions::{
        KeyItem, LeadItem, RecordedOutcome, may_claim_key, may_claim_lead, may_release_key, may_release_lead,
        may_settle_lead,
    },
    protocol::{Reply, TransientError},
};

use super::{
    mutant::Mutant,
    scenario::{OncePerPhone, Scenario},
    state::{Found, Id, Lead, PHONE, Push, RecentCall, Request, State, Token},
};

/// A second before the first period ends, and one after.
const NOW: [i64; 2] = [5, 15];
/// When items that are written at those seconds expire.
const EXPIRES: [i64; 2] = [10, 20];
/// After all of that.
const LONG_AFTER: i64 = 100;

impl Scenario {
    /// A request arrives. `None`: its conditions hold, and the caller applies it with [`Scenario::write`], now or later.
    pub fn arrive(&self, state: &mut State, id: Id, request: Request) -> Option<Reply<Found>> {
        if let Some(reply) = self.reply_by_token(state, id, request) {
            return Some(reply);
        }
        let items = self.items(id, request);
        let reply = if let Some(locked) = items.clone().find(|item| state.locks[*item].is_some()) {
            let is_key = locked == PHONE && self.mutant != Some(Mutant::PhoneConflictIsInProgress);
            Reply::Transient(if is_key { TransientError::KeyConflict } else { TransientError::LeadConflict })
        } else {
            // The relay interprets the lead's item first.
            let mut failed = items.filter_map(|item| self.conflicting(state, id, request, item));
            let is_reversed = self.mutant == Some(Mutant::PhoneBeforeLead);
            Reply::ConditionFailed(if is_reversed { failed.last()? } else { failed.next()? })
        };
        cancel(state, id, request);
        Some(reply)
    }

    /// The items that a request writes, as indices of [`State::locks`]: the lead's, and the phone number's.
    fn items(&self, id: Id, request: Request) -> impl Iterator<Item = usize> + Clone + use<> {
        let lead = usize::from(self.lead(id));
        let writes_lead = !matches!(request, Request::Void | Request::ClaimPhone);
        let items = [writes_lead.then_some(lead), self.writes_phone(request).then_some(PHONE)];
        items.into_iter().flatten()
    }

    fn writes_phone(&self, request: Request) -> bool {
        let is_separate = matches!(
            self.mutant,
            Some(Mutant::PhoneNotClaimed | Mutant::PhoneClaimedBefore | Mutant::PhoneClaimedAfter)
        );
        self.once_per_phone != OncePerPhone::Off
            && match request {
                Request::Claim => !is_separate,
                Request::Release => self.mutant != Some(Mutant::ReleaseKeepsPhone),
                Request::ClaimPhone => true,
                _ => false,
            }
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

    /// The item, if it makes the request's condition for it fail.
    fn conflicting(&self, state: &State, id: Id, request: Request, item: usize) -> Option<Found> {
        if item == PHONE {
            let by = state.phone.as_ref()?.lead?;
            let call = RecentCall { by, is_own_lead_called: self.is_lead_called(state, id) };
            return (!self.may_write_phone(state, id, request)).then_some(Found::Phone(call));
        }
        // Settling fails without an item too. Here it is done and changes nothing, and its sender closes the claim either way.
        let item = state.items[item].as_ref()?;
        let found = Found::Lead { claim: item.claim.unwrap_or_default(), outcome: item.outcome };
        (!self.may_write_lead(state, id, request)).then_some(found)
    }

    /// Whether the request's condition for the lead's item holds.
    fn may_write_lead(&self, state: &State, id: Id, request: Request) -> bool {
        let item = state.item(self.lead(id));
        let is_own = item.is_some_and(|item| item.claim == Some(id));
        let is_open = item.is_some_and(|item| item.outcome == RecordedOutcome::Absent);
        let is_release = matches!(request, Request::Release | Request::ReleaseLead);
        match (request, self.mutant) {
            (Request::Claim, Some(Mutant::ClaimOverwritesOutcome)) if is_own => true,
            (_, Some(Mutant::ReleaseIgnoresOutcome)) if is_release && is_own => true,
            (_, Some(Mutant::ReleaseIgnoresClaimId)) if is_release && is_open => true,
            (Request::SettleAccepted | Request::SettleUnknown, Some(Mutant::SettleIgnoresClaimId)) => item.is_some(),
            (Request::Claim, _) => may_claim_lead(item, &id, now(state, id)),
            (Request::Void | Request::ClaimPhone, _) => true,
            (Request::Release | Request::ReleaseLead, _) => may_release_lead(item, &id),
            (Request::SettleAccepted, _) => may_settle_lead(item, &id, RecordedOutcome::Accepted),
            (Request::SettleUnknown, _) => may_settle_lead(item, &id, RecordedOutcome::Unknown),
        }
    }

    /// Whether the request's condition for the phone number's item holds.
    fn may_write_phone(&self, state: &State, id: Id, request: Request) -> bool {
        let (phone, lead) = (state.phone.as_ref(), self.lead(id));
        match request {
            Request::Release => self.mutant == Some(Mutant::ReleaseIgnoresPhoneLead) || may_release_key(phone, &lead),
            _ => may_claim_key(phone, &lead, now(state, id)),
        }
    }

    /// Whether AI Rudder has the lead of this claim or may still receive it, in the claim's duplicate window.
    fn is_lead_called(&self, state: &State, id: Id) -> bool {
        let mut others = self.posts().filter(|other| self.lead(*other) == self.lead(id));
        others.any(|other| {
            let is_recent = self.once_per_phone == OncePerPhone::Shorter || now(state, other) == now(state, id);
            is_recent && matches!(state.claims[usize::from(other)].push, Push::InTransit | Push::Accepted)
        })
    }

    /// Applies a request whose conditions hold.
    pub fn write(&self, state: &mut State, id: Id, request: Request) {
        let lead = usize::from(self.lead(id));
        match request {
            Request::Claim => {
                let expires = Some(self.lead_expires(state, id));
                state.items[lead] = Some(LeadItem { claim: Some(id), outcome: RecordedOutcome::Absent, expires });
            }
            Request::Void | Request::ClaimPhone => {}
            Request::Release | Request::ReleaseLead => state.items[lead] = None,
            Request::SettleAccepted => settle(state, self.lead(id), RecordedOutcome::Accepted),
            Request::SettleUnknown => settle(state, self.lead(id), RecordedOutcome::Unknown),
        }
        if self.writes_phone(request) {
            let expires = Some(EXPIRES[usize::from(state.claim(id).second_window)]);
            let item = KeyItem { lead: Some(self.lead(id)), expires };
            state.phone = (request != Request::Release).then_some(item);
        }
        if request.has_token() {
            state.claim(id).token = Token::Done(request);
        }
        unlock(state, id, request);
    }

    /// While a lead has its phone number, its own item does not expire.
    fn lead_expires(&self, state: &State, id: Id) -> i64 {
        match self.once_per_phone {
            OncePerPhone::Shorter => LONG_AFTER,
            OncePerPhone::Off | OncePerPhone::AsLongAsLead => {
                EXPIRES[usize::from(state.claims[usize::from(id)].second_window)]
            }
        }
    }

    /// Starts a request whose conditions hold.
    pub fn run(&self, state: &mut State, id: Id, request: Request) {
        for item in self.items(id, request) {
            state.locks[item] = Some((id, request));
        }
        if request.has_token() {
            state.claim(id).token = Token::Running(request);
        }
    }
}

/// Cancels an attempt that does not run: nothing is written.
pub fn cancel(state: &mut State, id: Id, request: Request) {
    if request.has_token() {
        state.claim(id).token = Token::Cancelled(request);
    }
}

/// Cancels a transaction that runs.
pub fn cancel_running(state: &mut State, id: Id, request: Request) {
    cancel(state, id, request);
    unlock(state, id, request);
}

fn unlock(state: &mut State, id: Id, request: Request) {
    for lock in &mut state.locks {
        *lock = lock.filter(|by| *by != (id, request));
    }
}

pub fn settle(state: &mut State, lead: Lead, outcome: RecordedOutcome) {
    if let Some(item) = &mut state.items[usize::from(lead)] {
        item.outcome = outcome;
    }
}

/// The time at which a claim's post started.
fn now(state: &State, id: Id) -> i64 {
    NOW[usize::from(state.claims[usize::from(id)].second_window)]
}
