//! The file that tokens are kept in.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    // The crate shows it to no other build.
    #[cfg(fuzzing)]
    globus_login::any_bytes::token_file(input);
    #[cfg(not(fuzzing))]
    let _ = input;
});
