//! Reopening a lead, and the phone number that it has.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{Delete, TransactWriteItem, builders::DeleteBuilder},
};
use lendswift_relay::claim::{conditions::RELEASE_KEY, items::PhoneRecord};
use serde::Serialize;
use tokio::time::sleep;
use uuid::Uuid;

use super::{CONDITION_FAILED, Entry, Ledger, number, text};
use crate::{aws::call_failed, decision::CONDITION, failure::Failure};

/// How often a transaction is sent that another one hinders, with a pause that doubles from this one.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What became of the phone number of a reopened lead, if the ledger has one for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PhoneNumber {
    /// The ledger has none.
    NotRecorded,
    /// Any lead may have it now.
    Freed,
    /// Another lead was sent to it since, and keeps it.
    OfAnotherLead,
}

/// The result of one transaction.
enum Attempt {
    Done,
    LeadChanged,
    OfAnotherLead,
    /// Another transaction has one of the items, or DynamoDB is busy.
    Hindered(Failure),
}

impl Ledger {
    /// Deletes the lead's item, and that of its phone number unless the number is another lead's by now. `None` if the
    /// lead's condition no longer holds; then nothing was deleted.
    ///
    /// One transaction: if the number's item went first, another lead could get the number while this one is not free;
    /// if it went last, that of a new claim of this lead could be deleted.
    pub(super) async fn reopen(
        &self,
        pk: &str,
        claim: &str,
        phone_item: Option<&str>,
        now: u64,
    ) -> Result<Option<PhoneNumber>, Failure> {
        let Some(phone_item) = phone_item else {
            return Ok(self.delete_lead(pk, claim, now).await?.then_some(PhoneNumber::NotRecorded));
        };
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            match self.delete_both(pk, claim, phone_item, now).await? {
                Attempt::Done => return Ok(Some(PhoneNumber::Freed)),
                Attempt::LeadChanged => break,
                Attempt::OfAnotherLead => {
                    return Ok(self.delete_lead(pk, claim, now).await?.then_some(PhoneNumber::OfAnotherLead));
                }
                Attempt::Hindered(failure) if attempt == MAX_ATTEMPTS => return Err(failure),
                Attempt::Hindered(_) => sleep(with_jitter(pause)).await,
            }
            pause *= 2;
        }
        Ok(None)
    }

    /// Deletes the lead's item alone. False if the condition no longer holds.
    async fn delete_lead(&self, pk: &str, claim: &str, now: u64) -> Result<bool, Failure> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .condition_expression(CONDITION)
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":unknown", text("unknown"));
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(false),
            Err(error) => Err(call_failed(self.call("dynamodb:DeleteItem"), &error)),
        }
    }

    /// Deletes the items of the lead and of its phone number.
    async fn delete_both(&self, pk: &str, claim: &str, phone_item: &str, now: u64) -> Result<Attempt, Failure> {
        let lead = Delete::builder()
            .key("pk", text(pk))
            .condition_expression(CONDITION)
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":unknown", text("unknown"));
        let phone = Delete::builder()
            .key("pk", text(phone_item))
            .condition_expression(RELEASE_KEY)
            .expression_attribute_values(":lead", text(pk));
        let writes = [self.write(lead)?, self.write(phone)?];
        // The SDK adds a token, so that an attempt whose answer was lost can be sent again.
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(writes.into())).send().await else {
            return Ok(Attempt::Done);
        };
        let codes = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect()
            }
            _ => Vec::new(),
        };
        // In the order of the writes.
        match codes.as_slice() {
            ["ConditionalCheckFailed", ..] => Ok(Attempt::LeadChanged),
            ["None", "ConditionalCheckFailed"] => Ok(Attempt::OfAnotherLead),
            // The right for a transaction is that for its writes.
            _ => match call_failed(self.call("dynamodb:DeleteItem"), &error) {
                failure if codes.iter().any(|code| HINDRANCES.contains(code)) => Ok(Attempt::Hindered(failure)),
                failure => Err(failure),
            },
        }
    }

    fn write(&self, delete: DeleteBuilder) -> Result<TransactWriteItem, Failure> {
        let delete = delete.table_name(&self.table).build();
        let delete = delete.map_err(|fault| Failure::aws(fault.to_string(), "Report this."))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Until when a lead keeps its phone number, in Unix seconds.
    pub(crate) async fn phone_kept_until(&self, entry: &Entry, now: u64) -> Result<Option<u64>, Failure> {
        let phone_item = entry.found.record.as_ref().and_then(|record| record.phone_item.as_ref());
        let Some(phone_item) = phone_item else { return Ok(None) };
        let phone = self.item(phone_item).await?.and_then(|item| PhoneRecord::parse(&item));
        let own = phone.filter(|phone| phone.lead == entry.pk && now < phone.expires);
        Ok(own.map(|phone| phone.expires))
    }
}

/// Cancellation reasons after which the same transaction can succeed (DynamoDB's API reference, TransactWriteItems).
const HINDRANCES: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// The pause and up to as much again, so that two commands do not hinder each other again.
fn with_jitter(pause: Duration) -> Duration {
    let random = u32::from(Uuid::new_v4().as_bytes().first().copied().unwrap_or_default());
    pause + pause * random / 255
}
