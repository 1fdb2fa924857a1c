//! A requirement on its way into the URL of a login.
#![no_main]

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/fuzz_inputs/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::authorize_url(input));
