use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Login;

/// The version of a user's login in a store. Two logins with the same version are the same.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Version(Cow<'static, str>);

impl Version {
    /// The version of a user without a stored login.
    pub const NONE: Self = Self(Cow::Borrowed(""));

    /// A version that the store assigns, such as the number of a row's change.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into()))
    }

    /// The version of a login by its content: a hash that is the same in all programs.
    pub fn of(login: &Login) -> Self {
        if *login == Login::default() {
            return Self::NONE;
        }
        // `commit` fails for a login that cannot be serialized.
        let text = serde_json::to_string(login).unwrap_or_default();
        Self(Cow::Owned(digest(text.as_bytes())))
    }

    /// The text of the version.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A login and its version in a store.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The version to commit a change against.
    pub version: Version,
    /// The stored login.
    pub login: Login,
}

impl Versioned {
    /// The login at the version of its content.
    pub fn of(login: Login) -> Self {
        Self {
            version: Version::of(&login),
            login,
        }
    }
}

/// The first half of a SHA-256, in hexadecimal: 128 bits are enough to tell any two texts apart.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}
