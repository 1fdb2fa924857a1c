use std::fmt;
use std::sync::Arc;

use globus_gare::reauth::Principal;

use super::version::digest;

/// The name of the program's own user in the Python SDK.
const OWN: &str = "DEFAULT";

/// The maximum length of a part of a key, in bytes. A longer part is hashed.
const MAX_LEN: usize = 255;

/// The key of a login in a store: the Globus environment, the client id, and the user.
///
/// Each part has at most 255 bytes: a longer part is replaced by its hash when the key is made.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserKey(Arc<[String; 3]>);

impl UserKey {
    /// The key of a user of `client` in `environment`.
    pub fn new(
        environment: impl Into<String>,
        client: impl Into<String>,
        user: impl Into<String>,
    ) -> Self {
        let short = |text: String| match text.len() {
            0..=MAX_LEN => text,
            _ => format!("sha256:{}", digest(text.as_bytes())),
        };
        let parts = [environment.into(), client.into(), user.into()];
        Self(Arc::new(parts.map(short)))
    }

    /// The key of a principal: `DEFAULT` is the program's own user, `identity/NAME` a named one.
    pub(crate) fn of(environment: &str, client: &str, principal: &Principal) -> Self {
        let user = match principal {
            Principal::Session => OWN.to_owned(),
            Principal::Named(name) => format!("identity/{name}"),
            Principal::Presented(credential) => {
                format!("presented/{}", digest(credential.header_value().as_bytes()))
            }
            // A kind that this version does not know.
            other => format!("other/{}", digest(format!("{other:?}").as_bytes())),
        };
        Self::new(environment, client, user)
    }

    /// The hash of the key. No two keys share one: each part is after its length.
    pub(crate) fn hashed(&self) -> String {
        let parts = self
            .0
            .each_ref()
            .map(|part| format!("{}:{part}", part.len()));
        digest(parts.concat().as_bytes())
    }

    /// Whether this is the program's own user.
    #[cfg(any(feature = "interactive", feature = "sqlite"))]
    pub(crate) fn is_own(&self) -> bool {
        self.user() == OWN
    }

    /// The environment, such as `production`.
    pub fn environment(&self) -> &str {
        &self.0[0]
    }

    /// The client id.
    pub fn client(&self) -> &str {
        &self.0[1]
    }

    /// The name of the user. In files of the Python SDK, this is the namespace.
    pub fn user(&self) -> &str {
        &self.0[2]
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserKey({})", self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// U+0378 is not assigned, so that `Debug` escapes it until a later version of Unicode does.
    #[checks::test]
    fn hash_of_a_key_stays_the_same() {
        let key = UserKey::new("production", "client", "identity/\u{378}");
        assert_eq!(key.hashed(), "9138e9cd8a72aece3ddc6ba4a1ae06e4");
        let (one, other) = (UserKey::new("a", "bc", "d"), UserKey::new("ab", "c", "d"));
        assert_ne!(one.hashed(), other.hashed());
    }
}
