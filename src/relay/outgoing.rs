//! A lead on its way to AI Rudder.

use bytes::Bytes;

use crate::{
    lead::{AreaCode, Lead},
    rudder::{Scenario, payload},
};

/// A valid lead as it is sent.
pub(super) struct Outgoing {
    pub(super) payload: Bytes,
    /// Where its consumer may be.
    pub(super) area_code: AreaCode,
    /// What happens to it in a sandbox account.
    pub(super) scenario: Scenario,
}

impl From<&Lead<'_>> for Outgoing {
    fn from(lead: &Lead<'_>) -> Self {
        let (payload, area_code) = (Bytes::from(payload(lead)), lead.caller_id.area_code());
        Self { payload, area_code, scenario: Scenario::for_amount(&lead.loan_amount) }
    }
}
