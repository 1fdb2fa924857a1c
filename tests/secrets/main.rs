//! No token, code, verifier, refresh token or `Authorization` header in anything
//! that the crate can print, and nothing of a stranger that steers a terminal.

mod public_types;
mod real_login;
mod strangers;

/// Fails if `text` shows one of `secrets`.
fn assert_hidden<S: AsRef<str>>(what: &str, text: &str, secrets: &[S]) {
    for secret in secrets {
        let secret = secret.as_ref();
        assert!(secret.len() >= 8, "{what}: {secret:?} is found everywhere");
        // The tail alone is enough to give a secret away.
        let tail = &secret[secret.len() / 2..];
        assert!(!text.contains(tail), "{what} shows {secret:?}: {text}");
    }
}
