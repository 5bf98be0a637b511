//! The state of a lead without a write.

use tokio::time::{Instant, sleep};

use super::{
    Known, Ledger, LedgerError, Lookup,
    backoff::backoff,
    dynamodb::Item,
    ledger::{known_from_record, record_claim},
    record::{KeyRecord, Record, expires},
    table::Table,
};
use crate::{
    budget::{Budget, WRITE_MAX_WAIT},
    unix_time::seconds,
};

/// Why a status request is not answered. Nothing was sent.
#[derive(Debug)]
pub enum StatusError {
    /// The ledger is off, so nothing is recorded.
    Off,
    /// The table could not be read.
    Failed(LedgerError),
}

impl From<LedgerError> for StatusError {
    fn from(error: LedgerError) -> Self {
        Self::Failed(error)
    }
}

impl Ledger {
    /// What is recorded about this lead now, by consistent reads; `None` if nothing hinders a request from sending it but its
    /// phone number, which is not looked up. Nothing is written. Both reads together take at most as long as a claim may.
    pub async fn status(&self, lookup: &Lookup, budget: Budget) -> Result<Option<Known>, StatusError> {
        let Some(table) = &self.table else { return Err(StatusError::Off) };
        let until = budget.claim_until(self.clock.now());
        match lookup {
            Lookup::Lead(keys) => {
                if let Some(item) = self.current(table, &keys.lead, until).await? {
                    return Ok(Some(self.state(&item)));
                }
                let Some(pk) = &keys.key_item else { return Ok(None) };
                let Some(item) = self.current(table, pk, until).await? else { return Ok(None) };
                let is_other = KeyRecord::parse(&item).is_none_or(|key| key.lead != keys.lead);
                Ok(is_other.then_some(Known::KeyReused))
            }
            Lookup::IdempotencyKey(pk) => {
                let Some(item) = self.current(table, pk, until).await? else { return Ok(None) };
                let Some(key) = KeyRecord::parse(&item) else { return Ok(Some(Known::Unreadable)) };
                let item = self.current(table, &key.lead, until).await?;
                Ok(item.map(|item| self.state(&item)))
            }
        }
    }

    fn state(&self, item: &Item) -> Known {
        let Some(record) = Record::parse(item) else { return Known::Unreadable };
        record_claim(&record.claim);
        known_from_record(record, seconds(self.clock.wall()))
    }

    /// An item that has not expired. Transient errors are retried until `until`.
    pub(super) async fn current(&self, table: &Table, pk: &str, until: Instant) -> Result<Option<Item>, LedgerError> {
        let mut waits = backoff();
        loop {
            let wait = waits.next().unwrap_or(WRITE_MAX_WAIT);
            match table.get(pk, until).await {
                Ok(item) => {
                    let now = seconds(self.clock.wall());
                    return Ok(item.filter(|item| expires(item).is_none_or(|expires| now < expires)));
                }
                Err(error) if error.is_transient && self.may_retry(wait, until) => sleep(wait).await,
                Err(error) => return Err(LedgerError::new(&error.cause)),
            }
        }
    }
}
