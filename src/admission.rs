//! Admission: the checks on a request that need neither AWS nor the body's content.
//!
//! A request that fails here costs no call to AWS. The body is not parsed before the API key is verified, so a caller
//! without a valid API key learns nothing about its faults.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use mime::Mime;

use crate::{
    account::{AccountId, ApiKey},
    answer::Problem,
    claim::IdempotencyKey,
    lead::{Malformed, ParsedLead},
    request::Request,
    telemetry::log::LogText,
};

/// The largest body, in bytes after base64 decoding.
const MAX_BODY: usize = 64 * 1024;

/// A request that passed admission. No `Debug`: the body contains personal data.
pub(crate) struct Submission {
    pub(crate) route: Route,
    pub(crate) account: AccountId,
    pub(crate) key: ApiKey,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// What the request is about. Invalid base64 is reported only after authentication, like any other fault of the body.
    pub(crate) content: Result<Content, NotBase64>,
}

/// How a request names its lead.
pub(crate) enum Content {
    /// By the lead itself.
    Body(Body),
    /// By its idempotency key, in a status request without a body.
    KeyAlone(IdempotencyKey),
}

/// What the caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `…/leads`: send the lead, at most once.
    Send,
    /// `…/leads/validate`: parse the lead and stop before the ledger.
    Validate,
    /// `…/leads/status`: return what sending the lead again would return, and send nothing.
    Status,
}

/// A body's bytes and their format. No `Debug`: it contains personal data.
pub(crate) struct Body {
    bytes: Vec<u8>,
    format: Format,
}

/// The formats of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// API Gateway marked the body as base64, and it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBase64;

impl Submission {
    /// Checks, in this order: route, method, size, media type, account name, `Idempotency-Key`, presence of an API key.
    pub(crate) fn from_request(request: Request) -> Result<Self, Problem> {
        let path = request.raw_path.unwrap_or_default();
        let (account, route) = Route::in_path(&path).ok_or(Problem::NotFound)?;
        if request.context.http.method != "POST" {
            return Err(Problem::MethodNotAllowed);
        }
        let bytes = decode(request.body.unwrap_or_default(), request.is_base64_encoded.unwrap_or(false))?;
        let is_absent = route == Route::Status && bytes.as_ref().is_ok_and(Vec::is_empty);
        let format = match format(&request.headers) {
            Some(format) => format,
            // A request without a body needs no media type.
            None if is_absent => Format::Json,
            None => return Err(Problem::UnsupportedMediaType),
        };
        let invalid_name = || Problem::Unauthorized(LogText::from("no account can have that name"));
        let account = account.parse().map_err(|_| invalid_name())?;
        let idempotency_key = idempotency_key(&request.headers)?;
        let key = ApiKey::from_headers(&request.headers).ok_or(Problem::MissingApiKey)?;
        let content = bytes.map(|bytes| match &idempotency_key {
            Some(key) if is_absent => Content::KeyAlone(key.clone()),
            _ => Content::Body(Body { bytes, format }),
        });
        Ok(Self { route, account, key, idempotency_key, content })
    }
}

impl Route {
    /// The route of a request, if it has one.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        Self::in_path(request.raw_path.as_deref()?).map(|(_, route)| route)
    }

    /// The `{account}` and the route of a path, with or without a slash at its end.
    fn in_path(path: &str) -> Option<(&str, Self)> {
        let path = path.strip_prefix("/v1/accounts/")?;
        let (account, action) = path.strip_suffix('/').unwrap_or(path).split_once('/')?;
        let route = match action {
            "leads" => Self::Send,
            "leads/validate" => Self::Validate,
            "leads/status" => Self::Status,
            _ => return None,
        };
        (!account.is_empty()).then_some((account, route))
    }

    /// Its value in the log, unless it sends: most lines are about leads that are sent, and each byte of the log is billed.
    pub(crate) fn for_log(self) -> Option<&'static str> {
        match self {
            Self::Send => None,
            Self::Validate => Some("validate"),
            Self::Status => Some("status"),
        }
    }
}

impl Body {
    /// Parses the lead in it.
    pub(crate) fn parse(&self) -> Result<ParsedLead<'_>, Malformed> {
        match self.format {
            Format::Json => ParsedLead::parse(&self.bytes),
            Format::Form => ParsedLead::parse_form(&self.bytes),
        }
    }
}

/// The body's bytes. The outer `Err` is reported at admission, the inner one only after authentication.
fn decode(body: String, is_base64: bool) -> Result<Result<Vec<u8>, NotBase64>, Problem> {
    let body = if is_base64 {
        // Four characters encode three bytes, so a longer text would decode to more than `MAX_BODY`.
        if body.len() > MAX_BODY.div_ceil(3) * 4 {
            return Err(Problem::BodyTooLarge);
        }
        BASE64_STANDARD.decode(body).map_err(|_| NotBase64)
    } else {
        Ok(body.into_bytes())
    };
    match &body {
        Ok(bytes) if bytes.len() > MAX_BODY => Err(Problem::BodyTooLarge),
        _ => Ok(body),
    }
}

/// The body's format: `application/json`, `application/*+json` or a form, in UTF-8 and without a content encoding. `None`
/// for anything else.
fn format(headers: &HeaderMap) -> Option<Format> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("not ASCII").trim());
    let is_encoded = text(header::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity"));
    let mime = media_type(text(header::CONTENT_TYPE)?)?;
    // Many clients write "utf8".
    let is_utf_8 = mime.get_param(mime::CHARSET).is_none_or(|set| set == mime::UTF_8 || set == "utf8");
    if is_encoded || !is_utf_8 || mime.type_() != mime::APPLICATION {
        return None;
    }
    if mime.suffix().unwrap_or(mime.subtype()) == mime::JSON {
        Some(Format::Json)
    } else {
        (mime.essence_str() == mime::APPLICATION_WWW_FORM_URLENCODED).then_some(Format::Form)
    }
}

/// Parses a media type. White space may surround a `;` (RFC 9110, section 5.6.6), which `mime` does not accept before it.
fn media_type(text: &str) -> Option<Mime> {
    let spaced = || text.split(';').map(str::trim).collect::<Vec<_>>().join(";").parse().ok();
    text.parse().ok().or_else(spaced)
}

/// The request's `Idempotency-Key`, `None` if it is absent or empty.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = headers.get("idempotency-key").map(|value| value.to_str().map(str::trim)) else {
        return Ok(None);
    };
    if matches!(value, Ok("" | "\"\"")) {
        return Ok(None);
    }
    let key = value.ok().and_then(|key| key.parse().ok());
    key.map(Some).ok_or(Problem::InvalidIdempotencyKey)
}

#[cfg(test)]
mod tests;
