//! The relay: one lead, from the door to AI Rudder.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use bytes::Bytes;
use tokio::{
    join,
    time::{Instant, timeout},
};
use tracing::{Span, record_all};

use crate::{
    account::{Account, Accounts},
    answer::{Answer, Problem},
    budget::{self, Budget, TooLittleTime},
    claim::{Claim, Claimed, Ledger},
    clock::Clock,
    config::Config,
    door::{IdempotencyKey, Post},
    gateway::Request,
    lead::Reading,
    log, metrics,
    rudder::{Envelope, Push, PushError, Rudder, Verdict, Window, payload},
    tls::ClientError,
    unix_time,
};

/// What connecting and looking up at the start get: Lambda bills the time before the first lead as well.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// The relay with all its clients. Made once, shared by all requests.
#[derive(Debug)]
pub struct Relay {
    accounts: Accounts,
    ledger: Ledger,
    rudder: Rudder,
    push_limit: Duration,
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
    /// The relay as configured, with the AWS that `aws` reaches.
    pub fn new(config: &Config, aws: &SdkConfig) -> Result<Self, ClientError> {
        Ok(Self {
            accounts: Accounts::new(config, aws, Clock::SYSTEM),
            ledger: Ledger::new(config, aws),
            rudder: Rudder::new(&config.upstream)?,
            push_limit: config.upstream.timeout,
            warm: AtomicBool::new(false),
        })
    }

    /// Makes the connections to AWS that the first lead would wait for, and looks AI Rudder up. Whatever can't be had in a
    /// second is left to that lead, and its sender is told.
    pub async fn connect(&self) {
        let all = async { join!(self.accounts.connect(), self.ledger.connect(), self.rudder.look_up()) };
        let _ = timeout(CONNECT_LIMIT, all).await;
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
        course.budget.for_push(self.push_limit)?;
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
        budget.for_push(self.push_limit)?;
        let claim = Claim::draw(account.id(), &payload, key, &course.request_id, budget.lease_until());
        course.claiming();
        match self.ledger.claim(claim, budget).await? {
            Claimed::Ours(claim) => {
                let answer = self.send(account, &payload, &claim, budget).await.unwrap_or_else(Answer::from);
                Ok(self.close(&claim, answer, course).await)
            }
            Claimed::Answered(settled) => Ok(settled.into()),
            Claimed::InProgress => Err(Problem::InProgress),
            Claimed::Interrupted(request_id) => Err(Problem::Interrupted(request_id)),
            Claimed::KeyReused => Err(Problem::IdempotencyKeyReused),
            Claimed::Unreadable => {
                Err(Problem::Internal { may_have_sent: true, cause: "the lead's item in the ledger can't be read" })
            }
        }
    }

    /// Sends a lead that is claimed.
    async fn send(&self, account: &Account, payload: &Bytes, claim: &Claim, budget: Budget) -> Result<Answer, Problem> {
        let window = Window { until: budget.for_push(self.push_limit)?, lease_until: claim.lease_until() };
        let begun = Instant::now();
        let pushed = self.push(account, payload, window).await;
        note_push(&pushed, begun);
        Ok(pushed?.into())
    }

    /// Pushes, and once more where AI Rudder refused a token that has been replaced meanwhile.
    async fn push(&self, account: &Account, payload: &Bytes, window: Window) -> Result<Push, PushError> {
        let push = self.rudder.push(account.token(), payload, window).await?;
        if push.verdict != Verdict::TokenRefused {
            return Ok(push);
        }
        match self.accounts.with_new_token(account, window.until).await {
            Some(renewed) if budget::is_enough(window.until) => {
                self.rudder.push(renewed.token(), payload, window).await
            }
            _ => Ok(push),
        }
    }

    /// Settles the claim with the answer, or releases it where nobody was called. The answer goes out in any case: a claim
    /// that can't be settled stays, and still keeps the lead from being sent again.
    async fn close(&self, claim: &Claim, answer: Answer, course: &Course) -> Answer {
        let (answer, settled) = answer.settled(&course.request_id, unix_time::seconds(SystemTime::now()));
        let closed = match settled {
            Some(settled) => self.ledger.settle(claim, &settled, course.budget).await,
            None => self.ledger.release(claim, course.budget).await,
        };
        if let Err(error) = closed {
            tracing::error!(cause = %error, "the claim could not be closed");
        }
        answer
    }
}

/// Puts AI Rudder's last word on a lead into its line of the log.
fn note_push(pushed: &Result<Push, PushError>, begun: Instant) {
    let milliseconds = log::milliseconds(begun);
    metrics::pushed(milliseconds);
    let push = pushed.as_ref().ok();
    let envelope = push.and_then(|push| push.envelope.as_ref());
    let span = Span::current();
    record_all!(
        span,
        upstream_ms = milliseconds,
        upstream_status = push.map(|push| push.status),
        upstream_code = envelope.and_then(Envelope::code_for_logs),
        upstream_trace_id = envelope.and_then(Envelope::trace_id),
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
        let relay = Relay::new(&config, &aws::sdk_config(&config.aws).unwrap()).unwrap();
        assert!(!relay.rudder.knows_its_address());
        relay.connect().await;
        assert!(relay.rudder.knows_its_address());
    }
}
