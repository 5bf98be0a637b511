//! A caller's request body of arbitrary bytes.
#![no_main]

use support::invariants;

libfuzzer_sys::fuzz_target!(|body: &[u8]| invariants::lead(body));
