//! AI Rudder's response from arbitrary bytes: two for the HTTP status, the rest for the body.
#![no_main]

#[path = "../../tests/it/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|answer: &[u8]| invariants::upstream_answer(answer));
