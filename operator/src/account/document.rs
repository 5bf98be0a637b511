//! A secret's JSON, as it is changed.

mod policy;

use std::collections::BTreeMap;

use lendswift_relay::account::{Destination, KeyDigest, Secret, SecretError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::failure::Failure;

const TOKEN: &str = "lendswift_token";
const SANDBOX: &str = "sandbox";
const DIGESTS: &str = "api_key_sha256";

/// A secret's members. Those that the relay does not know keep their text, above all the digits of numbers. No `Debug`:
/// it contains a token.
#[derive(Default)]
pub(super) struct Document(BTreeMap<String, Box<RawValue>>);

/// One digest or several, as the relay accepts them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Digests {
    One(String),
    Several(Vec<String>),
}

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
    pub(super) fn with_token(token: &SecretString) -> Result<Self, Failure> {
        let mut document = Self::default();
        document.set_token(token)?;
        Ok(document)
    }

    /// A new sandbox account's secret, without API keys.
    pub(super) fn sandbox() -> Result<Self, Failure> {
        let mut document = Self::default();
        document.set(SANDBOX, &true)?;
        Ok(document)
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
        self.keys().into_iter().filter(|key| is_digest(key)).map(|digest| digest.to_ascii_lowercase()).collect()
    }

    /// How many of the API keys' entries are no digests. They may be API keys or parts of one, so they are never shown.
    pub(super) fn malformed(&self) -> usize {
        self.keys().iter().filter(|key| !is_digest(key)).count()
    }

    fn keys(&self) -> Vec<String> {
        let digests = self.0.get(DIGESTS).and_then(|digests| serde_json::from_str(digests.get()).ok());
        match digests {
            Some(Digests::One(digest)) => vec![digest],
            Some(Digests::Several(digests)) => digests,
            None => Vec::new(),
        }
    }

    /// The names of the members that the relay ignores.
    pub(super) fn other_members(&self) -> Vec<&str> {
        let known = [TOKEN, SANDBOX, DIGESTS, policy::POLICY, policy::HASH_KEY];
        self.0.keys().map(String::as_str).filter(|name| !known.contains(name)).collect()
    }

    /// Whether it is a sandbox's; `None` if its `sandbox` is something other than `true`.
    pub(super) fn is_sandbox(&self) -> Option<bool> {
        let Some(sandbox) = self.0.get(SANDBOX) else { return Some(false) };
        Some(true).filter(|_| sandbox.get() == "true")
    }

    pub(super) fn add_digest(&mut self, digest: &str) -> Result<(), Failure> {
        let digests = self.digests().into_iter().chain([digest.to_owned()]);
        self.set_digests(&digests.collect::<Vec<_>>())
    }

    pub(super) fn set_digests(&mut self, digests: &[String]) -> Result<(), Failure> {
        self.set(DIGESTS, digests)
    }

    pub(super) fn set_token(&mut self, token: &SecretString) -> Result<(), Failure> {
        self.set(TOKEN, token.expose_secret())
    }

    fn set(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Failure> {
        self.0.insert(name.to_owned(), to_raw_value(value).map_err(|_| not_json())?);
        Ok(())
    }

    /// The secret's text. `Err` if the relay would not accept it.
    pub(super) fn into_secret(self) -> Result<SecretString, Failure> {
        let text: SecretString = serde_json::to_string(&self.0).map_err(|_| not_json())?.into();
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

fn is_digest(text: &str) -> bool {
    text.parse::<KeyDigest>().is_ok()
}

fn not_json() -> Failure {
    Failure::usage("the secret cannot be written as JSON", "Nothing was changed. Report this.")
}

/// The digits of a digest that the log has too.
pub(super) fn short(digest: &str) -> String {
    digest.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

    fn set(result: Result<(), Failure>) {
        result.unwrap_or_else(|_| panic!("valid"));
    }

    fn parse(text: &str) -> Document {
        Document::parse(&text.to_owned().into()).unwrap_or_else(|fault| panic!("{fault}"))
    }

    #[test]
    fn a_change_keeps_the_members_that_the_command_does_not_know() {
        let mut document = parse(&format!(
            r#"{{"lendswift_token": "a", "api_key_sha256": "{}", "policy": {{"calling_hours": "federal"}}, "note": "00"}}"#,
            DIGEST.to_uppercase()
        ));
        assert_eq!((document.digests(), document.other_members()), (vec![DIGEST.to_owned()], vec!["note"]));
        set(document.add_digest(&"0".repeat(64)));
        set(document.set_token(&"b".to_owned().into()));
        let text = document.into_secret().unwrap_or_else(|_| panic!("valid"));
        let expected = serde_json::json!({
            "lendswift_token": "b", "api_key_sha256": [DIGEST, "0".repeat(64)], "policy": {"calling_hours": "federal"}, "note": "00"
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(text.expose_secret()).ok(), Some(expected));
    }

    #[test]
    fn a_number_keeps_its_digits() {
        let members = r#""note":12345678901234567890123,"api_key_sha256":"#;
        let mut document = parse(&format!(r#"{{"lendswift_token": "a", {members}"{DIGEST}"}}"#));
        set(document.set_token(&"b".to_owned().into()));
        let text = document.into_secret().unwrap_or_else(|_| panic!("valid"));
        assert!(text.expose_secret().contains(r#""note":12345678901234567890123"#));
    }

    #[test]
    fn an_entry_that_is_no_digest_is_not_among_the_digests() {
        let document = parse(&format!(r#"{{"sandbox": true, "api_key_sha256": ["hunter2", "{DIGEST}", "b9f1"]}}"#));
        assert_eq!((document.digests(), document.malformed()), (vec![DIGEST.to_owned()], 2));
    }

    #[test]
    fn only_true_makes_a_sandbox() {
        for (sandbox, expected) in
            [("\"note\": 1", Some(false)), ("\"sandbox\": true", Some(true)), ("\"sandbox\": false", None)]
        {
            let document = parse(&format!("{{{sandbox}, \"api_key_sha256\": \"{DIGEST}\"}}"));
            assert_eq!(document.is_sandbox(), expected, "{sandbox}");
        }
    }

    #[test]
    fn nothing_is_written_that_the_relay_would_not_read() {
        let mut both = parse(&format!(r#"{{"sandbox": true, "api_key_sha256": "{DIGEST}"}}"#));
        set(both.set_token(&"a".to_owned().into()));
        assert!(both.into_secret().is_err());
        assert!(Document::sandbox().and_then(Document::into_secret).is_err(), "no API key");
        let mut spaced = Document::with_token(&"a b".to_owned().into()).unwrap_or_else(|_| panic!("valid"));
        set(spaced.add_digest(DIGEST));
        assert!(spaced.into_secret().is_err());
        assert!(Document::parse(&"{}".to_owned().into()).is_err());
    }

    #[test]
    fn a_secret_with_a_faulty_token_can_be_repaired() {
        let mut document = parse(&format!("\u{feff}{{\"lendswift_token\": \"\", \"api_key_sha256\": [\"{DIGEST}\"]}}"));
        set(document.set_token(&"a".to_owned().into()));
        assert!(document.into_secret().is_ok_and(|text| kind(&text) == Ok(Kind::Live)));
    }
}
