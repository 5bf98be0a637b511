//! Everything that can become of a request besides success, with the answer to each.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{Answer, Body, Outcome};
use crate::{
    account::AuthError,
    claim::LedgerError,
    lead::{Faults, Malformed},
    log,
    retry_after::RetryAfter,
    rudder::PushError,
};

/// Why a lead did not become a call, or may not have. Each is a row of the table of answers; what a variant carries is for
/// the sender where it is a type, and for the log where it is a string.
#[derive(Debug)]
#[expect(missing_docs, reason = "`message` says in a sentence what each of them is")]
pub enum Problem {
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidIdempotencyKey,
    Unauthorized(String),
    /// To the sender the same as [`Problem::Unauthorized`]; the operator has to mend the account's secret.
    SecretUnreadable(String),
    Malformed(Malformed),
    InvalidLead(Faults),
    IdempotencyKeyReused,
    InProgress,
    RefusedUpstream,
    RateLimited(Option<RetryAfter>),
    TokenRefused(String),
    AccountMisconfigured(String),
    UpstreamUnreachable(String),
    TemporarilyUnavailable(String),
    BadUpstreamAnswer(String),
    UpstreamTimeout,
    UpstreamBroke(String),
    /// With the id of the request that was interrupted.
    Interrupted(String),
    /// The relay itself failed, before a byte of the lead may have been sent or after.
    Internal {
        may_have_sent: bool,
        cause: &'static str,
    },
}

/// When to try again what should work soon.
const SOON: RetryAfter = RetryAfter::Seconds(5);

impl Problem {
    /// The row: status, outcome, and the error's name.
    fn row(&self) -> (StatusCode, Outcome, &'static str) {
        use Outcome::{NotSent, Pending, Refused, Unknown};
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, NotSent, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, NotSent, "method_not_allowed"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, NotSent, "body_too_large"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, NotSent, "unsupported_media_type"),
            Self::InvalidIdempotencyKey => (StatusCode::BAD_REQUEST, NotSent, "invalid_idempotency_key"),
            Self::Unauthorized(_) | Self::SecretUnreadable(_) => (StatusCode::UNAUTHORIZED, NotSent, "unauthorized"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, NotSent, "malformed_json"),
            Self::InvalidLead(_) => (StatusCode::UNPROCESSABLE_ENTITY, NotSent, "invalid_lead"),
            Self::IdempotencyKeyReused => (StatusCode::UNPROCESSABLE_ENTITY, NotSent, "idempotency_key_reused"),
            Self::InProgress => (StatusCode::CONFLICT, Pending, "in_progress"),
            Self::RefusedUpstream => (StatusCode::UNPROCESSABLE_ENTITY, Refused, "refused_upstream"),
            Self::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, NotSent, "rate_limited"),
            Self::TokenRefused(_) => (StatusCode::INTERNAL_SERVER_ERROR, NotSent, "token_refused"),
            Self::AccountMisconfigured(_) => (StatusCode::INTERNAL_SERVER_ERROR, NotSent, "account_misconfigured"),
            Self::UpstreamUnreachable(_) => (StatusCode::SERVICE_UNAVAILABLE, NotSent, "upstream_unreachable"),
            Self::TemporarilyUnavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, NotSent, "temporarily_unavailable"),
            Self::BadUpstreamAnswer(_) => (StatusCode::BAD_GATEWAY, Unknown, "bad_upstream_answer"),
            Self::UpstreamTimeout => (StatusCode::GATEWAY_TIMEOUT, Unknown, "upstream_timeout"),
            Self::UpstreamBroke(_) => (StatusCode::GATEWAY_TIMEOUT, Unknown, "upstream_broke"),
            Self::Interrupted(_) => (StatusCode::GATEWAY_TIMEOUT, Unknown, "interrupted"),
            Self::Internal { may_have_sent: false, .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, NotSent, "internal_error")
            }
            Self::Internal { may_have_sent: true, .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, Unknown, "internal_error")
            }
        }
    }

    /// What it means, for a person at the sender's side.
    fn message(&self) -> String {
        let message = match self {
            Self::NotFound => "There is only POST /v1/accounts/{account}/leads.",
            Self::MethodNotAllowed => "A lead is sent with POST.",
            Self::BodyTooLarge => "A lead has at most 64 KiB.",
            Self::UnsupportedMediaType => {
                "A lead is sent as application/json in UTF-8, without a content encoding such as gzip."
            }
            Self::InvalidIdempotencyKey => "An Idempotency-Key has 1 to 255 visible ASCII characters and no space.",
            Self::Unauthorized(_) | Self::SecretUnreadable(_) => {
                "The account and its key do not match. Send the key as Authorization: Bearer <key>."
            }
            Self::Malformed(malformed) => return format!("The lead can't be read: {malformed}."),
            Self::InvalidLead(_) => "The lead has faults. Each is named in body.fields; mend them and send it again.",
            Self::IdempotencyKeyReused => "This Idempotency-Key stands for another lead. Send this one under its own.",
            Self::InProgress => "This lead is being sent by another request. Ask again shortly by sending it again.",
            Self::RefusedUpstream => "AI Rudder refused the lead.",
            Self::RateLimited(_) => "AI Rudder wants fewer leads for now. Send this one again later.",
            Self::TokenRefused(_) => {
                "AI Rudder does not accept this account's token. The relay's operator has to mend it."
            }
            Self::AccountMisconfigured(_) => "This account is not set up right. The relay's operator has to mend it.",
            Self::UpstreamUnreachable(_) => "AI Rudder could not be reached. Nothing was sent; send this lead again.",
            Self::TemporarilyUnavailable(_) => {
                "The relay can't work right now. Nothing was sent; send this lead again."
            }
            Self::BadUpstreamAnswer(_) => "AI Rudder's answer does not say what became of the lead.",
            Self::UpstreamTimeout => "AI Rudder did not answer in time. It may have the lead.",
            Self::UpstreamBroke(_) => {
                "The connection to AI Rudder broke after the lead was sent. It may have the lead."
            }
            Self::Interrupted(_) => {
                "An earlier request began to send this lead and was not heard of again. AI Rudder may have it."
            }
            Self::Internal { may_have_sent: false, .. } => "The relay failed before it sent the lead.",
            Self::Internal { may_have_sent: true, .. } => "The relay failed after it began to send the lead.",
        };
        message.to_owned()
    }

    /// Whether the sender can do something about it.
    fn sender_can_mend(&self) -> bool {
        self.row().0.is_client_error() && !matches!(self, Self::RateLimited(_) | Self::InProgress)
    }

    /// The error's name for the operator's eyes.
    fn counted_as(&self) -> &'static str {
        match self {
            Self::SecretUnreadable(cause) => Self::AccountMisconfigured(cause.clone()).row().2,
            _ => self.row().2,
        }
    }

    /// The header that says what to do, where HTTP has one.
    fn headers(&self) -> HeaderMap {
        let advice = match self {
            Self::MethodNotAllowed => (header::ALLOW, HeaderValue::from_static("POST")),
            Self::Unauthorized(_) | Self::SecretUnreadable(_) => {
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lendswift-relay\""))
            }
            Self::InProgress | Self::UpstreamUnreachable(_) | Self::TemporarilyUnavailable(_) => {
                (header::RETRY_AFTER, SOON.into())
            }
            Self::RateLimited(Some(retry_after)) => (header::RETRY_AFTER, (*retry_after).into()),
            _ => return HeaderMap::new(),
        };
        HeaderMap::from_iter([advice])
    }

    /// What the log says of it beside its name. Of a lead's faults only the places and the kinds.
    fn cause(&self) -> Option<String> {
        match self {
            Self::Unauthorized(cause)
            | Self::SecretUnreadable(cause)
            | Self::TokenRefused(cause)
            | Self::AccountMisconfigured(cause)
            | Self::UpstreamUnreachable(cause)
            | Self::TemporarilyUnavailable(cause)
            | Self::BadUpstreamAnswer(cause)
            | Self::UpstreamBroke(cause) => Some(cause.clone()),
            Self::Interrupted(request_id) => {
                Some(format!("request {request_id} claimed the lead and did not settle it"))
            }
            Self::Internal { cause, .. } => Some((*cause).to_owned()),
            Self::Malformed(malformed) => Some(malformed.to_string()),
            Self::InvalidLead(faults) => {
                let faults = faults.iter().map(|fault| format!("{} {}", fault.field, fault.kind.code()));
                // In one order, so that the same faults are the same line.
                Some(faults.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", "))
            }
            _ => None,
        }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let (status, outcome, error) = problem.row();
        let (headers, cause, counted_as) = (problem.headers(), problem.cause(), problem.counted_as());
        let alarming = status.is_server_error() || matches!(problem, Problem::SecretUnreadable(_));
        let (message, sender_can_mend) = (problem.message(), problem.sender_can_mend());
        let faults = if let Problem::InvalidLead(faults) = problem { faults } else { Faults::new() };
        let body = Body::Ours { message, sender_can_mend, faults };
        Self {
            status,
            outcome,
            error: Some(error),
            counted_as: Some(counted_as),
            cause,
            alarming,
            replayed: false,
            headers,
            body,
        }
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unauthorized(cause) => Self::Unauthorized(cause),
            AuthError::Closed(cause) => Self::SecretUnreadable(cause),
            AuthError::Misconfigured(cause) => Self::AccountMisconfigured(cause),
            AuthError::Unavailable(cause) => Self::TemporarilyUnavailable(cause),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::TemporarilyUnavailable(error.to_string())
    }
}

impl From<PushError> for Problem {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Unreachable(_) => Self::UpstreamUnreachable(log::chain(&error)),
            PushError::TooLate => Self::TemporarilyUnavailable(error.to_string()),
            PushError::TimedOut => Self::UpstreamTimeout,
            PushError::Broke(_) => Self::UpstreamBroke(log::chain(&error)),
        }
    }
}
