//! The command as a process, between the fakes of AWS that the relay's own tests use.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test reports by failing"
)]

mod accounts;
mod arguments;
mod bad_input;
mod checks;
mod condition;
mod documents;
mod leads;
mod lost_keys;
mod many;
mod moto;
mod operator;
mod phones;
mod policies;
mod reference;
mod rights;
mod terminal;
