//! The table of responses other than success, as code: one row per kind of problem.

use http::StatusCode;
use strum::VariantArray;

use super::{
    Outcome,
    row::{Advice, Row, row},
};

/// The kinds of problems, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
#[expect(missing_docs, reason = "`row` documents each kind")]
pub enum Kind {
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidIdempotencyKey,
    MissingApiKey,
    Unauthorized,
    SecretUnreadable,
    MalformedBody,
    MalformedBase64,
    InvalidLead,
    IdempotencyKeyReused,
    NoRecord,
    NoLedger,
    InProgress,
    OutsideCallingHours,
    RecentlyCalled,
    RefusedUpstream,
    RateLimited,
    TokenRefused,
    AccountMisconfigured,
    UpstreamUnreachable,
    TemporarilyUnavailable,
    AmbiguousUpstreamResponse,
    UpstreamTimeout,
    UpstreamBroke,
    Interrupted,
    FailedBeforeClaim,
    FailedAfterClaim,
}

impl Kind {
    /// The kind's row in the table of responses.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one row per kind")]
    pub const fn row(self) -> Row {
        use Outcome::{NotSent, Pending, Refused, Unknown};
        use StatusCode as S;
        match self {
            Self::NotFound => row(S::NOT_FOUND, NotSent, "not_found")
                .when("The route does not exist.")
                .says("No such route. Use POST /v1/accounts/{account}/leads, …/leads/validate or …/leads/status."),
            Self::MethodNotAllowed => row(S::METHOD_NOT_ALLOWED, NotSent, "method_not_allowed")
                .when("The method is not POST.")
                .says("Method not allowed. Use POST.")
                .with(Advice::Allow),
            Self::BodyTooLarge => row(S::PAYLOAD_TOO_LARGE, NotSent, "body_too_large")
                .when("The body exceeds 64 KiB.")
                .says("The request body exceeds 64 KiB. Send a smaller one."),
            Self::UnsupportedMediaType => row(S::UNSUPPORTED_MEDIA_TYPE, NotSent, "unsupported_media_type")
                .when("The `content-type` is not JSON or a form in UTF-8, or the `content-encoding` is not `identity`.")
                .says(
                    "Unsupported media type. Send application/json or application/x-www-form-urlencoded, in UTF-8 and without a \
                     content encoding such as gzip.",
                ),
            Self::InvalidIdempotencyKey => row(S::BAD_REQUEST, NotSent, "invalid_idempotency_key")
                .when("The `idempotency-key` is not 1 to 255 visible ASCII characters.")
                .says("The Idempotency-Key is invalid. Send 1 to 255 visible ASCII characters, without spaces."),
            Self::MissingApiKey => row(S::UNAUTHORIZED, NotSent, "unauthorized")
                .when("The API key is missing.")
                .says("The API key is missing. Send it as Authorization: Bearer <key>.")
                .with(Advice::Authenticate),
            Self::Unauthorized => row(S::UNAUTHORIZED, NotSent, "unauthorized")
                .when("The API key is not one of the account's, or the account does not exist.")
                .says("The API key is not valid for this account. Check both, or ask the relay's operator.")
                .with(Advice::Authenticate),
            Self::SecretUnreadable => {
                let caller_sees = Self::Unauthorized.row();
                Row { when: "The account's API keys cannot be read. The operator must repair the secret.", ..caller_sees }
            }
            Self::MalformedBody => row(S::BAD_REQUEST, NotSent, "malformed_body")
                .when("The body is empty, not UTF-8, not a JSON object, or not a form.")
                .says("The request body cannot be read. Fix it and send it again."),
            Self::MalformedBase64 => {
                Row { when: "API Gateway marked the body as base64, but it is not.", ..Self::MalformedBody.row() }
            }
            Self::InvalidLead => row(S::UNPROCESSABLE_ENTITY, NotSent, "invalid_lead")
                .when("Fields of the lead are missing or invalid; `body.fields` lists them.")
                .says("The lead is invalid. Fix the fields listed in body.fields and send it again."),
            Self::IdempotencyKeyReused => row(S::UNPROCESSABLE_ENTITY, NotSent, "idempotency_key_reused")
                .when("The `idempotency-key` was already used for a different lead.")
                .says(
                    "This Idempotency-Key was already used for a different lead. If this is a changed version of that lead, do \
                     not send it: the consumer may be called twice. Otherwise send it with an Idempotency-Key of its own.",
                ),
            Self::NoRecord => row(S::NOT_FOUND, NotSent, "no_record")
                .when("A status request: nothing is recorded about the lead.")
                .says(
                    "Nothing is recorded about this lead. This request called nobody. If an earlier post may still be on its way, \
                     ask again 35 seconds after it.",
                ),
            Self::NoLedger => row(S::SERVICE_UNAVAILABLE, NotSent, "no_ledger")
                .when("A status request, and the relay runs without a ledger.")
                .says("This relay keeps no record of leads, so it cannot say what happened to one. This request called nobody."),
            Self::InProgress => row(S::CONFLICT, Pending, "in_progress")
                .when("Another request is sending this lead.")
                .says("Another request is sending this lead. Send it again after the Retry-After delay to learn the result.")
                .with(Advice::RetrySoon),
            Self::OutsideCallingHours => row(S::CONFLICT, NotSent, "outside_calling_hours")
                .when(
                    "The account's calling hours do not allow a call now in every time zone of the phone number's area code, \
                     or end before a push could end. After a post, the ledger has no record of the lead.",
                )
                .says(
                    "The consumer may not be called at this hour. This request sent nothing; send the lead again after the \
                     Retry-After delay.",
                )
                .with(Advice::RetryWhenPolicyAllows),
            Self::RecentlyCalled => row(S::CONFLICT, NotSent, "recently_called")
                .when(
                    "Another lead with this phone number was sent within the account's `once_per_phone_hours`, or is being sent. \
                     The ledger has no record of this lead.",
                )
                .says(
                    "Another lead with this phone number was sent recently, or is being sent. This post sent nothing; send the \
                     lead again after the Retry-After delay, or drop it.",
                )
                .with(Advice::RetryWhenPolicyAllows),
            Self::RefusedUpstream => row(S::UNPROCESSABLE_ENTITY, Refused, "refused_upstream")
                .when(
                    "AI Rudder refused the lead: a 4xx that HTTP defines, as the HTTP status or as the `code`, except 401, 403, \
                     408, 409, 424, 425, 429 and HTTP 404; or a `code` that `UPSTREAM_CODES` names as `refused`.",
                )
                .says("AI Rudder refused the lead. Fix the lead before you send it again."),
            Self::RateLimited => row(S::TOO_MANY_REQUESTS, NotSent, "rate_limited")
                .when("AI Rudder rate-limited the request: 429, or a `code` that `UPSTREAM_CODES` names as `rate_limited`.")
                .says("AI Rudder is rate-limiting. Nobody was called; send the lead again later.")
                .with(Advice::RetryWhenUpstreamSays),
            Self::TokenRefused => row(S::INTERNAL_SERVER_ERROR, NotSent, "token_refused")
                .when(
                    "AI Rudder refused the account's token: 401, 403, HTTP 404, or a `code` that `UPSTREAM_CODES` names as \
                     `token_refused`. The operator must replace it.",
                )
                .says("AI Rudder refused this account's token. Nobody was called. The relay's operator must fix this."),
            Self::AccountMisconfigured => row(S::INTERNAL_SERVER_ERROR, NotSent, "account_misconfigured")
                .when("The API key is valid, but the account's secret is malformed. The operator must repair it.")
                .says("This account is misconfigured. Nothing was sent. The relay's operator must fix this."),
            Self::UpstreamUnreachable => row(S::SERVICE_UNAVAILABLE, NotSent, "upstream_unreachable")
                .when("The relay could not connect to AI Rudder.")
                .says("AI Rudder cannot be reached. Nothing was sent; send the lead again after the Retry-After delay.")
                .with(Advice::RetrySoon),
            Self::TemporarilyUnavailable => row(S::SERVICE_UNAVAILABLE, NotSent, "temporarily_unavailable")
                .when("Secrets Manager or DynamoDB is unavailable, or too little time was left for a push.")
                .says("Temporarily unavailable. Nothing was sent; send the lead again after the Retry-After delay.")
                .with(Advice::RetrySoon),
            Self::AmbiguousUpstreamResponse => row(S::BAD_GATEWAY, Unknown, "bad_upstream_answer")
                .when(
                    "AI Rudder's response is ambiguous: HTTP 408, 409, 424, 425, a 4xx that HTTP does not define (418, 460, \
                     499, …), 3xx, 5xx, an unknown or unreadable `code`, HTTP 2xx without an envelope, an HTTP status and a \
                     `code` that contradict each other, or a response on a reused connection without a new `trace_id`.",
                )
                .says(
                    "AI Rudder's response does not say whether it took the lead. Sending the lead again calls nobody; ask \
                     the relay's operator, with the request-id.",
                ),
            Self::UpstreamTimeout => row(S::GATEWAY_TIMEOUT, Unknown, "upstream_timeout")
                .when("AI Rudder did not respond in time.")
                .says(
                    "AI Rudder did not respond in time and may have received the lead. Sending the lead again calls \
                     nobody; ask the relay's operator, with the request-id.",
                ),
            Self::UpstreamBroke => row(S::GATEWAY_TIMEOUT, Unknown, "upstream_broke")
                .when("The connection broke after the lead was sent.")
                .says(
                    "The connection to AI Rudder broke after the lead was sent. Sending the lead again calls nobody; ask \
                     the relay's operator, with the request-id.",
                ),
            Self::Interrupted => row(S::GATEWAY_TIMEOUT, Unknown, "interrupted")
                .when("An earlier request started sending this lead and never completed.")
                .says(
                    "An earlier request started sending this lead and never completed, so AI Rudder may have received it. \
                     Sending the lead again calls nobody; ask the relay's operator, with the request-id.",
                ),
            Self::FailedBeforeClaim => row(S::INTERNAL_SERVER_ERROR, NotSent, "internal_error")
                .when("The relay failed before it claimed the lead.")
                .says(
                    "The relay failed. Nothing was sent, and sending the lead again is safe. Ask the relay's operator, with the \
                     request-id.",
                ),
            Self::FailedAfterClaim => row(S::INTERNAL_SERVER_ERROR, Unknown, "internal_error")
                .when("The relay failed after it began to claim the lead, or cannot read the lead's item in the ledger.")
                .says(
                    "The relay failed and may have sent the lead. Sending the lead again cannot cause a second call; ask the \
                     relay's operator, with the request-id.",
                ),
        }
    }

    /// Whether the caller can fix the request: `show_err` in the envelope.
    #[must_use]
    pub fn is_client_fixable(self) -> bool {
        let is_about_time = matches!(
            self,
            Self::RateLimited | Self::InProgress | Self::NoRecord | Self::OutsideCallingHours | Self::RecentlyCalled
        );
        self.row().status.is_client_error() && !is_about_time
    }

    /// Whether an operator must act or be informed.
    #[must_use]
    pub fn needs_operator(self) -> bool {
        // The operator has turned the ledger off.
        self == Self::SecretUnreadable || (self.row().status.is_server_error() && self != Self::NoLedger)
    }

    /// The error of this name, as a constant.
    #[must_use]
    pub(crate) fn error_named(name: &str) -> Option<&'static str> {
        Self::VARIANTS.iter().map(|kind| kind.row().error).find(|error| *error == name)
    }

    /// The value of the metrics' dimension `error`; `None` if it is the answer to an inquiry and counts nowhere. The value equals
    /// the row's `error`, unless the caller must not learn the cause.
    #[must_use]
    pub fn metric(self) -> Option<&'static str> {
        match self {
            Self::NoRecord | Self::NoLedger => None,
            Self::SecretUnreadable => Some(Self::AccountMisconfigured.row().error),
            _ => Some(self.row().error),
        }
    }
}
