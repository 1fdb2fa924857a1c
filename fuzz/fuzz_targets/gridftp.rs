//! Detection in the text of a GridFTP reply.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::inputs::gridftp(input));
