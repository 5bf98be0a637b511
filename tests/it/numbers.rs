//! The design's numbers in one place, each seen in what the relay does: it holds at the number and not beyond it. Where
//! README gives the number to a sender, its words are here too.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use support::fakes::{Behaviour, DynamoBehaviour, Reply};
use tokio::{
    runtime::Builder,
    time::{Instant, advance, pause, resume},
};

use crate::{
    request::{LEAD, Request},
    stage::{KEY, Stage, TABLE, TOKEN, relay, secret, serve, with_deadline},
    wire::Wire,
};

/// A number, and what shows it.
struct Number {
    what: &'static str,
    limit: u64,
    /// How much more than the limit is certainly too much.
    beyond: u64,
    /// README's words for it; empty where it says nothing.
    readme: &'static str,
    /// Whether something is still so at this limit.
    holds: fn(u64) -> bool,
}

#[rustfmt::skip]
const DESIGN: [Number; 22] = [
    Number { what: "bytes of a body", limit: 65_536, beyond: 1, readme: "At most 64 KiB.", holds: body },
    Number { what: "characters of an idempotency key", limit: 255, beyond: 1, readme: "1 to 255 visible ASCII characters", holds: idempotency_key },
    Number { what: "characters of an account's name after the first", limit: 62, beyond: 1, readme: "then up to 62 of [a-z0-9-]", holds: account },
    Number { what: "characters of a name", limit: 100, beyond: 1, readme: "over 100 characters", holds: name },
    Number { what: "characters of a text", limit: 200, beyond: 1, readme: "over 200 characters", holds: text },
    Number { what: "dollars of a loan", limit: 10_000_000, beyond: 1, readme: "1 to 10,000,000", holds: dollars },
    Number { what: "ignored fields that are named", limit: 20, beyond: 1, readme: "names the first twenty of them", holds: ignored },
    Number { what: "characters of such a name", limit: 40, beyond: 1, readme: "", holds: ignored_name },
    Number { what: "bytes of AI Rudder's envelope", limit: 65_536, beyond: 1, readme: "", holds: envelope },
    Number { what: "more tries for a connection", limit: 2, beyond: 1, readme: "", holds: more_tries },
    Number { what: "seconds that a secret is fresh", limit: 300, beyond: 2, readme: "| `SECRET_TTL_SECONDS` | 300 |", holds: fresh },
    Number { what: "seconds that a secret serves while it can't be read", limit: 3600, beyond: 2, readme: "| `SECRET_MAX_STALE_SECONDS` | 3600 |", holds: stale },
    Number { what: "seconds without a new try to read a secret", limit: 10, beyond: 2, readme: "", holds: no_new_try },
    Number { what: "seconds that a name without a secret is remembered", limit: 30, beyond: 2, readme: "An unknown account is asked for once in 30 seconds", holds: not_found },
    Number { what: "seconds between readings that wrong keys force", limit: 30, beyond: 2, readme: "at most once in 30 seconds an account", holds: forced },
    Number { what: "seconds that Secrets Manager gets", limit: 2, beyond: 2, readme: "", holds: secrets_manager },
    Number { what: "seconds that DynamoDB gets: 8 for a claim, 4 to void it, 1 to delete it", limit: 12, beyond: 3, readme: "", holds: dynamodb },
    Number { what: "seconds after Lambda's deadline that a claim is its sender's", limit: 5, beyond: 3, readme: "", holds: lease },
    Number { what: "seconds that a lead is remembered", limit: 604_800, beyond: 60, readme: "| `DUPLICATE_WINDOW_SECONDS` | 604800 |", holds: remembered },
    Number { what: "milliseconds that are too few for a push: 1500 to answer in, 1000 to push in", limit: 2500, beyond: 2500, readme: "", holds: too_little_time },
    Number { what: "seconds that a deadline may be past and still count", limit: 3600, beyond: 2, readme: "", holds: late },
    Number { what: "seconds to wait, as `retry-after` says", limit: 5, beyond: 1, readme: "", holds: retry_after },
];

#[test]
fn the_designs_numbers_are_those_of_the_relay_and_of_readme() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut wrong = Vec::new();
    for Number { what, limit, beyond, readme: words, holds } in DESIGN {
        match (holds(limit), holds(limit + beyond)) {
            (true, false) => {}
            (false, _) => wrong.push(format!("{what}: less than {limit}")),
            (true, true) => wrong.push(format!("{what}: more than {limit}")),
        }
        if !readme.contains(words) {
            wrong.push(format!("{what}: README does not say {words:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Something that is tried on a stage of its own.
fn staged(tried: impl AsyncFnOnce(&Stage) -> bool) -> bool {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tried(&Stage::start().await).await })
}

/// The same with a ledger.
fn with_ledger(tried: impl AsyncFnOnce(&Stage) -> bool) -> bool {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tried(&Stage::with_ledger().await).await })
}

async fn post(stage: &Stage) -> u16 {
    status(stage, Request::post(LEAD)).await
}

async fn status(stage: &Stage, request: Request) -> u16 {
    stage.serve(&request.event()).await.status
}

fn accepted(request: &Request) -> bool {
    staged(async |stage| status(stage, request.clone()).await == 200)
}

fn long(length: u64) -> String {
    "a".repeat(usize::try_from(length).unwrap())
}

/// JSON with so much space after it that it has this length.
fn padded(json: &str, length: u64) -> String {
    json.to_owned() + &" ".repeat(usize::try_from(length).unwrap() - json.len())
}

fn body(bytes: u64) -> bool {
    accepted(&Request::post(padded(LEAD, bytes)))
}

fn idempotency_key(length: u64) -> bool {
    accepted(&Request::post(LEAD).header("idempotency-key", &long(length)))
}

fn account(length: u64) -> bool {
    let name = long(1 + length);
    staged(async |stage| {
        stage.secrets.put(format!("lendswift/{name}"), secret(TOKEN, &[KEY]));
        status(stage, Request::post(LEAD).account(&name)).await == 200
    })
}

fn name(length: u64) -> bool {
    accepted(&Request::post(LEAD.replace("Ann Zqxjkvwyp", &long(length))))
}

fn text(length: u64) -> bool {
    accepted(&Request::post(LEAD.replace("{}", &format!(r#"{{"status":"{}"}}"#, long(length)))))
}

fn dollars(dollars: u64) -> bool {
    accepted(&Request::post(LEAD.replace("4000", &dollars.to_string())))
}

/// Whether each of these unknown members is named in the header.
fn all_named(members: &str) -> bool {
    staged(async |stage| {
        let lead = LEAD.replace("{}", &format!("{{{members}}}"));
        let answer = stage.serve(&Request::post(lead).event()).await;
        let (_, names) = answer.headers.into_iter().find(|(name, _)| name == "lead-ignored-fields").unwrap();
        !names.contains('+')
    })
}

fn ignored(fields: u64) -> bool {
    all_named(&(0..fields).map(|field| format!(r#""f{field}":1"#)).collect::<Vec<_>>().join(","))
}

fn ignored_name(length: u64) -> bool {
    all_named(&format!(r#""{}":1"#, long(length)))
}

fn envelope(bytes: u64) -> bool {
    staged(async |stage| {
        stage.rudder.answer_next(Reply::new(200, padded(r#"{"code":200}"#, bytes)));
        post(stage).await == 200
    })
}

fn more_tries(tries: u64) -> bool {
    staged(async |stage| {
        // Closes every connection before a word of TLS.
        let wire = Wire::start(|stream| async move { drop(stream) }).await;
        let relay = relay(&wire.url("https"), &stage.secrets.url(), &[]);
        serve(&relay, &Request::post(LEAD).event(), lambda_http::Context::default()).await;
        u64::try_from(wire.connections()).unwrap() > tries
    })
}

/// Lets all but one of so many seconds pass without waiting for them, so that they are not yet over.
async fn nearly(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds - 1)).await;
    resume();
}

/// Whether no question is put to Secrets Manager when this is posted after nearly so many seconds.
async fn no_question(stage: &Stage, seconds: u64, request: Request) -> bool {
    nearly(seconds).await;
    let before = stage.secrets.calls().len();
    status(stage, request).await;
    stage.secrets.calls().len() == before
}

fn fresh(seconds: u64) -> bool {
    staged(async |stage| {
        post(stage).await;
        no_question(stage, seconds, Request::post(LEAD)).await
    })
}

fn stale(seconds: u64) -> bool {
    staged(async |stage| {
        post(stage).await;
        stage.secrets.behave(Behaviour::Down);
        nearly(seconds).await;
        post(stage).await == 200
    })
}

fn no_new_try(seconds: u64) -> bool {
    staged(async |stage| {
        post(stage).await;
        stage.secrets.behave(Behaviour::Down);
        nearly(400).await;
        post(stage).await;
        no_question(stage, seconds, Request::post(LEAD)).await
    })
}

fn not_found(seconds: u64) -> bool {
    staged(async |stage| {
        let unknown = Request::post(LEAD).account("nobody");
        status(stage, unknown.clone()).await;
        no_question(stage, seconds, unknown).await
    })
}

fn forced(seconds: u64) -> bool {
    staged(async |stage| {
        post(stage).await;
        nearly(100).await;
        let wrong = Request::post(LEAD).key("wrong");
        status(stage, wrong.clone()).await;
        no_question(stage, seconds, wrong).await
    })
}

fn secrets_manager(seconds: u64) -> bool {
    staged(async |stage| {
        stage.secrets.behave(Behaviour::Hang);
        let begun = Instant::now();
        post(stage).await;
        begun.elapsed() >= Duration::from_secs(seconds)
    })
}

fn dynamodb(seconds: u64) -> bool {
    with_ledger(async |stage| {
        stage.dynamodb.behave(DynamoBehaviour::Hang);
        let begun = Instant::now();
        post(stage).await;
        begun.elapsed() >= Duration::from_secs(seconds)
    })
}

fn lease(seconds: u64) -> bool {
    claimed("lease_until", 20 + seconds)
}

fn remembered(seconds: u64) -> bool {
    claimed("expires", seconds)
}

/// Whether this time of a claim, made with 20 seconds to Lambda's deadline, is at least so many seconds from now.
fn claimed(time: &str, seconds: u64) -> bool {
    with_ledger(async |stage| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        serve(&stage.relay, &Request::post(LEAD).event(), with_deadline(20_000)).await;
        let time: u64 = stage.dynamodb.items(TABLE)[0][time]["N"].as_str().unwrap().parse().unwrap();
        time >= now + seconds
    })
}

/// Whether a lead is not sent when Lambda leaves so many milliseconds.
fn not_sent(left: i64) -> bool {
    staged(async |stage| serve(&stage.relay, &Request::post(LEAD).event(), with_deadline(left)).await.status == 503)
}

fn too_little_time(milliseconds: u64) -> bool {
    not_sent(i64::try_from(milliseconds).unwrap())
}

fn late(seconds: u64) -> bool {
    not_sent(-1000 * (i64::try_from(seconds).unwrap() - 1))
}

fn retry_after(seconds: u64) -> bool {
    staged(async |stage| {
        stage.secrets.behave(Behaviour::Down);
        let answer = stage.serve(&Request::post(LEAD).event()).await;
        answer.headers.contains(&("retry-after".to_owned(), seconds.to_string()))
    })
}
