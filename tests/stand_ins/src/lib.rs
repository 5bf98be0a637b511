//! What stands around the relay, on one machine: [`Rudder`] is AI Rudder and [`SecretsManager`] is
//! AWS Secrets Manager, each on a socket of its own; [`api_gateway`] turns requests into events and
//! a function's answers into responses.

pub mod api_gateway;
mod rudder;
mod secrets;
mod server;

#[cfg(test)]
mod client;

pub use rudder::{Received, Reply, Rudder};
pub use secrets::{Behaviour, SecretsManager};
