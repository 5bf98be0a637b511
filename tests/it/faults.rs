//! Every fault around one lead, and the responses to its sender: `tests/it/faults.txt` is the table.
//!
//! Each lead is posted, and posted again when the fault is over (a server of raw bytes does not change). The table counts the
//! complete and the partial pushes that have reached AI Rudder so far. `SNAPSHOTS=overwrite cargo test` rewrites it.

mod answers;
mod dynamodb;
mod inquiries;
mod raw;
mod secrets;

use std::{
    fmt::{self, Write},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join, join_all},
    stream,
};
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use snapbox::{Assert, Data};
use support::{
    ACCOUNT, LEAD, Lead, ObservedResponse, Request, TABLE, TestApp, fakes::Received, in_repository,
    once_per_phone_secret, post, with_deadline,
};

use crate::openapi;

type Variable = (&'static str, &'static str);

/// Short limits, so that no row waits for long.
const LIMITS: [Variable; 3] =
    [("CLAIMS_TABLE", TABLE), ("UPSTREAM_TIMEOUT_MS", "1500"), ("UPSTREAM_CONNECT_TIMEOUT_MS", "300")];

tokio::task_local! {
    static MODE: Mode;
}

/// How often a lead was pushed over a reused connection.
static REUSES: AtomicUsize = AtomicUsize::new(0);

/// What else the relay does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing.
    Alone,
    /// An earlier lead left a connection to AI Rudder.
    Reused,
    /// It serves this many leads at a time, over connections that earlier leads left.
    Several(u32),
    /// It serves this many leads at a time that have one phone number, which the account's policy allows to be called once.
    OneNumber(u32),
}

/// The pushes that AI Rudder got.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Pushes {
    whole: usize,
    part: usize,
    /// How many of them it answered with success, where that is known.
    accepted: usize,
}

impl Pushes {
    /// What the fake of AI Rudder got.
    fn to(app: &TestApp) -> Self {
        Self::count(&app.rudder.received())
    }

    /// What it got of the lead with this body.
    fn of(app: &TestApp, body: &str) -> Self {
        Self::count(&app.rudder.received().into_iter().filter(|push| push.body == body).collect::<Vec<_>>())
    }

    fn count(received: &[Received]) -> Self {
        Self { whole: received.len(), part: 0, accepted: received.iter().filter(|push| push.accepted).count() }
    }
}

/// These errors say that this request pushed nothing, and nothing about another request with the same lead.
const OF_THIS_REQUEST_ALONE: [&str; 3] = ["unauthorized", "temporarily_unavailable", "account_misconfigured"];

/// What one fault leads to.
struct Row {
    fault: String,
    first: ObservedResponse,
    pushes: Pushes,
    again: ObservedResponse,
    pushes_in_all: Pushes,
}

impl Row {
    /// Fails where a consumer may be called twice, or a response is wrong.
    fn check(&self) {
        let Self { first, pushes, again, pushes_in_all, .. } = self;
        assert!(pushes_in_all.accepted <= 1, "accepted twice: {self}");
        if ["accepted", "unknown"].contains(&first.outcome.as_str()) {
            assert!(pushes == pushes_in_all, "sent again: {self}");
            assert!(!again.replayed || *again == first.again(), "replayed as another response: {self}");
        } else {
            assert!(pushes_in_all.part == 0, "it may have arrived: {self}");
            assert!(pushes_in_all.whole <= pushes.whole + 1, "sent again by the relay: {self}");
        }
        for (response, pushes) in [(first, pushes), (again, pushes_in_all)] {
            openapi::assert_described(openapi::Route::Send, &response.response);
            let (outcome, error) = (response.outcome.as_str(), response.error.as_str());
            let nothing_sent = ["refused", "not_sent"].contains(&outcome) && !OF_THIS_REQUEST_ALONE.contains(&error);
            assert!(!nothing_sent || pushes.accepted == 0, "the consumer was called: {self}");
            assert!(outcome != "accepted" || pushes.accepted == 1, "the consumer was not called: {self}");
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, first, pushes, again, pushes_in_all } = self;
        let (first, again) = (first.to_string(), again.to_string());
        write!(f, "{fault:<61} | {first:<40} | {pushes} | {again:<40} | {pushes_in_all}")
    }
}

impl fmt::Display for Pushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.whole, self.part)
    }
}

fn lead() -> Request {
    Request::lead().idempotency_key("infinity-7")
}

/// Posts the lead with `context` to a relay, ends the fault, posts it again.
async fn post_twice(
    fault: impl Into<String>,
    relay: &Relay,
    context: Context,
    count: impl Fn() -> Pushes,
    end: impl FnOnce(),
) -> Row {
    let first = post(relay, &lead(), context).await;
    let pushes = count();
    end();
    let again = post(relay, &lead(), Context::default()).await;
    Row { fault: fault.into(), first, pushes, again, pushes_in_all: count() }
}

/// Posts several leads at a time, ends the fault, posts them again. Checks a row for each, and returns one of them.
async fn several_at_a_time(several: u32, fault: String, app: &TestApp, context: Context, end: impl FnOnce()) -> Row {
    let leads = || (11..11 + several).map(Lead);
    // Under keys of their own, and under none.
    let request = |lead: Lead| match (MODE.get(), lead.0 % 3) {
        (Mode::OneNumber(_), 1..) => lead.post().idempotency_key(&format!("infinity-{}", lead.0)),
        _ => lead.post(),
    };
    let all = async |context: &Context| {
        join_all(leads().map(|lead| async move { post(&app.relay, &request(lead), context.clone()).await })).await
    };
    let pushes = || leads().map(|lead| Pushes::of(app, &lead.body())).collect::<Vec<_>>();
    let (first, pushes_first) = (all(&context).await, pushes());
    end();
    let (again, pushes_in_all) = (all(&Context::default()).await, pushes());
    let rows = first.into_iter().zip(again).zip(pushes_first.into_iter().zip(pushes_in_all));
    let mut rows: Vec<_> = rows
        .map(|((first, again), (pushes, pushes_in_all))| Row {
            fault: fault.clone(),
            first,
            pushes,
            again,
            pushes_in_all,
        })
        .collect();
    rows.iter().for_each(Row::check);
    if matches!(MODE.get(), Mode::OneNumber(_)) {
        check_one_number(&rows);
    }
    rows.remove(0)
}

/// How often a lead of a number that another lead has was not sent.
static RECENTLY_CALLED: AtomicUsize = AtomicUsize::new(0);

/// Fails if two of these leads, which have one phone number, may have called it.
fn check_one_number(rows: &[Row]) {
    let all = || rows.iter().map(Row::to_string).collect::<Vec<_>>().join("\n");
    let accepted: usize = rows.iter().map(|row| row.pushes_in_all.accepted).sum();
    assert!(accepted <= 1, "accepted twice:\n{}", all());
    let may_have_called = |row: &&Row| {
        let is_open = |response: &ObservedResponse| ["accepted", "unknown"].contains(&response.outcome.as_str());
        row.pushes_in_all != Pushes::default() && (is_open(&row.first) || is_open(&row.again))
    };
    assert!(rows.iter().filter(may_have_called).count() <= 1, "two may have called:\n{}", all());
    let responses = rows.iter().flat_map(|row| [&row.first, &row.again]);
    let recently_called = responses.filter(|response| response.error == "recently_called").count();
    RECENTLY_CALLED.fetch_add(recently_called, Relaxed);
}

/// Posts other leads, unless this one opens its own connection.
async fn leave_connection(relay: &Relay) {
    if MODE.get() != Mode::Alone {
        // Two responses show that AI Rudder gives each a trace id of its own. They have other phone numbers.
        for area_code in ["212", "312"] {
            let lead = LEAD.replace("1650", &format!("1{area_code}"));
            post(relay, &Request::post(lead), with_deadline(30_000)).await;
        }
    }
}

/// A fault of the fakes that `begin` causes, and how it ends.
struct Fault {
    name: String,
    variables: Vec<Variable>,
    /// 30 seconds to the deadline, if it is `None`.
    context: Option<Context>,
    begin: Box<dyn FnOnce(&TestApp) + Send>,
    end: Box<dyn FnOnce(&TestApp) + Send>,
}

impl Fault {
    /// One that ends on its own.
    fn new(name: impl Into<String>, begin: impl FnOnce(&TestApp) + Send + 'static) -> Self {
        let (begin, end) = (Box::new(begin), Box::new(|_: &TestApp| {}));
        Self { name: name.into(), variables: LIMITS.to_vec(), context: None, begin, end }
    }

    fn ended_by(self, end: impl FnOnce(&TestApp) + Send + 'static) -> Self {
        Self { end: Box::new(end), ..self }
    }

    fn with(mut self, variable: Variable) -> Self {
        self.variables.push(variable);
        self
    }

    fn within(self, context: Context) -> Self {
        Self { context: Some(context), ..self }
    }

    fn row(self) -> BoxFuture<'static, Row> {
        async move {
            let app = TestApp::with(&self.variables).await;
            if matches!(MODE.get(), Mode::OneNumber(_)) {
                app.secrets.put(format!("lendswift/{ACCOUNT}"), once_per_phone_secret());
            }
            leave_connection(&app.relay).await;
            app.rudder.take_received();
            (self.begin)(&app);
            let end = || (self.end)(&app);
            let context = self.context.unwrap_or_else(|| with_deadline(30_000));
            if let Mode::Several(several) | Mode::OneNumber(several) = MODE.get() {
                return several_at_a_time(several, self.name, &app, context, end).await;
            }
            let count = || {
                let pushes = Pushes::to(&app);
                // Those of the earlier leads.
                if MODE.get() == Mode::Reused && pushes.whole == 1 && app.rudder.connections_made() == 2 {
                    REUSES.fetch_add(1, Relaxed);
                }
                pushes
            };
            post_twice(self.name, &app.relay, context, count, end).await
        }
        .boxed()
    }
}

fn deadlines() -> Vec<BoxFuture<'static, Row>> {
    let at = |deadline| {
        let mut context = Context::default();
        context.deadline = deadline;
        context
    };
    let deadlines = [
        ("no deadline", at(0)),
        ("an emulator's deadline", at(600_000)),
        ("a deadline beyond all clocks", at(u64::MAX)),
        ("a deadline over an hour past", with_deadline(-3_601_000)),
        ("a deadline that is over", with_deadline(-1)),
        ("2.4 s to the deadline", with_deadline(2400)),
        ("5 s to the deadline", with_deadline(5000)),
        ("a year to the deadline", with_deadline(31_536_000_000)),
    ];
    deadlines.map(|(name, context)| Fault::new(name, |_| {}).within(context).row()).into()
}

/// The rows of these groups, checked.
async fn all(groups: Vec<Vec<BoxFuture<'static, Row>>>) -> Vec<Row> {
    // A few at a time, in their order: an overloaded machine would add faults of its own.
    let groups = groups.into_iter().map(|rows| stream::iter(rows).buffered(4).collect::<Vec<_>>());
    let rows: Vec<Row> = join_all(groups).await.into_iter().flatten().collect();
    rows.iter().for_each(Row::check);
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_causes_a_second_call_or_a_wrong_response() {
    let groups = || vec![raw::rows(), answers::rows(), dynamodb::rows(), deadlines()];
    let (mut rows, reused) =
        join(MODE.scope(Mode::Alone, all(groups())), MODE.scope(Mode::Reused, all(groups()))).await;
    assert!(REUSES.load(Relaxed) > 100, "{REUSES:?}");
    for (row, reused) in rows.iter().zip(reused) {
        // On a reused connection, a response without a trace id of its own says nothing. Nothing else differs.
        if reused.first != "502 unknown bad_upstream_answer" {
            assert_eq!(reused.to_string(), row.to_string());
        }
    }
    rows.extend(MODE.scope(Mode::Alone, all(vec![secrets::rows()])).await);
    let mut table = format!(
        "{:<61} | {:<40} | {} | {:<40} | {}\n",
        "fault", "response", "whole, part", "response when posted again", "whole, part in all"
    );
    for row in &rows {
        writeln!(table, "{row}").unwrap();
    }
    Assert::new().action_env("SNAPSHOTS").eq(table, Data::read_from(&in_repository("tests/it/faults.txt"), None).raw());
}

async fn check_one_number_at_a_time(several: u32) {
    let groups = vec![answers::rows(), dynamodb::rows(), dynamodb::phone_rows(), deadlines()];
    MODE.scope(Mode::OneNumber(several), all(groups)).await;
    assert!(RECENTLY_CALLED.load(Relaxed) > 500, "{RECENTLY_CALLED:?}");
}

async fn check_several_at_a_time(several: u32) {
    let groups = vec![answers::rows(), dynamodb::rows(), secrets::rows(), deadlines()];
    MODE.scope(Mode::Several(several), all(groups)).await;
}

/// In one test: both wait most of the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_does_so_with_several_leads_or_one_number_at_a_time() {
    join(check_several_at_a_time(8), check_one_number_at_a_time(4)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute; `.ci/run chaos` runs it"]
async fn no_fault_does_so_with_64_leads_at_a_time() {
    check_several_at_a_time(64).await;
}
