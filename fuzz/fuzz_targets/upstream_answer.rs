//! Any bytes as AI Rudder's response: two for the HTTP status, the rest for the body.
#![no_main]

use support::invariants;

libfuzzer_sys::fuzz_target!(|answer: &[u8]| invariants::upstream_answer(answer));
