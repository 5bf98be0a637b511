//! DynamoDB's bad days.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use lambda_http::Context;
use support::fakes::{
    DynamoBehaviour::{
        self, AppliedDown, AppliedNoResponse, AppliedReset, Conflicting, ConflictingAt, Denied, Down, Hang, Held,
        Normal, Reset, Slow, Throttled, ThrottledInTransaction, Twice,
    },
    Reply,
};

use super::{LIMITS, Row, on_stage, on_the_desk, told, with_table};
use crate::{
    request::{LEAD, Request},
    stage::{Stage, serve, with_deadline},
};

/// What lasts until the lead is posted again.
const ALL_THE_TIME: [(&str, DynamoBehaviour); 13] = [
    ("is down", Down),
    ("throttles", Throttled),
    ("throttles within transactions", ThrottledInTransaction),
    ("denies the permission", Denied),
    ("never answers", Hang),
    ("breaks the connection", Reset),
    ("takes 300 ms", Slow(Duration::from_millis(300))),
    ("is at the items in other transactions", Conflicting),
    ("is at the lead's item in other transactions", ConflictingAt(0)),
    ("is at the key's item in other transactions", ConflictingAt(1)),
    ("writes and answers HTTP 500", AppliedDown),
    ("writes and never says so", AppliedNoResponse),
    ("writes and breaks the connection", AppliedReset),
];

/// What becomes of one call after the other. The first claims, and the second settles or releases; each is tried again.
const IN_TURN: [(&str, &[DynamoBehaviour]); 19] = [
    ("the claim is written and the answer lost", &[AppliedReset]),
    ("the claim is written and the answer late", &[AppliedNoResponse]),
    ("the claim is not written and the answer lost", &[Reset]),
    ("the claim is throttled once", &[Throttled]),
    ("the claim meets another transaction once", &[Conflicting]),
    ("the claim is written, and then five calls fail", &[AppliedReset, Down, Down, Down, Down, Down]),
    ("the claim meets another transaction at the key once", &[ConflictingAt(1)]),
    ("the claim is written and answered HTTP 500", &[AppliedDown]),
    ("the claim arrives twice, the second time late", &[Twice(Duration::from_millis(300))]),
    ("the claim's transaction takes 1.2 s", &[Held(Duration::from_millis(1200))]),
    ("the claim's transaction takes 2.3 s", &[Held(Duration::from_millis(2300))]),
    ("the claim's transaction takes 4 s", &[Held(Duration::from_secs(4))]),
    ("settling takes 1.3 s", &[Normal, Held(Duration::from_millis(1300))]),
    ("settling arrives 3 s late, and once more", &[Normal, Slow(Duration::from_secs(3))]),
    ("down after the push", &[Normal, Down, Down, Down]),
    ("the answer to settling is lost", &[Normal, AppliedReset]),
    ("settling meets another transaction once", &[Normal, Conflicting]),
    ("the claim is throttled within its transaction once", &[ThrottledInTransaction]),
    ("settling is throttled within its transaction twice", &[Normal, ThrottledInTransaction, ThrottledInTransaction]),
];

/// One row a bad day.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let all_the_time = ALL_THE_TIME.map(|(fault, behaviour)| {
        let begin = move |stage: &Stage| stage.dynamodb.behave(behaviour);
        let end = |stage: &Stage| stage.dynamodb.behave(Normal);
        on_stage(format!("DynamoDB {fault}"), Context::default(), begin, end)
    });
    let in_turn = IN_TURN.map(|(fault, behaviours)| {
        let begin = move |stage: &Stage| {
            in_order(stage, behaviours);
        };
        on_stage(format!("DynamoDB: {fault}"), Context::default(), begin, |_| {})
    });
    let refused_and_down = |stage: &Stage| {
        stage.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
        in_order(stage, &[Normal, Down, Down, Down]);
    };
    let others = [
        late("DynamoDB: three attempts of the claim arrive 3 s late", 29_000, &[SLOW; 3], 3).boxed(),
        late("DynamoDB: the claim arrives after it was voided", 4000, &[SLOW; 2], 3).boxed(),
        on_stage("DynamoDB: down when a refused lead is released", Context::default(), refused_and_down, |_| {}),
        fails_for_100_ms("DynamoDB fails for 100 ms after an accepted push", None),
        fails_for_100_ms("DynamoDB fails for 100 ms after a refused push", Some(Reply::new(422, r#"{"code":422}"#))),
        fails_for_100_ms("DynamoDB fails for 100 ms after HTTP 429", Some(Reply::new(429, r#"{"code":429}"#))),
        with_table("DynamoDB has no such table", "nowhere", Context::default(), |_| {}, |_| {}),
        with_table(
            "DynamoDB has a table of another shape",
            "odd",
            Context::default(),
            |stage| stage.dynamodb.create_table_of_another_shape("odd"),
            |_| {},
        ),
    ];
    all_the_time.into_iter().chain(in_turn).chain(others).collect()
}

fn in_order(stage: &Stage, behaviours: &[DynamoBehaviour]) {
    for behaviour in behaviours {
        stage.dynamodb.next("TransactWriteItems", *behaviour);
    }
}

/// AI Rudder answers a push, and then DynamoDB fails.
fn fails_for_100_ms(fault: &'static str, reply: Option<Reply>) -> BoxFuture<'static, Row> {
    async move {
        let stage = Stage::with(&LIMITS).await;
        if let Some(reply) = reply {
            stage.rudder.answer_next(reply);
        }
        let event = Request::post(LEAD).header("idempotency-key", "infinity-7").event();
        let fails = async {
            stage.rudder.arrived(1).await;
            stage.dynamodb.fail_for(Duration::from_millis(100));
        };
        let (first, ()) = tokio::join!(stage.serve(&event), fails);
        let pushes = on_the_desk(&stage);
        let again = told(&stage.serve(&event).await);
        Row { fault: fault.to_owned(), first: told(&first), pushes, again, pushes_in_all: on_the_desk(&stage) }
    }
    .boxed()
}

const SLOW: DynamoBehaviour = Slow(Duration::from_secs(3));

/// Calls of DynamoDB that are done late; the lead is posted again when so many are done in all.
async fn late(fault: &str, left: i64, behaviours: &[DynamoBehaviour], calls: usize) -> Row {
    let stage = Stage::with(&LIMITS).await;
    in_order(&stage, behaviours);
    let event = Request::post(LEAD).header("idempotency-key", "infinity-7").event();
    let first = told(&serve(&stage.relay, &event, with_deadline(left)).await);
    let pushes = on_the_desk(&stage);
    stage.dynamodb.done("TransactWriteItems", calls).await;
    let again = told(&stage.serve(&event).await);
    Row { fault: fault.to_owned(), first, pushes, again, pushes_in_all: on_the_desk(&stage) }
}
