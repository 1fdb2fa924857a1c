use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::origin::OriginRef;
use super::{Credential, Origin};

/// An origin, or one of its resource servers. An account has separate credentials, logins and
/// backoffs for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Audience {
    pub(super) origin: Origin,
    pub(super) resource_server: Option<Arc<str>>,
}

impl Audience {
    pub(super) fn view(&self) -> AudienceRef<'_> {
        AudienceRef {
            origin: self.origin.view(),
            resource_server: self.resource_server.as_deref(),
        }
    }
}

/// A borrowed [`Audience`].
#[derive(Clone, Copy, PartialEq)]
pub(super) struct AudienceRef<'a> {
    pub(super) origin: OriginRef<'a>,
    pub(super) resource_server: Option<&'a str>,
}

impl AudienceRef<'_> {
    pub(super) fn to_owned(self) -> Audience {
        Audience {
            origin: self.origin.to_owned(),
            resource_server: self.resource_server.map(Arc::from),
        }
    }
}

/// A service and a principal. Each has a credential of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    audience: Audience,
    principal: Principal,
    collection: Option<Arc<str>>,
}

impl Target {
    /// The service at `origin`, for `principal`.
    pub fn new(origin: Origin, principal: Principal) -> Self {
        let audience = Audience {
            origin,
            resource_server: None,
        };
        Self::of(audience, principal)
    }

    pub(super) fn of(audience: Audience, principal: Principal) -> Self {
        Self {
            audience,
            principal,
            collection: None,
        }
    }

    pub(super) fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The origin of the service. In Globus Auth it belongs to a resource server, which has tokens
    /// of its own.
    pub fn origin(&self) -> &Origin {
        &self.audience.origin
    }

    /// Sets the name of the resource server, if the origin has several.
    #[must_use]
    pub fn with_resource_server(mut self, name: impl Into<Arc<str>>) -> Self {
        self.audience.resource_server = Some(name.into());
        self
    }

    /// The resource server, named by the [request](super::GareOptions::resource_server) or by the
    /// [reauthenticator](super::Reauthenticator::resource_server). `None` is the resource server
    /// that the origin belongs to.
    pub fn resource_server(&self) -> Option<&str> {
        self.audience.resource_server.as_deref()
    }

    /// Sets the id of the collection. The origin is its HTTPS server.
    #[must_use]
    pub fn with_collection(mut self, collection: impl Into<Arc<str>>) -> Self {
        self.collection = Some(collection.into());
        self
    }

    /// The id of the collection, if the session knows that the origin is its HTTPS server.
    pub fn collection(&self) -> Option<&str> {
        self.collection.as_deref()
    }

    /// The principal of the request.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

/// The user that a request belongs to.
///
/// Each principal has credentials and logins of its own. The credential of one principal is never
/// sent with a request of another.
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
    /// The session's own principal, of requests without an `Authorization` header.
    Session,
    /// A principal that the program names with
    /// [`GareOptions::principal`](super::GareOptions::principal) or
    /// [`SessionBuilder::principal_by`](super::SessionBuilder::principal_by).
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
