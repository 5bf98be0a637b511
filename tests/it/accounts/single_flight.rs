//! Concurrent requests share one call of Secrets Manager.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::join_all};
use support::{KEY, Request, SecretsBehaviour, TOKEN, TestApp};

use super::clock::{advance, called, on_a_still_clock, settle};

#[tokio::test]
async fn a_thousand_first_requests_share_one_call() {
    for (behaviour, status, calls) in [
        (SecretsBehaviour::Normal, 422, 1),
        // One more, for the requests that came when the first was under way.
        (SecretsBehaviour::Denied, 401, 2),
        // One call, tried twice.
        (SecretsBehaviour::Down, 503, 2),
    ] {
        let app = TestApp::start().await;
        app.secrets.behave(behaviour);
        // A body that ends before AI Rudder, since this is not about sockets.
        let request = Request::post("{}");
        let responses = join_all((0..1000).map(|_| app.post(&request))).await;
        assert!(responses.iter().all(|response| response.status == status));
        assert_eq!(app.secrets.calls().len(), calls, "{behaviour:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_first_requests_on_several_threads_share_one_call() {
    let app = Arc::new(TestApp::start().await);
    let requests = (0..1000).map(|_| {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.post(&Request::post("{}")).await.status })
    });
    assert!(join_all(requests).await.into_iter().all(|status| status.unwrap() == 422));
    assert_eq!(app.secrets.calls(), ["lendswift/acme"]);
}

#[tokio::test]
async fn a_request_with_little_time_leaves_the_call_to_the_others() {
    for short_one_is_first in [true, false] {
        let app = TestApp::start().await;
        app.secrets.behave(SecretsBehaviour::Slow(Duration::from_millis(1800)));
        let post = async |is_short: bool| {
            let request = Request::lead();
            if is_short { app.post_within(&request, 3000).await } else { app.post(&request).await }
        };
        let second = async {
            called(&app, 1).await;
            post(!short_one_is_first).await
        };
        let time = async {
            called(&app, 1).await;
            settle().await;
            advance(1600).await;
            advance(300).await;
        };
        let scene = async { tokio::join!(post(short_one_is_first), second, time) };
        let (first, second, ()) = on_a_still_clock(scene).await;
        let expected = if short_one_is_first { (503, 200) } else { (200, 503) };
        assert_eq!((first.status, second.status), expected);
        assert_eq!(app.secrets.calls().len(), 1);
    }
}

/// Runs `change` and then `request` while a refresh is in flight, for another second.
async fn during_a_refresh<T>(app: &TestApp, change: impl FnOnce(), request: impl Future<Output = T>) -> T {
    let calls = app.secrets.calls().len();
    app.secrets.behave(SecretsBehaviour::Slow(Duration::from_secs(1)));
    let wrong = Request::post("{}").key("wrong");
    let scene = async {
        called(app, calls + 1).await;
        advance(100).await;
        change();
        app.secrets.behave(SecretsBehaviour::Normal);
        tokio::join!(request, async {
            settle().await;
            advance(1000).await;
        })
    };
    let (_, (result, ())) = Box::pin(on_a_still_clock(async { tokio::join!(app.post(&wrong), scene) })).await;
    result
}

#[tokio::test]
async fn a_thousand_new_keys_during_a_refresh_share_one_more() {
    let app = TestApp::start().await;
    let request = Request::post("{}").key("new-key");
    let store = || app.set_secret(TOKEN, &[KEY, "new-key"]);
    let responses = during_a_refresh(&app, store, join_all((0..1000).map(|_| app.post(&request)))).await;
    assert!(responses.iter().all(|response| response.status == 422));
    assert_eq!(app.secrets.calls().len(), 2);
}

#[tokio::test]
async fn a_finished_refresh_is_not_taken_for_one_in_flight() {
    let app = TestApp::start().await;
    let lead = Request::lead();
    let mut not_polled = Box::pin(app.post(&lead));
    assert_eq!((&mut not_polled).now_or_never(), None);
    assert_eq!(app.post(&lead).await.status, 200);
    assert_eq!(app.secrets.calls().len(), 1, "both wait for one response");
    app.set_secret(TOKEN, &[KEY, "new-key"]);
    assert_eq!(app.post(&Request::lead().key("new-key")).await.status, 200);
    assert_eq!(not_polled.await.status, 200);
    assert_eq!(app.secrets.calls().len(), 2);
}
