//! The ledger as a model.

mod dynamodb;
mod mutant;
mod properties;
mod rules;
mod runs;
mod sender;
mod state;
