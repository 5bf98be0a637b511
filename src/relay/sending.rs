//! What happens to a claimed lead: it is pushed, and its claim is settled or released.

use std::{
    future::{Ready, ready},
    pin::pin,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use tracing::{Span, record_all};

use super::{Outgoing, Relay, RequestContext};
use crate::{
    account::{Account, AccountId, Destination},
    answer::{Answer, Problem},
    budget::{self, Budget, InsufficientTime},
    claim::Claim,
    rudder::{Permit, Push, PushError, Token, Verdict},
    telemetry::{log::elapsed_ms, metrics},
    unix_time,
};

/// Runs a claim, and meanwhile as much of the sending as needs no claim. Returns the rest of the sending.
pub(super) async fn claim_first<C, S: Future + Unpin>(
    claim: impl Future<Output = C>,
    sending: S,
) -> (C, Either<S, Ready<S::Output>>) {
    match select(pin!(claim), sending).await {
        Either::Left((claimed, sending)) => (claimed, Either::Left(sending)),
        Either::Right((sent, claim)) => (claim.await, Either::Right(ready(sent))),
    }
}

impl Relay {
    /// Allows a claimed lead to be sent. `Err` if less than the minimum time for a push is left.
    pub(super) fn grant(&self, permit: &Permit, budget: Budget) -> Result<(), InsufficientTime> {
        let now = self.clock.now();
        permit.grant(now, budget.push_until(self.push_limit, now)?);
        Ok(())
    }

    /// Sends a lead once its permit is granted. Until then it opens a connection.
    pub(super) async fn send(
        &self,
        account: &Account,
        lead: &Outgoing,
        permit: &Arc<Permit>,
    ) -> Result<Answer, Problem> {
        let Destination::AiRudder(token) = account.destination() else {
            return Ok(lead.scenario.push(permit.granted().await, self.clock).await?.into());
        };
        let pushed = self.push(account.id(), token, &lead.payload, permit).await;
        record_push(&pushed, elapsed_ms(permit.granted().await.since, self.clock.now()));
        if let Some(code) = pushed.as_ref().ok().and_then(Push::own_code) {
            metrics::count_own_code(&self.code_labels, code);
        }
        Ok(pushed?.into())
    }

    /// Pushes the lead, and once more if AI Rudder refused a token that has been replaced in the meantime.
    async fn push(
        &self,
        account: &AccountId,
        token: &Token,
        payload: &Bytes,
        permit: &Arc<Permit>,
    ) -> Result<Push, PushError> {
        let push = self.rudder.push(token, payload, permit).await?;
        if push.verdict != Verdict::TokenRefused {
            return Ok(push);
        }
        let until = permit.granted().await.until;
        match self.accounts.find_new_token(account, token, until).await {
            Some(new) if budget::is_enough_for_push(until, self.clock.now()) => {
                let push = self.rudder.push(&new, payload, permit).await?;
                // The refused token may still be valid elsewhere, so it is withheld too.
                Ok(push.without_token(token))
            }
            _ => Ok(push),
        }
    }

    /// Settles the claim with the answer, or releases it if nobody was called. The caller gets the answer in any case: a claim
    /// that cannot be settled remains, and still prevents a second push.
    pub(super) async fn close(&self, claim: &Claim, answer: Answer, context: &RequestContext) -> Answer {
        let (answer, settled) = answer.finalize(context.request_id(), unix_time::seconds(self.clock.wall()));
        match settled {
            Some(settled) => self.ledger.settle(claim, &settled, context.budget()).await,
            None => self.ledger.release(claim, context.budget()).await,
        }
        answer
    }
}

/// Records AI Rudder's response in the request's log line.
fn record_push(pushed: &Result<Push, PushError>, elapsed_ms: u64) {
    metrics::record_push(elapsed_ms);
    let push = pushed.as_ref().ok();
    let span = Span::current();
    record_all!(
        span,
        upstream_ms = elapsed_ms,
        upstream_status = push.map(|push| push.status),
        upstream_code = push.and_then(|push| push.body.code().loggable()),
        upstream_trace_id = push.and_then(|push| push.body.trace_id()),
    );
}
