//! Fakes of everything around the relay, on one machine: [`Rudder`] is AI Rudder, [`SecretsManager`] is AWS Secrets Manager
//! and [`DynamoDb`] is DynamoDB, each on its own socket; [`Lambda`] runs the relay's process, and [`api_gateway`] turns
//! requests into events and a function's responses into HTTP responses. None of them uses the relay.

pub mod api_gateway;
mod dynamodb;
mod lambda;
mod rudder;
mod secrets;
mod server;

#[cfg(test)]
mod client;

pub use dynamodb::{DynamoAnswer, DynamoBehaviour, DynamoCore, DynamoDb, DynamoOutcome, TokenRules};
pub use lambda::{Invoked, Lambda, RuntimeApi};
pub use rudder::{Answering, Received, Reply, Rudder, check_contract};
pub use secrets::{SecretsBehaviour, SecretsManager, WriteBehaviour};
pub use server::Connections;
pub(crate) use server::lock;
