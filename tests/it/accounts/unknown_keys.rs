//! A caller without a valid API key observes the same whether or not the account exists.

use std::time::Duration;

use serde_json::Value;
use support::SecretsBehaviour::{self, Binary, Deleted, Denied, Down, Expired, Hang, Normal, Throttled, TooMany};
use support::api_gateway::Response;
use support::{KEY, LEAD, Request, TOKEN, TestApp, secret};

use super::clock::{advance, called, on_a_still_clock, settle};

/// A step of every sequence: the seconds since the one before, and Secrets Manager's behaviour.
type Step = (u64, SecretsBehaviour);

/// What a caller observes of one post, and can conclude from its duration.
#[derive(Debug, PartialEq)]
struct Observed {
    response: Response,
    calls: usize,
}

/// Accounts of every kind, by name.
const NAMES: [&str; 9] = ["warm", "cold", "busy", "refused", "unreadable", "denied", "tokenless", "deleted", "nobody"];

async fn with_accounts(variables: &[(&str, &str)]) -> TestApp {
    let app = TestApp::with(variables).await;
    for name in ["warm", "cold", "busy", "deleted", "denied"] {
        app.secrets.put(format!("lendswift/{name}"), secret(TOKEN, &[KEY]));
    }
    app.secrets.put("lendswift/refused", secret("a-token-that-ai-rudder-refuses", &[KEY]));
    app.secrets.put("lendswift/unreadable", "garbage");
    app.secrets.put("lendswift/tokenless", secret("", &[KEY]));
    app.secrets.behave_for("lendswift/denied", Denied);
    app.secrets.behave_for("lendswift/deleted", Deleted);
    assert_eq!(app.post(&Request::post("{}").account("warm")).await.status, 422);
    app
}

/// One post, during which the clock stands still unless Secrets Manager is silent.
async fn post(app: &TestApp, request: Request, behaviour: SecretsBehaviour) -> Observed {
    let before = app.secrets.calls().len();
    let event = request.event();
    let silence = async {
        called(app, before + 1).await;
        settle().await;
        if behaviour == Hang {
            advance(2001).await;
        }
        std::future::pending::<()>().await;
    };
    let mut response = tokio::select! {
        response = app.serve(&event) => response,
        () = silence => unreachable!(),
    };
    let mut body: Value = serde_json::from_slice(&response.body).unwrap();
    body["timestamp"] = 0.into();
    response.body = body.to_string().into_bytes();
    Observed { response, calls: app.secrets.calls().len() - before }
}

/// What a caller without a key observes of a name, step by step. Some accounts are used by their own caller meanwhile.
async fn observed(name: &'static str, steps: &[Step], variables: &[(&str, &str)]) -> Vec<Observed> {
    let app = with_accounts(variables).await;
    let mut all = Vec::new();
    for (seconds, behaviour) in steps {
        tokio::time::advance(Duration::from_secs(*seconds)).await;
        app.secrets.behave(*behaviour);
        let own = match name {
            "busy" => Some("{}"),
            "refused" => Some(LEAD),
            _ => None,
        };
        if let Some(body) = own {
            post(&app, Request::post(body).account(name), *behaviour).await;
        }
        all.push(post(&app, Request::lead().account(name).key("guessed"), *behaviour).await);
    }
    all
}

/// While all is well, then with this behaviour, and when all is well again.
fn steps(behaviour: SecretsBehaviour) -> Vec<Step> {
    let before = [0, 0, 0, 11, 31, 1].map(|seconds| (seconds, Normal));
    let meanwhile = [0, 11, 31, 1, 11, 301].map(|seconds| (seconds, behaviour));
    let after = [0, 0, 11, 31].map(|seconds| (seconds, Normal));
    [&before[..], &meanwhile, &after].concat()
}

#[tokio::test]
async fn no_account_looks_different_to_a_caller_without_a_key() {
    for (behaviour, ttl) in [
        (Normal, "300"),
        (Normal, "10"),
        (Throttled, "300"),
        (TooMany, "300"),
        (Down, "300"),
        (Down, "10"),
        (Hang, "300"),
        (Expired, "300"),
        (Denied, "300"),
        (Deleted, "300"),
        (Binary, "10"),
    ] {
        let (steps, variables) = (steps(behaviour), [("SECRET_TTL_SECONDS", ttl)]);
        let all = async {
            let nobody = observed("nobody", &steps, &variables).await;
            for name in NAMES.into_iter().filter(|name| is_comparable(name, behaviour)) {
                let of_the_name = observed(name, &steps, &variables).await;
                for (step, (observed, nobody)) in of_the_name.iter().zip(&nobody).enumerate() {
                    assert_eq!(observed, nobody, "{name}, {behaviour:?}, ttl {ttl}, step {step} {:?}", steps[step]);
                }
            }
        };
        Box::pin(on_a_still_clock(all)).await;
    }
}

/// Once its secret is deleted, the account's own caller is one without a key, whose calls all others observe too.
fn is_comparable(name: &str, behaviour: SecretsBehaviour) -> bool {
    behaviour != Deleted || !["busy", "refused"].contains(&name)
}

#[tokio::test]
async fn an_unknown_account_costs_a_call_in_30s_and_while_they_fail() {
    for (behaviour, calls, status) in [(Normal, [0, 0, 1, 0, 0, 1], 401), (Down, [0, 0, 2, 2, 2, 2], 503)] {
        let nobody = Box::pin(on_a_still_clock(observed("nobody", &steps(behaviour), &[]))).await;
        let seen: Vec<_> = nobody.iter().map(|observed| (observed.response.status, observed.calls)).collect();
        assert_eq!(seen[..6], [(401, 1), (401, 0), (401, 0), (401, 0), (401, 1), (401, 0)]);
        let meanwhile = calls.iter().enumerate().map(|(at, calls)| (if at < 2 { 401 } else { status }, *calls));
        assert_eq!(seen[6..12], meanwhile.collect::<Vec<_>>()[..], "{behaviour:?}");
        let first = usize::from(behaviour == Down);
        assert_eq!(seen[12..], [(401, first), (401, 0), (401, 0), (401, 1)], "{behaviour:?}");
    }
}
