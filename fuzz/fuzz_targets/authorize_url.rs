//! A requirement on its way into the URL of a login.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::inputs::authorize_url(input));
