use std::sync::Arc;

use super::origin::OriginRef;
use super::{Environment, InvalidOrigin, Origin};

/// The origins that get credentials and can trigger a login.
///
/// A challenge from another origin starts no login, and no credential is sent there. The default of
/// a [`Session`](super::Session) is [`Trust::globus`].
///
/// ```
/// use globus_gare::reauth::{Origin, Trust};
///
/// # fn main() -> Result<(), globus_gare::reauth::InvalidOrigin> {
/// let trust = Trust::globus().origin("https://data.example.edu")?;
/// assert!(trust.allows(&"https://transfer.api.globus.org".parse()?));
/// assert!(trust.allows(&"https://data.example.edu/path".parse()?));
/// assert!(!trust.allows(&"https://globus.org.evil.example".parse()?));
/// assert!(!trust.allows(&"http://transfer.api.globus.org".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Trust {
    globus: Option<Services>,
    origins: Vec<Origin>,
    /// HTTPS servers of collections, and the collections' ids.
    servers: Vec<(Origin, Arc<str>)>,
    collections: bool,
    loopback: bool,
}

/// The reason why an origin is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrustedAs {
    /// One of Globus' own services.
    Service,
    /// An origin that the program added.
    Added,
    /// The HTTPS server or the manager of a collection, which the collection's owner runs.
    Collection,
}

/// The domains of the hosts of endpoints and of their collections.
const COLLECTIONS: [&str; 4] = [
    ".data.globus.org",
    ".gaccess.io",
    ".dn.glob.us",
    ".dnsteam.globuscs.info",
];

/// Globus' own services in one environment.
#[derive(Clone, Debug)]
struct Services {
    /// Hosts that are not under `api`, and their services.
    named: Vec<(String, &'static str)>,
    /// The domain of the other hosts: one label stands before it.
    api: Option<String>,
    /// Services with a variable, and their origins, if a credential may be sent there.
    elsewhere: Vec<(String, Option<Origin>)>,
}

impl Trust {
    /// Globus' own services, in the environment that the variables of this process name:
    /// [`of`](Self::of) [`Environment::from_env`].
    pub fn globus() -> Self {
        Self::of(&Environment::from_env())
    }

    /// Globus' own services in `environment`, with `https` and on the default port.
    ///
    /// In production these are `auth.globus.org`, `app.globus.org`, one label under
    /// `api.globus.org` such as `transfer.api.globus.org`, and `flows`, `timer` and `actions` under
    /// `automate.globus.org`. If `GLOBUS_SDK_SERVICE_URL_<SERVICE>` is set, the service is trusted
    /// at that URL instead, which must be `https`, or `http` on this machine. An unknown
    /// environment has no services.
    ///
    /// Owners run the hosts of their collections, so these are not included: see
    /// [`collections`](Self::collections).
    pub fn of(environment: &Environment) -> Self {
        let named = environment.named_service_urls();
        let elsewhere = named.map(|(service, url)| {
            let origin = url.parse().ok().filter(may_get_credentials);
            (service.to_ascii_lowercase(), origin)
        });
        let named = ["auth", "app", "flows", "timer", "actions"];
        let named = named.map(|service| Some((environment.host(service)?, service)));
        let services = Services {
            named: named.into_iter().flatten().collect(),
            api: environment.domain().map(|domain| format!(".api.{domain}")),
            elsewhere: elsewhere.collect(),
        };
        Self {
            globus: Some(services),
            ..Self::none()
        }
    }

    /// No origin.
    pub fn none() -> Self {
        Self {
            globus: None,
            origins: Vec::new(),
            servers: Vec::new(),
            collections: false,
            loopback: false,
        }
    }

    /// Adds one origin. Scheme, host and port must match.
    ///
    /// # Errors
    ///
    /// If `origin` is not an absolute URL, or is plain `http` and not on this machine: a credential
    /// is never sent over a network unencrypted.
    pub fn origin(mut self, origin: impl AsRef<str>) -> Result<Self, InvalidOrigin> {
        self.origins.push(secure(origin.as_ref())?);
        Ok(self)
    }

    /// Adds the hosts of all collections: those under `data.globus.org`, `gaccess.io`, `dn.glob.us`
    /// and `dnsteam.globuscs.info`, with `https` and on the default port.
    ///
    /// Owners run the hosts of their collections. Such a host gets only a credential that [names
    /// its collection](super::Credential::for_collection), even if it was added with
    /// [`origin`](Self::origin).
    #[must_use]
    pub fn collections(mut self) -> Self {
        self.collections = true;
        self
    }

    /// Adds the HTTPS server of the collection with this id, under any host name. The server is the
    /// `https_server` of the collection's document in Globus Transfer.
    ///
    /// # Errors
    ///
    /// As those of [`origin`](Self::origin).
    pub fn collection(
        mut self,
        server: impl AsRef<str>,
        collection: impl Into<Arc<str>>,
    ) -> Result<Self, InvalidOrigin> {
        let origin = secure(server.as_ref())?;
        self.servers.push((origin, collection.into()));
        Ok(self)
    }

    /// Adds every port of this machine, `http` included. For tests.
    #[must_use]
    pub fn loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Whether `origin` is trusted.
    pub fn allows(&self, origin: &Origin) -> bool {
        self.allows_view(origin.view())
    }

    pub(super) fn allows_view(&self, origin: OriginRef<'_>) -> bool {
        self.trusted_as(origin).is_some()
    }

    pub(super) fn trusted_as(&self, origin: OriginRef<'_>) -> Option<TrustedAs> {
        if self.is_globus(origin) {
            return Some(TrustedAs::Service);
        }
        if self.named_collection(origin).is_some() {
            return Some(TrustedAs::Collection);
        }
        let was_added = self.was_added(origin);
        if has_collections(origin.host) {
            let is_https = origin.secure && origin.has_default_port();
            let is_trusted = was_added || (self.collections && is_https);
            return is_trusted.then_some(TrustedAs::Collection);
        }
        was_added.then_some(TrustedAs::Added)
    }

    /// The collection that the program named for this server.
    pub(super) fn named_collection(&self, origin: OriginRef<'_>) -> Option<&Arc<str>> {
        let mut servers = self.servers.iter();
        let named = servers.find(|(known, _)| known.view() == origin);
        named.map(|(_, collection)| collection)
    }

    /// Whether this is Globus Auth.
    pub(super) fn is_auth(&self, origin: OriginRef<'_>) -> bool {
        let services = self.globus.as_ref();
        services.is_some_and(|services| services.include(origin) && services.is_auth(origin))
    }

    fn is_globus(&self, origin: OriginRef<'_>) -> bool {
        let services = self.globus.as_ref();
        services.is_some_and(|services| services.include(origin))
    }

    fn was_added(&self, origin: OriginRef<'_>) -> bool {
        (self.loopback && origin.is_loopback())
            || self.origins.iter().any(|known| known.view() == origin)
    }
}

impl Services {
    fn is_auth(&self, origin: OriginRef<'_>) -> bool {
        let elsewhere = self.elsewhere.iter().find(|(service, _)| service == "auth");
        match elsewhere {
            Some((_, at)) => at.as_ref().is_some_and(|at| at.view() == origin),
            None => self.named.iter().any(|(host, service)| {
                *service == "auth" && host.eq_ignore_ascii_case(origin.host)
            }),
        }
    }

    fn include(&self, origin: OriginRef<'_>) -> bool {
        let mut elsewhere = self.elsewhere.iter().filter_map(|(_, at)| at.as_ref());
        (origin.secure && origin.has_default_port() && self.include_host(origin.host))
            || elsewhere.any(|at| at.view() == origin)
    }

    fn include_host(&self, host: &str) -> bool {
        let is_lower = || !host.bytes().any(|byte| byte.is_ascii_uppercase());
        self.know(host) || (!is_lower() && self.know(&host.to_ascii_lowercase()))
    }

    fn know(&self, host: &str) -> bool {
        let of_api = self.api.as_ref();
        let of_api = of_api.and_then(|api| host.strip_suffix(api.as_str()));
        let service = match of_api.filter(|label| !label.is_empty() && !label.contains('.')) {
            Some(label) => label,
            None => match self.named.iter().find(|(known, _)| known == host) {
                Some((_, service)) => service,
                None => return false,
            },
        };
        self.elsewhere.iter().all(|(known, _)| known != service)
    }
}

fn has_collections(host: &str) -> bool {
    COLLECTIONS.iter().any(|domain| {
        let at = host.len().checked_sub(domain.len());
        let end = at.and_then(|at| host.get(at..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(domain))
    })
}

fn secure(origin: &str) -> Result<Origin, InvalidOrigin> {
    let origin = origin.parse()?;
    match may_get_credentials(&origin) {
        true => Ok(origin),
        false => Err(InvalidOrigin::INSECURE),
    }
}

/// Whether a credential stays secret on its way to `origin`.
fn may_get_credentials(origin: &Origin) -> bool {
    origin.is_secure() || origin.is_loopback()
}
