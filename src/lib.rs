//! Takes a loan lead from Infinity behind API Gateway, and pushes it to AI Rudder.
//!
//! ```text
//! Infinity -> API Gateway (HTTP API) -> relay -> AI Rudder
//!                                         |- Secrets Manager   token and key digests, one secret an account
//!                                         |- DynamoDB          one claim a lead: nobody is called twice
//! ```
//!
//! AI Rudder's robot telephones the consumer of every lead that reaches it, and its one endpoint has no way to ask
//! whether it got one. So a lead is written down before it is sent, never sent again once it may have arrived, and **every
//! answer tells whether the consumer may have been called.**
//!
//! # What always holds
//!
//! 1. Once a byte of a push may have reached AI Rudder, that lead is not sent again, by no process and for no request,
//!    unless AI Rudder itself answered that it did not take it, an operator reopens the lead, or the window in which leads
//!    are remembered is over.
//! 2. Every request gets one envelope and one `lead-outcome`, a caught panic included.
//! 3. Tokens, keys, phone numbers, names and details are in no log, no error text and no `Debug`. A token reaches no sender
//!    and no table, even where AI Rudder's own envelope quotes it.
//! 4. Only a valid lead leaves, and only the documented fields.
//! 5. A request that is malformed at the door costs no AWS call.
//! 6. Wrong configuration stops the start with a message that names the variable.
//!
//! # The way of a lead
//!
//! 1. [`gateway`]: the event comes in, the response goes out, one line is logged.
//! 2. [`relay`]: [`Relay::handle`](relay::Relay::handle) is the specification in code.
//! 3. `door`: route, method, size, media type, names and keys in their form.
//! 4. [`account`]: the account's secret, through a cache, opened with the sender's key.
//! 5. [`lead`]: the body, read into a lead or into all of its faults.
//! 6. [`claim`]: the ledger: the lead is claimed before it is sent, and settled or released after.
//! 7. [`rudder`]: AI Rudder's contract: payload, client, envelope, verdict.
//! 8. [`answer`]: outcome, status, envelope; the table of answers as code.
//!
//! Beside it: [`config`] (all variables), [`clock`], [`budget`] (how long a request may take), `tls` and [`aws`] (one
//! stack for all connections), [`log`] (what may be printed), [`metrics`],
//! [`retry_after`], `unix_time`.
//!
//! # What is not here
//!
//! No queue, no second push by itself except with a new token after AI Rudder refused the old one, no reuse of a
//! connection to AI Rudder, no look at what the call found.

pub mod account;
pub mod answer;
pub mod aws;
pub mod budget;
pub mod claim;
pub mod clock;
pub mod config;
mod door;
pub mod gateway;
pub mod lead;
pub mod log;
pub mod metrics;
pub mod relay;
pub mod retry_after;
pub mod rudder;
mod tls;
mod unix_time;

pub use tls::ClientError;
