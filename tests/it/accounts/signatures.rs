//! Transient errors of Secrets Manager are retried at once: most of them once, an expired signature twice.

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
use support::SecretsBehaviour::{self, ChecksTime, Down, Expired, Fails, Normal, TooMany};
use support::{KEY, Request, TestApp, aws, post};

use super::clock::{pass, play};

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

/// Every transient error.
fn transient() -> impl Iterator<Item = SecretsBehaviour> {
    let codes = [THROTTLING_ERRORS, TRANSIENT_ERRORS, &EXPIRED].concat();
    codes.into_iter().map(|code| Fails(code, "Later.")).chain([Down, TooMany, Expired])
}

#[tokio::test]
async fn one_transient_error_goes_unnoticed() {
    for behaviour in transient() {
        let app = TestApp::start().await;
        app.secrets.behave_next([behaviour]);
        play(&app, &[(0, Normal, KEY, 200, 2)]).await;
        app.secrets.behave_next([behaviour]);
        play(&app, &[(301, Normal, KEY, 200, 4), (0, Normal, KEY, 200, 4)]).await;
    }
}

#[tokio::test]
async fn transient_errors_never_use_up_the_retries() {
    let app = TestApp::with(&[("SECRET_TTL_SECONDS", "1"), ("SECRET_MAX_STALE_SECONDS", "1")]).await;
    // The SDK's own quota is empty after a hundred or fewer.
    for number in 1..=200 {
        app.secrets.behave_next([Down]);
        play(&app, &[(2, Normal, KEY, 200, 2 * number)]).await;
    }
}

#[tokio::test]
async fn a_stale_secret_is_served_while_no_signature_is_accepted() {
    for behaviour in [Expired, Fails("ExpiredTokenException", "The security token is expired.")] {
        // One call, and two retries.
        play(&TestApp::start().await, &[(0, Normal, KEY, 200, 1), (301, behaviour, KEY, 200, 4)]).await;
    }
}

/// A wall clock that is late by some seconds, until it has been read a number of times.
#[derive(Debug, Clone)]
struct Late {
    seconds: u64,
    reads: Arc<AtomicU64>,
}

impl TimeSource for Late {
    fn now(&self) -> SystemTime {
        let left = self.reads.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |reads| reads.checked_sub(1));
        let late = if left.is_ok() { self.seconds } else { 0 };
        SystemTime::now() - Duration::from_secs(late)
    }
}

/// An app whose Secrets Manager checks the time, and a relay with a clock that is late.
async fn late(minutes: u64, reads: u64) -> (TestApp, Relay) {
    let app = TestApp::start().await;
    app.secrets.behave(ChecksTime);
    let clock = Late { seconds: minutes * 60, reads: Arc::new(AtomicU64::new(reads)) };
    let relay = app.relay_with(&aws().to_builder().time_source(clock).build(), &[]);
    (app, relay)
}

#[tokio::test]
async fn a_late_clock_set_or_not_costs_a_retry_and_no_lead() {
    for minutes in [6, 12, 16, 600] {
        let (app, relay) = late(minutes, u64::MAX).await;
        for (seconds, calls) in [(0, 2), (301, 3)] {
            pass(seconds).await;
            let response = post(&relay, &Request::lead(), Context::default()).await;
            assert_eq!((response.status, app.secrets.calls().len()), (200, calls), "{minutes} minutes");
        }
        // Set before the SDK reads it to sign, while the request is on its way, or before each retry.
        for reads in 1..15 {
            let (app, relay) = late(minutes, reads).await;
            let response = post(&relay, &Request::lead(), Context::default()).await;
            assert_eq!(response, "200 accepted", "{minutes} minutes, {reads} reads");
            assert!(app.secrets.calls().len() <= 3, "{minutes} minutes, {reads} reads");
        }
    }
}
