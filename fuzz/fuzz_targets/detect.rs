//! Detection in a response body.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::inputs::detect(input));
