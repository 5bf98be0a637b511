//! The accounts' secrets: when Secrets Manager is asked, and what serves meanwhile. Time is tokio's, and moved by hand.

use std::time::Duration;

use futures_util::future::join_all;
use stand_ins::Behaviour;

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

async fn status(stage: &Stage, request: Request) -> u16 {
    stage.serve(&request.event()).await.status
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
async fn a_thousand_first_requests_at_once_are_one_question_when_it_fails_too() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Denied);
    let event = Request::post("{}").event();
    let answers = join_all((0..1000).map(|_| stage.serve(&event))).await;
    assert!(answers.iter().all(|answer| answer.status == 401));
    assert_eq!(stage.secrets.calls().len(), 1);
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
    for behaviour in [Behaviour::Throttled, Behaviour::Down, Behaviour::Silent] {
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
async fn a_closed_account_is_asked_for_again_after_ten_seconds() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Denied);
    assert_eq!(post(&stage).await, 401);
    stage.secrets.behave(Behaviour::Normal);
    pass(9).await;
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
    assert_eq!(post(&stage).await, 200);
    for n in 0..3000 {
        assert_eq!(status(&stage, Request::post(LEAD).account(&format!("guess-{n}"))).await, 401);
    }
    let calls = stage.secrets.calls().len();
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), calls, "the account is still known");
    // Asking for all of them again costs a call for each name that was forgotten.
    for n in 0..3000 {
        assert_eq!(status(&stage, Request::post(LEAD).account(&format!("guess-{n}"))).await, 401);
    }
    let forgotten = stage.secrets.calls().len() - calls;
    assert!(forgotten >= 2000, "at most 1,000 of 3,000 names are held, but {forgotten} were forgotten");
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
async fn who_waits_for_anothers_question_waits_no_longer_than_there_is_time() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Silent);
    let event = Request::post(LEAD).event();
    let begun = std::time::Instant::now();
    let (first, (second, waited)) = tokio::join!(stage.serve(&event), async {
        // 1.5 s of these are for the answer.
        let answer = serve(&stage.relay, &event, with_deadline(2000)).await;
        (answer, begun.elapsed())
    });
    assert_eq!((first.status, second.status), (503, 503));
    assert!(waited < Duration::from_millis(1000), "{waited:?}");
    assert!(begun.elapsed() > Duration::from_millis(1900));
}

#[tokio::test]
async fn a_new_key_works_at_once() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.put("lendswift/acme", secret(TOKEN, &[KEY, "new-key"]));
    assert_eq!(status(&stage, Request::post(LEAD).key("new-key")).await, 200);
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
async fn a_reading_ahead_of_time_that_fails_costs_the_account_nothing() {
    let stage = Stage::start().await;
    assert_eq!(post(&stage).await, 200);
    stage.secrets.behave(Behaviour::Down);
    assert_eq!(status(&stage, Request::post(LEAD).key("wrong")).await, 401);
    assert_eq!(post(&stage).await, 200);
    let calls = stage.secrets.calls().len();
    pass(250).await;
    assert_eq!(post(&stage).await, 200);
    assert_eq!(stage.secrets.calls().len(), calls, "it is as fresh as it was");
}

#[tokio::test]
async fn secrets_manager_gets_two_seconds() {
    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Slow(Duration::from_millis(1000)));
    assert_eq!(post(&stage).await, 200);

    let stage = Stage::start().await;
    stage.secrets.behave(Behaviour::Silent);
    let begun = std::time::Instant::now();
    assert_eq!(post(&stage).await, 503);
    let waited = begun.elapsed();
    assert!((1900..2500).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_new_account_needs_no_deployment() {
    let stage = Stage::start().await;
    stage.secrets.put("lendswift/second", secret(TOKEN, &["second-key"]));
    assert_eq!(status(&stage, Request::post(LEAD).account("second").key("second-key")).await, 200);
    assert_eq!(status(&stage, Request::post(LEAD).account("second")).await, 401, "another account's key opens nothing");
}
