//! The ways in which reading a secret can fail.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::fault::Fault;

/// How far the time of a signature may be from AWS's: 5 minutes.
const MAX_SKEW: Duration = Duration::from_secs(300);

/// How a call of GetSecretValue is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretsBehaviour {
    /// As AWS does when all is well.
    #[default]
    Normal,
    /// `AccessDeniedException`.
    Denied,
    /// `ThrottlingException`.
    Throttled,
    /// HTTP 429 with a code of no meaning.
    TooMany,
    /// `InternalServiceError`, HTTP 500.
    Down,
    /// Never.
    Hang,
    /// As normal, after a wait on tokio's clock.
    Slow(Duration),
    /// With a binary secret instead of text.
    Binary,
    /// `InvalidRequestException`, as for a secret that an operator has deleted: AWS keeps it for a week to a month.
    Deleted,
    /// `InvalidSignatureException`, as for a request that was signed too long ago.
    Expired,
    /// As normal where `x-amz-date` is within five minutes of the present, or else as `Expired`.
    ChecksTime,
    /// HTTP 400 with this error and this message.
    Fails(&'static str, &'static str),
}

/// How a call of another operation is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteBehaviour {
    /// As AWS does when all is well.
    #[default]
    Normal,
    /// As normal, but late: it is done at once, and answered after a wait on tokio's clock.
    Slow(Duration),
    /// Nothing is done, and the answer is an error of something between the caller and AWS, which is not retried.
    Fails,
    /// It is done, and the answer is that error.
    DoneAndFails,
    /// As [`Self::DoneAndFails`], but late.
    DoneAndFailsAfter(Duration),
}

/// The answer of something between the caller and AWS: it does not show whether AWS got the request.
pub(super) fn lost() -> Fault {
    Fault::bad_request("GatewayException", "No answer.")
}

/// The error of a behaviour that has one.
pub(super) fn fault(behaviour: SecretsBehaviour, name: &str) -> Option<Fault> {
    Some(match behaviour {
        SecretsBehaviour::Denied => Fault::bad_request(
            "AccessDeniedException",
            format!(
                "User: arn:aws:sts::123456789012:assumed-role/relay/relay is not authorized to perform: \
                 secretsmanager:GetSecretValue on resource: {name} because no identity-based policy allows the \
                 secretsmanager:GetSecretValue action"
            ),
        ),
        SecretsBehaviour::Throttled => Fault::bad_request("ThrottlingException", "Rate exceeded"),
        SecretsBehaviour::TooMany => Fault::new(StatusCode::TOO_MANY_REQUESTS, "UnheardOfException", "Later."),
        SecretsBehaviour::Deleted => Fault::marked_for_deletion(),
        SecretsBehaviour::Expired | SecretsBehaviour::ChecksTime => Fault::bad_request(
            "InvalidSignatureException",
            "Signature expired: 20261126T090000Z is now earlier than 20261126T093000Z (20261126T093500Z - 5 min.)",
        ),
        SecretsBehaviour::Fails(kind, message) => Fault::bad_request(kind, message),
        SecretsBehaviour::Down => {
            let message = "An error occurred on the server side.";
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError", message)
        }
        _ => return None,
    })
}

/// Whether a request was signed within the last or next five minutes, by its `x-amz-date`: `20261126T093000Z`.
pub(super) fn is_signed_now(headers: &HeaderMap) -> bool {
    let date = headers.get("x-amz-date").and_then(|date| date.to_str().ok()).unwrap_or_default();
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
    let (day, time) =
        ([part(0, 4), part(4, 6), part(6, 8)].join("-"), [part(9, 11), part(11, 13), part(13, 15)].join(":"));
    let signed = OffsetDateTime::parse(&format!("{day}T{time}Z"), &Rfc3339);
    signed.is_ok_and(|signed| (OffsetDateTime::now_utc() - signed).unsigned_abs() <= MAX_SKEW)
}
