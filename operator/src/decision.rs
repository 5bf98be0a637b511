//! Whether an operator may settle or reopen a lead: decisions without I/O and without a clock.
//!
//! Each decision stands next to the DynamoDB condition of its write: [`CONDITION`].

use std::fmt;

use lendswift_relay::claim::{
    Settled,
    items::Record,
    protocol::{ClaimPhase, State, claim_phase},
};
use serde::Serialize;

use crate::output::time;

/// The condition for settling and for reopening a lead. A lead without `outcome` whose lease is over is orphaned: its
/// sender died, or was suspended. `docs/operating.md` has the same condition for the AWS CLI.
pub const CONDITION: &str =
    "claim = :claim AND lease_until < :now AND (attribute_not_exists(outcome) OR outcome = :unknown)";

/// What the operator does with a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// AI Rudder has it: every post returns `accepted`.
    Settle,
    /// AI Rudder does not have it: the next post is a new push.
    Reopen,
}

/// A lead's item, as far as a decision needs it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// The item as the relay parses it; `None` if the relay cannot.
    pub record: Option<Record>,
    /// The end of the sender's lease, in Unix seconds.
    pub lease_until: Option<u64>,
}

/// The decision about one lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The write may be made.
    Allowed,
    /// An earlier write had the same result.
    Done,
    /// The write must not be made.
    Refused(Reason),
}

/// Why a lead is not settled or reopened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// The sender's lease runs.
    SenderAtWork {
        /// The end of the lease, in Unix seconds.
        lease_until: u64,
        /// AWS's time, in Unix seconds.
        now: u64,
    },
    /// AI Rudder accepted the lead, so it must not be pushed again.
    Accepted,
    /// The item does not exist, or its duplicate window is over.
    Gone,
    /// The lead was reopened or expired, and was claimed again.
    AnotherClaim,
    /// The relay cannot read the item.
    Unreadable,
}

/// The state of a lead, as the relay names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadState {
    /// A sender's lease runs.
    Sending,
    /// The lease is over, and no result was recorded. A post gets the outcome `unknown`.
    Interrupted,
    /// The outcome `accepted`.
    Accepted,
    /// The outcome `unknown`.
    Unknown,
    /// The relay cannot read the item. A post gets the outcome `unknown`.
    Unreadable,
}

/// Decides about the claim `claim` of a lead whose item is `found`, at `now` in Unix seconds of AWS's clock.
#[must_use]
pub fn decide(found: Option<&Found>, claim: &str, resolution: Resolution, now: u64) -> Decision {
    let Some(found) = found else { return gone(resolution) };
    let Some(record) = &found.record else { return Decision::Refused(Reason::Unreadable) };
    if record.expires <= now {
        return gone(resolution);
    }
    if record.claim != claim {
        return Decision::Refused(Reason::AnotherClaim);
    }
    if let State::Settled(Settled::Accepted { .. }) = record.state {
        return match resolution {
            Resolution::Settle => Decision::Done,
            Resolution::Reopen => Decision::Refused(Reason::Accepted),
        };
    }
    match found.lease_until {
        Some(lease_until) if lease_until < now => Decision::Allowed,
        Some(lease_until) => Decision::Refused(Reason::SenderAtWork { lease_until, now }),
        None => Decision::Refused(Reason::Unreadable),
    }
}

/// A lead that is gone needs no reopening, and cannot be settled.
fn gone(resolution: Resolution) -> Decision {
    match resolution {
        Resolution::Settle => Decision::Refused(Reason::Gone),
        Resolution::Reopen => Decision::Done,
    }
}

/// The state of a lead at `now`.
#[must_use]
pub fn state(found: &Found, now: u64) -> LeadState {
    match found.record.as_ref().map(|record| claim_phase(record.state.clone(), now)) {
        None => LeadState::Unreadable,
        Some(ClaimPhase::InProgress) => LeadState::Sending,
        Some(ClaimPhase::Interrupted) => LeadState::Interrupted,
        Some(ClaimPhase::Settled(Settled::Accepted { .. })) => LeadState::Accepted,
        Some(ClaimPhase::Settled(Settled::Unknown { .. })) => LeadState::Unknown,
    }
}

impl fmt::Display for LeadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sending => "sending",
            Self::Interrupted => "interrupted",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SenderAtWork { lease_until, now } => {
                let seconds = (lease_until + 1).saturating_sub(*now);
                write!(f, "a sender may be at work until {}, {seconds} s from now", time(*lease_until))
            }
            Self::Accepted => f.write_str("AI Rudder accepted it, or an operator settled it"),
            Self::Gone => f.write_str("it is gone: an operator reopened it, or its duplicate window is over"),
            Self::AnotherClaim => {
                f.write_str("another claim holds it: it was reopened or had expired, and was posted again")
            }
            Self::Unreadable => {
                f.write_str("the relay cannot read its item: see InternalErrorAlarm in docs/operating.md")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lendswift_relay::claim::items::{AttributeValue, Item};

    use super::*;

    const NOW: u64 = 1_000;

    /// An item of claim `a` that the relay wrote, with these attributes in place of its own.
    fn found(attributes: &[(&str, &str)]) -> Found {
        let numbers = ["expires", "lease_until", "http_status"];
        let mut item = Item::new();
        let defaults = [("claim", "a"), ("request_id", "r"), ("expires", "2000"), ("lease_until", "999")];
        for (name, value) in defaults.iter().chain(attributes) {
            let is_number = numbers.contains(name);
            let value = (*value).to_owned();
            item.insert(
                (*name).to_owned(),
                if is_number { AttributeValue::N(value) } else { AttributeValue::S(value) },
            );
        }
        let lease = defaults.iter().chain(attributes).rfind(|(name, _)| *name == "lease_until").unwrap();
        Found { record: Record::parse(&item), lease_until: lease.1.parse().ok() }
    }

    fn both(found: Option<&Found>, claim: &str) -> [Decision; 2] {
        [Resolution::Settle, Resolution::Reopen].map(|resolution| decide(found, claim, resolution, NOW))
    }

    const UNKNOWN: [(&str, &str); 3] = [("outcome", "unknown"), ("http_status", "504"), ("body", "{}")];
    const ACCEPTED: [(&str, &str); 3] = [("outcome", "accepted"), ("http_status", "200"), ("body", "{}")];

    #[test]
    fn unknown_and_orphaned_leads_are_resolved_after_the_lease() {
        for attributes in [&[][..], &UNKNOWN] {
            assert_eq!(both(Some(&found(attributes)), "a"), [Decision::Allowed, Decision::Allowed]);
            for lease in ["1000", "1001"] {
                let lease_until = lease.parse().unwrap();
                let at_work = Decision::Refused(Reason::SenderAtWork { lease_until, now: NOW });
                let found = found(&[attributes, &[("lease_until", lease)]].concat());
                assert_eq!(both(Some(&found), "a"), [at_work.clone(), at_work]);
            }
        }
    }

    #[test]
    fn an_accepted_lead_is_settled_already_and_never_reopened() {
        let refused = Decision::Refused(Reason::Accepted);
        assert_eq!(both(Some(&found(&ACCEPTED)), "a"), [Decision::Done, refused]);
    }

    #[test]
    fn a_lead_that_is_gone_is_reopened_already() {
        let expected = [Decision::Refused(Reason::Gone), Decision::Done];
        assert_eq!(both(None, "a"), expected);
        assert_eq!(both(Some(&found(&[("expires", "1000")])), "a"), expected);
    }

    #[test]
    fn another_claim_and_an_unreadable_item_are_left_alone() {
        let refused = |reason: Reason| [Decision::Refused(reason.clone()), Decision::Refused(reason)];
        assert_eq!(both(Some(&found(&[])), "b"), refused(Reason::AnotherClaim));
        assert_eq!(both(Some(&found(&[("outcome", "odd")])), "a"), refused(Reason::Unreadable));
    }

    #[test]
    fn the_time_to_wait_is_that_until_the_condition_holds() {
        let reason = Reason::SenderAtWork { lease_until: 1_011, now: NOW };
        assert_eq!(reason.to_string(), "a sender may be at work until 1970-01-01T00:16:51Z, 12 s from now");
    }
}
