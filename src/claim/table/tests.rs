//! The results of cancelled transactions, by their reasons.

use super::*;

fn cancelled(codes: &[&str]) -> Attempt {
    let reason = |code: &&str| CancellationReason::builder().code(*code).build();
    Attempt::cancelled(&codes.iter().map(reason).collect::<Vec<_>>())
}

#[test]
fn a_transaction_with_only_failed_conditions_is_refused() {
    for codes in [&["ConditionalCheckFailed"][..], &["None", "ConditionalCheckFailed"], &["ConditionalCheckFailed"; 2]]
    {
        let reply = cancelled(codes).reply;
        assert!(matches!(reply, Reply::Refused(items) if items.len() == codes.len()), "{codes:?}");
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
    for (codes, busy) in [
        (&["TransactionConflict"][..], Busy::LeadConflict),
        (&["TransactionConflict", "None"], Busy::LeadConflict),
        (&["TransactionConflict", "TransactionConflict"], Busy::LeadConflict),
        (&["TransactionConflict", "ConditionalCheckFailed"], Busy::LeadConflict),
        (&["None", "TransactionConflict"], Busy::KeyConflict),
        (&["ConditionalCheckFailed", "TransactionConflict"], Busy::KeyConflict),
        (&["ThrottlingError", "TransactionConflict"], Busy::KeyConflict),
    ] {
        assert_eq!(cancelled(codes).reply, Reply::Busy(busy), "{codes:?}");
    }
}

#[test]
fn a_throttled_transaction_is_busy() {
    for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
        let attempt = cancelled(&["None", code]);
        assert_eq!((attempt.reply, attempt.cause.as_deref()), (Reply::Busy(Busy::Throttled), Some(code)));
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
