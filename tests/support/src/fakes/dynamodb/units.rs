//! What the calls would have cost on a table that is charged on demand.

use std::collections::HashMap;

use dynoxide::types::{read_capacity_units, write_capacity_units};
use serde_json::Value;

/// A transaction writes each item twice, "one to prepare the transaction and one to commit it", and reads it twice
/// (Amazon DynamoDB Developer Guide, "DynamoDB read and write operations").
const TRANSACTIONAL: f64 = 2.0;

/// Read and write units (Amazon DynamoDB Developer Guide, "DynamoDB read and write operations").
///
/// As that page says, a write that its condition refuses costs as much as one that is done, and so does a transaction
/// that is cancelled. What meets `TransactionConflictException`, or another error, is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DynamoUnits {
    /// One per begun KB of the item before or after, whichever is larger; two in a transaction.
    pub write: f64,
    /// Half of one per begun 4 KB; one where the read is consistent, two where a transaction is repeated whose token is
    /// remembered.
    pub read: f64,
}

#[derive(Default)]
pub(super) struct Meter(HashMap<String, DynamoUnits>);

impl Meter {
    pub(super) fn of(&self, table: &str) -> DynamoUnits {
        self.0.get(table).copied().unwrap_or_default()
    }

    /// What the emulator says it was, for one table or for each of several.
    pub(super) fn count(&mut self, is_write: bool, consumed: &Value) {
        let tables = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
        for consumed in tables {
            if let (Some(table), Some(units)) = (consumed["TableName"].as_str(), consumed["CapacityUnits"].as_f64()) {
                let entry = self.0.entry(table.to_owned()).or_default();
                *(if is_write { &mut entry.write } else { &mut entry.read }) += units;
            }
        }
    }

    /// A write of an item of so many bytes that was refused.
    pub(super) fn count_refused(&mut self, table: &str, bytes: usize, in_transaction: bool) {
        let factor = if in_transaction { TRANSACTIONAL } else { 1.0 };
        self.0.entry(table.to_owned()).or_default().write += factor * write_capacity_units(bytes);
    }

    /// An item of so many bytes in a transaction that had been done before: "subsequent `TransactWriteItems` calls with
    /// the same client token return the number of read capacity units consumed in reading the item" (API reference).
    pub(super) fn count_repeated(&mut self, table: &str, bytes: usize) {
        self.0.entry(table.to_owned()).or_default().read += TRANSACTIONAL * read_capacity_units(bytes);
    }
}
