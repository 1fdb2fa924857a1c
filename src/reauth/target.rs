use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Credential, Origin};

/// A service and a principal: what a credential is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    origin: Origin,
    principal: Principal,
    collection: Option<Arc<str>>,
}

impl Target {
    /// The service at `origin`, for `principal`.
    pub fn new(origin: Origin, principal: Principal) -> Self {
        Self {
            origin,
            principal,
            collection: None,
        }
    }

    /// The origin of the service. In Globus Auth it belongs to a resource server, which has tokens of
    /// its own.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Says that the origin is the HTTPS server of the collection with this id.
    #[must_use]
    pub fn with_collection(mut self, collection: impl Into<Arc<str>>) -> Self {
        self.collection = Some(collection.into());
        self
    }

    /// The id of the collection whose HTTPS server the origin is, where the session knows it.
    pub fn collection(&self) -> Option<&str> {
        self.collection.as_deref()
    }

    /// The principal of the request.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

/// Whose request it is.
///
/// Logins, generations and credentials are kept per principal, and the
/// credential of one never goes out on the request of another.
///
/// ```
/// use globus_gare::reauth::{Principal, Target};
///
/// /// The key of a user's tokens in a store.
/// fn key(target: &Target) -> Option<String> {
///     match target.principal() {
///         Principal::Named(user) => Some(format!("{user} at {}", target.origin())),
///         _ => None,
///     }
/// }
///
/// let target = Target::new("https://groups.api.globus.org".parse()?, Principal::Named("ada".into()));
/// assert_eq!(key(&target).as_deref(), Some("ada at https://groups.api.globus.org"));
/// # Ok::<(), globus_gare::reauth::InvalidOrigin>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Principal {
    /// The session's own principal: of requests without an `Authorization` header.
    Session,
    /// The principal that the caller names with
    /// [`GareOptions::principal`](super::GareOptions::principal).
    Named(Arc<str>),
    /// The owner of the `Authorization` value that the request came with.
    Presented(Credential),
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session, Self::Session) => true,
            (Self::Named(a), Self::Named(b)) => a == b,
            (Self::Presented(a), Self::Presented(b)) => a.sends_same_as(b),
            _ => false,
        }
    }
}

impl Eq for Principal {}

impl Hash for Principal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Session => {}
            Self::Named(name) => name.hash(state),
            Self::Presented(credential) => credential.header_value().as_bytes().hash(state),
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session => f.write_str("Session"),
            Self::Named(name) => f.debug_tuple("Named").field(name).finish(),
            Self::Presented(_) => f.write_str("Presented(..)"),
        }
    }
}
