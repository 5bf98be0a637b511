//! A lead on its way to AI Rudder.

use bytes::Bytes;

use crate::{
    lead::{Lead, Phone},
    rudder::{Scenario, payload},
};

/// A valid lead as it is sent.
pub(super) struct Outgoing {
    pub(super) payload: Bytes,
    pub(super) phone: Phone,
    /// What happens to it in a sandbox account.
    pub(super) scenario: Scenario,
}

impl From<&Lead<'_>> for Outgoing {
    fn from(lead: &Lead<'_>) -> Self {
        let (payload, phone) = (Bytes::from(payload(lead)), lead.caller_id.clone());
        Self { payload, phone, scenario: Scenario::for_amount(&lead.loan_amount) }
    }
}
