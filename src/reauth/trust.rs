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
#[derive(Clone, Debug, Default)]
pub struct Trust {
    globus: Option<Services>,
    origins: Vec<Origin>,
    loopback: bool,
}

/// Globus' own services in one environment.
#[derive(Clone, Debug)]
struct Services {
    domain: Option<&'static str>,
    environment: String,
    /// Those that variables name: where they are, if a credential may go there.
    elsewhere: Vec<(String, Option<Origin>)>,
}

impl Trust {
    /// The services of the Globus environment that this process was started with:
    /// [`of`](Self::of) [`Environment::from_env`].
    pub fn globus() -> Self {
        Self::of(&Environment::from_env())
    }

    /// Globus' own services in `environment`, by name: for production these are `auth.globus.org`,
    /// `app.globus.org`, one label under `api.globus.org` such as `transfer.api.globus.org`, and
    /// `flows`, `timer` and `actions` under `automate.globus.org`, each with `https` and on the default
    /// port. A service whose `GLOBUS_SDK_SERVICE_URL_<SERVICE>` is set is trusted there instead, if a
    /// credential may go there (`https`, or `http` on this machine). An unknown environment has no
    /// names.
    ///
    /// The hosts of collections are run by their owners and are not among them: add those that you
    /// mean with [`origin`](Self::origin).
    pub fn of(environment: &Environment) -> Self {
        let named = environment.named_service_urls();
        let elsewhere = named.map(|(service, url)| {
            let origin = url.parse().ok().filter(may_get_credentials);
            (service.to_ascii_lowercase(), origin)
        });
        Self {
            globus: Some(Services {
                domain: environment.domain(),
                environment: environment.name().to_owned(),
                elsewhere: elsewhere.collect(),
            }),
            ..Self::none()
        }
    }

    /// No origin, until one is added.
    pub fn none() -> Self {
        Self::default()
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
            return Err(InvalidOrigin::Insecure);
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
        let services = self.globus.as_ref();
        services.is_some_and(|services| services.include(origin))
    }

    fn was_added(&self, origin: OriginRef<'_>) -> bool {
        (self.loopback && origin.is_loopback())
            || self.origins.iter().any(|known| known.view() == origin)
    }
}

impl Services {
    fn include(&self, origin: OriginRef<'_>) -> bool {
        let is_named = origin.secure
            && origin.has_default_port()
            && self.service(origin.host).is_some_and(|service| {
                let mut elsewhere = self.elsewhere.iter();
                !elsewhere.any(|(known, _)| known.eq_ignore_ascii_case(service))
            });
        let mut elsewhere = self.elsewhere.iter().filter_map(|(_, at)| at.as_ref());
        is_named || elsewhere.any(|at| at.view() == origin)
    }

    /// The service that has this host by default.
    fn service<'a>(&self, host: &'a str) -> Option<&'a str> {
        let domain = self.domain?;
        if let Some(name) = below(host, domain) {
            let of_api = below(name, "api").filter(|label| !label.contains('.'));
            let own = ["auth", "app"]
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name));
            if of_api.is_some() || own {
                return of_api.or(Some(name));
            }
        }
        // Also those of other environments are under `globus.org`.
        let name = below(host, "automate.globus.org")?;
        let service = match self.environment.as_str() {
            "production" => name,
            environment => {
                name.split_once('.')
                    .filter(|(first, _)| first.eq_ignore_ascii_case(environment))?
                    .1
            }
        };
        let known = ["actions", "flows", "timer"];
        let is_known = known
            .iter()
            .any(|known| known.eq_ignore_ascii_case(service));
        is_known.then_some(service)
    }
}

/// Whether a credential sent to `origin` stays secret on its way.
fn may_get_credentials(origin: &Origin) -> bool {
    origin.is_secure() || origin.is_loopback()
}

/// What `host`, in any case, has before a dot and `domain`.
fn below<'a>(host: &'a str, domain: &str) -> Option<&'a str> {
    let at = host.len().checked_sub(domain.len())?;
    let (rest, end) = host.split_at_checked(at)?;
    let name = rest.strip_suffix('.').filter(|name| !name.is_empty())?;
    end.eq_ignore_ascii_case(domain).then_some(name)
}
