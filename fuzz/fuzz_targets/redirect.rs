//! Bytes at the port where a login waits for the browser.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    // The item exists only in a fuzzing build.
    #[cfg(fuzzing)]
    globus_login::any_bytes::redirect(input);
    #[cfg(not(fuzzing))]
    let _ = input;
});
