//! A caller's request body of arbitrary bytes.
#![no_main]

#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|body: &[u8]| any_input::lead(body));
