//! The conditions of the ledger's writes, each as a DynamoDB expression and as a function.
//!
//! DynamoDB evaluates the expressions. The functions are for `tests/model`, which runs the protocol without DynamoDB. A test
//! compares each function with its expression on the in-process DynamoDB.

/// The attributes of a lead's item that conditions use. An attribute is `None` if it does not exist, or if its type differs
/// from that of the value that it is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeadItem<Id> {
    /// The id of the claim.
    pub claim: Option<Id>,
    /// The recorded outcome.
    pub outcome: RecordedOutcome,
    /// When the item expires, in Unix seconds.
    pub expires: Option<i64>,
}

/// The attribute `outcome` of a lead's item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordedOutcome {
    /// The attribute does not exist: the lead is not settled.
    Absent,
    /// `accepted`.
    Accepted,
    /// `unknown`.
    Unknown,
    /// Anything else.
    Unreadable,
}

/// The attributes of an idempotency key's or a phone number's item that conditions use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyItem<Lead> {
    /// The `pk` of the lead that it belongs to.
    pub lead: Option<Lead>,
    /// When the item expires, in Unix seconds.
    pub expires: Option<i64>,
}

/// The condition for claiming a lead. A claim never overwrites an outcome: a late attempt must not undo a settlement of the
/// same claim.
pub const CLAIM_LEAD: &str = "attribute_not_exists(pk) OR expires <= :now \
                              OR (claim = :claim AND attribute_not_exists(outcome))";

/// [`CLAIM_LEAD`] as a function, at `now` in Unix seconds.
pub fn may_claim_lead<Id: PartialEq>(item: Option<&LeadItem<Id>>, claim: &Id, now: i64) -> bool {
    item.is_none_or(|item| is_over(item.expires, now) || is_open(item, claim))
}

/// The condition for assigning an idempotency key or a phone number to a lead.
pub const CLAIM_KEY: &str = "attribute_not_exists(pk) OR expires <= :now OR lead_pk = :lead";

/// [`CLAIM_KEY`] as a function, at `now` in Unix seconds.
pub fn may_claim_key<Lead: PartialEq>(item: Option<&KeyItem<Lead>>, lead: &Lead, now: i64) -> bool {
    item.is_none_or(|item| is_over(item.expires, now) || item.lead.as_ref() == Some(lead))
}

/// The condition for settling a lead. `unknown` may become `accepted`, and never the reverse: an operator who asked AI Rudder
/// may have recorded `accepted` before the sender reports `unknown`.
pub const SETTLE_LEAD: &str = "claim = :claim AND (attribute_not_exists(outcome) OR outcome IN (:unknown, :outcome))";

/// [`SETTLE_LEAD`] as a function.
pub fn may_settle_lead<Id: PartialEq>(item: Option<&LeadItem<Id>>, claim: &Id, outcome: RecordedOutcome) -> bool {
    let replaceable = [RecordedOutcome::Absent, RecordedOutcome::Unknown, outcome];
    item.is_some_and(|item| item.claim.as_ref() == Some(claim) && replaceable.contains(&item.outcome))
}

/// The condition for releasing a lead. A deleted item counts as released, and a settled item is kept.
pub const RELEASE_LEAD: &str = "attribute_not_exists(pk) OR (claim = :claim AND attribute_not_exists(outcome))";

/// [`RELEASE_LEAD`] as a function.
pub fn may_release_lead<Id: PartialEq>(item: Option<&LeadItem<Id>>, claim: &Id) -> bool {
    item.is_none_or(|item| is_open(item, claim))
}

/// The condition for releasing an idempotency key or a phone number.
pub const RELEASE_KEY: &str = "attribute_not_exists(pk) OR lead_pk = :lead";

/// [`RELEASE_KEY`] as a function.
pub fn may_release_key<Lead: PartialEq>(item: Option<&KeyItem<Lead>>, lead: &Lead) -> bool {
    item.is_none_or(|item| item.lead.as_ref() == Some(lead))
}

/// `expires <= :now`.
fn is_over(expires: Option<i64>, now: i64) -> bool {
    expires.is_some_and(|expires| expires <= now)
}

/// `claim = :claim AND attribute_not_exists(outcome)`.
fn is_open<Id: PartialEq>(item: &LeadItem<Id>, claim: &Id) -> bool {
    item.claim.as_ref() == Some(claim) && item.outcome == RecordedOutcome::Absent
}

#[cfg(test)]
mod tests;
