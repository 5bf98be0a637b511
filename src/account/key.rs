//! An account's API key, and its digest, which the account's secret contains.

use std::{fmt, str::FromStr};

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of an API key.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

/// A string that is not the 64 hex digits of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hex digits")]
pub struct InvalidDigest;

impl FromStr for KeyDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| InvalidDigest)?;
        Ok(Self(digest))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest")
    }
}

/// An API key as the caller sent it. Only its digest is kept.
#[derive(Debug, Clone, Copy)]
pub struct ApiKey(KeyDigest);

impl ApiKey {
    /// The first 8 hex digits of its digest, which identify the key in the log.
    #[must_use]
    pub fn short_digest(&self) -> String {
        let Self(KeyDigest(digest)) = self;
        hex::encode(digest.split_at(4).0)
    }

    /// The API key in `authorization: Bearer …` (RFC 6750, section 2.1), if there is one.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let credentials = headers.get(header::AUTHORIZATION)?.as_bytes();
        let (scheme, key) = credentials.split_at_checked(7)?;
        let key = key.trim_ascii();
        (scheme.eq_ignore_ascii_case(b"bearer ") && !key.is_empty())
            .then(|| Self(KeyDigest(Sha256::digest(key).into())))
    }

    /// Whether one of the digests is this API key's. Takes the same time whichever digest matches: time depends only on their
    /// number.
    #[must_use]
    pub fn is_among(&self, digests: &[KeyDigest]) -> bool {
        let Self(KeyDigest(own)) = self;
        let found = digests.iter().fold(subtle::Choice::from(0), |found, KeyDigest(digest)| found | own.ct_eq(digest));
        found.into()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn key(authorization: &str) -> Option<ApiKey> {
        ApiKey::from_headers(&HeaderMap::from_iter([(
            header::AUTHORIZATION,
            HeaderValue::from_str(authorization).unwrap(),
        )]))
    }

    /// `printf %s swordfish | sha256sum`
    const SWORDFISH: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

    #[test]
    fn an_api_key_matches_the_digest_that_sha256sum_prints() {
        let digests = ["0".repeat(64), SWORDFISH.to_owned()].map(|digest| digest.parse().unwrap());
        assert!(key("Bearer swordfish").unwrap().is_among(&digests));
        assert!(key("Bearer swordfish").unwrap().is_among(&[digests[1], digests[0]]));
        assert!(
            key("Bearer swordfish").unwrap().is_among(&[digests[1], digests[1]]),
            "a repeated digest still matches"
        );
        assert!(
            key("bearer   swordfish ").unwrap().is_among(&digests),
            "the scheme is case-insensitive (RFC 9110, 11.1)"
        );
        assert!(!key("Bearer Swordfish").unwrap().is_among(&digests));
        assert!(!key("Bearer swordfish").unwrap().is_among(&digests[..1]));
        assert!(!key("Bearer swordfish").unwrap().is_among(&[]));
    }

    #[test]
    fn a_digest_is_64_hex_digits_of_either_case() {
        assert!(SWORDFISH.to_uppercase().parse::<KeyDigest>().is_ok());
        for text in ["", SWORDFISH.trim_start_matches('b'), &format!("{SWORDFISH}0"), &"g".repeat(64)] {
            assert_eq!(text.parse::<KeyDigest>().err(), Some(InvalidDigest), "{text}");
        }
    }

    #[test]
    fn other_authorization_headers_have_no_key() {
        for authorization in
            ["", "Bearer", "Bearer ", "Bearer   ", "Basic c3dvcmRmaXNo", "swordfish", "Bearerswordfish"]
        {
            assert!(key(authorization).is_none(), "{authorization}");
        }
        assert!(ApiKey::from_headers(&HeaderMap::new()).is_none());
    }

    #[test]
    fn an_api_key_is_logged_as_the_start_of_its_digest() {
        assert_eq!(key("Bearer swordfish").unwrap().short_digest(), "b9f195c5");
    }

    #[test]
    fn neither_an_api_key_nor_its_digest_is_printed() {
        assert_eq!(format!("{:?}", key("Bearer swordfish").unwrap()), "ApiKey(KeyDigest)");
    }
}
