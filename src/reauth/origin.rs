use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use http::uri::Authority;
use http::{Extensions, Uri};
use thiserror::Error;

/// An origin (RFC 6454): a scheme, a host and a port.
///
/// ```
/// use globus_gare::reauth::Origin;
///
/// # fn main() -> Result<(), globus_gare::reauth::InvalidOrigin> {
/// let origin: Origin = "https://Transfer.api.globus.org/v0.10/".parse()?;
/// assert_eq!(origin.to_string(), "https://transfer.api.globus.org");
/// assert!("https://globus.org@evil.example/".parse::<Origin>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    secure: bool,
    host: Arc<str>,
    port: u16,
}

impl Origin {
    /// The origin of an absolute `http` or `https` URI.
    ///
    /// # Errors
    ///
    /// If the URI is relative, has another scheme, or holds user information
    /// (`https://globus.org@evil.example/`). No Globus service uses user information, and it
    /// misleads readers.
    pub fn of(uri: &Uri) -> Result<Self, InvalidOrigin> {
        Ok(OriginRef::of(uri)?.to_owned())
    }

    pub(super) fn view(&self) -> OriginRef<'_> {
        OriginRef {
            secure: self.secure,
            host: &self.host,
            port: self.port,
        }
    }

    /// Whether the scheme is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, in lower case; an IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; the default port of the scheme if the URI has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is this machine: `127.0.0.0/8`, `[::1]` or `localhost`.
    pub fn is_loopback(&self) -> bool {
        self.view().is_loopback()
    }
}

/// A borrowed [`Origin`].
#[derive(Clone, Copy)]
pub(crate) struct OriginRef<'a> {
    pub(crate) secure: bool,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> OriginRef<'a> {
    pub(super) fn of(uri: &'a Uri) -> Result<Self, InvalidOrigin> {
        let scheme = uri.scheme_str().unwrap_or_default();
        Self::parse(scheme, uri.authority().map_or("", Authority::as_str))
    }

    /// The origin of a scheme and an authority. Either is empty if the URI does not have it.
    pub(super) fn parse(scheme: &str, authority: &'a str) -> Result<Self, InvalidOrigin> {
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(InvalidOrigin::UNREADABLE),
        };
        let (host, port) = split(authority).ok_or(InvalidOrigin::UNREADABLE)?;
        let port = match port {
            None => default_port(secure),
            Some(port) => port.parse().map_err(|_| InvalidOrigin::UNREADABLE)?,
        };
        if host.is_empty() {
            return Err(InvalidOrigin::UNREADABLE);
        }
        Ok(Self { secure, host, port })
    }

    pub(super) fn to_owned(self) -> Origin {
        Origin {
            secure: self.secure,
            host: match self.host.bytes().any(|byte| byte.is_ascii_uppercase()) {
                true => self.host.to_ascii_lowercase().into(),
                false => self.host.into(),
            },
            port: self.port,
        }
    }

    pub(super) fn is_loopback(self) -> bool {
        let literal = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host.eq_ignore_ascii_case("localhost")
            || literal
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn has_default_port(self) -> bool {
        self.port == default_port(self.secure)
    }
}

impl PartialEq for OriginRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        let same = self.secure == other.secure && self.port == other.port;
        // Nearly all hosts are in lower case, so the plain comparison comes first.
        same && (self.host == other.host || self.host.eq_ignore_ascii_case(other.host))
    }
}

/// The host and the port of an authority. `None` if it has anything else: user information, which
/// ends with an `@`, or text between an address in brackets and its port, which clients and readers
/// understand differently.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    let bytes = authority.as_bytes();
    let end = if bytes.first() == Some(&b'[') {
        let end = memchr::memchr2(b'@', b']', bytes)?;
        (bytes.get(end) == Some(&b']')).then_some(end + 1)?
    } else {
        memchr::memchr2(b'@', b':', bytes).unwrap_or(bytes.len())
    };
    match authority.split_at_checked(end)? {
        (host, "") => Some((host, None)),
        // Before an `@` stands a password, not a port. The caller parses the number.
        (host, rest) => Some((host, Some(rest.strip_prefix(':')?))),
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri = text.parse().map_err(|_| InvalidOrigin::UNREADABLE)?;
        Self::of(&uri)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            if self.secure { "https" } else { "http" },
            self.host
        )?;
        if self.view().has_default_port() {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

/// The URL that a response came from. For clients that follow redirects.
///
/// A client inserts it into the extensions of a response. The layer then also checks the origin
/// that sent the response: after a redirect to an origin that is not [trusted](super::Trust), a
/// challenge starts nothing. With the feature `follow-redirect` the layer also reads the URL that
/// `FollowRedirect` of tower-http 0.7 inserts.
///
/// ```
/// use globus_gare::reauth::ResponseUrl;
///
/// # fn adapt(url: &str) -> Result<http::Response<()>, http::Error> {
/// let mut response = http::Response::new(());
/// response.extensions_mut().insert(ResponseUrl(url.parse()?));
/// # Ok(response)
/// # }
/// # adapt("https://transfer.api.globus.org/").unwrap();
/// ```
#[derive(Clone)]
pub struct ResponseUrl(pub Uri);

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may hold a code, and user information a password.
        let origin = Origin::of(&self.0).ok();
        f.debug_struct("ResponseUrl")
            .field("origin", &origin.map(|origin| origin.to_string()))
            .field("path", &self.0.path())
            .finish_non_exhaustive()
    }
}

impl ResponseUrl {
    /// The URI that the response came from, if the client recorded it.
    pub(crate) fn told(extensions: &Extensions) -> Option<&Uri> {
        let told = extensions.get::<Self>().map(|answered| &answered.0);
        #[cfg(feature = "follow-redirect")]
        let told = told.or_else(|| {
            let followed = extensions.get::<tower_http::follow_redirect::RequestUri>();
            followed.map(|followed| &followed.0)
        });
        told
    }
}

/// An error: the text is not an origin, or the origin cannot be trusted.
#[derive(Clone, Copy, Debug, Error)]
#[error("{0}")]
pub struct InvalidOrigin(&'static str);

impl InvalidOrigin {
    pub(super) const INSECURE: Self =
        Self("plain http is trusted on this machine only: give an https URL");
    const UNREADABLE: Self =
        Self("not an origin: give an absolute http or https URL without user information");
}
