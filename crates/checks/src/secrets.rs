//! Asserts that a text shows no secret.

/// Fails if `text` shows one of `secrets`.
pub fn assert_hidden<S: AsRef<str>>(what: &str, text: &str, secrets: &[S]) {
    for secret in secrets {
        let secret = secret.as_ref();
        assert!(secret.len() >= 8, "{what}: {secret:?} is found everywhere");
        // The tail alone is enough to give a secret away.
        let tail = &secret[secret.len() / 2..];
        assert!(!text.contains(tail), "{what} shows {secret:?}: {text}");
    }
}
