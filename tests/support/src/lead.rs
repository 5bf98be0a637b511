//! Leads that differ only in their amount.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    ACCOUNT, LEAD, Request, TABLE,
    fakes::{DynamoDb, Rudder},
    now,
};

/// [`LEAD`] with this many dollars, one of ten million leads. Posted in the form in which it is pushed.
#[derive(Clone, Copy, Debug)]
pub struct Lead(pub u32);

impl Lead {
    /// The body.
    pub fn body(self) -> String {
        LEAD.replace("4000", &self.0.to_string())
    }

    /// A post of it.
    pub fn post(self) -> Request {
        Request::post(self.body())
    }

    /// The key of its item in the ledger.
    pub fn pk(self) -> String {
        format!("{ACCOUNT}#lead#{}", hex::encode(Sha256::digest(self.body())))
    }

    /// Its item in the ledger.
    pub fn item(self, dynamodb: &DynamoDb) -> Option<Value> {
        dynamodb.items(TABLE).into_iter().find(|item| item["pk"]["S"] == self.pk())
    }

    /// Puts the end of its lease into the past, by more than an operator's clock may be fast.
    pub fn end_lease(self, dynamodb: &DynamoDb) {
        let mut item = self.item(dynamodb).expect("a claimed lead");
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
