//! The door: what a request must be before anybody is asked about it.
//!
//! Nothing here costs a call to AWS, and nothing looks into the body: who has no key learns nothing of what is wrong
//! with it.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use mime::Mime;

use crate::{
    account::{AccountId, ApiKey},
    answer::Problem,
    claim::IdempotencyKey,
    gateway::Request,
    lead::Malformed,
};

/// The most bytes that a lead has.
const MAX_BODY: usize = 64 * 1024;

/// A request that may be about a lead. Has no `Debug`, since its body is all that the consumer said.
pub(crate) struct Post {
    pub(crate) account: AccountId,
    pub(crate) key: ApiKey,
    /// The sender's own name for this lead.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// The body's bytes, unless API Gateway's base64 of them is broken.
    pub(crate) body: Result<Vec<u8>, Malformed>,
}

impl Post {
    /// Checks, in this order: route, method, size, media type, account name, `Idempotency-Key`, key present.
    pub(crate) fn admit(request: Request) -> Result<Self, Problem> {
        let path = request.raw_path.unwrap_or_default();
        let account = account_in(&path).ok_or(Problem::NotFound)?;
        if request.context.http.method != "POST" {
            return Err(Problem::MethodNotAllowed);
        }
        let body = decode(request.body.unwrap_or_default(), request.is_base64_encoded.unwrap_or(false))?;
        check_media_type(&request.headers)?;
        let account = account.parse().map_err(|_| Problem::Unauthorized("no account can have that name".to_owned()))?;
        let idempotency_key = idempotency_key(&request.headers)?;
        let key = ApiKey::of(&request.headers).ok_or_else(|| Problem::Unauthorized("no key".to_owned()))?;
        Ok(Self { account, key, idempotency_key, body })
    }
}

/// What stands for the account in `/v1/accounts/{account}/leads`.
fn account_in(path: &str) -> Option<&str> {
    let account = path.strip_prefix("/v1/accounts/")?.strip_suffix("/leads")?;
    (!account.is_empty() && !account.contains('/')).then_some(account)
}

/// The bytes that were posted. Broken base64 is kept as such: it is a fault of the body, for whoever has a key.
fn decode(body: String, is_base64: bool) -> Result<Result<Vec<u8>, Malformed>, Problem> {
    let body = if is_base64 {
        // Three bytes come of four characters, so more than this is too large in any case.
        if body.len() > MAX_BODY.div_ceil(3) * 4 {
            return Err(Problem::BodyTooLarge);
        }
        BASE64_STANDARD.decode(body).map_err(|_| Malformed::NotBase64)
    } else {
        Ok(body.into_bytes())
    };
    match &body {
        Ok(bytes) if bytes.len() > MAX_BODY => Err(Problem::BodyTooLarge),
        _ => Ok(body),
    }
}

/// Allows `application/json` and `application/*+json` in UTF-8, and no content encoding.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type: Option<Mime> = content_type.and_then(|text| text.parse().ok());
    let is_json = media_type.is_some_and(|mime| {
        let json = mime.suffix().unwrap_or(mime.subtype()) == mime::JSON;
        mime.type_() == mime::APPLICATION && json && mime.get_param(mime::CHARSET).is_none_or(|set| set == mime::UTF_8)
    });
    if is_json && !headers.contains_key(header::CONTENT_ENCODING) { Ok(()) } else { Err(Problem::UnsupportedMediaType) }
}

/// The sender's own name for this lead, where it gave one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().and_then(|key| key.parse().ok());
    key.map(Some).ok_or(Problem::InvalidIdempotencyKey)
}

#[cfg(test)]
mod tests;
