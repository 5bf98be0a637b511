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
    /// the lease of a claim that is made now ends. After its lease no byte of a lead is sent.
    pub(super) fn check_hours(
        &self,
        account: &Account,
        lead: &Outgoing,
        context: &RequestContext,
    ) -> Result<(), Problem> {
        let Some(hours) = account.policy().calling_hours() else { return Ok(()) };
        let now = self.clock.wall();
        if hours.is_open(lead.area_code, now, context.budget().lease().until()) {
            return Ok(());
        }
        Err(Problem::OutsideCallingHours(RetryAfter::between(now, hours.next_opening(lead.area_code, now))))
    }

    /// A lead that was claimed before is answered by its record, whatever the hour: one consistent read.
    pub(super) async fn answer_when_closed(
        &self,
        account: &Account,
        keys: ItemKeys,
        context: &RequestContext,
        closed: Problem,
    ) -> Result<Answer, Problem> {
        match self.ledger.status(&Lookup::Lead(keys), context.budget()).await {
            Ok(Some(known)) => Ok(answer_for_known(known, account)),
            Ok(None) | Err(StatusError::Off) => Err(closed),
            Err(error @ StatusError::Failed(_)) => Err(error.into()),
        }
    }
}
