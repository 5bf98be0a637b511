//! What a caller without a key can see: whether or not there is an account, the same.

use std::time::Duration;

use support::fakes::{Behaviour, api_gateway::Response};

use super::{advance, asked, on_a_still_clock, settle, status};
use crate::{
    request::{LEAD, Request},
    stage::{KEY, Stage, TOKEN, secret},
};

/// A step of every sequence: how many seconds after the one before, and how Secrets Manager is.
type Step = (u64, Behaviour);

/// What a caller sees of one post, and can conclude from its duration.
#[derive(Debug, PartialEq)]
struct Seen {
    response: Response,
    calls: usize,
}

/// Accounts of every kind, by name.
const NAMES: [&str; 9] = ["warm", "cold", "busy", "refused", "unreadable", "denied", "tokenless", "deleted", "nobody"];

async fn town(variables: &[(&str, &str)]) -> Stage {
    let stage = Stage::with(variables).await;
    for name in ["warm", "cold", "busy", "deleted"] {
        stage.secrets.put(format!("lendswift/{name}"), secret(TOKEN, &[KEY]));
    }
    stage.secrets.put("lendswift/refused", secret("a-token-that-ai-rudder-refuses", &[KEY]));
    stage.secrets.put("lendswift/unreadable", "garbage");
    stage.secrets.put("lendswift/tokenless", secret("", &[KEY]));
    stage.secrets.put("lendswift/denied", secret(TOKEN, &[KEY]));
    stage.secrets.behave_for("lendswift/denied", Behaviour::Denied);
    stage.secrets.behave_for("lendswift/deleted", Behaviour::Deleted);
    assert_eq!(status(&stage, Request::post("{}").account("warm")).await, 422);
    stage
}

/// One post, for which the clock goes on only where Secrets Manager is silent.
async fn post(stage: &Stage, request: Request, behaviour: Behaviour) -> Seen {
    let before = stage.secrets.calls().len();
    let event = request.event();
    let silence = async {
        asked(stage, before + 1).await;
        settle().await;
        if behaviour == Behaviour::Hang {
            advance(2001).await;
        }
        std::future::pending::<()>().await;
    };
    let mut response = tokio::select! {
        response = stage.serve(&event) => response,
        () = silence => unreachable!(),
    };
    let mut body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    body["timestamp"] = 0.into();
    response.body = body.to_string().into_bytes();
    Seen { response, calls: stage.secrets.calls().len() - before }
}

/// What a caller without a key sees of a name, step by step. The accounts that work are used by their own caller meanwhile.
async fn seen(name: &'static str, steps: &[Step], variables: &[(&str, &str)]) -> Vec<Seen> {
    let stage = town(variables).await;
    let mut all = Vec::new();
    for (seconds, behaviour) in steps {
        tokio::time::advance(Duration::from_secs(*seconds)).await;
        stage.secrets.behave(*behaviour);
        let own = match name {
            "busy" => Some("{}"),
            "refused" => Some(LEAD),
            _ => None,
        };
        if let Some(body) = own {
            post(&stage, Request::post(body).account(name), *behaviour).await;
        }
        all.push(post(&stage, Request::post(LEAD).account(name).key("guessed"), *behaviour).await);
    }
    all
}

/// While all is well, then while Secrets Manager is like this, and when it is well again.
fn steps(behaviour: Behaviour) -> Vec<Step> {
    let well = Behaviour::Normal;
    let before = [(0, well), (0, well), (0, well), (11, well), (31, well), (1, well)];
    let meanwhile =
        [(0, behaviour), (11, behaviour), (31, behaviour), (1, behaviour), (11, behaviour), (301, behaviour)];
    let after = [(0, well), (0, well), (11, well), (31, well)];
    [&before[..], &meanwhile, &after].concat()
}

#[tokio::test]
async fn no_name_looks_different_to_a_caller_without_a_key() {
    let behaviours = [
        (Behaviour::Normal, "300"),
        (Behaviour::Normal, "10"),
        (Behaviour::Throttled, "300"),
        (Behaviour::TooMany, "300"),
        (Behaviour::Down, "300"),
        (Behaviour::Down, "10"),
        (Behaviour::Hang, "300"),
        (Behaviour::Expired, "300"),
        (Behaviour::Denied, "300"),
        (Behaviour::Deleted, "300"),
        (Behaviour::Binary, "10"),
    ];
    for (behaviour, ttl) in behaviours {
        let (steps, variables) = (steps(behaviour), [("SECRET_TTL_SECONDS", ttl)]);
        let all = async {
            let nobody = seen("nobody", &steps, &variables).await;
            for name in NAMES.into_iter().filter(|name| is_comparable(name, behaviour)) {
                let seen = seen(name, &steps, &variables).await;
                for (step, (seen, nobody)) in seen.iter().zip(&nobody).enumerate() {
                    assert_eq!(seen, nobody, "{name}, {behaviour:?}, ttl {ttl}, step {step} {:?}", steps[step]);
                }
            }
        };
        Box::pin(on_a_still_clock(all)).await;
    }
}

/// Once its secret is deleted, the account's own caller is one more without a key, whose calls the others see as anybody's.
fn is_comparable(name: &str, behaviour: Behaviour) -> bool {
    behaviour != Behaviour::Deleted || !["busy", "refused"].contains(&name)
}

#[tokio::test]
async fn a_name_without_a_key_costs_one_call_in_thirty_seconds_and_one_a_post_while_it_fails() {
    for (behaviour, calls, code) in
        [(Behaviour::Normal, [0, 0, 1, 0, 0, 1], 401), (Behaviour::Down, [0, 0, 2, 2, 2, 2], 503)]
    {
        let nobody = on_a_still_clock(seen("nobody", &steps(behaviour), &[])).await;
        let seen: Vec<_> = nobody.iter().map(|seen| (seen.response.status, seen.calls)).collect();
        assert_eq!(seen[..6], [(401, 1), (401, 0), (401, 0), (401, 0), (401, 1), (401, 0)]);
        let status = |at: usize| if at < 2 { 401 } else { code };
        let meanwhile: Vec<_> = calls.iter().enumerate().map(|(at, calls)| (status(at), *calls)).collect();
        assert_eq!(seen[6..12], meanwhile[..], "{behaviour:?}");
        let first = usize::from(behaviour == Behaviour::Down);
        assert_eq!(seen[12..], [(401, first), (401, 0), (401, 0), (401, 1)], "{behaviour:?}");
    }
}
