//! The routes, and which response each of them can give.

use http::StatusCode;
use lendswift_relay::answer::{Kind, Outcome};
use strum::VariantArray;

/// A route of the relay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, VariantArray)]
pub enum Route {
    Send,
    Validate,
    Status,
}

/// How far a request came before its response. Each step adds headers to those of the step before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The account is not known yet.
    Admission,
    /// From here on `lead-sandbox` may be present.
    Authenticated,
    /// From here on `lead-ignored-fields` may be present.
    Parsed,
    /// From here on `lead-id` may be present.
    Claimed,
}

impl Route {
    pub fn path(self) -> &'static str {
        match self {
            Self::Send => "/v1/accounts/{account}/leads",
            Self::Validate => "/v1/accounts/{account}/leads/validate",
            Self::Status => "/v1/accounts/{account}/leads/status",
        }
    }

    /// The route of a path.
    pub fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/v1/accounts/")?;
        let (_, action) = path.split_once('/')?;
        Self::VARIANTS.iter().copied().find(|route| route.path().ends_with(&format!("}}/{action}")))
    }

    /// How far a request to this route can come before this kind of response; `None` if the route does not give it.
    #[expect(
        clippy::too_many_lines,
        reason = "one line per kind, so that a new kind does not compile without its routes"
    )]
    pub fn step(self, kind: Kind) -> Option<Step> {
        use Route::{Send, Status, Validate};
        match (kind, self) {
            (
                Kind::NotFound
                | Kind::MethodNotAllowed
                | Kind::BodyTooLarge
                | Kind::UnsupportedMediaType
                | Kind::InvalidIdempotencyKey
                | Kind::MissingApiKey
                | Kind::Unauthorized
                | Kind::SecretUnreadable
                | Kind::AccountMisconfigured
                | Kind::FailedBeforeClaim,
                _,
            )
            | (Kind::TemporarilyUnavailable, Validate) => Some(Step::Admission),
            (Kind::MalformedBody | Kind::MalformedBase64, _) => Some(Step::Authenticated),
            (Kind::InvalidLead, _)
            | (Kind::OutsideCallingHours, Send | Validate)
            | (Kind::RecentlyCalled, Send)
            | (Kind::TemporarilyUnavailable | Kind::NoRecord | Kind::NoLedger, Status)
            | (Kind::IdempotencyKeyReused | Kind::FailedAfterClaim, Send | Status) => Some(Step::Parsed),
            (
                Kind::InProgress
                | Kind::AmbiguousUpstreamResponse
                | Kind::UpstreamTimeout
                | Kind::UpstreamBroke
                | Kind::Interrupted,
                Send | Status,
            )
            | (
                Kind::RefusedUpstream
                | Kind::RateLimited
                | Kind::TokenRefused
                | Kind::UpstreamUnreachable
                | Kind::TemporarilyUnavailable,
                Send,
            ) => Some(Step::Claimed),
            (
                Kind::IdempotencyKeyReused
                | Kind::NoRecord
                | Kind::NoLedger
                | Kind::InProgress
                | Kind::OutsideCallingHours
                | Kind::RecentlyCalled
                | Kind::RefusedUpstream
                | Kind::RateLimited
                | Kind::TokenRefused
                | Kind::UpstreamUnreachable
                | Kind::AmbiguousUpstreamResponse
                | Kind::UpstreamTimeout
                | Kind::UpstreamBroke
                | Kind::Interrupted
                | Kind::FailedAfterClaim,
                Send | Validate | Status,
            ) => None,
        }
    }

    /// The kinds of responses that this route gives with an HTTP status, in the order of the table.
    pub fn kinds(self, status: StatusCode) -> Vec<Kind> {
        Kind::VARIANTS
            .iter()
            .copied()
            .filter(|kind| kind.row().status == status && self.step(*kind).is_some())
            .collect()
    }

    /// The outcome of this route's HTTP 200.
    pub fn success(self) -> Outcome {
        match self {
            Self::Send | Self::Status => Outcome::Accepted,
            Self::Validate => Outcome::NotSent,
        }
    }

    /// Whether AI Rudder's envelope can be the body of a response with this status.
    pub fn forwards(self, status: StatusCode) -> bool {
        let is_forwarded =
            |kind: &Kind| matches!(kind, Kind::RefusedUpstream | Kind::RateLimited | Kind::AmbiguousUpstreamResponse);
        self != Self::Validate && (status == StatusCode::OK || self.kinds(status).iter().any(is_forwarded))
    }

    /// Whether a response with this status can repeat the response to an earlier request.
    pub fn replays(self, status: StatusCode) -> bool {
        let is_stored =
            |kind: &Kind| matches!(kind, Kind::AmbiguousUpstreamResponse | Kind::UpstreamTimeout | Kind::UpstreamBroke);
        self != Self::Validate && (status == StatusCode::OK || self.kinds(status).iter().any(is_stored))
    }
}
