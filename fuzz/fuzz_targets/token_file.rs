//! The token file.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    // The item exists only in a fuzzing build.
    #[cfg(fuzzing)]
    globus_login::any_bytes::token_file(input);
    #[cfg(not(fuzzing))]
    let _ = input;
});
