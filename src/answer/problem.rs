//! Why a lead did not become a call, with what each occurrence adds to its [`Kind`].

use std::collections::BTreeSet;

use super::{Advice, Kind};
use crate::{
    account::AuthError,
    claim::{LedgerError, StatusError},
    lead::{Faults, Malformed},
    retry_after::RetryAfter,
    rudder::PushError,
    telemetry::log::LogText,
};
use http::{HeaderMap, HeaderValue, header};

/// Why a lead did not become a call, or may not have become one. A [`LogText`] or a `&'static str` in a variant is for the log
/// alone; anything else goes to the caller.
#[derive(Debug)]
#[expect(missing_docs, reason = "`Kind::row` documents each problem")]
pub enum Problem {
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidIdempotencyKey,
    MissingApiKey,
    Unauthorized(LogText),
    /// The caller gets the response of [`Problem::Unauthorized`]; the operator must repair the account's secret.
    SecretUnreadable(LogText),
    MalformedBody(Malformed),
    /// API Gateway's base64 is invalid.
    MalformedBase64,
    InvalidLead(Faults),
    IdempotencyKeyReused,
    NoRecord,
    NoLedger,
    InProgress,
    OutsideCallingHours(RetryAfter),
    RecentlyCalled(RetryAfter),
    RefusedUpstream,
    RateLimited(Option<RetryAfter>),
    TokenRefused(LogText),
    AccountMisconfigured(LogText),
    UpstreamUnreachable(LogText),
    TemporarilyUnavailable(LogText),
    AmbiguousUpstreamResponse(LogText),
    UpstreamTimeout,
    UpstreamBroke(LogText),
    /// With the request id of the earlier attempt.
    Interrupted(String),
    /// The relay failed before the claim.
    FailedBeforeClaim(&'static str),
    /// The relay failed when the claim may have been written.
    FailedAfterClaim(&'static str),
}

/// The delay of [`Advice::RetrySoon`]. It is the relay's own choice: most interruptions of a service last seconds.
const RETRY_SOON_DELAY: RetryAfter = RetryAfter::Seconds(5);

impl Problem {
    /// The kind of the problem, which has the row in the table of responses.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::MethodNotAllowed => Kind::MethodNotAllowed,
            Self::BodyTooLarge => Kind::BodyTooLarge,
            Self::UnsupportedMediaType => Kind::UnsupportedMediaType,
            Self::InvalidIdempotencyKey => Kind::InvalidIdempotencyKey,
            Self::MissingApiKey => Kind::MissingApiKey,
            Self::Unauthorized(_) => Kind::Unauthorized,
            Self::SecretUnreadable(_) => Kind::SecretUnreadable,
            Self::MalformedBody(_) => Kind::MalformedBody,
            Self::MalformedBase64 => Kind::MalformedBase64,
            Self::InvalidLead(_) => Kind::InvalidLead,
            Self::IdempotencyKeyReused => Kind::IdempotencyKeyReused,
            Self::NoRecord => Kind::NoRecord,
            Self::NoLedger => Kind::NoLedger,
            Self::InProgress => Kind::InProgress,
            Self::OutsideCallingHours(_) => Kind::OutsideCallingHours,
            Self::RecentlyCalled(_) => Kind::RecentlyCalled,
            Self::RefusedUpstream => Kind::RefusedUpstream,
            Self::RateLimited(_) => Kind::RateLimited,
            Self::TokenRefused(_) => Kind::TokenRefused,
            Self::AccountMisconfigured(_) => Kind::AccountMisconfigured,
            Self::UpstreamUnreachable(_) => Kind::UpstreamUnreachable,
            Self::TemporarilyUnavailable(_) => Kind::TemporarilyUnavailable,
            Self::AmbiguousUpstreamResponse(_) => Kind::AmbiguousUpstreamResponse,
            Self::UpstreamTimeout => Kind::UpstreamTimeout,
            Self::UpstreamBroke(_) => Kind::UpstreamBroke,
            Self::Interrupted(_) => Kind::Interrupted,
            Self::FailedBeforeClaim(_) => Kind::FailedBeforeClaim,
            Self::FailedAfterClaim(_) => Kind::FailedAfterClaim,
        }
    }

    /// The response's message: the row's, and for a body that cannot be read the reason.
    pub(super) fn message(&self) -> String {
        let message = self.kind().row().message;
        match self {
            Self::MalformedBody(malformed) => format!("{message} It {malformed}."),
            Self::MalformedBase64 => format!("{message} {NOT_BASE64}"),
            _ => message.to_owned(),
        }
    }

    /// The header that goes with it: one at most.
    pub(super) fn headers(&self) -> HeaderMap {
        let header = match (self.kind().row().advice, self) {
            (Some(Advice::Allow), _) => (header::ALLOW, HeaderValue::from_static("POST")),
            (Some(Advice::Authenticate), _) => {
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lendswift-relay\""))
            }
            (Some(Advice::RetrySoon), _) => (header::RETRY_AFTER, RETRY_SOON_DELAY.into()),
            (
                Some(Advice::RetryWhenUpstreamSays | Advice::RetryWhenPolicyAllows),
                Self::RateLimited(Some(retry_after))
                | Self::OutsideCallingHours(retry_after)
                | Self::RecentlyCalled(retry_after),
            ) => (header::RETRY_AFTER, (*retry_after).into()),
            _ => return HeaderMap::new(),
        };
        HeaderMap::from_iter([header])
    }

    /// The cause for the log, in addition to the error's name. For an invalid lead it has only the faults' places and codes.
    pub(super) fn cause(&self) -> Option<LogText> {
        match self {
            Self::Unauthorized(cause)
            | Self::SecretUnreadable(cause)
            | Self::TokenRefused(cause)
            | Self::AccountMisconfigured(cause)
            | Self::UpstreamUnreachable(cause)
            | Self::TemporarilyUnavailable(cause)
            | Self::AmbiguousUpstreamResponse(cause)
            | Self::UpstreamBroke(cause) => Some(cause.clone()),
            Self::MissingApiKey => Some(LogText::from("no API key")),
            Self::Interrupted(request_id) => {
                Some(LogText::from(format!("request {request_id} claimed the lead and did not settle it")))
            }
            Self::FailedBeforeClaim(cause) | Self::FailedAfterClaim(cause) => Some(LogText::from(*cause)),
            Self::MalformedBody(malformed) => Some(LogText::from(format!("the body {malformed}"))),
            Self::MalformedBase64 => Some(LogText::from("the body is not base64")),
            Self::InvalidLead(faults) => {
                let faults = faults.iter().map(|fault| format!("{} {}", fault.field, fault.kind.code()));
                // Sorted, so that the same faults give the same text.
                Some(LogText::from(faults.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")))
            }
            _ => None,
        }
    }
}

const NOT_BASE64: &str = "API Gateway marked it as base64, and it is not.";

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Self::MalformedBody(malformed)
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unauthorized(cause) => Self::Unauthorized(cause),
            AuthError::SecretUnreadable(cause) => Self::SecretUnreadable(cause),
            AuthError::Misconfigured(cause) => Self::AccountMisconfigured(cause),
            AuthError::Unavailable(cause) => Self::TemporarilyUnavailable(cause),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(LedgerError(cause): LedgerError) -> Self {
        Self::TemporarilyUnavailable(cause)
    }
}

impl From<StatusError> for Problem {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::Off => Self::NoLedger,
            StatusError::Failed(error) => error.into(),
        }
    }
}

impl From<PushError> for Problem {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Unreachable(_) => Self::UpstreamUnreachable(LogText::from_error(&error)),
            PushError::LeaseOver => Self::TemporarilyUnavailable(LogText::from_error(&error)),
            PushError::TimedOut => Self::UpstreamTimeout,
            PushError::ConnectionBroke(_) => Self::UpstreamBroke(LogText::from_error(&error)),
        }
    }
}
