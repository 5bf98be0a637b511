//! Everything that can go wrong around one lead, and what its sender is told: `tests/it/faults.txt` is the table.
//!
//! Each lead is posted, and then posted again when the fault is over (a server that is always so stays so). The table
//! counts the pushes that reached AI Rudder so far, in whole and in part. `SNAPSHOTS=overwrite cargo test` writes it anew.

mod answers;
mod dynamodb;
mod raw;
mod secrets;

use std::{
    fmt::{self, Write},
    path::Path,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream,
};
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use snapbox::{Assert, Data};
use support::fakes::api_gateway::Response;

use crate::{
    request::{LEAD, Request},
    sending::{header, seen},
    stage::{Stage, TABLE, serve, with_deadline},
};

/// Short, so that waiting for them is short.
const LIMITS: [(&str, &str); 3] =
    [("CLAIMS_TABLE", TABLE), ("UPSTREAM_TIMEOUT_MS", "1500"), ("UPSTREAM_CONNECT_TIMEOUT_MS", "300")];

/// How many pushes AI Rudder got.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Pushes {
    whole: usize,
    part: usize,
    /// How many of them it answered with success, where that is known.
    accepted: usize,
}

/// What says that this post sent nothing, and nothing about another post of the lead.
const SAY_NOTHING_OF_THE_LEAD: [&str; 3] = ["unauthorized", "temporarily_unavailable", "account_misconfigured"];

/// What came of one fault.
struct Row {
    fault: String,
    first: String,
    pushes: Pushes,
    again: String,
    pushes_in_all: Pushes,
}

fn told(answer: &Response) -> String {
    let (status, outcome, error) = seen(answer);
    let replayed = if header(answer, "idempotent-replayed") == "true" { "(again)" } else { "" };
    format!("{status} {outcome} {error}{replayed}").trim_end().to_owned()
}

impl Row {
    /// Fails where somebody could have been called twice, or was told what is not so.
    fn check(&self) {
        let Self { first, pushes, again, pushes_in_all, .. } = self;
        assert!(pushes_in_all.accepted <= 1, "accepted twice: {self}");
        let may_have_called = ["accepted", "unknown"].iter().any(|outcome| first.contains(outcome));
        if may_have_called {
            assert!(pushes == pushes_in_all, "sent again: {self}");
        } else {
            assert!(pushes_in_all.part == 0, "it may have arrived: {self}");
            assert!(pushes_in_all.whole <= pushes.whole + 1, "sent again by itself: {self}");
        }
        for (told, pushes) in [(first, pushes), (again, pushes_in_all)] {
            let nobody_was_called = ["refused", "not_sent"].iter().any(|outcome| told.contains(outcome))
                && !SAY_NOTHING_OF_THE_LEAD.iter().any(|error| told.contains(error));
            assert!(!nobody_was_called || pushes.accepted == 0, "somebody was called: {self}");
            assert!(!told.contains("accepted") || pushes.accepted == 1, "nobody was called: {self}");
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, first, pushes, again, pushes_in_all } = self;
        write!(f, "{fault:<61} | {first:<40} | {pushes} | {again:<40} | {pushes_in_all}")
    }
}

impl fmt::Display for Pushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.whole, self.part)
    }
}

/// Posts the lead with `context` to one relay, ends the fault, posts it again.
async fn post_twice(
    fault: impl Into<String>,
    relay: &Relay,
    context: Context,
    pushes: impl Fn() -> Pushes,
    end: impl FnOnce(),
) -> Row {
    let event = Request::post(LEAD).header("idempotency-key", "infinity-7").event();
    let first = told(&serve(relay, &event, context).await);
    let after_first = pushes();
    end();
    let again = told(&serve(relay, &event, Context::default()).await);
    Row { fault: fault.into(), first, pushes: after_first, again, pushes_in_all: pushes() }
}

/// A fault of the neighbours that `begin` begins, and that is over when `end` says so.
fn on_stage(
    fault: impl Into<String>,
    context: Context,
    begin: impl FnOnce(&Stage) + Send + 'static,
    end: impl FnOnce(&Stage) + Send + 'static,
) -> BoxFuture<'static, Row> {
    with_table(fault, TABLE, context, begin, end)
}

/// The same with another table than the one that is there.
fn with_table(
    fault: impl Into<String>,
    table: &'static str,
    context: Context,
    begin: impl FnOnce(&Stage) + Send + 'static,
    end: impl FnOnce(&Stage) + Send + 'static,
) -> BoxFuture<'static, Row> {
    let fault = fault.into();
    async move {
        let stage = Stage::with(&[&LIMITS[..], &[("CLAIMS_TABLE", table)]].concat()).await;
        begin(&stage);
        let pushes = || on_the_desk(&stage);
        post_twice(fault, &stage.relay, context, pushes, || end(&stage)).await
    }
    .boxed()
}

/// The same with some variables set, and nothing that ends.
fn with_variables(
    fault: impl Into<String>,
    variables: &[(&'static str, &'static str)],
    begin: impl FnOnce(&Stage) + Send + 'static,
) -> BoxFuture<'static, Row> {
    let (fault, variables) = (fault.into(), [&LIMITS[..], variables].concat());
    async move {
        let stage = Stage::with(&variables).await;
        begin(&stage);
        post_twice(fault, &stage.relay, Context::default(), || on_the_desk(&stage), || {}).await
    }
    .boxed()
}

/// What the stand-in of AI Rudder got.
fn on_the_desk(stage: &Stage) -> Pushes {
    let received = stage.rudder.received();
    Pushes { whole: received.len(), part: 0, accepted: received.iter().filter(|push| push.accepted).count() }
}

fn deadlines() -> Vec<BoxFuture<'static, Row>> {
    let mut absurd = Context::default();
    absurd.deadline = u64::MAX;
    let mut emulators = Context::default();
    emulators.deadline = 600_000;
    let deadlines = [
        ("no deadline", Context::default()),
        ("an emulator's deadline", emulators),
        ("a deadline beyond all clocks", absurd),
        ("a deadline that is over", with_deadline(-1)),
        ("2.4 s to the deadline", with_deadline(2400)),
        ("5 s to the deadline", with_deadline(5000)),
    ];
    deadlines.map(|(fault, context)| on_stage(fault, context, |_| {}, |_| {})).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_nobody_is_called_twice_and_the_sender_is_told_the_truth() {
    let groups = [raw::rows(), answers::rows(), dynamodb::rows(), secrets::rows(), deadlines()];
    // A few at a time, in their order: a machine that is out of breath would add faults of its own.
    let groups = groups.map(|rows| stream::iter(rows).buffered(4).collect::<Vec<_>>());
    let rows: Vec<Row> = join_all(groups).await.into_iter().flatten().collect();
    rows.iter().for_each(Row::check);
    let mut table = format!(
        "{:<61} | {:<40} | {} | {:<40} | {}\n",
        "fault", "told", "whole, part", "told when posted again", "whole, part in all"
    );
    for row in &rows {
        writeln!(table, "{row}").unwrap();
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults.txt");
    Assert::new().action_env("SNAPSHOTS").eq(table, Data::read_from(&file, None).raw());
}
