//! A secret's JSON, as it is changed.

use lendswift_relay::account::{Destination, Secret, SecretError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::failure::Failure;

const TOKEN: &str = "lendswift_token";
const SANDBOX: &str = "sandbox";
const DIGESTS: &str = "api_key_sha256";

/// A secret's members, those too that the relay does not know. No `Debug`: it contains a token.
pub(super) struct Document(Map<String, Value>);

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its leads go to AI Rudder.
    Live,
    /// Its pushes are simulated.
    Sandbox,
}

impl Document {
    /// A new account's secret, without API keys.
    pub(super) fn with_token(token: &SecretString) -> Self {
        Self(Map::from_iter([(TOKEN.to_owned(), token.expose_secret().into())]))
    }

    /// A new sandbox account's secret, without API keys.
    pub(super) fn sandbox() -> Self {
        Self(Map::from_iter([(SANDBOX.to_owned(), true.into())]))
    }

    /// Parses a secret whose API keys the relay can read.
    pub(super) fn parse(text: &SecretString) -> Result<Self, SecretError> {
        let text = text.expose_secret();
        Secret::parse(text)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        serde_json::from_str(text).map(Self).map_err(|_| SecretError::Shape)
    }

    /// The digests, in lower case.
    pub(super) fn digests(&self) -> Vec<String> {
        let digests = match self.0.get(DIGESTS) {
            Some(Value::Array(digests)) => digests.as_slice(),
            Some(digest) => std::slice::from_ref(digest),
            None => &[],
        };
        digests.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect()
    }

    /// The names of the members that the relay ignores.
    pub(super) fn other_members(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).filter(|name| ![TOKEN, SANDBOX, DIGESTS].contains(name)).collect()
    }

    pub(super) fn is_sandbox(&self) -> bool {
        self.0.contains_key(SANDBOX)
    }

    pub(super) fn add_digest(&mut self, digest: &str) {
        let digests = self.digests().into_iter().chain([digest.to_owned()]);
        self.set_digests(digests.collect());
    }

    pub(super) fn set_digests(&mut self, digests: Vec<String>) {
        self.0.insert(DIGESTS.to_owned(), digests.into());
    }

    pub(super) fn set_token(&mut self, token: &SecretString) {
        self.0.insert(TOKEN.to_owned(), token.expose_secret().into());
    }

    /// The secret's text. `Err` if the relay would not accept it.
    pub(super) fn into_secret(self) -> Result<SecretString, Failure> {
        let text: SecretString = Value::Object(self.0).to_string().into();
        match kind(&text) {
            Ok(_) => Ok(text),
            Err(fault) => Err(Failure::usage(
                format!("the secret would be invalid: {fault}"),
                "Nothing was changed. Fix that first.",
            )),
        }
    }
}

/// The kind of account that the relay reads in a secret.
pub(super) fn kind(text: &SecretString) -> Result<Kind, SecretError> {
    match Secret::parse(text.expose_secret())?.destination? {
        Destination::AiRudder(_) => Ok(Kind::Live),
        Destination::Sandbox => Ok(Kind::Sandbox),
    }
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }
}

/// The digits of a digest that the log has too.
pub(super) fn short(digest: &str) -> String {
    digest.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

    fn parse(text: &str) -> Document {
        Document::parse(&text.to_owned().into()).unwrap_or_else(|fault| panic!("{fault}"))
    }

    #[test]
    fn a_change_keeps_the_members_that_the_command_does_not_know() {
        let mut document = parse(&format!(
            r#"{{"lendswift_token": "a", "api_key_sha256": "{}", "policy": {{"x": [1]}}, "hash_key": "00"}}"#,
            DIGEST.to_uppercase()
        ));
        assert_eq!(
            (document.digests(), document.other_members()),
            (vec![DIGEST.to_owned()], vec!["hash_key", "policy"])
        );
        document.add_digest(&"0".repeat(64));
        document.set_token(&"b".to_owned().into());
        let text = document.into_secret().unwrap_or_else(|_| panic!("valid"));
        let expected = serde_json::json!({
            "lendswift_token": "b", "api_key_sha256": [DIGEST, "0".repeat(64)], "policy": {"x": [1]}, "hash_key": "00"
        });
        assert_eq!(serde_json::from_str::<Value>(text.expose_secret()).ok(), Some(expected));
    }

    #[test]
    fn nothing_is_written_that_the_relay_would_not_read() {
        let mut both = parse(&format!(r#"{{"sandbox": true, "api_key_sha256": "{DIGEST}"}}"#));
        both.set_token(&"a".to_owned().into());
        assert!(both.into_secret().is_err());
        assert!(Document::sandbox().into_secret().is_err(), "no API key");
        let mut spaced = Document::with_token(&"a b".to_owned().into());
        spaced.add_digest(DIGEST);
        assert!(spaced.into_secret().is_err());
        assert!(Document::parse(&"{}".to_owned().into()).is_err());
    }

    #[test]
    fn a_secret_with_a_faulty_token_can_be_repaired() {
        let mut document = parse(&format!("\u{feff}{{\"lendswift_token\": \"\", \"api_key_sha256\": [\"{DIGEST}\"]}}"));
        document.set_token(&"a".to_owned().into());
        assert!(document.into_secret().is_ok_and(|text| kind(&text) == Ok(Kind::Live)));
    }
}
