//! How long a secret is used, and after which failures.

use std::{ops::Range, time::Duration};

use lambda_http::Context;
use support::SecretsBehaviour::{self, Denied, Down, Fails, Hang, Normal, Slow, Throttled, TooMany};
use support::{KEY, Request, TOKEN, TestApp, post, secret};

use super::clock::{advance, called, on_a_still_clock, pass, play, settle};

/// There is no such secret.
const GONE: SecretsBehaviour = Fails("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");

#[tokio::test]
async fn a_secret_is_fresh_for_its_time() {
    play(&TestApp::start().await, &[(0, Normal, KEY, 200, 1), (299, Normal, KEY, 200, 1), (2, Normal, KEY, 200, 2)])
        .await;
    let app = TestApp::with(&[("SECRET_TTL_SECONDS", "10"), ("SECRET_MAX_STALE_SECONDS", "20")]).await;
    let steps = [(0, Normal, KEY, 200, 1), (11, Down, KEY, 200, 3), (10, Down, KEY, 503, 5), (0, Normal, KEY, 200, 6)];
    play(&app, &steps).await;
}

#[tokio::test]
async fn a_stale_secret_is_served_10s_per_failed_refresh() {
    // A failure is tried twice, except for silence.
    for (behaviour, calls) in [(Throttled, 3), (TooMany, 3), (Down, 3), (Hang, 2)] {
        let steps = [
            (0, Normal, KEY, 200, 1),
            (301, behaviour, KEY, 200, calls),
            (9, behaviour, KEY, 200, calls),
            (2, Normal, KEY, 200, calls + 1),
        ];
        play(&TestApp::start().await, &steps).await;
    }
}

#[tokio::test]
async fn a_stale_secret_is_served_for_an_hour_without_aws() {
    let TestApp { fakes, relay } = TestApp::start().await;
    let status = async || post(&relay, &Request::lead(), Context::default()).await.status;
    assert_eq!(status().await, 200);
    fakes.secrets.connections().close();
    drop(fakes.secrets);
    pass(301).await;
    assert_eq!(status().await, 200);
    pass(3295).await;
    assert_eq!(status().await, 200);
    pass(5).await;
    assert_eq!(status().await, 503, "too stale");
}

#[tokio::test]
async fn a_denied_or_removed_secret_is_served_no_more() {
    let denied =
        [(0, Normal, KEY, 200, 1), (301, Denied, KEY, 500, 2), (9, Normal, KEY, 500, 2), (2, Normal, KEY, 200, 3)];
    play(&TestApp::start().await, &denied).await;
    // The account's own caller learns that it is misconfigured, and no other caller. A failure brings nothing back.
    let denied =
        [(0, Normal, KEY, 200, 1), (301, Denied, KEY, 500, 2), (0, Denied, "wrong", 401, 3), (11, Down, KEY, 503, 5)];
    play(&TestApp::start().await, &denied).await;
    play(&TestApp::start().await, &[(0, Normal, KEY, 200, 1), (301, GONE, KEY, 401, 2), (31, Down, KEY, 503, 4)]).await;
}

#[tokio::test]
async fn an_unknown_secret_is_read_again_after_thirty_seconds() {
    for behaviour in [Denied, GONE] {
        let steps = [(0, behaviour, KEY, 401, 1), (29, Normal, KEY, 401, 1), (2, Normal, KEY, 200, 2)];
        play(&TestApp::start().await, &steps).await;
    }
}

#[tokio::test]
async fn a_revoked_key_works_until_the_next_refresh() {
    let app = TestApp::start().await;
    play(&app, &[(0, Normal, KEY, 200, 1)]).await;
    app.set_secret(TOKEN, &["new-key"]);
    play(&app, &[(0, Normal, KEY, 200, 1), (301, Normal, KEY, 401, 2)]).await;
}

#[tokio::test]
async fn guessed_accounts_use_no_memory_and_evict_no_account() {
    let app = TestApp::start().await;
    let guess = async |names: Range<u32>| {
        for name in names {
            let request = Request::lead().account(&format!("guess-{name}"));
            assert_eq!(app.post(&request).await.status, 401);
        }
    };
    // On a still clock, so that no name is read again because its thirty seconds are over.
    Box::pin(on_a_still_clock(async {
        guess(0..300).await;
        guess(0..300).await;
        assert_eq!(app.secrets.calls().len(), 300, "each name is read once");
        guess(300..2000).await;
        assert_eq!(app.post(&Request::lead()).await.status, 200);
        let calls = app.secrets.calls().len();
        guess(0..2000).await;
        let evicted = app.secrets.calls().len() - calls;
        assert!(evicted >= 1000, "at most 1,000 of 2,000 names are held, but {evicted} were evicted");
        let calls = app.secrets.calls().len();
        assert_eq!(app.post(&Request::lead()).await.status, 200);
        assert_eq!(app.secrets.calls().len(), calls, "the account is still cached");
    }))
    .await;
}

#[tokio::test]
async fn accounts_that_work_are_all_cached() {
    let app = TestApp::start().await;
    for round in 0..2 {
        for number in 0..1500 {
            if round == 0 {
                app.secrets.put(format!("lendswift/account-{number}"), secret(TOKEN, &[KEY]));
            }
            let request = Request::post("{}").account(&format!("account-{number}"));
            assert_eq!(app.post(&request).await.status, 422);
        }
    }
    assert_eq!(app.secrets.calls().len(), 1500);
}

#[tokio::test]
async fn secrets_manager_gets_two_seconds() {
    for (answered_after, status) in [(1950, 200), (2050, 503)] {
        let app = TestApp::start().await;
        app.secrets.behave(Slow(Duration::from_millis(answered_after)));
        let time = async {
            called(&app, 1).await;
            for step in [1960, 60, 40] {
                advance(step).await;
                settle().await;
            }
        };
        let lead = Request::lead();
        let (response, ()) = on_a_still_clock(async { tokio::join!(app.post(&lead), time) }).await;
        assert_eq!(response.status, status, "{answered_after} ms");
        assert_eq!(app.secrets.calls().len(), 1);
    }
}
