//! Early refreshes, caused by an unknown API key or a refused token.

use support::SecretsBehaviour::{Down, Hang, Normal};
use support::{KEY, Request, TOKEN, TestApp, secret};

use super::clock::{advance, called, on_a_still_clock, pass, play};

/// An app that has served its account once.
async fn with_cached_account() -> TestApp {
    let app = TestApp::start().await;
    play(&app, &[(0, Normal, KEY, 200, 1)]).await;
    app
}

fn rotate(app: &TestApp, token: &str) {
    app.rudder.replace_tokens([token]);
    app.set_secret(token, &[KEY]);
}

#[tokio::test]
async fn wrong_keys_cause_a_refresh_once_in_thirty_seconds() {
    for (behaviour, status, calls) in [(Normal, 401, 3), (Down, 503, 4)] {
        let wrong = |seconds, behaviour, status, calls| (seconds, behaviour, "wrong", status, calls);
        let steps = [wrong(0, Normal, 401, 2), wrong(0, Normal, 401, 2), wrong(29, behaviour, 401, 2)];
        let app = with_cached_account().await;
        play(&app, &steps).await;
        play(&app, &[wrong(2, behaviour, status, calls)]).await;
    }
    // The response to the first request of all is new already.
    play(&TestApp::start().await, &[(0, Normal, "wrong", 401, 1)]).await;
}

#[tokio::test]
async fn wrong_keys_are_counted_per_account() {
    let app = TestApp::start().await;
    app.secrets.put("lendswift/second", secret(TOKEN, &["second-key"]));
    for (account, key, of_the_other) in [("acme", KEY, "second-key"), ("second", "second-key", KEY)] {
        let request = Request::post("{}").account(account);
        assert_eq!(app.post(&request.clone().key(key)).await.status, 422);
        assert_eq!(app.post(&request.key(of_the_other)).await.status, 401);
    }
    let acme = "lendswift/acme";
    assert_eq!(app.secrets.calls(), [acme, acme, "lendswift/second", "lendswift/second"]);
}

#[tokio::test]
async fn a_due_refresh_does_not_allow_an_early_one() {
    let app = TestApp::with(&[("SECRET_TTL_SECONDS", "10")]).await;
    let steps = [
        (0, Normal, KEY, 200, 1),
        (0, Normal, "wrong", 401, 2),
        (11, Normal, KEY, 200, 3),
        (0, Normal, "wrong", 401, 3),
    ];
    play(&app, &steps).await;
}

#[tokio::test]
async fn refused_tokens_cause_a_refresh_once_in_thirty_seconds() {
    let app = with_cached_account().await;
    rotate(&app, "second");
    play(&app, &[(0, Normal, KEY, 200, 2)]).await;
    rotate(&app, "third");
    play(&app, &[(29, Normal, KEY, 500, 2), (2, Normal, KEY, 200, 3)]).await;
}

#[tokio::test]
async fn wrong_keys_and_refused_tokens_are_counted_separately() {
    let app = with_cached_account().await;
    play(&app, &[(0, Normal, "wrong", 401, 2)]).await;
    rotate(&app, "new");
    play(&app, &[(0, Normal, KEY, 200, 3), (0, Normal, "wrong", 401, 3)]).await;
    // Otherwise a caller without a key could conclude that there is such an account.
    let app = with_cached_account().await;
    app.rudder.replace_tokens(["new"]);
    play(&app, &[(0, Normal, KEY, 500, 2), (0, Normal, "wrong", 401, 3)]).await;
}

#[tokio::test]
async fn an_early_refresh_delays_no_caller_with_a_known_key() {
    let app = with_cached_account().await;
    app.secrets.behave(Hang);
    let wrong = Request::lead().key("wrong");
    let known = async {
        called(&app, 2).await;
        let status = app.post(&Request::lead()).await.status;
        advance(2001).await;
        status
    };
    let (wrong, known) = on_a_still_clock(async { tokio::join!(app.post(&wrong), known) }).await;
    assert_eq!((wrong.status, known), (503, 200));
}

#[tokio::test]
async fn a_failed_early_refresh_costs_the_account_nothing() {
    let app = with_cached_account().await;
    // Whether the key is new is unknown, as for an account that is not cached.
    let failing = [(0, Down, "new-key", 503, 3), (0, Down, KEY, 200, 3), (0, Down, "new-key", 503, 5)];
    play(&app, &failing).await;
    app.set_secret(TOKEN, &[KEY, "new-key"]);
    play(&app, &[(0, Normal, "new-key", 200, 6)]).await;
    // The secret stays as fresh as it was.
    let app = with_cached_account().await;
    play(&app, &[(0, Down, "new-key", 503, 3), (250, Down, KEY, 200, 3)]).await;
}

#[tokio::test]
async fn a_request_without_time_uses_up_no_refresh() {
    let app = with_cached_account().await;
    app.secrets.behave(Hang);
    assert_eq!(app.post_within(&Request::lead().key("new-key"), 3000).await.status, 503);
    app.set_secret(TOKEN, &[KEY, "new-key"]);
    play(&app, &[(0, Normal, "new-key", 200, 3)]).await;
    // Nor does an abandoned refresh end the time of a stale secret.
    let app = with_cached_account().await;
    app.secrets.behave(Hang);
    pass(301).await;
    assert_eq!(app.post_within(&Request::lead(), 3000).await.status, 503);
    play(&app, &[(0, Down, KEY, 200, 4)]).await;
}
