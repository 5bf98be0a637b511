//! Accounts: which API keys may send leads, and with which token the leads go to AI Rudder.
//!
//! An account is one secret in Secrets Manager. [`Accounts`] caches it and authenticates an [`ApiKey`] against it.

mod accounts;
mod auth;
mod cause;
mod entry;
mod id;
mod key;
mod secret;
mod single_flight;
mod store;

pub use self::{
    accounts::Accounts,
    auth::{Account, AuthError, Destination, SecretSource},
    id::{AccountId, InvalidAccountId},
    key::{ApiKey, KeyDigest},
    secret::{Secret, SecretError},
};
