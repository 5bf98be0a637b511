//! What an account's secret holds.

use serde::Deserialize;
use serde_json::Value;

use super::key::KeyDigest;
use crate::rudder::{Token, TokenError};

/// An account's secret: `{"lendswift_token": "…", "api_key_sha256": ["<64 hex digits>", …]}`.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The digests of the keys that may send leads, at least one.
    pub digests: Vec<KeyDigest>,
    /// The token, or what is wrong with the secret. Apart from the digests, so that the account's own sender is told.
    pub token: Result<Token, SecretError>,
}

/// What is wrong with a secret. Never holds a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Bytes where text is wanted.
    #[error("the secret is binary")]
    Binary,
    /// Not JSON, or without one of the two fields.
    #[error("the secret is not {{\"lendswift_token\": \"…\", \"api_key_sha256\": [\"…\"]}}")]
    Shape,
    /// No key may send.
    #[error("api_key_sha256 is empty")]
    NoDigest,
    /// A digest that isn't one.
    #[error("api_key_sha256 holds something that is not 64 hex digits")]
    Digest,
    /// A token that can't be one.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Secret {
    /// Reads a secret's text. Fields beside the two are for others.
    pub fn read(text: &str) -> Result<Self, SecretError> {
        #[derive(Deserialize)]
        struct Fields {
            lendswift_token: Option<Value>,
            api_key_sha256: Vec<String>,
        }
        let Fields { lendswift_token, api_key_sha256 } = serde_json::from_str(text).map_err(|_| SecretError::Shape)?;
        let digests: Vec<KeyDigest> = api_key_sha256.iter().filter_map(|digest| digest.parse().ok()).collect();
        match (api_key_sha256.len(), digests.len()) {
            (0, _) => return Err(SecretError::NoDigest),
            (_, 0) => return Err(SecretError::Digest),
            _ => {}
        }
        let token = match lendswift_token {
            _ if digests.len() < api_key_sha256.len() => Err(SecretError::Digest),
            Some(Value::String(token)) => token.try_into().map_err(SecretError::from),
            _ => Err(SecretError::Shape),
        };
        Ok(Self { digests, token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

    fn read(text: &str) -> Result<Secret, SecretError> {
        Secret::read(text)
    }

    #[test]
    fn a_secret_has_a_token_and_the_digests_of_keys() {
        let text = format!(r#"{{"lendswift_token": "a+b/c=", "api_key_sha256": ["{DIGEST}", "{DIGEST}"], "note": 1}}"#);
        let secret = read(&text).unwrap();
        assert_eq!(secret.digests.len(), 2);
        assert!(secret.token.is_ok());
    }

    #[test]
    fn a_token_that_can_not_be_one_leaves_the_digests_known() {
        for (members, fault) in [
            (
                format!(r#""lendswift_token": "", "api_key_sha256": ["{DIGEST}"]"#),
                SecretError::Token(TokenError::Empty),
            ),
            (format!(r#""lendswift_token": 7, "api_key_sha256": ["{DIGEST}"]"#), SecretError::Shape),
            (format!(r#""api_key_sha256": ["{DIGEST}"]"#), SecretError::Shape),
            (format!(r#""lendswift_token": "a", "api_key_sha256": ["{DIGEST}", "b9f1"]"#), SecretError::Digest),
        ] {
            let secret = read(&format!("{{{members}}}")).unwrap();
            assert_eq!((secret.digests.len(), secret.token), (1, Err(fault)), "{members}");
        }
    }

    #[test]
    fn a_malformed_secret_says_what_is_wrong_and_nothing_of_it() {
        for (text, expected) in [
            ("", SecretError::Shape),
            ("1JqFE7K6ucf94hAvqu+7Jg", SecretError::Shape),
            (r#"{"lendswift_token": "a"}"#, SecretError::Shape),
            (r#"{"api_key_sha256": []}"#, SecretError::NoDigest),
            (r#"{"lendswift_token": "a", "api_key_sha256": "b9f1"}"#, SecretError::Shape),
            (r#"{"lendswift_token": "a", "api_key_sha256": []}"#, SecretError::NoDigest),
            (r#"{"lendswift_token": "a", "api_key_sha256": ["b9f1"]}"#, SecretError::Digest),
        ] {
            assert_eq!(read(text).err(), Some(expected), "{text}");
        }
    }
}
