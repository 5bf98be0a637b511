//! The content of an account's secret.

use std::{slice, sync::Arc};

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::{Destination, key::KeyDigest};
use crate::{
    policy::{Policy, PolicyError},
    rudder::TokenError,
};

/// An account's secret: `{"lendswift_token": "…", "api_key_sha256": ["<64 hex digits>", …]}`. A sandbox has
/// `"sandbox": true` in place of the token. `"policy"` and `"hash_key"` are optional.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The digests of the API keys, at least one.
    pub digests: Vec<KeyDigest>,
    /// Where the account's leads go, or the secret's fault. It is separate from the digests, so that a caller with a valid
    /// API key gets a specific response.
    pub destination: Result<Destination, SecretError>,
    /// When its leads may be sent. If it is malformed, that is the secret's fault in [`Secret::destination`], so that no lead
    /// is sent without it.
    pub policy: Arc<Policy>,
}

/// A fault of a secret. It never contains a part of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The secret is binary, not text.
    #[error("the secret is binary")]
    Binary,
    /// The secret is not JSON, or lacks a member.
    #[error("the secret is not {{\"lendswift_token\": \"…\", \"api_key_sha256\": [\"…\"]}}, or a sandbox's")]
    Shape,
    /// The secret has no digest.
    #[error("api_key_sha256 is empty")]
    NoDigest,
    /// A digest is not 64 hex digits.
    #[error("api_key_sha256 contains something that is not 64 hex digits")]
    Digest,
    /// The secret has a token and is a sandbox.
    #[error("the secret has both lendswift_token and sandbox")]
    TokenAndSandbox,
    /// The secret's `sandbox` is something other than `true`.
    #[error("sandbox is not the boolean true")]
    Sandbox,
    /// The token is invalid.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The policy is malformed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// The members of a secret that the relay reads.
#[derive(Deserialize)]
struct Members {
    #[serde(default, deserialize_with = "given")]
    lendswift_token: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    sandbox: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    policy: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "given")]
    hash_key: Option<Value>,
    api_key_sha256: Digests,
}

/// A member that is given, even as `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// One digest or several: Secrets Manager's console writes one as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Digests {
    One(String),
    Several(Vec<String>),
}

impl Secret {
    /// Parses a secret's text, which Secrets Manager limits to 64 KiB (GetSecretValue, `SecretString`). A byte order mark and
    /// unknown members are ignored.
    ///
    /// `Err` if no digest can be read, so that no API key can be checked. Any other fault is in [`Secret::destination`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let members: Members = serde_json::from_str(text).map_err(|_| SecretError::Shape)?;
        let given = match &members.api_key_sha256 {
            Digests::One(digest) => slice::from_ref(digest),
            Digests::Several(digests) => digests.as_slice(),
        };
        let digests: Vec<KeyDigest> = given.iter().filter_map(|digest| digest.parse().ok()).collect();
        match (given.len(), digests.len()) {
            (0, _) => return Err(SecretError::NoDigest),
            (_, 0) => return Err(SecretError::Digest),
            _ => {}
        }
        let is_whole = digests.len() == given.len();
        let policy = members.policy.as_deref().map(|policy| Policy::parse(policy, members.hash_key.as_ref()));
        let policy = policy.unwrap_or_else(|| Ok(Policy::default()));
        let destination = if is_whole { members.destination() } else { Err(SecretError::Digest) };
        let (destination, policy) = match policy {
            Ok(policy) => (destination, policy),
            Err(fault) => (destination.and(Err(fault.into())), Policy::default()),
        };
        Ok(Self { digests, destination, policy: Arc::new(policy) })
    }

    /// The secret as it is used without a ledger, which some policies need.
    pub(super) fn without_ledger(self) -> Self {
        let needs_ledger = self.policy.once_per_phone().is_some();
        let fault = if needs_ledger { Err(PolicyError::NoLedger.into()) } else { Ok(()) };
        Self { destination: self.destination.and_then(|destination| fault.map(|()| destination)), ..self }
    }
}

impl Members {
    /// A secret has either a token or `"sandbox": true`, so that no account is a sandbox by mistake, and no sandbox calls
    /// anybody.
    fn destination(self) -> Result<Destination, SecretError> {
        match (self.lendswift_token, self.sandbox) {
            (Some(_), Some(_)) => Err(SecretError::TokenAndSandbox),
            (None, Some(Value::Bool(true))) => Ok(Destination::Sandbox),
            (None, Some(_)) => Err(SecretError::Sandbox),
            (Some(Value::String(token)), None) => Ok(Destination::AiRudder(token.try_into()?)),
            (_, None) => Err(SecretError::Shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

    fn read(text: &str) -> Result<Secret, SecretError> {
        Secret::parse(text)
    }

    /// The destination in a secret with one digest and these members.
    fn destination(members: &str) -> Result<Destination, SecretError> {
        let secret = read(&format!(r#"{{"api_key_sha256": ["{DIGEST}"], {members}}}"#)).unwrap();
        assert_eq!(secret.digests.len(), 1);
        secret.destination
    }

    #[test]
    fn a_secret_has_a_token_and_the_digests_of_keys() {
        let text = format!(r#"{{"lendswift_token": "a+b/c=", "api_key_sha256": ["{DIGEST}", "{DIGEST}"], "note": 1}}"#);
        let secret = read(&text).unwrap();
        assert_eq!(secret.digests.len(), 2);
        assert!(secret.destination.unwrap().token().is_some());
    }

    #[test]
    fn one_digest_may_be_a_string_after_a_byte_order_mark() {
        let text = format!("\u{feff}{{\"lendswift_token\": \"a\", \"api_key_sha256\": \"{DIGEST}\"}}");
        let secret = read(&text).unwrap();
        assert!(secret.destination.is_ok() && secret.digests.len() == 1);
    }

    #[test]
    fn a_sandbox_is_the_boolean_true_in_place_of_a_token() {
        assert_eq!(destination(r#""sandbox": true"#), Ok(Destination::Sandbox));
        for sandbox in ["false", "null", "1", "\"true\"", "{}", "[true]"] {
            assert_eq!(destination(&format!("\"sandbox\": {sandbox}")), Err(SecretError::Sandbox), "{sandbox}");
            let both = format!(r#""lendswift_token": "a", "sandbox": {sandbox}"#);
            assert_eq!(destination(&both), Err(SecretError::TokenAndSandbox), "{sandbox}");
        }
        for token in ["\"a\"", "null", "\"\"", "7"] {
            let both = format!(r#""lendswift_token": {token}, "sandbox": true"#);
            assert_eq!(destination(&both), Err(SecretError::TokenAndSandbox), "{token}");
        }
    }

    #[test]
    fn a_policy_is_optional_and_a_malformed_one_is_the_secrets_fault() {
        let policy = |policy: &str| {
            let text = format!(r#"{{"sandbox": true, "api_key_sha256": ["{DIGEST}"]{policy}}}"#);
            read(&text).map(|secret| (secret.destination, *secret.policy == Policy::default()))
        };
        let sandbox = || Ok(Destination::Sandbox);
        assert_eq!(policy(""), Ok((sandbox(), true)));
        assert_eq!(policy(r#", "policy": {"calling_hours": "federal"}"#), Ok((sandbox(), false)));
        for (member, fault) in [
            (r#", "policy": null"#, PolicyError::NotAnObject),
            (r#", "policy": {"x": 1}"#, PolicyError::UnknownMember),
            (r#", "policy": {"calling_hours": 9}"#, PolicyError::CallingHours),
            (r#", "policy": {"once_per_phone_hours": 24}"#, PolicyError::NoHashKey),
            (r#", "policy": {"once_per_phone_hours": 24}, "hash_key": null"#, PolicyError::HashKey),
        ] {
            assert_eq!(policy(member), Ok((Err(SecretError::Policy(fault)), true)), "{member}");
        }
        assert_eq!(policy(r#", "policy": {}, "policy": {}"#), Err(SecretError::Shape));
        assert_eq!(policy(r#", "hash_key": 7"#), Ok((sandbox(), true)), "nothing needs it");
    }

    #[test]
    fn without_a_ledger_no_number_can_be_called_only_once() {
        let key = "5".repeat(64);
        let destination = |policy: &str| {
            let text = format!(
                r#"{{"sandbox": true, "api_key_sha256": ["{DIGEST}"], "hash_key": "{key}", "policy": {policy}}}"#
            );
            read(&text).unwrap().without_ledger().destination
        };
        let fault = Err(SecretError::Policy(PolicyError::NoLedger));
        assert_eq!(destination(r#"{"once_per_phone_hours": 24}"#), fault);
        assert_eq!(destination(r#"{"calling_hours": "federal"}"#), Ok(Destination::Sandbox));
    }

    #[test]
    fn an_invalid_token_leaves_the_digests_known() {
        for (members, fault) in [
            (r#""lendswift_token": """#, SecretError::Token(TokenError::Empty)),
            (r#""lendswift_token": 7"#, SecretError::Shape),
            (r#""lendswift_token": null"#, SecretError::Shape),
            (r#""note": 1"#, SecretError::Shape),
        ] {
            assert_eq!(destination(members), Err(fault), "{members}");
        }
        let text = format!(r#"{{"lendswift_token": "a", "api_key_sha256": ["{DIGEST}", "b9f1"]}}"#);
        let secret = read(&text).unwrap();
        assert_eq!((secret.digests.len(), secret.destination), (1, Err(SecretError::Digest)));
    }

    #[test]
    fn the_error_of_a_malformed_secret_quotes_nothing() {
        for (text, expected) in [
            ("", SecretError::Shape),
            ("1JqFE7K6ucf94hAvqu+7Jg", SecretError::Shape),
            (r#"{"lendswift_token": "a"}"#, SecretError::Shape),
            (r#"{"sandbox": true, "sandbox": true, "api_key_sha256": []}"#, SecretError::Shape),
            (r#"{"api_key_sha256": []}"#, SecretError::NoDigest),
            (r#"{"lendswift_token": "a", "api_key_sha256": 7}"#, SecretError::Shape),
            (r#"{"lendswift_token": "a", "api_key_sha256": "b9f1"}"#, SecretError::Digest),
            (r#"{"lendswift_token": "a", "api_key_sha256": []}"#, SecretError::NoDigest),
            (r#"{"lendswift_token": "a", "api_key_sha256": ["b9f1"]}"#, SecretError::Digest),
        ] {
            assert_eq!(read(text).err(), Some(expected), "{text}");
        }
    }
}
