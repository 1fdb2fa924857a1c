use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Login;

/// The state of a user's login that a store has. Two states with the same version are the same.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Version(Cow<'static, str>);

impl Version {
    /// The version of a user of whom nothing is kept.
    pub const NONE: Self = Self(Cow::Borrowed(""));

    /// A version that a store counts by itself, such as a row's number.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into()))
    }

    /// The version of this content: a hash that does not change between programs and toolchains.
    pub fn of(login: &Login) -> Self {
        if *login == Login::default() {
            return Self::NONE;
        }
        // What cannot be written is refused by `commit`.
        let text = serde_json::to_string(login).unwrap_or_default();
        Self(Cow::Owned(digest(text.as_bytes())))
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A login, and the version that a store has it at.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The version to commit a change against.
    pub version: Version,
    /// What is kept.
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

/// Half of a SHA-256, in hexadecimal: enough to tell any two texts apart.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}
