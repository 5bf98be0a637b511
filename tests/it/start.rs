//! The binary itself, as Lambda starts it.

use std::{env, process::Command};

/// The relay's start without any variable but these.
fn start(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lendswift-relay"))
        .env_clear()
        // Where a coverage run wants this process's part of it.
        .envs(env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn wrong_configuration_stops_the_start_with_the_variables_name() {
    assert_eq!(
        start(&[]),
        (
            Some(1),
            "lendswift-relay can't start: CLAIMS_TABLE: is required: the name of a DynamoDB table, or off for no ledger\n"
                .to_owned()
        )
    );
    assert_eq!(
        start(&[("CLAIMS_TABLE", "off"), ("UPSTREAM_TIMEOUT_MS", "soon")]),
        (
            Some(1),
            "lendswift-relay can't start: UPSTREAM_TIMEOUT_MS: must be a whole number from 1000 to 29000\n".to_owned()
        )
    );
}
