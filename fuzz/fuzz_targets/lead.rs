//! Any bytes as the body that a sender posts.
#![no_main]

#[path = "../../tests/it/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|body: &[u8]| invariants::lead(body));
