use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use thiserror::Error;
use tokio::time::Instant;

/// An `Authorization` header value, and its lifetime.
///
/// The value is a secret: `Debug` never shows it, the header is marked
/// [sensitive](HeaderValue::set_sensitive), and there is no `PartialEq` to
/// compare it with by accident. A clone is cheap.
///
/// ```
/// use std::time::Duration;
/// use globus_gare::reauth::Credential;
///
/// # fn main() -> Result<(), globus_gare::reauth::InvalidCredential> {
/// let credential = Credential::bearer("AgEX4mpl3")?.with_lifetime(Duration::from_secs(48 * 3600));
/// assert!(!format!("{credential:?}").contains("AgEX4mpl3"));
/// assert_eq!(credential.header_value(), "Bearer AgEX4mpl3");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Credential {
    value: HeaderValue,
    expires_at: Option<Instant>,
    lifetime: Duration,
    is_unverified: bool,
    collection: Option<Arc<str>>,
}

impl Credential {
    /// An OAuth 2 bearer token (RFC 6750, section 2.1).
    ///
    /// # Errors
    ///
    /// If `token` is empty or holds a character that a header cannot carry.
    pub fn bearer(token: impl AsRef<str>) -> Result<Self, InvalidCredential> {
        let token = token.as_ref();
        if token.is_empty() || token.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(InvalidCredential(()));
        }
        let value =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| InvalidCredential(()))?;
        Ok(Self::from_header_value(value))
    }

    /// A credential with this `Authorization` value. It is sent unchanged.
    pub fn from_header_value(mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        Self {
            value,
            expires_at: None,
            lifetime: Duration::MAX,
            is_unverified: false,
            collection: None,
        }
    }

    /// Sets how long the credential may be sent, from now on. By default there is no limit.
    ///
    /// After its lifetime, the session calls
    /// [`Reauthenticator::credential`](super::Reauthenticator::credential) before it sends the next
    /// request. A credential without a lifetime is sent until a service rejects it.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        // The clock cannot express every lifetime; those never end.
        self.expires_at = Instant::now().checked_add(lifetime);
        self.lifetime = lifetime;
        self
    }

    /// The value to send. It is a secret.
    pub fn header_value(&self) -> &HeaderValue {
        &self.value
    }

    pub(crate) fn into_header_value(self) -> HeaderValue {
        self.value
    }

    /// Marks a credential that may not come from a login for the requirement, for example because
    /// another program stored it. If the service then requires the same again, this does not count
    /// as a login that did not help.
    #[must_use]
    pub fn unverified(mut self) -> Self {
        self.is_unverified = true;
        self
    }

    /// Marks a credential for the HTTPS server of one collection, named by its id or its host. The
    /// credential is sent nowhere else, and no other is sent there: see
    /// [`Trust::collections`](super::Trust::collections).
    #[must_use]
    pub fn for_collection(mut self, collection: impl Into<Arc<str>>) -> Self {
        self.collection = Some(collection.into());
        self
    }

    /// The collection that the credential is for, if any.
    pub fn collection(&self) -> Option<&str> {
        self.collection.as_deref()
    }

    pub(crate) fn is_unverified(&self) -> bool {
        self.is_unverified
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Whether it ends within `window`, or within half of its lifetime if that is shorter.
    pub(crate) fn is_expiring(&self, window: Duration) -> bool {
        let window = window.min(self.lifetime / 2);
        self.left().is_some_and(|left| left <= window)
    }

    fn left(&self) -> Option<Duration> {
        let end = self.expires_at?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// Whether both have the same header value.
    pub(crate) fn sends_same_as(&self, other: &Self) -> bool {
        self.value.as_bytes() == other.value.as_bytes()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("expires_in", &self.left())
            .finish_non_exhaustive()
    }
}

/// An error from [`Credential::bearer`]: an `Authorization` header cannot carry the token.
#[derive(Clone, Debug, Error)]
#[error("the token is empty or holds characters that an Authorization header cannot carry")]
pub struct InvalidCredential(());
