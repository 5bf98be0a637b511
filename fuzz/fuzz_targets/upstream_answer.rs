//! AI Rudder's response from arbitrary bytes: two for the HTTP status, the rest for the body.
#![no_main]

#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|answer: &[u8]| any_input::upstream_answer(answer));
