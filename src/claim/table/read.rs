//! Reads of the table.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::get_item::GetItemError,
    types::AttributeValue,
};
use tokio::time::{Instant, timeout_at};

use super::{Item, Table};
use crate::{aws, budget::WRITE_ATTEMPT_LIMIT, telemetry::log::LogText};

/// A read that failed. The text is for the log.
pub(in crate::claim) struct ReadError {
    pub(in crate::claim) cause: String,
    /// Whether a retry may succeed.
    pub(in crate::claim) is_transient: bool,
}

impl Table {
    /// Reads an item with all writes that succeeded before, in one attempt of at most [`WRITE_ATTEMPT_LIMIT`] and not beyond
    /// `until`.
    pub(in crate::claim) async fn get(&self, pk: &str, until: Instant) -> Result<Option<Item>, ReadError> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        // Boxed: the SDK's future is large, and would be part of every future from here up to `main`.
        let sent = Box::pin(request.key("pk", AttributeValue::S(pk.to_owned())).send());
        match timeout_at(until.min(self.clock.now() + WRITE_ATTEMPT_LIMIT), sent).await {
            Ok(Ok(output)) => Ok(output.item),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(ReadError { cause: "no response in time".to_owned(), is_transient: true }),
        }
    }
}

impl From<SdkError<GetItemError>> for ReadError {
    fn from(error: SdkError<GetItemError>) -> Self {
        let SdkError::ServiceError(response) = &error else {
            return Self { cause: LogText::from_error(&error).as_str().to_owned(), is_transient: true };
        };
        let (status, code) = (response.raw().status().as_u16(), response.err().code());
        Self { cause: code.unwrap_or("no error code").to_owned(), is_transient: aws::is_transient(status, code) }
    }
}
