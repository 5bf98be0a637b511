//! Requests that never push, whatever breaks: `tests/it/inquiries.txt` is the table.

use std::fmt::Write;

use futures_util::{StreamExt, stream};
use lambda_http::Context;
use serde_json::Value;
use snapbox::{Assert, Data};
use support::{
    ACCOUNT, DynamoBehaviour, KEY, LEAD, ProcessHarness, RawTcpServer, Request, SANDBOX, SecretsBehaviour, TestApp,
    in_repository, post, sandbox_secret, with_deadline,
};

use super::{LIMITS, Pushes, dynamodb, secrets};

/// What breaks for one request.
#[derive(Clone, Copy)]
enum Broken {
    DynamoDb(&'static str, DynamoBehaviour),
    /// Behaviours for one call after the other.
    InTurn(&'static str, &'static [DynamoBehaviour]),
    SecretsManager(&'static str, SecretsBehaviour),
    Secret(&'static str, &'static str),
    Rudder,
}

impl Broken {
    fn name(self) -> String {
        match self {
            Self::DynamoDb(name, _) => format!("DynamoDB {name}"),
            Self::InTurn(name, _) => format!("DynamoDB: {name}"),
            Self::SecretsManager(name, _) => format!("Secrets Manager {name}"),
            Self::Secret(name, _) => format!("the secret {name}"),
            Self::Rudder => "AI Rudder closes every connection".to_owned(),
        }
    }

    fn begin(self, app: &TestApp, account: &str) {
        match self {
            Self::DynamoDb(_, behaviour) => app.dynamodb.behave(behaviour),
            Self::InTurn(_, behaviours) => {
                for operation in [ProcessHarness::WRITE, "GetItem"] {
                    for behaviour in behaviours {
                        app.dynamodb.next(operation, *behaviour);
                    }
                }
            }
            Self::SecretsManager(_, behaviour) => app.secrets.behave(behaviour),
            Self::Secret(_, secret) => {
                let keys: Value = serde_json::from_str(&sandbox_secret(&[KEY])).unwrap();
                let secret = secret.replace("DIGESTS", &keys["api_key_sha256"].to_string());
                app.secrets.put(format!("lendswift/{account}"), secret);
            }
            Self::Rudder => {}
        }
    }
}

/// A request that must not push.
#[derive(Clone, Copy, PartialEq)]
enum Inquiry {
    Validate,
    Status,
    Sandbox,
}

impl Inquiry {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Validate, "validate"), (Self::Status, "status"), (Self::Sandbox, "sandbox")];

    fn account(self) -> &'static str {
        if self == Self::Sandbox { SANDBOX } else { ACCOUNT }
    }

    fn request(self) -> Request {
        let lead = Request::post(LEAD).idempotency_key("infinity-7").account(self.account());
        match self {
            Self::Validate => lead.action("validate"),
            Self::Status => lead.action("status"),
            Self::Sandbox => lead,
        }
    }
}

/// Makes the request while something is broken, and again afterwards. Fails if AI Rudder gets anything.
async fn row(broken: Broken, inquiry: Inquiry, name: &str) -> String {
    let app = TestApp::start().await;
    let closing = RawTcpServer::start(async |stream| drop(stream)).await;
    let url = closing.url("https");
    let variables = [("UPSTREAM_BASE_URL", url.as_str())];
    let variables = if matches!(broken, Broken::Rudder) { [&LIMITS[..], &variables].concat() } else { LIMITS.to_vec() };
    let relay = app.fakes.relay(&variables);
    if inquiry == Inquiry::Status {
        // It was sent before, and nothing is cached.
        let sender = app.fakes.relay(&LIMITS);
        let sent = Request::post(LEAD).idempotency_key("infinity-7");
        assert_eq!(post(&sender, &sent, Context::default()).await, "200 accepted");
    }
    let pushes = Pushes::to(&app).whole;
    broken.begin(&app, inquiry.account());
    // What happens in turn takes its time; what lasts would take all of it.
    let in_time = if matches!(broken, Broken::InTurn(..)) { Context::default() } else { with_deadline(4000) };
    let first = post(&relay, &inquiry.request(), in_time).await;
    app.dynamodb.behave(DynamoBehaviour::Normal);
    app.secrets.behave(SecretsBehaviour::Normal);
    let again = post(&relay, &inquiry.request(), Context::default()).await;
    assert_eq!((Pushes::to(&app).whole, closing.connections()), (pushes, 0), "{} {name}", broken.name());
    format!("{:<61} | {name:<8} | {:<40} | {}", broken.name(), first.to_string(), again)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_makes_an_inquiry_or_a_sandbox_push() {
    const SECRETS: [(&str, &str); 4] = [
        ("is not JSON", "garbage"),
        ("has neither a token nor a sandbox", r#"{"api_key_sha256": DIGESTS}"#),
        ("has a token and a sandbox", r#"{"api_key_sha256": DIGESTS, "lendswift_token": "a", "sandbox": true}"#),
        ("has a sandbox that is a string", r#"{"api_key_sha256": DIGESTS, "sandbox": "true"}"#),
    ];
    let lasting = dynamodb::LASTING.map(|(name, behaviour)| Broken::DynamoDb(name, behaviour));
    let in_turn = dynamodb::IN_TURN.map(|(name, behaviours)| Broken::InTurn(name, behaviours));
    let of_secrets = secrets::LASTING.map(|(name, behaviour)| Broken::SecretsManager(name, behaviour));
    let malformed = SECRETS.map(|(name, secret)| Broken::Secret(name, secret));
    let all = lasting.into_iter().chain(in_turn).chain(of_secrets).chain(malformed).chain([Broken::Rudder]);
    let pairs = all.flat_map(|broken| Inquiry::ALL.map(|(inquiry, name)| (broken, inquiry, name)));
    // The ledger's own faults change nothing for a request that does not use it.
    let pairs =
        pairs.filter(|(broken, inquiry, _)| *inquiry != Inquiry::Validate || !matches!(broken, Broken::InTurn(..)));
    let rows = pairs.map(|(broken, inquiry, name)| row(broken, inquiry, name));
    let rows: Vec<String> = stream::iter(rows).buffered(6).collect().await;
    let mut table = format!("{:<61} | {:<8} | {:<40} | {}\n", "fault", "request", "response", "response afterwards");
    for row in &rows {
        writeln!(table, "{row}").unwrap();
    }
    let file = in_repository("tests/it/inquiries.txt");
    Assert::new().action_env("SNAPSHOTS").eq(table, Data::read_from(&file, None).raw());
}
