//! The relay: one lead, from the door to AI Rudder.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aws_config::SdkConfig;
use bytes::Bytes;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use tokio::time::Instant;
use tracing::Span;

use crate::{
    account::{Account, Accounts},
    answer::{Answer, Problem},
    budget::{self, Budget, TooLittleTime},
    config::{Claims, Config},
    door::Post,
    lead::{Lead, Reading},
    log,
    rudder::{Push, PushError, Rudder, Verdict, payload},
    tls::ClientError,
};

/// The relay with all its clients. Made once, shared by all requests.
#[derive(Debug)]
pub struct Relay {
    accounts: Accounts,
    rudder: Rudder,
    push_limit: Duration,
}

/// How far a request has come, for whoever has to answer for it when it panics.
#[derive(Debug, Default)]
pub struct Progress {
    may_have_sent: AtomicBool,
}

impl Progress {
    /// Whether a byte of the lead may have reached AI Rudder.
    #[must_use]
    pub fn may_have_sent(&self) -> bool {
        self.may_have_sent.load(Ordering::Relaxed)
    }

    /// Notes that from here on it may have.
    pub(crate) fn sending(&self) {
        self.may_have_sent.store(true, Ordering::Relaxed);
    }
}

impl Relay {
    /// The relay as configured, with the AWS that `aws` reaches.
    pub fn new(config: &Config, aws: &SdkConfig) -> Result<Self, ClientError> {
        let Claims::Off = config.claims;
        Ok(Self {
            accounts: Accounts::new(config, aws),
            rudder: Rudder::new(&config.upstream)?,
            push_limit: config.upstream.timeout,
        })
    }

    /// Handles one request: the door, authenticate, read, claim, push, answer.
    pub async fn handle(&self, request: ApiGatewayV2httpRequest, budget: Budget, progress: &Progress) -> Answer {
        self.relay(request, budget, progress).await.unwrap_or_else(Answer::from)
    }

    async fn relay(
        &self,
        request: ApiGatewayV2httpRequest,
        budget: Budget,
        progress: &Progress,
    ) -> Result<Answer, Problem> {
        let post = Post::admit(request)?;
        Span::current().record("account", tracing::field::display(&post.account));
        // What is too late to be sent is not worth asking Secrets Manager for.
        budget.for_push(self.push_limit)?;
        let account = self.accounts.authenticate(&post.account, post.key, budget.answer_from()).await?;
        let Reading { lead, ignored } = Reading::of(&post.body?)?;
        Span::current().record("ignored_fields", ignored.count());
        let answer = match lead {
            Ok(lead) => self.send(&account, &lead, budget, progress).await,
            Err(faults) => Err(Problem::InvalidLead(faults)),
        };
        Ok(answer.unwrap_or_else(Answer::from).ignoring(&ignored))
    }

    /// Sends a lead that is in order.
    async fn send(
        &self,
        account: &Account,
        lead: &Lead,
        budget: Budget,
        progress: &Progress,
    ) -> Result<Answer, Problem> {
        let payload = Bytes::from(payload(lead));
        let until = budget.for_push(self.push_limit)?;
        // Here the lead is claimed, so that nobody else pushes it. Until there is a ledger, every post is a push.
        progress.sending();
        let begun = Instant::now();
        let pushed = self.push(account, &payload, until).await;
        note(&pushed, begun);
        // And here the claim is settled, or released where nobody was called.
        Ok(pushed?.into())
    }

    /// Pushes, and once more where AI Rudder refused a token that has been replaced meanwhile.
    async fn push(&self, account: &Account, payload: &Bytes, until: Instant) -> Result<Push, PushError> {
        let push = self.rudder.push(account.token(), payload, until).await?;
        if push.verdict != Verdict::TokenRefused {
            return Ok(push);
        }
        match self.accounts.with_new_token(account, until).await {
            Some(renewed) if budget::is_enough(until) => self.rudder.push(renewed.token(), payload, until).await,
            _ => Ok(push),
        }
    }
}

/// Puts AI Rudder's last word on a lead into its line of the log.
fn note(pushed: &Result<Push, PushError>, begun: Instant) {
    let span = Span::current();
    span.record("upstream_ms", log::milliseconds(begun));
    if let Ok(push) = pushed {
        span.record("upstream_status", push.status);
        if let Some(envelope) = &push.envelope {
            span.record("upstream_code", envelope.code_for_logs());
            span.record("upstream_trace_id", envelope.trace_id());
        }
    }
}

impl From<TooLittleTime> for Problem {
    fn from(error: TooLittleTime) -> Self {
        Self::TemporarilyUnavailable(error.to_string())
    }
}
