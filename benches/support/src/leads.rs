//! The leads that are posted: the sample event, each time with another lead.

#![expect(clippy::indexing_slicing, reason = "only JSON is indexed, by names that the sample event has")]

use serde_json::{Value, json};

use crate::Failure;

/// An endless series of valid leads, no two the same.
pub struct Leads {
    event: Value,
    lead: Value,
    posted: u32,
}

impl Leads {
    /// From the sample event that is accepted.
    pub fn new() -> Result<Self, Failure> {
        let event: Value = serde_json::from_str(include_str!("../../../events/accepted.json"))?;
        let lead = serde_json::from_str(event["body"].as_str().unwrap_or_default())?;
        Ok(Self { event, lead, posted: 0 })
    }

    /// The event of the next lead.
    pub fn next_event(&mut self) -> String {
        self.posted += 1;
        self.lead["loan_amount"] = json!(self.posted);
        self.event["body"] = json!(self.lead.to_string());
        self.event["headers"]["idempotency-key"] = json!(format!("infinity-lead-{}", self.posted));
        self.event.to_string()
    }
}
