//! Reads of the table.

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::{Item, Table, write::key};
use crate::{
    aws,
    budget::WRITE_ATTEMPT_LIMIT,
    claim::dynamodb::{CallError, Refusal},
};

/// A read that failed. The text is for the log.
pub(in crate::claim) struct ReadError {
    pub(in crate::claim) cause: String,
    /// Whether a retry may succeed.
    pub(in crate::claim) is_transient: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetItem<'a> {
    table_name: &'a str,
    key: Item,
    consistent_read: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetItemOutput {
    item: Option<Item>,
}

impl Table {
    /// Reads an item with all writes that succeeded before, in one attempt of at most [`WRITE_ATTEMPT_LIMIT`] and not beyond
    /// `until`.
    pub(in crate::claim) async fn get(&self, pk: &str, until: Instant) -> Result<Option<Item>, ReadError> {
        let request = GetItem { table_name: &self.name, key: key(pk), consistent_read: true };
        let body = serde_json::to_vec(&request).unwrap_or_default().into();
        let sent = Box::pin(self.dynamodb.call("GetItem", body, self.clock.wall()));
        let body = match timeout_at(until.min(self.clock.now() + WRITE_ATTEMPT_LIMIT), sent).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(ReadError { cause: "no response in time".to_owned(), is_transient: true }),
        };
        let output: Result<GetItemOutput, _> = serde_json::from_slice(&body);
        let unreadable = |_| ReadError { cause: "the response can't be read".to_owned(), is_transient: false };
        output.map(|output| output.item).map_err(unreadable)
    }
}

impl From<CallError> for ReadError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(cause) | CallError::NoResponse(cause) => {
                Self { cause: cause.as_str().to_owned(), is_transient: true }
            }
            CallError::Refused(Refusal { status, code, .. }) => {
                let is_transient = aws::is_transient(status, code.as_deref());
                Self { cause: code.unwrap_or_else(|| "no error code".to_owned()), is_transient }
            }
        }
    }
}
