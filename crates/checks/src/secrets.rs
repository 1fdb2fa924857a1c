//! An assertion that a text contains no secret.

/// Fails if `text` contains one of `secrets`, or its second half.
pub fn assert_hidden<S: AsRef<str>>(what: &str, text: &str, secrets: &[S]) {
    for secret in secrets {
        let secret = secret.as_ref();
        assert!(secret.len() >= 8, "{what}: {secret:?} is too short");
        let tail = &secret[secret.len() / 2..];
        assert!(!text.contains(tail), "{what} shows {secret:?}: {text}");
    }
}
