//! Code that the tests, the benchmarks and the examples share.
//!
//! [`fakes`] replace every dependency. [`TestApp`] is the relay in this process, between the fakes; [`ProcessHarness`] is the
//! relay as a process under Lambda. [`Request`] builds events, [`ObservedResponse`] parses responses, [`LogCapture`] keeps log
//! lines, [`leaks`] searches text for secrets and personal data, and [`invariants`] checks what holds for any input.
//! [`TlsProxy`] adds TLS to a fake; [`RawTcpServer`] and [`StalledTlsServer`] misbehave below HTTP.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unreachable,
    reason = "a test reports by failing"
)]
#![expect(
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    clippy::return_self_not_must_use,
    reason = "for tests, brevity at the call counts more"
)]
#![cfg_attr(
    test,
    expect(clippy::string_slice, clippy::unchecked_time_subtraction, reason = "a test reports by failing")
)]

pub mod fakes;
pub mod invariants;
mod lead;
pub mod leaks;
mod log_capture;
mod log_file;
mod observed_response;
mod process_harness;
mod raw_tcp_server;
mod request;
mod sam_local;
pub mod snapshot;
mod stalled_tls_server;
mod test_app;
mod tls_proxy;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use self::{
    fakes::{
        Answering, Connections, DynamoBehaviour, DynamoDb, Invoked, Lambda, Reply, Rudder, SecretsBehaviour,
        SecretsManager, TokenRules, api_gateway,
    },
    lead::Lead,
    log_capture::LogCapture,
    observed_response::ObservedResponse,
    process_harness::ProcessHarness,
    raw_tcp_server::{RawTcpServer, read_request},
    request::{DIGITS, LEAD, LETTERS, REQUEST_ID, Request, TEXT_FIELDS, TextField},
    sam_local::sam_local_variables,
    stalled_tls_server::StalledTlsServer,
    test_app::{
        ACCOUNT, FREE_PORT, Fakes, HASH_KEY, KEY, SANDBOX, TABLE, TOKEN, TestApp, aws, aws_trusting, config,
        deadline_in, now, once_per_phone_secret, post, relay, sandbox_secret, secret, secret_with, seed, serve,
        with_deadline,
    },
    tls_proxy::{Authority, Handshake, TlsProxy},
};

/// A file of the repository, by its path from the root.
pub fn in_repository(path: &str) -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate is two folders deep");
    repository.join(path)
}

/// The name and text of every Rust file below a folder of the repository.
pub fn sources(folder: &str) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![in_repository(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push((path.display().to_string(), fs::read_to_string(path).expect("a file")));
            }
        }
    }
    sources
}
