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
pub(super) struct Document {
    members: BTreeMap<String, Box<RawValue>>,
    /// The faults that it had when it was read. A change may leave those that it is not about: the relay sends no lead
    /// under any of them.
    faults: Faults,
}

/// The faults of a secret, one for each part.
#[derive(Default)]
struct Faults {
    digests: Option<SecretError>,
    /// Of the token, or of `sandbox`.
    destination: Option<SecretError>,
    policy: Option<SecretError>,
}

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
        let members = serde_json::from_str(text).map_err(|_| SecretError::Shape)?;
        let document = Self { members, faults: Faults::default() };
        Ok(Self { faults: document.faults(), ..document })
    }

    fn faults(&self) -> Faults {
        let digests = match (self.keys().len(), self.malformed()) {
            (0, _) => Some(SecretError::NoDigest),
            (_, 0) => None,
            _ => Some(SecretError::Digest),
        };
        // The relay names one fault of a secret, so this one is looked for in a secret without the others.
        let mut alone = self.members.clone();
        alone.remove(policy::POLICY);
        let destination = match to_raw_value(&["0".repeat(64)]) {
            Ok(digest) => {
                alone.insert(DIGESTS.to_owned(), digest);
                serde_json::to_string(&alone).ok().and_then(|text| kind(&text.into()).err())
            }
            Err(_) => Some(SecretError::Shape),
        };
        let policy = self.rules().map_or_else(Some, |rules| self.hash_key().fault(&rules)).map(SecretError::Policy);
        Faults { digests, destination, policy }
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
        let digests = self.members.get(DIGESTS).and_then(|digests| serde_json::from_str(digests.get()).ok());
        match digests {
            Some(Digests::One(digest)) => vec![digest],
            Some(Digests::Several(digests)) => digests,
            None => Vec::new(),
        }
    }

    /// The names of the members that the relay ignores.
    pub(super) fn other_members(&self) -> Vec<&str> {
        let known = [TOKEN, SANDBOX, DIGESTS, policy::POLICY, policy::HASH_KEY];
        self.members.keys().map(String::as_str).filter(|name| !known.contains(name)).collect()
    }

    /// Whether it is a sandbox's; `None` if its `sandbox` is something other than `true`.
    pub(super) fn is_sandbox(&self) -> Option<bool> {
        let Some(sandbox) = self.members.get(SANDBOX) else { return Some(false) };
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
        self.members.insert(name.to_owned(), to_raw_value(value).map_err(|_| not_json())?);
        Ok(())
    }

    /// The secret's text. `Err` if the change gave it a fault.
    pub(super) fn into_secret(self) -> Result<SecretString, Failure> {
        let (before, after) = (&self.faults, self.faults());
        let new = |before: &Option<SecretError>, after: Option<SecretError>| after.filter(|_| *before != after);
        let fault = new(&before.digests, after.digests)
            .or(new(&before.destination, after.destination))
            .or(new(&before.policy, after.policy));
        match fault {
            None => Ok(serde_json::to_string(&self.members).map_err(|_| not_json())?.into()),
            Some(fault) => Err(Failure::usage(
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
mod tests;
