//! The accounts' secrets: when Secrets Manager is asked, and what serves meanwhile. Time is tokio's, and moved by hand.

mod signatures;
mod strangers;

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::join_all};
use lambda_http::Context;
use support::fakes::Behaviour;
use tokio::task;

use crate::{
    request::{LEAD, Request},
    stage::{KEY, Stage, TOKEN, secret, serve, with_deadline},
};

/// Lets time pass without waiting for it.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// Plays a scene on a clock that stands still except where the scene moves it.
async fn on_a_still_clock<T>(scene: impl Future<Output = T>) -> T {
    tokio::time::pause();
    // A paused clock jumps ahead whenever there is nothing to do but wait, be it for the network. So there always is.
    let busy = async {
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(120) {
            task::yield_now().await;
        }
    };
    let result = tokio::select! {
        result = scene => result,
        () = busy => panic!("the scene waits for a time that does not come"),
    };
    tokio::time::resume();
    result
}

/// Lets all happen that happens without the clock.
async fn settle() {
    for _ in 0..1000 {
        task::yield_now().await;
    }
}

/// Waits until Secrets Manager was asked that often.
async fn asked(stage: &Stage, times: usize) {
    while stage.secrets.calls().len() < times {
        task::yield_now().await;
    }
}

async fn advance(milliseconds: u64) {
    tokio::time::advance(Duration::from_millis(milliseconds)).await;
}

/// A post that has a second and a half until it has to be answered.
async fn short_post(stage: &Stage, key: &str) -> u16 {
    Box::pin(serve(&stage.relay, &Request::post(LEAD).key(key).event(), with_deadline(3000))).await.status
}

async fn status(stage: &Stage, request: Request) -> u16 {
    Box::pin(stage.serve(&request.event())).await.status
}

async fn post(stage: &Stage) -> u16 {
    status(stage, Request::post(LEAD)).await
}

#[tokio::test]
async fn a_thousand_first_requests_at_once_are_one_question() {
    let stage = Stage::start().await;
    // A body that ends before AI Rudder, since this is not about sockets.
    let event = Request::post("{}").event();
    let answers = join_all((0..1000).map(|_| stage.serve(&event))).await;
    assert!(answers.iter().all(|answer| answer.status == 422));
    assert_eq!(stage.secrets.calls(), ["lendswift/acme"]);
}

#[tokio::test]
async fn a_thousand_refused_requests_at_once_are_two_questions() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Denied);
    let event = Request::post("{}").event();
    let answers = join_all((0..1000).map(|_| stage.serve(&event))).await;
    assert!(answers.iter().all(|answer| answer.status == 401));
    assert_eq!(stage.secrets.calls().len(), 2, "and one more, for those who came when the first was under way");
}

#[tokio::test]
async fn a_thousand_first_requests_at_once_share_a_failure_of_secrets_manager() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Down);
    let event = Request::post("{}").event();
    let answers = join_all((0..1000).map(|_| stage.serve(&event))).await;
    assert!(answers.iter().all(|answer| answer.status == 503));
    assert_eq!(stage.secrets.calls().len(), 2, "one question, tried twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_first_requests_at_once_on_several_threads_are_one_question() {
    let stage = Arc::new(Stage::start().await);
    let event: Arc<str> = Request::post("{}").event().into();
    let requests = (0..1000).map(|_| {
        let (stage, event) = (Arc::clone(&stage), Arc::clone(&event));
        tokio::spawn(async move { stage.serve(&event).await.status })
    });
    assert!(join_all(requests).await.into_iter().all(|status| status.unwrap() == 422));
    assert_eq!(stage.secrets.calls(), ["lendswift/acme"]);
}

#[tokio::test]
async fn a_secret_is_fresh_for_its_time_and_then_read_again() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    pass(299).await;
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), 1);
    pass(2).await;
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), 2);
}

#[tokio::test]
async fn the_times_are_those_of_the_configuration() {
    let stage = Stage::with(&[("SECRET_TTL_SECONDS", "10"), ("SECRET_MAX_STALE_SECONDS", "20")]).await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Down);
    pass(11).await;
    assert_eq!(post(&stage).await, 200, "stale");
    pass(10).await;
    assert_eq!(post(&stage).await, 503, "too stale");
}

#[tokio::test]
async fn a_secret_serves_on_while_secrets_manager_is_out_of_order() {
    for behaviour in [Behaviour::Throttled, Behaviour::TooMany, Behaviour::Down, Behaviour::Hang] {
        let stage = Stage::start().await;
        assert_eq!(post(&stage).await, 200);
        stage.secrets.behave(behaviour);
        pass(301).await;
        assert_eq!(post(&stage).await, 200, "{behaviour:?}");
        let calls = stage.secrets.calls().len();
        assert!(calls > 1, "{behaviour:?}: it was asked");
        pass(9).await;
        assert_eq!(post(&stage).await, 200, "{behaviour:?}");
        assert_eq!(stage.secrets.calls().len(), calls, "{behaviour:?}: no new try for 10 s");
        stage.secrets.behave(Behaviour::Normal);
        pass(2).await;
        assert_eq!(post(&stage).await, 200, "{behaviour:?}");
        assert_eq!(stage.secrets.calls().len(), calls + 1, "{behaviour:?}: then one");
    }
}

#[tokio::test]
async fn a_secret_serves_on_while_secrets_manager_can_not_be_reached() {
    let Stage { fakes: support::Fakes { rudder: _rudder, secrets, .. }, relay } = Stage::start().await;
    let event = Request::post(LEAD).event();
    let post = || serve(&relay, &event, Context::default());
    assert_eq!(Box::pin(post()).await.status, 200);
    secrets.connections().close();
    drop(secrets);
    pass(301).await;
    assert_eq!(Box::pin(post()).await.status, 200);
    pass(3300).await;
    assert_eq!(Box::pin(post()).await.status, 503, "too stale");
}

#[tokio::test]
async fn a_stale_secret_has_an_end() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Down);
    pass(3_595).await;
    assert_eq!(post(&stage).await, 200);
    pass(6).await;
    assert_eq!(post(&stage).await, 503);
    stage.secrets.behave(Behaviour::Normal);
    assert_eq!(post(&stage).await, 200, "and comes back at once");
}

#[tokio::test]
async fn a_secret_that_is_gone_or_closed_serves_no_more() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Denied);
    pass(301).await;
    assert_eq!(post(&stage).await, 500, "its own sender is told that the account is misconfigured");
    assert_eq!(status(&stage, Request::post(LEAD).key("wrong")).await, 401, "nobody else is");

    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.remove("lendswift/acme");
    pass(301).await;
    assert_eq!(post(&stage).await, 401);
}

#[tokio::test]
async fn what_is_gone_or_closed_does_not_come_back_when_secrets_manager_fails() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Denied);
    pass(301).await;
    assert_eq!(post(&stage).await, 500);
    stage.secrets.behave(Behaviour::Down);
    pass(11).await;
    assert_eq!(post(&stage).await, 503);

    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.remove("lendswift/acme");
    pass(301).await;
    assert_eq!(post(&stage).await, 401);
    stage.secrets.behave(Behaviour::Down);
    pass(31).await;
    assert_eq!(post(&stage).await, 503);
}

#[tokio::test]
async fn a_closed_account_is_read_again_after_ten_seconds_for_its_key() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Denied);
    pass(301).await;
    assert_eq!(post(&stage).await, 500);
    let calls = stage.secrets.calls().len();
    stage.secrets.behave(Behaviour::Normal);
    pass(9).await;
    assert_eq!(post(&stage).await, 500);
    assert_eq!(stage.secrets.calls().len(), calls);
    pass(2).await;
    assert_eq!(post(&stage).await, 200);
}

#[tokio::test]
async fn a_closed_account_whose_keys_are_not_known_waits_like_any_name() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Denied);
    assert_eq!(post(&stage).await, 401);
    stage.secrets.behave(Behaviour::Normal);
    pass(29).await;
    assert_eq!(post(&stage).await, 401);
    assert_eq!(stage.secrets.calls().len(), 1);
    pass(2).await;
    assert_eq!(post(&stage).await, 200);
}

#[tokio::test]
async fn an_account_that_is_not_there_is_asked_for_again_after_thirty_seconds() {
    let stage = Stage::start().await;
    let nobody = || Request::post(LEAD).account("nobody");
    assert_eq!(status(&stage, nobody()).await, 401);
    pass(29).await;
    assert_eq!(status(&stage, nobody()).await, 401);
    assert_eq!(stage.secrets.calls().len(), 1);
    stage.secrets.put("lendswift/nobody", secret(TOKEN, &[KEY]));
    pass(2).await;
    assert_eq!(status(&stage, nobody()).await, 200);
}

#[tokio::test]
async fn guessed_names_fill_no_memory_and_push_no_account_out() {
    let stage = Stage::start().await;
    let guess = async |names: std::ops::Range<u32>| {
        for n in names {
            assert_eq!(status(&stage, Request::post(LEAD).account(&format!("guess-{n}"))).await, 401);
        }
    };
    // So that no name is asked for again because its thirty seconds are over.
    Box::pin(on_a_still_clock(async {
        guess(0..300).await;
        guess(0..300).await;
        assert_eq!(stage.secrets.calls().len(), 300, "each name is asked for once");
        guess(300..2000).await;
        assert_eq!(post(&stage).await, 200);
        let calls = stage.secrets.calls().len();
        guess(0..2000).await;
        let forgotten = stage.secrets.calls().len() - calls;
        assert!(forgotten >= 1000, "at most 1,000 of 2,000 names are held, but {forgotten} were forgotten");
        let calls = stage.secrets.calls().len();
        assert_eq!(post(&stage).await, 200);
        assert_eq!(stage.secrets.calls().len(), calls, "the account is still known");
    }))
    .await;
}

#[tokio::test]
async fn accounts_that_work_are_all_remembered() {
    let stage = Stage::start().await;
    let account = |n: u32| Request::post("{}").account(&format!("account-{n}"));
    for n in 0..1500 {
        stage.secrets.put(format!("lendswift/account-{n}"), secret(TOKEN, &[KEY]));
        assert_eq!(status(&stage, account(n)).await, 422);
    }
    for n in 0..1500 {
        assert_eq!(status(&stage, account(n)).await, 422);
    }
    assert_eq!(stage.secrets.calls().len(), 1500);
}

#[tokio::test]
async fn who_has_little_time_waits_no_longer_and_leaves_the_reading_to_the_others() {
    for short_one_is_first in [true, false] {
        let stage = Stage::start().await;
        stage.secrets.behave(Behaviour::Slow(Duration::from_millis(1800)));
        let first = async { if short_one_is_first { short_post(&stage, KEY).await } else { post(&stage).await } };
        let second = async {
            asked(&stage, 1).await;
            if short_one_is_first { post(&stage).await } else { short_post(&stage, KEY).await }
        };
        let time = async {
            asked(&stage, 1).await;
            settle().await;
            advance(1600).await;
            advance(300).await;
        };
        let (first, second, ()) = on_a_still_clock(async { tokio::join!(first, second, time) }).await;
        let (short, long) = if short_one_is_first { (first, second) } else { (second, first) };
        assert_eq!((short, long), (503, 200), "the short one first: {short_one_is_first}");
        assert_eq!(stage.secrets.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_stale_secret_outlives_a_reading_that_was_given_up() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Hang);
    pass(301).await;
    assert_eq!(short_post(&stage, KEY).await, 503);
    stage.secrets.behave(Behaviour::Down);
    assert_eq!(post(&stage).await, 200);
}

#[tokio::test]
async fn without_time_for_a_push_nobody_is_asked() {
    let stage = Stage::start().await;
    let answer = serve(&stage.relay, &Request::post(LEAD).event(), with_deadline(2400)).await;
    assert_eq!(answer.status, 503);
    assert_eq!(stage.secrets.calls().len(), 0);
}

#[tokio::test]
async fn a_new_key_works_at_once() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.put("lendswift/acme", secret(TOKEN, &[KEY, "new-key"]));
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 200);
    assert_eq!(stage.secrets.calls().len(), 2);
}

/// Plays a scene in which a reading of the secret is under way, for a second more, when `change` happens and then `request`.
async fn while_it_is_read<T>(stage: &Stage, change: impl FnOnce(), request: impl Future<Output = T>) -> T {
    let calls = stage.secrets.calls().len();
    stage.secrets.behave(Behaviour::Slow(Duration::from_secs(1)));
    let reading = async {
        status(stage, Request::post("{}").key("wrong")).await;
    };
    let scene = async {
        asked(stage, calls + 1).await;
        advance(100).await;
        change();
        stage.secrets.behave(Behaviour::Normal);
        tokio::join!(request, async {
            settle().await;
            advance(1000).await;
        })
    };
    let ((), (result, ())) = Box::pin(on_a_still_clock(async { tokio::join!(reading, scene) })).await;
    result
}

#[tokio::test]
async fn a_new_key_works_at_once_even_while_the_secret_is_being_read() {
    let stage = Stage::start().await;
    let store = || stage.secrets.put("lendswift/acme", secret(TOKEN, &[KEY, "new-key"]));
    let new = || status(&stage, Request::post(LEAD).key("new-key"));
    assert_eq!(while_it_is_read(&stage, store, new()).await, 200);
    assert_eq!(stage.secrets.calls().len(), 2);
}

#[tokio::test]
async fn a_thousand_new_keys_while_the_secret_is_being_read_are_one_more_question() {
    let stage = Stage::start().await;
    let store = || stage.secrets.put("lendswift/acme", secret(TOKEN, &[KEY, "new-key"]));
    let event = Request::post("{}").key("new-key").event();
    let answers = while_it_is_read(&stage, store, join_all((0..1000).map(|_| stage.serve(&event)))).await;
    assert!(answers.iter().all(|answer| answer.status == 422));
    assert_eq!(stage.secrets.calls().len(), 2);
}

#[tokio::test]
async fn what_a_reading_found_is_not_taken_for_one_that_is_under_way() {
    let stage = Stage::start().await;
    let mut asleep = Box::pin(post(&stage));
    assert_eq!((&mut asleep).now_or_never(), None);
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), 1, "both wait for one answer");
    stage.secrets.put("lendswift/acme", secret(TOKEN, &[KEY, "new-key"]));
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 200);
    assert_eq!(asleep.await, 200);
    assert_eq!(stage.secrets.calls().len(), 2);
}

#[tokio::test]
async fn a_revoked_key_works_until_the_secret_is_read_again() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.put("lendswift/acme", secret(TOKEN, &["new-key"]));
    assert_eq!(post(&stage).await, 200);
    pass(301).await;
    assert_eq!(post(&stage).await, 401);
}

#[tokio::test]
async fn wrong_keys_make_a_secret_be_read_ahead_of_time_once_in_thirty_seconds() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    let wrong = || Request::post(LEAD).key("wrong");
    for _ in 0..5 {
        assert_eq!(status(&stage, wrong()).await, 401);
    }
    assert_eq!(stage.secrets.calls().len(), 2);
    pass(29).await;
    assert_eq!(status(&stage, wrong()).await, 401);
    assert_eq!(stage.secrets.calls().len(), 2);
    pass(2).await;
    assert_eq!(status(&stage, wrong()).await, 401);
    assert_eq!(stage.secrets.calls().len(), 3);
}

#[tokio::test]
async fn the_first_wrong_key_is_one_question_since_the_answer_is_new() {
    let stage = Stage::start().await;
    assert_eq!(status(&stage, Request::post(LEAD).key("wrong")).await, 401);
    assert_eq!(stage.secrets.calls().len(), 1);
}

#[tokio::test]
async fn wrong_keys_are_counted_by_account() {
    let stage = Stage::start().await;
    stage.secrets.put("lendswift/second", secret(TOKEN, &[KEY]));
    for account in ["acme", "second"] {
        assert_eq!(status(&stage, Request::post("{}").account(account)).await, 422);
        assert_eq!(status(&stage, Request::post("{}").account(account).key("wrong")).await, 401);
    }
    let acme = "lendswift/acme";
    assert_eq!(stage.secrets.calls(), [acme, acme, "lendswift/second", "lendswift/second"]);
}

#[tokio::test]
async fn a_reading_in_time_does_not_make_room_for_one_ahead_of_it() {
    let stage = Stage::with(&[("SECRET_TTL_SECONDS", "10")]).await;
    assert_eq!(post(&stage).await, 200);
    let wrong = || Request::post(LEAD).key("wrong");
    assert_eq!(status(&stage, wrong()).await, 401);
    pass(11).await;
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), 3);
    assert_eq!(status(&stage, wrong()).await, 401);
    assert_eq!(stage.secrets.calls().len(), 3);
}

#[tokio::test]
async fn refused_tokens_make_a_secret_be_read_ahead_of_time_once_in_thirty_seconds() {
    let stage = Stage::start().await;
    let rotate = |token: &str| {
        stage.rudder.replace_tokens([token]);
        stage.secrets.put("lendswift/acme", secret(token, &[KEY]));
    };
    assert_eq!(post(&stage).await, 200);
    rotate("second");
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), 2);
    rotate("third");
    pass(29).await;
    assert_eq!(post(&stage).await, 500);
    assert_eq!(stage.secrets.calls().len(), 2);
    pass(2).await;
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), 3);
}

#[tokio::test]
async fn a_wrong_key_does_not_use_up_the_reading_for_a_refused_token() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    let wrong = || Request::post(LEAD).key("wrong");
    assert_eq!(status(&stage, wrong()).await, 401);
    stage.rudder.replace_tokens(["new"]);
    stage.secrets.put("lendswift/acme", secret("new", &[KEY]));
    assert_eq!(post(&stage).await, 200);
    assert_eq!(status(&stage, wrong()).await, 401);
    assert_eq!(stage.secrets.calls().len(), 3);
}

#[tokio::test]
async fn a_refused_token_does_not_use_up_the_reading_for_a_wrong_key() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.rudder.replace_tokens(["new"]);
    assert_eq!(post(&stage).await, 500);
    assert_eq!(stage.secrets.calls().len(), 2);
    assert_eq!(status(&stage, Request::post(LEAD).key("wrong")).await, 401);
    assert_eq!(stage.secrets.calls().len(), 3, "or who has no key could tell that there is such an account");
}

#[tokio::test]
async fn a_reading_ahead_of_time_holds_up_nobody_whose_key_is_known() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Hang);
    let wrong = status(&stage, Request::post(LEAD).key("wrong"));
    let known = async {
        asked(&stage, 2).await;
        let status = post(&stage).await;
        advance(2001).await;
        status
    };
    assert_eq!(on_a_still_clock(async { tokio::join!(wrong, known) }).await, (503, 200));
}

#[tokio::test]
async fn a_reading_ahead_of_time_that_fails_costs_the_account_nothing() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Down);
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 503, "nobody can tell");
    assert_eq!(post(&stage).await, 200);
    let calls = stage.secrets.calls().len();
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 503);
    assert_eq!(stage.secrets.calls().len(), calls + 2, "as for a name of which nothing is known");
    stage.secrets.behave(Behaviour::Normal);
    stage.secrets.put("lendswift/acme", secret(TOKEN, &[KEY, "new-key"]));
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 200, "at once");

    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Down);
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 503);
    let calls = stage.secrets.calls().len();
    pass(250).await;
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), calls, "it is as fresh as it was");
}

#[tokio::test]
async fn a_key_is_wrong_for_thirty_seconds_after_it_was_looked_for_whatever_happens_to_secrets_manager() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    let wrong = || Request::post(LEAD).key("wrong");
    assert_eq!(status(&stage, wrong()).await, 401);
    stage.secrets.behave(Behaviour::Down);
    pass(29).await;
    assert_eq!(status(&stage, wrong()).await, 401);
    assert_eq!(stage.secrets.calls().len(), 2);
    pass(2).await;
    assert_eq!(status(&stage, wrong()).await, 503);
}

#[tokio::test]
async fn a_request_of_little_time_does_not_use_up_the_reading_ahead_of_time() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Hang);
    assert_eq!(short_post(&stage, "new-key").await, 503);
    stage.secrets.behave(Behaviour::Normal);
    stage.secrets.put("lendswift/acme", secret(TOKEN, &[KEY, "new-key"]));
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 200);
}

#[tokio::test]
async fn secrets_manager_gets_two_seconds() {
    for (answered_after, status) in [(1950, 200), (2050, 503)] {
        let stage = Stage::start().await;
        stage.secrets.behave(Behaviour::Slow(Duration::from_millis(answered_after)));
        let time = async {
            asked(&stage, 1).await;
            for step in [1960, 60, 40] {
                advance(step).await;
                settle().await;
            }
        };
        let (answer, ()) = on_a_still_clock(async { tokio::join!(post(&stage), time) }).await;
        assert_eq!(answer, status, "{answered_after} ms");
        assert_eq!(stage.secrets.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_new_account_needs_no_deployment() {
    let stage = Stage::start().await;
    stage.secrets.put("lendswift/second", secret(TOKEN, &["second-key"]));
    assert_eq!(status(&stage, Request::post(LEAD).account("second").key("second-key")).await, 200);
    assert_eq!(status(&stage, Request::post(LEAD).account("second")).await, 401, "another account's key opens nothing");
}
