//! Reading the whole table.

use std::collections::HashMap;

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::AttributeValue};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;

use super::{Entry, Ledger, entry, text};
use crate::{aws::call_failed, failure::Failure, output};

/// Into how many segments the table is divided. They are read at the same time.
const SEGMENTS: i32 = 8;

/// Which leads are read.
pub(crate) enum Query<'a> {
    /// Those that are not accepted.
    Open,
    /// All, with `pk` and `claim` alone: a list without keys can mean a million of them.
    Claims,
    /// That of this claim.
    Claim(&'a str),
    /// That of this request.
    Request(&'a str),
}

impl Query<'_> {
    /// The filter expression, and the values that it needs. Only a lead's item has a lease.
    fn filter(&self) -> (&'static str, Option<(&'static str, &str)>) {
        match self {
            Self::Open => (
                "attribute_exists(lease_until) AND (attribute_not_exists(outcome) OR outcome <> :value)",
                Some((":value", "accepted")),
            ),
            Self::Claims => ("attribute_exists(lease_until)", None),
            Self::Claim(id) => ("attribute_exists(lease_until) AND claim = :value", Some((":value", id))),
            Self::Request(id) => ("attribute_exists(lease_until) AND request_id = :value", Some((":value", id))),
        }
    }

    /// The attributes that are read; `None` for all.
    fn projection(&self) -> Option<String> {
        matches!(self, Self::Claims).then(|| "pk, claim".to_owned())
    }
}

impl Ledger {
    /// Reads the whole table, with all writes that succeeded before, and returns the leads in question.
    pub(crate) async fn scan(&self, query: &Query<'_>) -> Result<Vec<Entry>, Failure> {
        let progress = output::progress("Reading the table", None);
        let segments = stream::iter(0..SEGMENTS).map(|segment| self.scan_segment(segment, query, &progress));
        let leads = segments.buffer_unordered(8).try_concat().await;
        progress.finish_and_clear();
        leads
    }

    async fn scan_segment(
        &self,
        segment: i32,
        query: &Query<'_>,
        progress: &ProgressBar,
    ) -> Result<Vec<Entry>, Failure> {
        let (filter, value) = query.filter();
        let value = value.map(|(name, value)| HashMap::from([(name.to_owned(), text(value))]));
        let mut leads = Vec::new();
        let mut start = None;
        loop {
            let scan = self.client.scan().table_name(&self.table).segment(segment).total_segments(SEGMENTS);
            let scan = scan.consistent_read(true).filter_expression(filter).set_exclusive_start_key(start);
            let scan = scan.set_projection_expression(query.projection());
            let page = scan.set_expression_attribute_values(value.clone()).send().await.map_err(|error| {
                if error.code() == Some("ResourceNotFoundException") {
                    return self.no_table();
                }
                call_failed(self.call("dynamodb:Scan"), &error)
            })?;
            progress.inc(u64::try_from(page.scanned_count).unwrap_or_default());
            leads.extend(page.items.unwrap_or_default().into_iter().filter_map(lead));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(leads);
            }
        }
    }
}

fn lead(item: HashMap<String, AttributeValue>) -> Option<Entry> {
    let pk = item.get("pk")?.as_s().ok()?.clone();
    Some(Entry::new(&pk, &entry::item(item)))
}
