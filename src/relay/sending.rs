//! What happens to a claimed lead: it is pushed, and its claim is settled or released.

use bytes::Bytes;
use tracing::{Span, record_all};

use super::{Outgoing, Relay, RequestContext};
use crate::{
    account::{Account, AccountId, Destination},
    answer::{Answer, Problem},
    budget::{self, Budget},
    claim::Claim,
    rudder::{Push, PushError, SendDeadlines, Token, Verdict},
    telemetry::{log::elapsed_ms, metrics},
    unix_time,
};

impl Relay {
    /// Sends a claimed lead.
    pub(super) async fn send(
        &self,
        account: &Account,
        lead: &Outgoing,
        claim: &Claim,
        budget: Budget,
    ) -> Result<Answer, Problem> {
        let begun = self.clock.now();
        let deadlines = SendDeadlines { until: budget.push_until(self.push_limit, begun)?, lease: claim.lease() };
        let Destination::AiRudder(token) = account.destination() else {
            return Ok(lead.scenario.push(deadlines, self.clock).await?.into());
        };
        let pushed = self.push(account.id(), token, &lead.payload, deadlines).await;
        record_push(&pushed, elapsed_ms(begun, self.clock.now()));
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
        deadlines: SendDeadlines,
    ) -> Result<Push, PushError> {
        let push = self.rudder.push(token, payload, deadlines).await?;
        if push.verdict != Verdict::TokenRefused {
            return Ok(push);
        }
        match self.accounts.find_new_token(account, token, deadlines.until).await {
            Some(new) if budget::is_enough_for_push(deadlines.until, self.clock.now()) => {
                let push = self.rudder.push(&new, payload, deadlines).await?;
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
