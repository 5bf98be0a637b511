//! The content of an account's secret.

use serde::Deserialize;
use serde_json::Value;

use super::key::KeyDigest;
use crate::rudder::{Token, TokenError};

/// An account's secret: `{"lendswift_token": "…", "api_key_sha256": ["<64 hex digits>", …]}`.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The digests of the API keys, at least one.
    pub digests: Vec<KeyDigest>,
    /// The token, or the secret's fault. It is separate from the digests, so that a caller with a valid API key gets a
    /// specific response.
    pub token: Result<Token, SecretError>,
}

/// A fault of a secret. It never contains a part of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The secret is binary, not text.
    #[error("the secret is binary")]
    Binary,
    /// The secret is not JSON, or lacks one of the two members.
    #[error("the secret is not {{\"lendswift_token\": \"…\", \"api_key_sha256\": [\"…\"]}}")]
    Shape,
    /// The secret has no digest.
    #[error("api_key_sha256 is empty")]
    NoDigest,
    /// A digest is not 64 hex digits.
    #[error("api_key_sha256 contains something that is not 64 hex digits")]
    Digest,
    /// The token is invalid.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Secret {
    /// Parses a secret's text, which Secrets Manager limits to 64 KiB (GetSecretValue, `SecretString`). Unknown members are
    /// ignored.
    ///
    /// `Err` if no digest can be read, so that no API key can be checked. Any other fault is in [`Secret::token`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
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
        Secret::parse(text)
    }

    #[test]
    fn a_secret_has_a_token_and_the_digests_of_keys() {
        let text = format!(r#"{{"lendswift_token": "a+b/c=", "api_key_sha256": ["{DIGEST}", "{DIGEST}"], "note": 1}}"#);
        let secret = read(&text).unwrap();
        assert_eq!(secret.digests.len(), 2);
        assert!(secret.token.is_ok());
    }

    #[test]
    fn an_invalid_token_leaves_the_digests_known() {
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
    fn the_error_of_a_malformed_secret_quotes_nothing() {
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
