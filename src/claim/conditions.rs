//! The conditions of the ledger's writes: each DynamoDB expression, and beside it the same condition as a function.
//!
//! DynamoDB evaluates the expressions. The functions say what they mean, so that `tests/model` can run the protocol without
//! DynamoDB; a test holds each against its expression on the in-process DynamoDB.

/// A lead's item as conditions see it. An attribute is `None` where it does not exist, and where it is of another type than
/// the one that it is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeadItem<Id> {
    /// The id of the claim.
    pub claim: Option<Id>,
    /// What became of the lead.
    pub outcome: Recorded,
    /// When it is forgotten, in Unix seconds.
    pub expires: Option<i64>,
}

/// The attribute `outcome` of a lead's item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// It does not exist: the lead is being sent.
    Nothing,
    /// `accepted`.
    Accepted,
    /// `unknown`.
    Unknown,
    /// Anything else.
    Unreadable,
}

/// A key's item as conditions see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyItem<Lead> {
    /// The `pk` of the lead that the key belongs to.
    pub lead: Option<Lead>,
    /// When it is forgotten, in Unix seconds.
    pub expires: Option<i64>,
}

/// The condition for claiming a lead. It never overwrites an answer: a late attempt of the same claim must not undo what was
/// settled since.
pub const CLAIM_LEAD: &str = "attribute_not_exists(pk) OR expires <= :now \
                              OR (claim = :claim AND attribute_not_exists(outcome))";

/// [`CLAIM_LEAD`].
pub fn may_claim_lead<Id: PartialEq>(item: Option<&LeadItem<Id>>, claim: &Id, now: i64) -> bool {
    item.is_none_or(|item| is_over(item.expires, now) || is_open(item, claim))
}

/// The condition for giving a key to a lead.
pub const CLAIM_KEY: &str = "attribute_not_exists(pk) OR expires <= :now OR lead_pk = :lead";

/// [`CLAIM_KEY`].
pub fn may_claim_key<Lead: PartialEq>(item: Option<&KeyItem<Lead>>, lead: &Lead, now: i64) -> bool {
    item.is_none_or(|item| is_over(item.expires, now) || item.lead.as_ref() == Some(lead))
}

/// The condition for settling a lead. An operator may have asked AI Rudder, and then knows better than a sender that does not know.
pub const SETTLE_LEAD: &str = "claim = :claim AND (attribute_not_exists(outcome) OR outcome IN (:unknown, :outcome))";

/// [`SETTLE_LEAD`].
pub fn may_settle_lead<Id: PartialEq>(item: Option<&LeadItem<Id>>, claim: &Id, outcome: Recorded) -> bool {
    let may_become = |item: &LeadItem<Id>| [Recorded::Nothing, Recorded::Unknown, outcome].contains(&item.outcome);
    item.is_some_and(|item| item.claim.as_ref() == Some(claim) && may_become(item))
}

/// The condition for releasing a lead. What is deleted already is free, and what is settled stays.
pub const RELEASE_LEAD: &str = "attribute_not_exists(pk) OR (claim = :claim AND attribute_not_exists(outcome))";

/// [`RELEASE_LEAD`].
pub fn may_release_lead<Id: PartialEq>(item: Option<&LeadItem<Id>>, claim: &Id) -> bool {
    item.is_none_or(|item| is_open(item, claim))
}

/// The condition for releasing a key.
pub const RELEASE_KEY: &str = "attribute_not_exists(pk) OR lead_pk = :lead";

/// [`RELEASE_KEY`].
pub fn may_release_key<Lead: PartialEq>(item: Option<&KeyItem<Lead>>, lead: &Lead) -> bool {
    item.is_none_or(|item| item.lead.as_ref() == Some(lead))
}

/// `expires <= :now`.
fn is_over(expires: Option<i64>, now: i64) -> bool {
    expires.is_some_and(|expires| expires <= now)
}

/// `claim = :claim AND attribute_not_exists(outcome)`.
fn is_open<Id: PartialEq>(item: &LeadItem<Id>, claim: &Id) -> bool {
    item.claim.as_ref() == Some(claim) && item.outcome == Recorded::Nothing
}

#[cfg(test)]
mod tests;
