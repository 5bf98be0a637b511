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
    request::Request,
    telemetry::log::LogText,
};

/// The largest body, in bytes after base64 decoding.
const MAX_BODY: usize = 64 * 1024;

/// A request that passed admission. No `Debug`: the body contains personal data.
pub(crate) struct Submission {
    pub(crate) account: AccountId,
    pub(crate) key: ApiKey,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// The body's bytes. Invalid base64 is reported only after authentication, like any other fault of the body.
    pub(crate) body: Result<Vec<u8>, NotBase64>,
}

/// API Gateway marked the body as base64, and it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBase64;

impl Submission {
    /// Checks, in this order: route, method, size, media type, account name, `Idempotency-Key`, presence of an API key.
    pub(crate) fn from_request(request: Request) -> Result<Self, Problem> {
        let path = request.raw_path.unwrap_or_default();
        let account = account_in(&path).ok_or(Problem::NotFound)?;
        if request.context.http.method != "POST" {
            return Err(Problem::MethodNotAllowed);
        }
        let body = decode(request.body.unwrap_or_default(), request.is_base64_encoded.unwrap_or(false))?;
        check_media_type(&request.headers)?;
        let invalid_name = || Problem::Unauthorized(LogText::from("no account can have that name"));
        let account = account.parse().map_err(|_| invalid_name())?;
        let idempotency_key = idempotency_key(&request.headers)?;
        let key = ApiKey::from_headers(&request.headers).ok_or(Problem::MissingApiKey)?;
        Ok(Self { account, key, idempotency_key, body })
    }
}

/// The `{account}` of `/v1/accounts/{account}/leads`.
fn account_in(path: &str) -> Option<&str> {
    let account = path.strip_prefix("/v1/accounts/")?.strip_suffix("/leads")?;
    (!account.is_empty() && !account.contains('/')).then_some(account)
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

/// Allows `application/json` and `application/*+json` in UTF-8, without a content encoding.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type: Option<Mime> = content_type.and_then(|text| text.parse().ok());
    let is_json = media_type.is_some_and(|mime| {
        let json = mime.suffix().unwrap_or(mime.subtype()) == mime::JSON;
        mime.type_() == mime::APPLICATION && json && mime.get_param(mime::CHARSET).is_none_or(|set| set == mime::UTF_8)
    });
    if is_json && !headers.contains_key(header::CONTENT_ENCODING) { Ok(()) } else { Err(Problem::UnsupportedMediaType) }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().and_then(|key| key.parse().ok());
    key.map(Some).ok_or(Problem::InvalidIdempotencyKey)
}

#[cfg(test)]
mod tests;
