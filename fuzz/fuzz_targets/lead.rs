//! Any bytes as the body that a sender posts.
#![no_main]

use support::invariants;

libfuzzer_sys::fuzz_target!(|body: &[u8]| invariants::lead(body));
