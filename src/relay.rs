//! The relay: one lead, from admission to AI Rudder.

mod context;
mod hours;
mod outgoing;
mod sending;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{join, time::timeout};
use tracing::{Span, record_all};

pub use self::context::RequestContext;
use self::outgoing::Outgoing;
use crate::{
    account::{Account, Accounts},
    admission::{Content, NotBase64, Route, Submission},
    answer::{Answer, Problem},
    aws::Aws,
    budget::{CONNECT_AT_START_LIMIT, InsufficientTime},
    claim::{Claim, Claimed, IdempotencyKey, Known, Ledger, Lookup, Namespace},
    clock::Clock,
    config::Config,
    lead::ParsedLead,
    request::Request,
    rudder::{Permit, Rudder},
    telemetry::{log::LogText, metrics},
    tls::ClientError,
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
    function_version: Option<String>,
    /// Whether this process has already served a request.
    warm: AtomicBool,
}

impl Relay {
    /// Creates the relay and its clients. `Err` if TLS or HTTP cannot be set up.
    pub fn new(config: &Config, aws: Aws, clock: Clock) -> Result<Self, ClientError> {
        Ok(Self {
            accounts: Accounts::new(config, &aws.sdk, clock),
            ledger: Ledger::new(config, &aws, clock),
            aws,
            rudder: Rudder::new(&config.upstream, clock)?,
            push_limit: config.upstream.timeout,
            clock,
            code_labels: metrics::CodeLabels::new(config.upstream.codes.clone()),
            function_version: config.function_version.clone(),
            warm: AtomicBool::new(false),
        })
    }

    /// Opens the connections to AWS that the first lead would otherwise wait for, and looks up AI Rudder's address. After
    /// `CONNECT_AT_START_LIMIT` it gives up, and the first lead opens the rest.
    pub async fn connect(&self) {
        self.accounts.prepare();
        let all = async { join!(self.aws.connect(), self.rudder.look_up()) };
        let _ = timeout(CONNECT_AT_START_LIMIT, all).await;
    }

    /// The clock that all parts use.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// The version of the function that this process runs, for the log.
    pub(crate) fn function_version(&self) -> Option<&str> {
        self.function_version.as_deref()
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
        if Route::of(&request).is_some_and(|route| route != Route::Send) {
            context.mark_inquiry();
        }
        let submission = Submission::from_request(request)?;
        let span = Span::current();
        record_all!(span, key = submission.key.short_digest(), route = submission.route.for_log());
        // Fail fast: Secrets Manager is not called if no time is left to push.
        self.ensure_time_to_push(context)?;
        let account =
            self.accounts.authenticate(&submission.account, submission.key, context.budget().work_until()).await?;
        context.mark_authenticated();
        metrics::count_secret_source(account.source());
        if account.is_sandbox() {
            context.mark_sandbox();
            span.record("sandbox", true);
        }
        self.answer(&account, submission, context).await
    }

    /// Answers an authenticated request.
    async fn answer(
        &self,
        account: &Account,
        submission: Submission,
        context: &RequestContext,
    ) -> Result<Answer, Problem> {
        let Submission { route, idempotency_key, content, .. } = submission;
        let key = idempotency_key.as_ref();
        let body = match content? {
            Content::Body(body) => body,
            Content::KeyAlone(key) => return self.status(account, &namespace(account).lookup(&key), context).await,
        };
        let ParsedLead { lead, ignored } = body.parse()?;
        if ignored.count() > 0 {
            Span::current().record("ignored_fields", ignored.count());
        }
        let lead = lead.map(|lead| Outgoing::from(&lead));
        // Free the body before the push, which may take seconds.
        drop(body);
        let answer = match (lead, route) {
            (Err(faults), _) => Err(Problem::InvalidLead(faults)),
            (Ok(lead), Route::Send) => self.send_once(account, lead, key, context).await,
            (Ok(lead), Route::Validate) => {
                self.check_hours(account, &lead, context).map(|()| Answer::valid(&lead.payload))
            }
            (Ok(lead), Route::Status) => {
                let lookup = Lookup::Lead(namespace(account).items(&lead.payload, key));
                self.status(account, &lookup, context).await
            }
        };
        Ok(answer.unwrap_or_else(Answer::from).with_ignored_fields(&ignored))
    }

    /// Sends a valid lead, unless it was claimed before.
    async fn send_once(
        &self,
        account: &Account,
        lead: Outgoing,
        key: Option<&IdempotencyKey>,
        context: &RequestContext,
    ) -> Result<Answer, Problem> {
        self.ensure_time_to_push(context)?;
        let budget = context.budget();
        let namespace = namespace(account);
        if let Err(closed) = self.check_hours(account, &lead, context) {
            return self.answer_when_closed(account, namespace.items(&lead.payload, None), context, closed).await;
        }
        let keys = namespace.items(&lead.payload, key);
        let phone_item = account.policy().once_per_phone();
        let phone_item = phone_item.map(|once| namespace.phone_item(&once.hash(&lead.phone), once.period()));
        let claim = Claim::new(&namespace, keys, phone_item, context.request_id(), budget.lease());
        context.mark_claiming(self.ledger.is_on().then_some(claim.id()));
        // While the claim is written, the connection to AI Rudder is opened.
        let permit = Permit::new(budget);
        // Boxed: it is large, and would be part of several states of this future.
        let sending = Box::pin(self.send(account, &lead, &permit));
        let (claimed, sending) = sending::claim_first(self.ledger.claim(claim, budget), sending).await;
        let close_left = self.ledger.close_left_claims(budget);
        match claimed {
            Ok(Claimed::Ours(claim)) => {
                let closed = async {
                    let sent = match self.grant(&permit, budget) {
                        Ok(()) => sending.await,
                        Err(error) => Err(error.into()),
                    };
                    self.close(&claim, sent.unwrap_or_else(Answer::from), context).await
                };
                let answer = join!(closed, close_left).0;
                Ok(answer.with_lead_id(self.ledger.is_on().then_some(claim.id())))
            }
            Ok(Claimed::Known(known)) => {
                close_left.await;
                Ok(answer_for_known(known, account))
            }
            Err(error) => {
                close_left.await;
                Err(error.into())
            }
        }
    }

    /// Returns what sending the lead again would return, without sending it.
    async fn status(&self, account: &Account, lookup: &Lookup, context: &RequestContext) -> Result<Answer, Problem> {
        let known = self.ledger.status(lookup, context.budget()).await?;
        known.map(|known| answer_for_known(known, account)).ok_or(Problem::NoRecord)
    }

    /// `Err` if less than the minimum time for a push is left.
    fn ensure_time_to_push(&self, context: &RequestContext) -> Result<(), InsufficientTime> {
        context.budget().push_until(self.push_limit, self.clock.now()).map(|_| ())
    }
}

/// Where an account's leads are recorded.
fn namespace(account: &Account) -> Namespace {
    if account.is_sandbox() { Namespace::sandbox(account.id()) } else { Namespace::live(account.id()) }
}

/// The answer about a lead that was claimed before.
fn answer_for_known(known: Known, account: &Account) -> Answer {
    match known {
        Known::Settled { claim, settled } => {
            // Versions before 0.2.0 may have stored an envelope that quotes the token.
            Answer::from(settled).without_token(account.destination().token()).with_lead_id(Some(&claim))
        }
        Known::InProgress { claim } => Answer::from(Problem::InProgress).with_lead_id(claim.as_deref()),
        Known::Interrupted { claim, request_id } => {
            Answer::from(Problem::Interrupted(request_id)).with_lead_id(Some(&claim))
        }
        Known::KeyReused => Problem::IdempotencyKeyReused.into(),
        Known::RecentlyCalled { retry_after } => Problem::RecentlyCalled(retry_after).into(),
        Known::Unreadable => Problem::FailedAfterClaim("the lead's item in the ledger can't be read").into(),
    }
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
