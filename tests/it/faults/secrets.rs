//! Secrets Manager's bad days.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use lambda_http::Context;
use support::fakes::Behaviour;

use super::{LIMITS, Row, on_stage, on_the_desk, told};
use crate::{
    request::{LEAD, Request},
    stage::{KEY, Stage, TOKEN, secret},
};

/// One row a bad day.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let rotated = rotated("Secrets Manager: key and token rotated between two leads").boxed();
    lasting().into_iter().chain(once()).chain(of_the_account()).chain([rotated]).collect()
}

/// What goes on until the lead is posted again.
fn lasting() -> impl IntoIterator<Item = BoxFuture<'static, Row>> {
    let behaviours = [
        ("is down", Behaviour::Down),
        ("throttles", Behaviour::Throttled),
        ("denies the permission", Behaviour::Denied),
        ("never answers", Behaviour::Hang),
        ("takes 300 ms", Behaviour::Slow(Duration::from_millis(300))),
        ("takes 3 s", Behaviour::Slow(Duration::from_secs(3))),
        ("has a binary secret", Behaviour::Binary),
        ("accepts no signature", Behaviour::Expired),
        ("says that the secret is marked for deletion", Behaviour::Deleted),
        (
            "says InvalidRequestException of another kind",
            Behaviour::Fails("InvalidRequestException", "You tried to enable rotation."),
        ),
    ];
    behaviours.map(|(fault, behaviour)| {
        let begin = move |stage: &Stage| stage.secrets.behave(behaviour);
        let end = |stage: &Stage| stage.secrets.behave(Behaviour::Normal);
        on_stage(format!("Secrets Manager {fault}"), Context::default(), begin, end)
    })
}

/// What is over before the retry.
fn once() -> impl IntoIterator<Item = BoxFuture<'static, Row>> {
    let behaviours = [
        ("refuses one signature", Behaviour::Expired),
        ("throttles once", Behaviour::Throttled),
        ("fails once", Behaviour::Down),
    ];
    behaviours.map(|(fault, behaviour)| {
        let begin = move |stage: &Stage| stage.secrets.behave_next([behaviour]);
        on_stage(format!("Secrets Manager {fault}"), Context::default(), begin, |_| {})
    })
}

fn of_the_account() -> impl IntoIterator<Item = BoxFuture<'static, Row>> {
    let put = |stage: &Stage, secret: String| stage.secrets.put("lendswift/acme", secret);
    [
        on_stage(
            "Secrets Manager: garbage in the secret",
            Context::default(),
            move |stage| put(stage, "garbage".to_owned()),
            |_| {},
        ),
        on_stage(
            "Secrets Manager: no token in the secret",
            Context::default(),
            move |stage| put(stage, secret("", &[KEY])),
            move |stage| put(stage, secret(TOKEN, &[KEY])),
        ),
        on_stage(
            "the token is another one at AI Rudder",
            Context::default(),
            |stage| stage.rudder.replace_tokens(["another"]),
            |_| {},
        ),
    ]
}

/// Two leads, with everything about the account replaced between them.
async fn rotated(fault: &str) -> Row {
    let stage = Stage::with(&LIMITS).await;
    let first = told(&stage.serve(&Request::post(LEAD).event()).await);
    stage.secrets.put("lendswift/acme", secret("new", &["new-key"]));
    stage.rudder.replace_tokens(["new"]);
    stage.rudder.take_received();
    let another = Request::post(LEAD.replace("4000", "5000")).key("new-key");
    let again = told(&stage.serve(&another.event()).await);
    let pushes = on_the_desk(&stage);
    Row { fault: fault.to_owned(), first, pushes, again, pushes_in_all: pushes }
}
