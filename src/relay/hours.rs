//! The calling hours of an account.

use super::{Outgoing, Relay, RequestContext, answer_for_known};
use crate::{
    account::Account,
    answer::{Answer, Problem},
    claim::{ItemKeys, Lookup, StatusError},
    retry_after::RetryAfter,
};

impl Relay {
    /// `Err` if the account's consumers may not be called where this lead's area code may be, at some moment from now until
    /// the lease of a claim that is made now ends. After its lease the relay writes no byte of a lead.
    pub(super) fn check_hours(
        &self,
        account: &Account,
        lead: &Outgoing,
        context: &RequestContext,
    ) -> Result<(), Problem> {
        let Some(hours) = account.policy().calling_hours() else { return Ok(()) };
        let (now, area_code) = (self.clock.wall(), lead.phone.area_code());
        let Some(closed) = hours.first_closed(area_code, now, context.budget().lease().until()) else { return Ok(()) };
        Err(Problem::OutsideCallingHours(RetryAfter::between(now, hours.next_opening(area_code, closed))))
    }

    /// A lead that was claimed before is answered by its record, whatever the hour: one consistent read.
    pub(super) async fn answer_when_closed(
        &self,
        account: &Account,
        keys: ItemKeys,
        context: &RequestContext,
        closed: Problem,
    ) -> Result<Answer, Problem> {
        let status = self.ledger.status(&Lookup::Lead(keys), context.budget()).await;
        // As after a claim. Nothing is left as a rule.
        self.ledger.close_left_claims(context.budget()).await;
        match status {
            Ok(Some(known)) => Ok(answer_for_known(known, account)),
            Ok(None) | Err(StatusError::Off) => Err(closed),
            Err(error @ StatusError::Failed(_)) => Err(error.into()),
        }
    }
}
