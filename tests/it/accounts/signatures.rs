//! Errors of AWS that pass: one retry, at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_async::time::TimeSource;
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use support::fakes::Behaviour;

use super::{pass, post};
use crate::{
    request::{LEAD, Request},
    stage::{Stage, aws, relay_over, serve},
};

const EXPIRED: [&str; 8] = [
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "IncompleteSignatureException",
];

/// Everything that passes.
fn transient() -> impl Iterator<Item = Behaviour> {
    let codes = [THROTTLING_ERRORS, TRANSIENT_ERRORS, &EXPIRED].concat();
    let fails = codes.into_iter().map(|code| Behaviour::Fails(code, "Later."));
    fails.chain([Behaviour::Down, Behaviour::TooMany, Behaviour::Expired])
}

#[tokio::test]
async fn one_error_that_passes_is_noticed_by_nobody() {
    for behaviour in transient() {
        let stage = Stage::start().await;
        stage.secrets.behave_next([behaviour]);
        assert_eq!(post(&stage).await, 200, "{behaviour:?}");
        assert_eq!(stage.secrets.calls().len(), 2, "{behaviour:?}");
        pass(301).await;
        stage.secrets.behave_next([behaviour]);
        assert_eq!(post(&stage).await, 200, "{behaviour:?}, at a refresh");
        assert_eq!(post(&stage).await, 200);
        assert_eq!(stage.secrets.calls().len(), 4, "{behaviour:?}, and then it is fresh");
    }
}

#[tokio::test]
async fn errors_that_pass_never_use_up_the_retries() {
    let stage = Stage::with(&[("SECRET_TTL_SECONDS", "1"), ("SECRET_MAX_STALE_SECONDS", "1")]).await;
    // The SDK's own quota is empty after a hundred or fewer.
    for n in 1..=200 {
        stage.secrets.behave_next([Behaviour::Down]);
        pass(2).await;
        assert_eq!(post(&stage).await, 200, "{n}");
        assert_eq!(stage.secrets.calls().len(), 2 * n);
    }
}

#[tokio::test]
async fn a_secret_serves_on_while_no_signature_is_accepted() {
    for behaviour in [Behaviour::Expired, Behaviour::Fails("ExpiredTokenException", "The security token is expired.")] {
        let stage = Stage::start().await;
        assert_eq!(post(&stage).await, 200);
        stage.secrets.behave(behaviour);
        pass(301).await;
        assert_eq!(post(&stage).await, 200, "{behaviour:?}");
        assert_eq!(stage.secrets.calls().len(), 4, "{behaviour:?}: once, and two retries");
    }
}

/// A wall clock that is late by so many seconds, until it has been looked at so many times.
#[derive(Debug, Clone)]
struct Late {
    seconds: u64,
    looks: Arc<AtomicU64>,
}

impl TimeSource for Late {
    fn now(&self) -> SystemTime {
        let left = self.looks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |looks| looks.checked_sub(1));
        let late = if left.is_ok() { self.seconds } else { 0 };
        SystemTime::now() - Duration::from_secs(late)
    }
}

fn relay_with(stage: &Stage, seconds: u64, looks: u64) -> Relay {
    let late = Late { seconds, looks: Arc::new(AtomicU64::new(looks)) };
    let aws = aws().to_builder().time_source(late).build();
    let (rudder, secrets) = (stage.rudder.base_url(), stage.secrets.url());
    relay_over(&aws, &[("UPSTREAM_BASE_URL", &rudder), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets)])
}

#[tokio::test]
async fn a_late_clock_costs_a_retry_and_no_lead() {
    for minutes in [6, 12, 16, 600] {
        let stage = Stage::start().await;
        stage.secrets.behave(Behaviour::ChecksTime);
        let relay = relay_with(&stage, minutes * 60, u64::MAX);
        let event = Request::post(LEAD).event();
        let post = || serve(&relay, &event, Context::default());
        assert_eq!((Box::pin(post()).await.status, stage.secrets.calls().len()), (200, 2), "{minutes} minutes");
        pass(301).await;
        assert_eq!(
            (Box::pin(post()).await.status, stage.secrets.calls().len()),
            (200, 3),
            "{minutes} minutes, and then none"
        );
    }
}

#[tokio::test]
async fn a_late_clock_that_is_set_at_any_moment_costs_no_lead() {
    // Before the SDK looks at it to sign, while the request is on its way, before each retry.
    for (minutes, looks) in [6, 12, 16, 600].into_iter().flat_map(|minutes| (1..15).map(move |looks| (minutes, looks)))
    {
        let stage = Stage::start().await;
        stage.secrets.behave(Behaviour::ChecksTime);
        let relay = relay_with(&stage, minutes * 60, looks);
        let answer = Box::pin(serve(&relay, &Request::post(LEAD).event(), Context::default())).await;
        assert_eq!(answer.status, 200, "{minutes} minutes, {looks} looks");
        assert!(stage.secrets.calls().len() <= 3, "{minutes} minutes, {looks} looks");
    }
}
