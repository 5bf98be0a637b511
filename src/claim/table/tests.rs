//! The results of cancelled transactions, by their reasons.

use super::*;
use crate::config::Config;

fn cancelled(codes: &[&str]) -> Attempt {
    let reason = |code: &&str| CancellationReason { code: Some((*code).to_owned()), item: None };
    Attempt::from_cancellation(codes.iter().map(reason).collect())
}

#[test]
fn only_failed_conditions_are_reported_as_such() {
    for codes in [&["ConditionalCheckFailed"][..], &["None", "ConditionalCheckFailed"], &["ConditionalCheckFailed"; 2]]
    {
        let reply = cancelled(codes).reply;
        assert!(matches!(reply, Reply::ConditionFailed(items) if items.len() == codes.len()), "{codes:?}");
    }
}

#[test]
fn a_cancellation_without_a_reason_is_in_doubt() {
    for codes in [&[][..], &["None"], &["None", "None"]] {
        assert_eq!(cancelled(codes).reply, Reply::InDoubt, "{codes:?}");
    }
}

#[test]
fn a_conflict_at_the_lead_outranks_one_at_the_key() {
    for (codes, error) in [
        (&["TransactionConflict"][..], TransientError::LeadConflict),
        (&["TransactionConflict", "None"], TransientError::LeadConflict),
        (&["TransactionConflict", "TransactionConflict"], TransientError::LeadConflict),
        (&["TransactionConflict", "ConditionalCheckFailed"], TransientError::LeadConflict),
        (&["None", "TransactionConflict"], TransientError::KeyConflict),
        (&["None", "None", "TransactionConflict"], TransientError::KeyConflict),
        (&["ConditionalCheckFailed", "TransactionConflict"], TransientError::KeyConflict),
        (&["ThrottlingError", "TransactionConflict"], TransientError::KeyConflict),
    ] {
        assert_eq!(cancelled(codes).reply, Reply::Transient(error), "{codes:?}");
    }
}

#[test]
fn a_throttled_transaction_is_transient() {
    for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
        let attempt = cancelled(&["None", code]);
        assert_eq!(
            (attempt.reply, attempt.cause.as_deref()),
            (Reply::Transient(TransientError::Unavailable), Some(code))
        );
    }
}

#[test]
fn other_reasons_are_final_and_a_wrong_table_key_is_named() {
    for (code, cause) in [
        ("ItemCollectionSizeLimitExceeded", "ItemCollectionSizeLimitExceeded"),
        ("ValidationError", "ValidationError: is the table's key the string pk alone?"),
    ] {
        for codes in [["None", code], ["TransactionConflict", code]] {
            let attempt = cancelled(&codes);
            assert_eq!((attempt.reply, attempt.cause.as_deref()), (Reply::Failed, Some(cause)));
        }
    }
}

#[test]
fn an_error_response_is_classified_by_status_and_code() {
    for (status, code, expected) in [
        (400, Some("ConditionalCheckFailedException"), Reply::ConditionFailed(Vec::new())),
        (400, Some("TransactionConflictException"), Reply::Transient(TransientError::LeadConflict)),
        (400, Some("IdempotentParameterMismatchException"), Reply::TokenMismatch),
        (400, Some("TransactionInProgressException"), Reply::InDoubt),
        (500, Some("InternalServerError"), Reply::InDoubt),
        (503, None, Reply::InDoubt),
        (500, Some("ThrottlingException"), Reply::InDoubt),
        (400, Some("ThrottlingException"), Reply::Transient(TransientError::Unavailable)),
        (400, Some("ProvisionedThroughputExceededException"), Reply::Transient(TransientError::Unavailable)),
        (400, Some("ExpiredTokenException"), Reply::Transient(TransientError::Unavailable)),
        (429, None, Reply::Transient(TransientError::Unavailable)),
        (499, None, Reply::Failed),
        (400, Some("AccessDeniedException"), Reply::Failed),
        (400, Some("ResourceNotFoundException"), Reply::Failed),
        (400, None, Reply::Failed),
    ] {
        assert_eq!(Attempt::from_error_response(status, code).reply, expected, "{status} {code:?}");
    }
}

/// A table in a DynamoDB at this URL.
pub(in crate::claim) fn table_at(url: &str) -> Table {
    let config = Config::from_variables(|name| match name {
        "CLAIMS_TABLE" => Some("claims".into()),
        "AWS_REGION" => Some("us-east-1".into()),
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.into()),
        _ => None,
    });
    let config = config.unwrap();
    let mut aws = Aws::new(&config).unwrap();
    let credentials = aws_credential_types::Credentials::from_keys("local", "local", None);
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(credentials);
    aws.sdk = aws.sdk.to_builder().credentials_provider(provider).build();
    Table::new(&aws, "claims", Clock::SYSTEM)
}

/// An attempt of a delete against a DynamoDB at this URL.
async fn attempt_at(url: &str) -> Reply<ConflictingItems> {
    let table = table_at(url);
    let delete = Write { action: Action::Delete("acme#void#1".to_owned()), condition: None, values: Vec::new() };
    table
        .attempt(&table.transaction([delete], None), Clock::SYSTEM.now() + std::time::Duration::from_secs(5))
        .await
        .reply
}

#[tokio::test]
async fn a_request_without_a_connection_was_not_sent() {
    // A port that was free a moment ago.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(attempt_at(&url).await, Reply::Transient(TransientError::Unavailable));
}

#[tokio::test]
async fn a_request_whose_connection_breaks_is_in_doubt() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    assert_eq!(attempt_at(&url).await, Reply::InDoubt);
}
