//! The query of a login for a requirement.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::inputs::authorize_url(input));
