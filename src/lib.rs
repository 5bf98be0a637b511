//! Accepts loan leads from Infinity through API Gateway, and pushes each to AI Rudder at most once.
//!
//! ```text
//! Infinity -> API Gateway (HTTP API) -> relay -> AI Rudder
//!                                         |- Secrets Manager   token and API key digests, one secret per account
//!                                         |- DynamoDB          one claim per lead, against a second push
//! ```
//!
//! AI Rudder's robot telephones the consumer of every lead that it receives, and its one endpoint cannot be asked whether
//! it received one. So the relay records a lead before it sends it, never re-sends a lead that may have arrived, and
//! **every response says whether the consumer may have been called.**
//!
//! # Guarantees
//!
//! 1. With the ledger, once a byte of a push may have reached AI Rudder, no process sends that lead again for any request,
//!    unless AI Rudder itself responds that it did not take the lead, an operator reopens the lead, or the duplicate window
//!    has passed. `docs/design.md` lists the cases in which a consumer can be called twice after all.
//! 2. Every request that reaches the function gets one envelope and one `lead-outcome`, even after a caught panic.
//! 3. Tokens, API keys, phone numbers, names and details never appear in a log, an error message or the output of `Debug`. A
//!    token reaches no caller and no table, even if AI Rudder's own envelope quotes it, plain or in a common encoding.
//! 4. Only valid leads are sent, with only the documented fields.
//! 5. A request that fails admission costs no call to AWS.
//! 6. An invalid configuration aborts start-up with a message that names the variable.
//!
//! # The path of a lead
//!
//! 1. [`gateway`]: the event comes in, the response goes out, one line is logged.
//! 2. [`relay`]: [`Relay::handle`](relay::Relay::handle) is the specification in code. Requests to check a lead or to ask for
//!    its outcome take the same path and stop before the claim.
//! 3. `admission`: route, method, size, media type, account name, headers.
//! 4. [`account`]: the caller's API key, checked against the account's secret, which is cached.
//! 5. [`lead`]: the body, parsed into a lead or into all of its faults.
//! 6. [`policy`]: the hours in which the account's consumers may be called, and how often a phone number may be.
//! 7. [`claim`]: the ledger: a lead is claimed before it is sent, and settled or released afterwards.
//! 8. [`rudder`]: AI Rudder's contract: payload, client, envelope, verdict.
//! 9. [`answer`]: outcome, status and envelope: the table of responses as code.
//!
//! Supporting modules: [`config`] (all variables), [`request`] (the event), [`clock`] and [`budget`] (the timeline),
//! [`tls`] and [`aws`] (one stack for all connections), [`telemetry`] (log and metrics), [`retry_after`], `unix_time`.
//!
//! # Deliberately absent
//!
//! A queue; re-sending, except once after AI Rudder refused a token that has been replaced; the results of calls.

pub mod account;
mod admission;
pub mod answer;
pub mod aws;
pub mod budget;
pub mod claim;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod lead;
pub mod policy;
pub mod relay;
pub mod request;
pub mod retry_after;
pub mod rudder;
pub mod telemetry;
pub mod tls;
mod unix_time;
