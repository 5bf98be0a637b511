//! The relay: one lead, from the door to AI Rudder.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aws_config::SdkConfig;
use bytes::Bytes;
use tokio::{join, time::timeout};
use tracing::{Span, record_all};

use crate::{
    account::{Account, Accounts},
    answer::{Answer, Problem},
    budget::{self, Budget, CONNECT_AT_START_LIMIT, TooLittleTime},
    claim::{Claim, Claimed, IdempotencyKey, Known, Ledger},
    clock::Clock,
    config::Config,
    door::Post,
    gateway::Request,
    lead::Reading,
    log, metrics,
    rudder::{Push, PushError, Rudder, SendDeadlines, Verdict, payload},
    tls::ClientError,
    unix_time,
};

/// The relay with all its clients. Made once, shared by all requests.
#[derive(Debug)]
pub struct Relay {
    accounts: Accounts,
    ledger: Ledger,
    rudder: Rudder,
    push_limit: Duration,
    clock: Clock,
    code_labels: metrics::CodeLabels,
    /// Whether a request has come already.
    warm: AtomicBool,
}

/// One request's way through the relay: who it is, how long it may take, and how far it has come.
#[derive(Debug)]
pub struct Course {
    request_id: String,
    budget: Budget,
    claiming: AtomicBool,
}

impl Course {
    /// The way of a request that begins now.
    #[must_use]
    pub fn new(request_id: String, budget: Budget) -> Self {
        Self { request_id, budget, claiming: AtomicBool::new(false) }
    }

    /// API Gateway's id of it.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Whether the lead was perhaps claimed. Without an answer, nobody may say any more that it was not sent.
    #[must_use]
    pub fn may_have_claimed(&self) -> bool {
        self.claiming.load(Ordering::Relaxed)
    }

    /// Notes that from here on it may have been.
    pub(crate) fn claiming(&self) {
        self.claiming.store(true, Ordering::Relaxed);
    }
}

impl Relay {
    /// The relay as configured, with the AWS that `aws` reaches, on these clocks.
    pub fn new(config: &Config, aws: &SdkConfig, clock: Clock) -> Result<Self, ClientError> {
        Ok(Self {
            accounts: Accounts::new(config, aws, clock),
            ledger: Ledger::new(config, aws, clock),
            rudder: Rudder::new(&config.upstream, clock)?,
            push_limit: config.upstream.timeout,
            clock,
            code_labels: metrics::CodeLabels::new(config.upstream.codes.clone()),
            warm: AtomicBool::new(false),
        })
    }

    /// Makes the connections to AWS that the first lead would wait for, and looks AI Rudder up. Whatever can't be had in a
    /// second is left to that lead, and its sender is told.
    pub async fn connect(&self) {
        let all = async { join!(self.accounts.connect(), self.ledger.connect(), self.rudder.look_up()) };
        let _ = timeout(CONNECT_AT_START_LIMIT, all).await;
    }

    /// The clocks that it goes by.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Whether this is the first time that this is asked: a process answers its first request after a cold start.
    pub(crate) fn is_cold(&self) -> bool {
        !self.warm.swap(true, Ordering::Relaxed)
    }

    /// Handles one request: the door, authenticate, read, claim, push, settle, answer.
    pub async fn handle(&self, request: Request, course: &Course) -> Answer {
        self.relay(request, course).await.unwrap_or_else(Answer::from)
    }

    async fn relay(&self, request: Request, course: &Course) -> Result<Answer, Problem> {
        let post = Post::admit(request)?;
        let span = Span::current();
        span.record("key", post.key.short_digest());
        // What is too late to be sent is not worth asking Secrets Manager for.
        course.budget.for_push(self.push_limit, self.clock.now())?;
        let account = self.accounts.authenticate(&post.account, post.key, course.budget.answer_from()).await?;
        metrics::opened(account.source());
        let body = post.body?;
        let Reading { lead, ignored } = Reading::of(&body)?;
        span.record("ignored_fields", ignored.count());
        let payload = lead.map(|lead| Bytes::from(payload(&lead)));
        // Not kept for as long as AI Rudder takes.
        drop(body);
        let answer = match payload {
            Ok(payload) => self.send_once(&account, payload, post.idempotency_key.as_ref(), course).await,
            Err(faults) => Err(Problem::InvalidLead(faults)),
        };
        Ok(answer.unwrap_or_else(Answer::from).ignoring(&ignored))
    }

    /// Sends a lead that is in order, unless it was sent before.
    async fn send_once(
        &self,
        account: &Account,
        payload: Bytes,
        key: Option<&IdempotencyKey>,
        course: &Course,
    ) -> Result<Answer, Problem> {
        let budget = course.budget;
        budget.for_push(self.push_limit, self.clock.now())?;
        let claim = Claim::new(account.id(), &payload, key, &course.request_id, budget.lease());
        course.claiming();
        let claimed = self.ledger.claim(claim, budget).await;
        let close_left = self.ledger.close_left(budget);
        match claimed {
            Ok(Claimed::Ours(claim)) => {
                let closed = async {
                    let sent = self.send(account, &payload, &claim, budget).await;
                    self.close(&claim, sent.unwrap_or_else(Answer::from), course).await
                };
                Ok(join!(closed, close_left).0)
            }
            Ok(Claimed::Known(known)) => {
                close_left.await;
                // An older version of the relay kept envelopes that quote the token.
                self::known(known).map(|answer| answer.withholding(account.token()))
            }
            Err(error) => {
                close_left.await;
                Err(error.into())
            }
        }
    }

    /// Sends a lead that is claimed.
    async fn send(&self, account: &Account, payload: &Bytes, claim: &Claim, budget: Budget) -> Result<Answer, Problem> {
        let begun = self.clock.now();
        let deadlines = SendDeadlines { until: budget.for_push(self.push_limit, begun)?, lease: claim.lease() };
        let pushed = self.push(account, payload, deadlines).await;
        note_push(&pushed, log::milliseconds(begun, self.clock.now()));
        if let Some(code) = pushed.as_ref().ok().and_then(Push::own_code) {
            metrics::own_code(&self.code_labels, code);
        }
        Ok(pushed?.into())
    }

    /// Pushes, and once more where AI Rudder refused a token that has been replaced meanwhile.
    async fn push(&self, account: &Account, payload: &Bytes, deadlines: SendDeadlines) -> Result<Push, PushError> {
        let push = self.rudder.push(account.token(), payload, deadlines).await?;
        if push.verdict != Verdict::TokenRefused {
            return Ok(push);
        }
        match self.accounts.with_new_token(account, deadlines.until).await {
            Some(renewed) if budget::is_enough(deadlines.until, self.clock.now()) => {
                let push = self.rudder.push(renewed.token(), payload, deadlines).await?;
                // The refused one may still be valid elsewhere.
                Ok(push.withholding(account.token()))
            }
            _ => Ok(push),
        }
    }

    /// Settles the claim with the answer, or releases it where nobody was called. The answer goes out in any case: a claim
    /// that can't be settled stays, and still keeps the lead from being sent again.
    async fn close(&self, claim: &Claim, answer: Answer, course: &Course) -> Answer {
        let (answer, settled) = answer.settled(&course.request_id, unix_time::seconds(self.clock.wall()));
        match settled {
            Some(settled) => self.ledger.settle(claim, &settled, course.budget).await,
            None => self.ledger.release(claim, course.budget).await,
        }
        answer
    }
}

/// The answer about a lead that was claimed before.
fn known(known: Known) -> Result<Answer, Problem> {
    match known {
        Known::Answered(settled) => Ok(settled.into()),
        Known::InProgress => Err(Problem::InProgress),
        Known::Interrupted(request_id) => Err(Problem::Interrupted(request_id)),
        Known::KeyReused => Err(Problem::IdempotencyKeyReused),
        Known::Unreadable => {
            Err(Problem::Internal { may_have_sent: true, cause: "the lead's item in the ledger can't be read" })
        }
    }
}

/// Puts AI Rudder's last word on a lead into its line of the log.
fn note_push(pushed: &Result<Push, PushError>, milliseconds: u64) {
    metrics::pushed(milliseconds);
    let push = pushed.as_ref().ok();
    let span = Span::current();
    record_all!(
        span,
        upstream_ms = milliseconds,
        upstream_status = push.map(|push| push.status),
        upstream_code = push.and_then(|push| push.body.code().for_logs()),
        upstream_trace_id = push.and_then(|push| push.body.trace_id()),
    );
}

impl From<TooLittleTime> for Problem {
    fn from(error: TooLittleTime) -> Self {
        Self::TemporarilyUnavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws;

    #[tokio::test]
    async fn ai_rudder_is_looked_up_at_the_start_whoever_else_is_out_of_reach() {
        let config = Config::read(|variable| match variable {
            "CLAIMS_TABLE" => Some("off".into()),
            "AWS_REGION" => Some("us-east-1".into()),
            "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:1".into()),
            "UPSTREAM_BASE_URL" => Some("http://localhost:1/push".into()),
            _ => None,
        });
        let config = config.unwrap();
        let relay = Relay::new(&config, &aws::sdk_config(&config.aws).unwrap(), Clock::SYSTEM).unwrap();
        assert!(!relay.rudder.knows_its_address());
        relay.connect().await;
        assert!(relay.rudder.knows_its_address());
    }
}
