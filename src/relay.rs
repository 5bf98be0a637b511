//! The relay: one lead, from admission to AI Rudder.

mod context;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::{join, time::timeout};
use tracing::{Span, record_all};

pub use self::context::RequestContext;
use crate::{
    account::{Account, Accounts},
    admission::{NotBase64, Submission},
    answer::{Answer, Problem},
    aws::Aws,
    budget::{self, Budget, CONNECT_AT_START_LIMIT, InsufficientTime},
    claim::{Claim, Claimed, IdempotencyKey, Known, Ledger},
    clock::Clock,
    config::Config,
    lead::ParsedLead,
    request::Request,
    rudder::{Push, PushError, Rudder, SendDeadlines, Verdict, payload},
    telemetry::{
        log::{LogText, elapsed_ms},
        metrics,
    },
    tls::ClientError,
    unix_time,
};

/// The relay with all its clients. Created once and shared by all requests.
#[derive(Debug)]
pub struct Relay {
    aws: Aws,
    accounts: Accounts,
    ledger: Ledger,
    rudder: Rudder,
    push_limit: Duration,
    clock: Clock,
    code_labels: metrics::CodeLabels,
    /// Whether this process has already served a request.
    warm: AtomicBool,
}

impl Relay {
    /// Creates the relay and its clients. `Err` if TLS or HTTP cannot be set up.
    pub fn new(config: &Config, aws: Aws, clock: Clock) -> Result<Self, ClientError> {
        Ok(Self {
            accounts: Accounts::new(config, &aws.sdk, clock),
            ledger: Ledger::new(config, &aws.sdk, clock),
            aws,
            rudder: Rudder::new(&config.upstream, clock)?,
            push_limit: config.upstream.timeout,
            clock,
            code_labels: metrics::CodeLabels::new(config.upstream.codes.clone()),
            warm: AtomicBool::new(false),
        })
    }

    /// Opens the connections to AWS that the first lead would otherwise wait for, and looks up AI Rudder's address. After
    /// `CONNECT_AT_START_LIMIT` it gives up, and the first lead opens the rest.
    pub async fn connect(&self) {
        let all = async { join!(self.aws.connect(), self.rudder.look_up()) };
        let _ = timeout(CONNECT_AT_START_LIMIT, all).await;
    }

    /// The clock that all parts use.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// True on the first call only: that request waited for the cold start.
    pub(crate) fn take_cold_start(&self) -> bool {
        !self.warm.swap(true, Ordering::Relaxed)
    }

    /// Handles one request: admit, authenticate, parse, claim, push, settle, respond.
    pub async fn handle(&self, request: Request, context: &RequestContext) -> Answer {
        self.try_handle(request, context).await.unwrap_or_else(Answer::from)
    }

    async fn try_handle(&self, request: Request, context: &RequestContext) -> Result<Answer, Problem> {
        let submission = Submission::from_request(request)?;
        let span = Span::current();
        span.record("key", submission.key.short_digest());
        // Fail fast: Secrets Manager is not called if no time is left to push.
        self.ensure_time_to_push(context)?;
        let account =
            self.accounts.authenticate(&submission.account, submission.key, context.budget().work_until()).await?;
        metrics::count_secret_source(account.source());
        let body = submission.body?;
        let ParsedLead { lead, ignored } = ParsedLead::parse(&body)?;
        span.record("ignored_fields", ignored.count());
        let payload = lead.map(|lead| Bytes::from(payload(&lead)));
        // Free the body before the push, which may take seconds.
        drop(body);
        let answer = match payload {
            Ok(payload) => self.send_once(&account, payload, submission.idempotency_key.as_ref(), context).await,
            Err(faults) => Err(Problem::InvalidLead(faults)),
        };
        Ok(answer.unwrap_or_else(Answer::from).with_ignored_fields(&ignored))
    }

    /// Sends a valid lead, unless it was claimed before.
    async fn send_once(
        &self,
        account: &Account,
        payload: Bytes,
        key: Option<&IdempotencyKey>,
        context: &RequestContext,
    ) -> Result<Answer, Problem> {
        self.ensure_time_to_push(context)?;
        let budget = context.budget();
        let claim = Claim::new(account.id(), &payload, key, context.request_id(), budget.lease());
        context.mark_claiming();
        let claimed = self.ledger.claim(claim, budget).await;
        let close_left = self.ledger.close_left_claims(budget);
        match claimed {
            Ok(Claimed::Ours(claim)) => {
                let closed = async {
                    let sent = self.send(account, &payload, &claim, budget).await;
                    self.close(&claim, sent.unwrap_or_else(Answer::from), context).await
                };
                Ok(join!(closed, close_left).0)
            }
            Ok(Claimed::Known(known)) => {
                close_left.await;
                // Versions before 0.2.0 may have stored an envelope that quotes the token.
                answer_for_known(known).map(|answer| answer.without_token(account.token()))
            }
            Err(error) => {
                close_left.await;
                Err(error.into())
            }
        }
    }

    /// Sends a claimed lead.
    async fn send(&self, account: &Account, payload: &Bytes, claim: &Claim, budget: Budget) -> Result<Answer, Problem> {
        let begun = self.clock.now();
        let deadlines = SendDeadlines { until: budget.push_until(self.push_limit, begun)?, lease: claim.lease() };
        let pushed = self.push(account, payload, deadlines).await;
        record_push(&pushed, elapsed_ms(begun, self.clock.now()));
        if let Some(code) = pushed.as_ref().ok().and_then(Push::own_code) {
            metrics::count_own_code(&self.code_labels, code);
        }
        Ok(pushed?.into())
    }

    /// `Err` if less than the minimum time for a push is left.
    fn ensure_time_to_push(&self, context: &RequestContext) -> Result<(), InsufficientTime> {
        context.budget().push_until(self.push_limit, self.clock.now()).map(|_| ())
    }

    /// Pushes the lead, and once more if AI Rudder refused a token that has been replaced in the meantime.
    async fn push(&self, account: &Account, payload: &Bytes, deadlines: SendDeadlines) -> Result<Push, PushError> {
        let push = self.rudder.push(account.token(), payload, deadlines).await?;
        if push.verdict != Verdict::TokenRefused {
            return Ok(push);
        }
        match self.accounts.find_new_token(account, deadlines.until).await {
            Some(renewed) if budget::is_enough_for_push(deadlines.until, self.clock.now()) => {
                let push = self.rudder.push(renewed.token(), payload, deadlines).await?;
                // The refused token may still be valid elsewhere, so it is withheld too.
                Ok(push.without_token(account.token()))
            }
            _ => Ok(push),
        }
    }

    /// Settles the claim with the answer, or releases it if nobody was called. The caller gets the answer in any case: a claim
    /// that cannot be settled remains, and still prevents a second push.
    async fn close(&self, claim: &Claim, answer: Answer, context: &RequestContext) -> Answer {
        let (answer, settled) = answer.finalize(context.request_id(), unix_time::seconds(self.clock.wall()));
        match settled {
            Some(settled) => self.ledger.settle(claim, &settled, context.budget()).await,
            None => self.ledger.release(claim, context.budget()).await,
        }
        answer
    }
}

/// The answer to a request for a lead that it may not send.
fn answer_for_known(known: Known) -> Result<Answer, Problem> {
    match known {
        Known::Settled(settled) => Ok(settled.into()),
        Known::InProgress => Err(Problem::InProgress),
        Known::Interrupted(request_id) => Err(Problem::Interrupted(request_id)),
        Known::KeyReused => Err(Problem::IdempotencyKeyReused),
        Known::Unreadable => Err(Problem::FailedAfterClaim("the lead's item in the ledger can't be read")),
    }
}

/// Records the push and AI Rudder's response, in the metrics and in the request's log line.
fn record_push(pushed: &Result<Push, PushError>, upstream_ms: u64) {
    metrics::record_push(upstream_ms);
    let push = pushed.as_ref().ok();
    let span = Span::current();
    record_all!(
        span,
        upstream_ms = upstream_ms,
        upstream_status = push.map(|push| push.status),
        upstream_code = push.and_then(|push| push.body.code().loggable()),
        upstream_trace_id = push.and_then(|push| push.body.trace_id()),
    );
}

impl From<NotBase64> for Problem {
    fn from(NotBase64: NotBase64) -> Self {
        Self::MalformedBase64
    }
}

impl From<InsufficientTime> for Problem {
    fn from(error: InsufficientTime) -> Self {
        Self::TemporarilyUnavailable(LogText::from_error(&error))
    }
}

#[cfg(test)]
mod tests;
