//! Faults of DynamoDB.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use support::DynamoBehaviour::{
    self, AppliedDown, AppliedNoResponse, AppliedReset, Conflicting, ConflictingAt, Denied, Down, Hang, Held, Normal,
    Reset, Slow, Throttled, ThrottledInTransaction, Twice,
};
use support::{ProcessHarness, Reply, TestApp};

use super::{Fault, LIMITS, Pushes, Row, lead};

/// What lasts until the lead is posted again.
pub const LASTING: [(&str, DynamoBehaviour); 13] = [
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

/// The behaviour for one call after the other. The first claims, and the second settles or releases; each is retried.
pub const IN_TURN: [(&str, &[DynamoBehaviour]); 19] = [
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
    ("settling takes 1.3 s", &[Normal, Slow(Duration::from_millis(1300))]),
    ("settling arrives 3 s late, and once more", &[Normal, Slow(Duration::from_secs(3))]),
    ("down after the push", &[Normal, Down, Down, Down]),
    ("the answer to settling is lost", &[Normal, AppliedReset]),
    ("settling meets another transaction once", &[Normal, Conflicting]),
    ("the claim is throttled within its transaction once", &[ThrottledInTransaction]),
    ("settling is throttled twice", &[Normal, Throttled, Throttled]),
];

const SLOW: DynamoBehaviour = Slow(Duration::from_secs(3));

/// One row per fault.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let lasting = LASTING.map(|(fault, behaviour)| {
        let begin = move |app: &TestApp| app.dynamodb.behave(behaviour);
        Fault::new(format!("DynamoDB {fault}"), begin).ended_by(|app| app.dynamodb.behave(Normal)).row()
    });
    let in_turn = IN_TURN
        .map(|(fault, behaviours)| Fault::new(format!("DynamoDB: {fault}"), |app| in_order(app, behaviours)).row());
    let refused = || Reply::new(422, r#"{"code":422}"#);
    let refused_and_down = move |app: &TestApp| {
        app.rudder.answer_next(refused());
        in_order(app, &[Normal, Down, Down, Down]);
    };
    let create_odd_table = |app: &TestApp| app.dynamodb.create_table_of_another_shape("odd");
    let others = [
        late("DynamoDB: three attempts of the claim arrive 3 s late", 29_000, &[SLOW; 3], 3).boxed(),
        late("DynamoDB: the claim arrives after it was voided", 4000, &[SLOW; 2], 3).boxed(),
        Fault::new("DynamoDB: down when a refused lead is released", refused_and_down).row(),
        fails_for_100_ms("DynamoDB fails for 100 ms after an accepted push", None).boxed(),
        fails_for_100_ms("DynamoDB fails for 100 ms after a refused push", Some(refused())).boxed(),
        fails_for_100_ms("DynamoDB fails for 100 ms after HTTP 429", Some(Reply::new(429, r#"{"code":429}"#))).boxed(),
        Fault::new("DynamoDB has no such table", |_| {}).with(("CLAIMS_TABLE", "nowhere")).row(),
        Fault::new("DynamoDB has a table of another shape", create_odd_table).with(("CLAIMS_TABLE", "odd")).row(),
    ];
    lasting.into_iter().chain(in_turn).chain(others).collect()
}

/// Faults at the phone number's item, of leads that have one: the third of their claims with a key, the second of the others.
pub fn phone_rows() -> Vec<BoxFuture<'static, Row>> {
    let at_the_number = |app: &TestApp| app.dynamodb.behave(ConflictingAt(2));
    let lasting = Fault::new("DynamoDB is at the number's item in other transactions", at_the_number)
        .ended_by(|app| app.dynamodb.behave(Normal));
    let once = |app: &TestApp| in_order(app, &[ConflictingAt(2), ConflictingAt(1), ConflictingAt(2)]);
    let once = Fault::new("DynamoDB: claims meet other transactions at the number once", once);
    let release = |app: &TestApp| {
        app.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
        in_order(app, &[Normal, ConflictingAt(1), ConflictingAt(2)]);
    };
    let release = Fault::new("DynamoDB: a release meets other transactions at the number", release);
    [lasting, once, release].map(Fault::row).into()
}

fn in_order(app: &TestApp, behaviours: &[DynamoBehaviour]) {
    for behaviour in behaviours {
        app.dynamodb.next(ProcessHarness::WRITE, *behaviour);
    }
}

/// AI Rudder responds to a push, and then DynamoDB fails.
async fn fails_for_100_ms(fault: &str, reply: Option<Reply>) -> Row {
    let app = TestApp::with(&LIMITS).await;
    if let Some(reply) = reply {
        app.rudder.answer_next(reply);
    }
    let fails = async {
        app.rudder.arrived(1).await;
        app.dynamodb.fail_for(Duration::from_millis(100));
    };
    let lead = lead();
    let (first, ()) = tokio::join!(app.post(&lead), fails);
    let pushes = Pushes::to(&app);
    let again = app.post(&lead).await;
    Row { fault: fault.to_owned(), first, pushes, again, pushes_in_all: Pushes::to(&app) }
}

/// DynamoDB does calls late; the lead is posted again when it has done this many in all.
async fn late(fault: &str, left: i64, behaviours: &[DynamoBehaviour], calls: usize) -> Row {
    let app = TestApp::with(&LIMITS).await;
    in_order(&app, behaviours);
    let first = app.post_within(&lead(), left).await;
    let pushes = Pushes::to(&app);
    app.dynamodb.done(ProcessHarness::WRITE, calls).await;
    let again = app.post(&lead()).await;
    Row { fault: fault.to_owned(), first, pushes, again, pushes_in_all: Pushes::to(&app) }
}
