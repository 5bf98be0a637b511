//! What is posted, what its sender is told, and what is true.

use std::{
    env,
    fmt::{self, Display},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stand_ins::{DynamoDb, Rudder, api_gateway::Response};

use crate::{
    request::{LEAD, Request},
    stage::{ACCOUNT, TABLE},
};

/// One of ten million leads, in the form in which it is sent on.
#[derive(Clone, Copy, Debug)]
pub struct Lead(pub u32);

impl Lead {
    pub fn body(self) -> String {
        LEAD.replace("4000", &self.0.to_string())
    }

    pub fn post(self) -> Request {
        Request::post(self.body())
    }

    pub fn pk(self) -> String {
        format!("{ACCOUNT}#lead#{}", hex::encode(Sha256::digest(self.body())))
    }

    /// Its item in the ledger.
    pub fn item(self, dynamodb: &DynamoDb) -> Option<Value> {
        dynamodb.items(TABLE).into_iter().find(|item| item["pk"]["S"] == self.pk())
    }

    /// Puts the end of its lease into the past, further than an operator's clock may be fast.
    pub fn end_lease(self, dynamodb: &DynamoDb) {
        let mut item = self.item(dynamodb).expect("a lead that is claimed");
        item["lease_until"] = json!({ "N": (now() - 400).to_string() });
        dynamodb.put(TABLE, item);
    }

    /// How many pushes of it reached AI Rudder, which accepted every one.
    pub fn pushes(self, rudder: &Rudder) -> usize {
        let pushes: Vec<_> = rudder.received().into_iter().filter(|push| push.body == self.body()).collect();
        assert!(pushes.iter().all(|push| push.accepted), "{self:?}");
        pushes.len()
    }
}

/// An answer as its sender reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    pub status: u16,
    pub outcome: String,
    pub error: String,
    pub replayed: bool,
    pub body: String,
}

impl Told {
    pub fn new(answer: &Response) -> Self {
        let header = |name: &str| {
            let found = answer.headers.iter().find(|(header, _)| header == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let body = String::from_utf8(answer.body.clone()).unwrap();
        let envelope: Value = serde_json::from_str(&body).unwrap();
        Self {
            status: answer.status,
            outcome: header("lead-outcome"),
            error: envelope["body"]["error"].as_str().unwrap_or_default().to_owned(),
            replayed: header("idempotent-replayed") == "true",
            body,
        }
    }

    /// The same answer, given again.
    pub fn again(&self) -> Self {
        Self { replayed: true, ..self.clone() }
    }

    /// Whether it is said by who sent the lead.
    pub fn is_of_the_sender(&self) -> bool {
        matches!(self.outcome.as_str(), "accepted" | "unknown") && self.error != "interrupted" && !self.replayed
    }
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, outcome, error, replayed, .. } = self;
        let again = if *replayed { "(again)" } else { "" };
        write!(f, "{}", format!("{status} {outcome} {error} {again}").split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}: {}", self.body)
    }
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// So many milliseconds from now, as Lambda gives a deadline.
pub fn in_ms(left: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    u64::try_from(now).unwrap().saturating_add_signed(left)
}

/// What makes a run repeatable as far as the machine does.
pub fn seeded(test: &str) -> fastrand::Rng {
    let seed = env::var("STORMS_SEED").map_or(4, |seed| seed.parse().expect("STORMS_SEED is a number"));
    report(format_args!("{test}: STORMS_SEED={seed}"));
    fastrand::Rng::with_seed(seed)
}

/// Says what was counted.
#[expect(clippy::print_stdout, reason = "what a long test counted is for whoever ran it")]
pub fn report(counted: impl Display) {
    println!("{counted}");
}
