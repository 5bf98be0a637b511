//! DynamoDB's bad days.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use lambda_http::Context;
use stand_ins::{
    DynamoBehaviour::{
        self, Broken, Conflicting, Denied, DoneButBroken, DoneButSilent, Down, Normal, Silent, Slow, Throttled,
        ThrottledInTransaction,
    },
    Reply,
};

use super::{LIMITS, Row, on_stage, on_the_desk, told, with_table};
use crate::{
    request::{LEAD, Request},
    stage::Stage,
};

/// What lasts until the lead is posted again.
const ALL_THE_TIME: [(&str, DynamoBehaviour); 10] = [
    ("is down", Down),
    ("throttles", Throttled),
    ("throttles within transactions", ThrottledInTransaction),
    ("denies the permission", Denied),
    ("never answers", Silent),
    ("breaks the connection", Broken),
    ("takes 300 ms", Slow(Duration::from_millis(300))),
    ("is at the item in other transactions", Conflicting),
    ("writes and never says so", DoneButSilent),
    ("writes and breaks the connection", DoneButBroken),
];

/// What becomes of one call after the other. The first claims, and the second settles or releases; the SDK tries a call
/// three times.
const IN_TURN: [(&str, &[DynamoBehaviour]); 11] = [
    ("the claim is written and the answer lost", &[DoneButBroken]),
    ("the claim is written and the answer late", &[DoneButSilent]),
    ("the claim is not written and the answer lost", &[Broken]),
    ("the claim is throttled once", &[Throttled]),
    ("the claim meets another transaction once", &[Conflicting]),
    ("the claim is written, and then all fails", &[DoneButBroken, Down, Down, Down, Down, Down]),
    ("down after the push", &[Normal, Down, Down, Down]),
    ("the answer to settling is lost", &[Normal, DoneButBroken]),
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
        late("DynamoDB takes 3 s", &[SLOW, SLOW, SLOW]).boxed(),
        late("DynamoDB: the claim arrives after it was taken back", &[SLOW, SLOW, Normal]).boxed(),
        on_stage("DynamoDB: down when a refused lead is released", Context::default(), refused_and_down, |_| {}),
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

const SLOW: DynamoBehaviour = Slow(Duration::from_secs(3));

/// Calls of DynamoDB that are done after everybody has given up; the lead is posted again when all of them are.
async fn late(fault: &str, behaviours: &[DynamoBehaviour]) -> Row {
    let stage = Stage::with(&LIMITS).await;
    in_order(&stage, behaviours);
    let event = Request::post(LEAD).header("idempotency-key", "infinity-7").event();
    let first = told(&stage.serve(&event).await);
    let pushes = on_the_desk(&stage);
    stage.dynamodb.done("TransactWriteItems", behaviours.len()).await;
    let again = told(&stage.serve(&event).await);
    Row { fault: fault.to_owned(), first, pushes, again, pushes_in_all: on_the_desk(&stage) }
}
