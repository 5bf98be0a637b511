//! Everything that can go wrong around one lead, and what its sender is told: `tests/it/faults.txt` is the table.
//!
//! Each lead is posted, and then posted again when the fault is over (a server that is always so stays so). The table
//! counts the pushes that reached AI Rudder so far, in whole and in part. `SNAPSHOTS=overwrite cargo test` writes it anew.

use std::{
    fmt::{self, Write},
    future::pending,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream,
};
use lambda_http::Context;
use lendswift_relay::relay::Relay;
use snapbox::{Assert, Data};
use stand_ins::{Behaviour, DynamoBehaviour, Reply, api_gateway::Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    request::{LEAD, Request},
    sending::{header, seen},
    stage::{KEY, Stage, TABLE, TOKEN, secret, serve, with_deadline},
    wire::Wire,
};

/// Short, so that waiting for them is short.
const LIMITS: [(&str, &str); 3] =
    [("CLAIMS_TABLE", TABLE), ("UPSTREAM_TIMEOUT_MS", "1500"), ("UPSTREAM_CONNECT_TIMEOUT_MS", "300")];

/// How many pushes AI Rudder got.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Pushes {
    whole: usize,
    part: usize,
}

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
    /// Whether somebody may have been called, by what the first sender was told.
    fn may_have_called(&self) -> bool {
        ["accepted", "unknown"].iter().any(|outcome| self.first.contains(outcome))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, first, pushes, again, pushes_in_all } = self;
        write!(f, "{fault:<58} | {first:<40} | {pushes} | {again:<40} | {pushes_in_all}")
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
        let pushes = || Pushes { whole: stage.rudder.received().len(), part: 0 };
        post_twice(fault, &stage.relay, context, pushes, || end(&stage)).await
    }
    .boxed()
}

/// AI Rudder at an address where there is nothing like it.
async fn elsewhere(fault: &str, url: &str) -> Row {
    let stage = Stage::with(&LIMITS).await;
    let relay = stage.another_relay(&[&LIMITS[..], &[("UPSTREAM_BASE_URL", url)]].concat());
    post_twice(fault, &relay, Context::default(), Pushes::default, || {}).await
}

/// AI Rudder's answer, scripted for one push.
fn answered(fault: impl Into<String>, reply: Reply) -> BoxFuture<'static, Row> {
    on_stage(fault, Context::default(), |stage| stage.rudder.answer_next(reply), |_| {})
}

/// AI Rudder as a server of raw bytes. `treat` reads as much of a push as it likes, with the tally for what it read.
async fn raw(fault: &'static str, scheme: &'static str, treat: fn(TcpStream, Tally) -> BoxFuture<'static, ()>) -> Row {
    let tally = Tally::default();
    let wire = Wire::start({
        let tally = tally.clone();
        move |stream| treat(stream, tally.clone())
    })
    .await;
    let stage = Stage::with(&LIMITS).await;
    let relay = stage.another_relay(&[&LIMITS[..], &[("UPSTREAM_BASE_URL", &wire.url(scheme))]].concat());
    post_twice(fault, &relay, Context::default(), || tally.pushes(), || {}).await
}

/// What a raw server has read of each push.
#[derive(Clone, Default)]
struct Tally(Arc<Mutex<Pushes>>);

impl Tally {
    fn pushes(&self) -> Pushes {
        *self.0.lock().unwrap()
    }

    /// Reads until the end of a lead's JSON, the last thing in a push.
    async fn read_all(&self, stream: &mut TcpStream) {
        let mut push = Vec::new();
        let mut buffer = [0; 4096];
        while !push.ends_with(b"}}") {
            match stream.read(&mut buffer).await {
                Ok(read @ 1..) => push.extend_from_slice(&buffer[..read]),
                _ => return,
            }
        }
        self.0.lock().unwrap().whole += 1;
    }

    /// Reads no further than this many bytes.
    async fn read_some(&self, stream: &mut TcpStream, bytes: usize) {
        let read = stream.read_exact(&mut vec![0; bytes]).await;
        self.0.lock().unwrap().part += usize::from(read.is_ok());
    }
}

/// Closes with a reset, as a machine does that was turned off and on again.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}";

/// Reads a whole push, writes these bytes, and closes.
macro_rules! writes {
    ($bytes:expr) => {
        |mut stream, tally| {
            async move {
                tally.read_all(&mut stream).await;
                let _ = stream.write_all($bytes.as_bytes()).await;
            }
            .boxed()
        }
    };
}

/// The rows in their order, a few at a time: a machine that is out of breath would add faults of its own.
async fn one_by_one(rows: impl IntoIterator<Item = BoxFuture<'static, Row>>) -> Vec<Row> {
    let rows: Vec<_> = rows.into_iter().collect();
    stream::iter(rows).buffered(4).collect().await
}

async fn ai_rudder_out_of_reach() -> Vec<Row> {
    vec![
        elsewhere("AI Rudder's name does not resolve", "https://rudder.invalid/push").await,
        elsewhere("refuses the connection", "http://127.0.0.1:1/push").await,
        raw("accepts the connection and never speaks TLS", "https", |stream, _| {
            async move {
                let _stream = stream;
                pending().await
            }
            .boxed()
        })
        .await,
        raw("closes before TLS is agreed", "https", |stream, _| async move { drop(stream) }.boxed()).await,
        raw("speaks no TLS", "https", writes!("HTTP/1.1 400 Bad Request\r\n\r\n")).await,
    ]
}

async fn ai_rudder_breaks_off() -> Vec<Row> {
    let rows: [BoxFuture<'static, Row>; 12] = [
        raw("accepts the connection and never reads", "http", |stream, _| {
            async move {
                let _stream = stream;
                pending().await
            }
            .boxed()
        })
        .boxed(),
        raw("resets before it reads", "http", |stream, _| {
            async move {
                // When the push has come: before that, a reset would be one of the connection's making.
                stream.peek(&mut [0]).await.unwrap();
                reset(stream);
            }
            .boxed()
        })
        .boxed(),
        raw("resets within the push's headers", "http", |mut stream, tally| {
            async move {
                tally.read_some(&mut stream, 40).await;
                reset(stream);
            }
            .boxed()
        })
        .boxed(),
        raw("resets within the push's body", "http", |mut stream, tally| {
            async move {
                tally.read_some(&mut stream, 220).await;
                reset(stream);
            }
            .boxed()
        })
        .boxed(),
        raw("resets after the push", "http", |mut stream, tally| {
            async move {
                tally.read_all(&mut stream).await;
                reset(stream);
            }
            .boxed()
        })
        .boxed(),
        raw("reads the push and never answers", "http", |mut stream, tally| {
            async move {
                tally.read_all(&mut stream).await;
                pending().await
            }
            .boxed()
        })
        .boxed(),
        raw("half of the answer's headers", "http", writes!("HTTP/1.1 200 OK\r\ncontent-le")).boxed(),
        raw("half of the answer's body", "http", writes!(OK[..OK.len() - 6])).boxed(),
        raw("the answer, a byte a second", "http", |mut stream, tally| {
            async move {
                tally.read_all(&mut stream).await;
                for byte in OK.bytes() {
                    let _ = stream.write_all(&[byte]).await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            .boxed()
        })
        .boxed(),
        raw("an endless answer", "http", |mut stream, tally| {
            async move {
                tally.read_all(&mut stream).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{\"code\":200").await;
                while stream.write_all(&[b' '; 4096]).await.is_ok() {}
            }
            .boxed()
        })
        .boxed(),
        raw("no HTTP", "http", writes!("220 smtp.example ESMTP\r\n")).boxed(),
        raw("two answers on one connection", "http", writes!(format!("{OK}{OK}"))).boxed(),
    ];
    one_by_one(rows).await
}

async fn ai_rudder_answers() -> Vec<Row> {
    let code = |code: &str| Reply::new(200, format!(r#"{{"code":{code}}}"#));
    let mut replies: Vec<(String, Reply)> = Vec::new();
    for status in [301, 307, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504] {
        replies.push((format!("HTTP {status}"), Reply::new(status, "").header("location", "/elsewhere")));
        let envelope = format!(r#"{{"code":{status}}}"#);
        replies.push((format!("HTTP {status}, code {status}"), Reply::new(status, envelope)));
    }
    for (status, value) in [(429, "120"), (429, "soon"), (503, "120")] {
        let reply = Reply::new(status, "").header("retry-after", value);
        replies.push((format!("HTTP {status}, retry-after {value}"), reply));
    }
    for value in ["0", "201", "400", "401", "403", "404", "408", "409", "425", "429", "500", "\"200\"", "200.0", "null"]
    {
        replies.push((format!("HTTP 200, code {value}"), code(value)));
    }
    let padded = format!(r#"{{"code":200,"body":"{}"}}"#, "x".repeat(65 * 1024));
    replies.extend([
        ("HTTP 200 without a code".to_owned(), Reply::new(200, "{}")),
        ("HTTP 200, HTML".to_owned(), Reply::new(200, "<html>Welcome</html>")),
        ("HTTP 200, empty".to_owned(), Reply::new(200, "")),
        ("HTTP 204".to_owned(), Reply::new(204, "")),
        ("HTTP 200, truncated JSON".to_owned(), Reply::new(200, r#"{"code":200,"#)),
        ("HTTP 200, two codes".to_owned(), Reply::new(200, r#"{"code":400,"code":200}"#)),
        ("HTTP 200, an envelope of 65 KiB".to_owned(), Reply::new(200, padded)),
        ("HTTP 200, content-encoding gzip".to_owned(), Reply::new(200, GZIPPED).header("content-encoding", "gzip")),
        ("HTTP 500, code 200".to_owned(), Reply::new(500, r#"{"code":200}"#)),
        ("HTTP 400, code 200".to_owned(), Reply::new(400, r#"{"code":200}"#)),
        ("HTTP 200, code 200".to_owned(), code("200")),
    ]);
    one_by_one(replies.into_iter().map(|(fault, reply)| answered(format!("AI Rudder: {fault}"), reply))).await
}

/// `printf %s '{"code":200}' | gzip -n`
const GZIPPED: [u8; 32] = [
    31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 171, 86, 74, 206, 79, 73, 85, 178, 50, 50, 48, 168, 5, 0, 84, 3, 150, 234, 12, 0,
    0, 0,
];

async fn dynamodb() -> Vec<Row> {
    use DynamoBehaviour::{
        Broken, Conflicting, Denied, DoneButBroken, DoneButSilent, Down, Normal, Silent, Slow, Throttled,
    };
    let all_the_time = [
        ("is down", Down),
        ("throttles", Throttled),
        ("denies the permission", Denied),
        ("never answers", Silent),
        ("breaks the connection", Broken),
        ("takes 300 ms", Slow(Duration::from_millis(300))),
        ("takes 3 s", Slow(Duration::from_secs(3))),
        ("is at the item in other transactions", Conflicting),
        ("writes and never says so", DoneButSilent),
        ("writes and breaks the connection", DoneButBroken),
    ];
    // The first call claims, and the second one settles or releases. The SDK tries a call three times.
    let in_turn: [(&str, &'static [DynamoBehaviour]); 9] = [
        ("the claim is written and the answer lost", &[DoneButBroken]),
        ("the claim is written and the answer late", &[DoneButSilent]),
        ("the claim is not written and the answer lost", &[Broken]),
        ("the claim is throttled once", &[Throttled]),
        ("the claim meets another transaction once", &[Conflicting]),
        ("the claim is written, and then all fails", &[DoneButBroken, Down, Down, Down, Down, Down]),
        ("down after the push", &[Normal, Down, Down, Down]),
        ("the answer to settling is lost", &[Normal, DoneButBroken]),
        ("settling meets another transaction once", &[Normal, Conflicting]),
    ];
    let all_the_time = all_the_time.map(|(fault, behaviour)| {
        let begin = move |stage: &Stage| stage.dynamodb.behave(behaviour);
        let end = |stage: &Stage| stage.dynamodb.behave(Normal);
        on_stage(format!("DynamoDB {fault}"), Context::default(), begin, end)
    });
    let in_turn = in_turn.map(|(fault, behaviours)| {
        let begin = move |stage: &Stage| {
            behaviours.iter().for_each(|behaviour| stage.dynamodb.next("TransactWriteItems", *behaviour));
        };
        on_stage(format!("DynamoDB: {fault}"), Context::default(), begin, |_| {})
    });
    let refused_and_down = |stage: &Stage| {
        stage.rudder.answer_next(Reply::new(422, r#"{"code":422}"#));
        for behaviour in [Normal, Down, Down, Down] {
            stage.dynamodb.next("TransactWriteItems", behaviour);
        }
    };
    let others = [
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
    one_by_one(all_the_time.into_iter().chain(in_turn).chain(others)).await
}

async fn secrets_manager() -> Vec<Row> {
    let behaviours = [
        ("is down", Behaviour::Down),
        ("throttles", Behaviour::Throttled),
        ("denies the permission", Behaviour::Denied),
        ("never answers", Behaviour::Silent),
        ("takes 300 ms", Behaviour::Slow(Duration::from_millis(300))),
        ("takes 3 s", Behaviour::Slow(Duration::from_secs(3))),
        ("has a binary secret", Behaviour::Binary),
    ];
    let behaviours = behaviours.map(|(fault, behaviour)| {
        let begin = move |stage: &Stage| stage.secrets.behave(behaviour);
        let end = |stage: &Stage| stage.secrets.behave(Behaviour::Normal);
        on_stage(format!("Secrets Manager {fault}"), Context::default(), begin, end)
    });
    let put = |stage: &Stage, secret: String| stage.secrets.put("lendswift/acme", secret);
    let others = [
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
        on_stage(
            "Secrets Manager: key and token rotated between two leads",
            Context::default(),
            |_| {},
            move |stage| {
                put(stage, secret("new", &["new-key", KEY]));
                stage.rudder.replace_tokens(["new"]);
            },
        ),
    ];
    one_by_one(behaviours.into_iter().chain(others)).await
}

async fn deadlines() -> Vec<Row> {
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
    one_by_one(deadlines.map(|(fault, context)| on_stage(fault, context, |_| {}, |_| {}))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_nobody_is_called_twice_and_the_sender_is_told_the_truth() {
    let groups: [BoxFuture<'static, Vec<Row>>; 6] = [
        ai_rudder_out_of_reach().boxed(),
        ai_rudder_breaks_off().boxed(),
        ai_rudder_answers().boxed(),
        dynamodb().boxed(),
        secrets_manager().boxed(),
        deadlines().boxed(),
    ];
    let rows: Vec<Row> = join_all(groups).await.into_iter().flatten().collect();
    for row in &rows {
        let more = Pushes { whole: row.pushes.whole + 1, ..row.pushes };
        if row.may_have_called() {
            assert!(row.pushes == row.pushes_in_all, "sent again: {row}");
        } else {
            assert!(row.pushes.part == 0, "it may have arrived: {row}");
            assert!(row.pushes_in_all.part == 0 && row.pushes_in_all.whole <= more.whole, "{row}");
        }
    }
    let mut table = format!(
        "{:<58} | {:<40} | {} | {:<40} | {}\n",
        "fault", "told", "whole, part", "told when posted again", "whole, part in all"
    );
    rows.iter().for_each(|row| writeln!(table, "{row}").unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults.txt");
    Assert::new().action_env("SNAPSHOTS").eq(table, Data::read_from(&file, None).raw());
}
