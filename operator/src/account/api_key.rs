//! A new API key.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// An API key that was just generated: 32 random bytes in hex. It is shown once.
pub(super) struct ApiKey(SecretString);

impl ApiKey {
    /// Generates a key from the system's random numbers.
    pub(super) fn generate() -> Result<Self, Failure> {
        random().map(Self)
    }

    /// Its SHA-256, which the secret stores.
    pub(super) fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.0.expose_secret()))
    }

    /// The key itself, for the output.
    pub(super) fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// 64 random hex digits.
pub(super) fn random() -> Result<SecretString, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Failure::refused(format!("the system has no random numbers: {cause}"), "Run the command on another machine.")
    })?;
    Ok(hex::encode(bytes).into())
}
