use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Credential, Origin};

/// What a credential is wanted for: a service, and the person whose request it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    origin: Origin,
    identity: Identity,
}

impl Target {
    /// The service at `origin`, for `identity`.
    pub fn new(origin: Origin, identity: Identity) -> Self {
        Self { origin, identity }
    }

    /// Where the request goes. Globus Auth calls this a resource server and
    /// issues a token of its own for each.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whose request it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// Whose request it is.
///
/// Flights, generations and credentials are kept per identity, and the
/// credential of one never goes out on the request of another.
///
/// ```
/// use globus_gare::reauth::{Identity, Target};
///
/// /// Where the tokens of one's users are, by whom and for what.
/// fn key(target: &Target) -> Option<String> {
///     match target.identity() {
///         Identity::Named(user) => Some(format!("{user} at {}", target.origin())),
///         _ => None,
///     }
/// }
///
/// let target = Target::new("https://groups.api.globus.org".parse()?, Identity::Named("ada".into()));
/// assert_eq!(key(&target).as_deref(), Some("ada at https://groups.api.globus.org"));
/// # Ok::<(), globus_gare::reauth::InvalidOrigin>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Identity {
    /// The session's own: requests that come without an `Authorization` header.
    Session,
    /// The one that the caller names with
    /// [`GareOptions::identity`](super::GareOptions::identity).
    Named(Arc<str>),
    /// Whoever the `Authorization` value that the request came with belongs to.
    Presented(Credential),
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session, Self::Session) => true,
            (Self::Named(a), Self::Named(b)) => a == b,
            (Self::Presented(a), Self::Presented(b)) => a.sends_same_as(b),
            _ => false,
        }
    }
}

impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Session => {}
            Self::Named(name) => name.hash(state),
            Self::Presented(credential) => credential.header_value().as_bytes().hash(state),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session => f.write_str("Session"),
            Self::Named(name) => f.debug_tuple("Named").field(name).finish(),
            Self::Presented(_) => f.write_str("Presented(..)"),
        }
    }
}
