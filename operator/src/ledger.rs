//! The ledger's table, as the operator reads and changes it.

mod entry;
mod reopen;
mod scan;

use std::time::Duration;

use aws_sdk_dynamodb::{Client, error::ProvideErrorMetadata, types::AttributeValue};
use lendswift_relay::claim::{
    Settled,
    items::{self, KeyRecord, Record},
    protocol::State,
};

pub(crate) use self::{entry::Entry, reopen::PhoneNumber, scan::Query};
use crate::{
    aws::{Aws, AwsClock, Call, call_failed},
    decision::{CONDITION, Decision, Resolution, decide},
    failure::Failure,
    output::unix,
};

/// How often a lead is read again because its item changed between reading and writing.
const MAX_ROUNDS: usize = 3;
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// What became of a lead.
pub(crate) struct Resolved {
    pub(crate) decision: Decision,
    /// Of a lead that was reopened.
    pub(crate) phone: Option<PhoneNumber>,
}

/// The table.
pub(crate) struct Ledger {
    client: Client,
    clock: AwsClock,
    table: String,
}

impl Ledger {
    pub(crate) fn new(aws: &Aws, table: &str) -> Self {
        Self { client: aws.dynamodb(), clock: aws.clock.clone(), table: table.to_owned() }
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// AWS's time in Unix seconds. It is known after the first call.
    pub(crate) fn now(&self) -> Result<u64, Failure> {
        let no_date =
            || Failure::aws("the answers of DynamoDB have no date", "Check what answers in DynamoDB's place.");
        self.clock.now().map(unix).ok_or_else(no_date)
    }

    /// The start of a period that ends now.
    pub(crate) fn ago(&self, duration: Duration) -> Result<u64, Failure> {
        Ok(self.now()?.saturating_sub(duration.as_secs()))
    }

    fn call(&self, action: &'static str) -> Call<'_> {
        Call { action, subject: &self.table }
    }

    /// Reads an item, with all writes that succeeded before.
    async fn item(&self, pk: &str) -> Result<Option<items::Item>, Failure> {
        let get = self.client.get_item().table_name(&self.table).key("pk", text(pk)).consistent_read(true);
        let output = get.send().await.map_err(|error| {
            if error.code() == Some("ResourceNotFoundException") {
                return self.no_table();
            }
            call_failed(self.call("dynamodb:GetItem"), &error)
        })?;
        Ok(output.item.map(entry::item))
    }

    fn no_table(&self) -> Failure {
        Failure::refused(
            format!("there is no table {} in this region", self.table),
            "Name the stack with --stack or the table with --table, and its region with --region.",
        )
    }

    /// Reads a lead by its item's `pk`.
    pub(crate) async fn lead(&self, pk: &str) -> Result<Option<Entry>, Failure> {
        Ok(self.item(pk).await?.map(|item| Entry::new(pk, &item)))
    }

    /// The `pk` of the lead that an idempotency key belongs to, by the `pk` of the key's item. The relay ignores an
    /// item that has expired, and so does this.
    pub(crate) async fn lead_of_key(&self, pk: &str) -> Result<Option<String>, Failure> {
        let Some(item) = self.item(pk).await? else { return Ok(None) };
        let now = self.now()?;
        let is_current = entry::number(&item, "expires").is_none_or(|expires| now < expires);
        Ok(KeyRecord::parse(&item).filter(|_| is_current).map(|key| key.lead))
    }

    /// Settles or reopens a lead, if its item allows it. With `dry_run` nothing is written.
    pub(crate) async fn resolve(
        &self,
        pk: &str,
        claim: &str,
        resolution: Resolution,
        dry_run: bool,
    ) -> Result<Resolved, Failure> {
        for _ in 0..MAX_ROUNDS {
            let found = self.lead(pk).await?;
            let now = self.now()?;
            let decision = decide(found.as_ref().map(|entry| &entry.found), claim, resolution, now);
            if decision != Decision::Allowed || dry_run {
                return Ok(Resolved { decision, phone: None });
            }
            let phone_item = found.and_then(|entry| entry.found.record?.phone_item);
            let (is_written, phone) = match resolution {
                Resolution::Settle => (self.settle(pk, claim, now).await?, None),
                Resolution::Reopen => {
                    let phone = self.reopen(pk, claim, phone_item.as_deref(), now).await?;
                    (phone.is_some(), phone)
                }
            };
            if is_written {
                return Ok(Resolved { decision: Decision::Allowed, phone });
            }
        }
        Err(Failure::aws("the lead's item changes all the time", "Run the command again."))
    }

    /// Records that AI Rudder has the lead. False if the condition no longer holds.
    async fn settle(&self, pk: &str, claim: &str, now: u64) -> Result<bool, Failure> {
        let body = accepted_body(now);
        if !is_accepted(claim, &body, now) {
            return Err(Failure::aws("the relay could not read what this version writes", "Report this."));
        }
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .update_expression(
                "SET outcome = :accepted, http_status = :ok, body = :body, settled_at = :now REMOVE lead_error",
            )
            .condition_expression(CONDITION)
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":unknown", text("unknown"))
            .expression_attribute_values(":accepted", text("accepted"))
            .expression_attribute_values(":ok", number(200))
            .expression_attribute_values(":body", text(&body));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(false),
            Err(error) => Err(call_failed(self.call("dynamodb:UpdateItem"), &error)),
        }
    }
}

/// The body that every later post of a settled lead gets: AI Rudder's success.
fn accepted_body(now: u64) -> String {
    format!(r#"{{"code":200,"message":"success","show_err":false,"timestamp":{now},"body":{{}},"trace_id":""}}"#)
}

/// Whether the relay reads an item with the attributes that settling writes as an accepted lead.
fn is_accepted(claim: &str, body: &str, now: u64) -> bool {
    let texts = [("claim", claim), ("request_id", ""), ("outcome", "accepted"), ("body", body)];
    let texts = texts.map(|(name, value)| (name, items::AttributeValue::S(value.to_owned())));
    let numbers = [("expires", now), ("http_status", 200), ("settled_at", now)];
    let numbers = numbers.map(|(name, value)| (name, items::AttributeValue::N(value.to_string())));
    let item = texts.into_iter().chain(numbers).map(|(name, value)| (name.to_owned(), value)).collect();
    let accepted = Settled::Accepted { body: body.to_owned() };
    Record::parse(&item).is_some_and(|record| record.state == State::Settled(accepted))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
