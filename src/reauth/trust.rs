use super::origin::OriginRef;
use super::{Environment, InvalidOrigin, Origin};

/// The origins that get credentials and can trigger a login.
///
/// A challenge from another origin starts nothing, and no credential is sent there. The default of a
/// [`Session`](super::Session) is [`Trust::globus`].
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
    domain: Option<&'static str>,
    origins: Vec<Origin>,
    loopback: bool,
}

impl Trust {
    /// The services of the Globus environment that this process was started with:
    /// [`of`](Self::of) [`Environment::from_env`].
    pub fn globus() -> Self {
        Self::of(&Environment::from_env())
    }

    /// The services of `environment`: every `https` origin, on the default port, under its domain, and
    /// the origins of the service URLs that its variables name, where a credential may go there
    /// (`https`, or `http` on this machine). An unknown environment has no domain.
    pub fn of(environment: &Environment) -> Self {
        let named = environment.named_service_urls();
        Self {
            domain: environment.domain(),
            origins: named
                .filter_map(|url| url.parse().ok())
                .filter(may_get_credentials)
                .collect(),
            loopback: false,
        }
    }

    /// No origin, until one is added.
    pub fn none() -> Self {
        Self {
            domain: None,
            origins: Vec::new(),
            loopback: false,
        }
    }

    /// Adds one origin. Scheme, host and port must match.
    ///
    /// # Errors
    ///
    /// If `origin` is not an absolute URL, or is plain `http` and not on this machine: a credential
    /// never crosses a network unencrypted.
    pub fn origin(mut self, origin: impl AsRef<str>) -> Result<Self, InvalidOrigin> {
        let origin: Origin = origin.as_ref().parse()?;
        if !may_get_credentials(&origin) {
            return Err(InvalidOrigin::INSECURE);
        }
        self.origins.push(origin);
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
        self.is_globus(origin) || self.was_added(origin)
    }

    /// Whether the program added `origin` and it is no Globus service. Quoted requirements count only
    /// from such an origin.
    pub(super) fn is_added(&self, origin: OriginRef<'_>) -> bool {
        self.was_added(origin) && !self.is_globus(origin)
    }

    fn is_globus(&self, origin: OriginRef<'_>) -> bool {
        self.domain.is_some_and(|domain| {
            origin.secure && origin.has_default_port() && is_under(origin.host, domain)
        })
    }

    fn was_added(&self, origin: OriginRef<'_>) -> bool {
        (self.loopback && origin.is_loopback())
            || self.origins.iter().any(|known| known.view() == origin)
    }
}

/// Whether a credential sent to `origin` stays secret on its way.
fn may_get_credentials(origin: &Origin) -> bool {
    origin.is_secure() || origin.is_loopback()
}

/// Whether `host`, in any case, is `domain` or ends with a dot and `domain`.
fn is_under(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.as_bytes(), domain.as_bytes());
    let Some((rest, end)) = host
        .len()
        .checked_sub(domain.len())
        .and_then(|at| host.split_at_checked(at))
    else {
        return false;
    };
    // Nearly all are in lower case.
    (end == domain || end.eq_ignore_ascii_case(domain)) && matches!(rest.last(), None | Some(b'.'))
}
