use super::origin::OriginRef;
use super::{Environment, InvalidOrigin, Origin};

/// The origins that are listened to and given a credential.
///
/// A requirement from anywhere else starts nothing, and no credential is sent
/// there. [`Trust::globus`] is what a [`Session`](super::Session) begins with.
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

    /// Nobody, until an origin is added.
    pub fn none() -> Self {
        Self {
            domain: None,
            origins: Vec::new(),
            loopback: false,
        }
    }

    /// Adds one origin: scheme, host and port must all be the same.
    ///
    /// # Errors
    ///
    /// Where `origin` is not an absolute URL, or is plain `http` and not on this
    /// machine: a credential never goes over a network in the clear.
    pub fn origin(mut self, origin: impl AsRef<str>) -> Result<Self, InvalidOrigin> {
        let origin: Origin = origin.as_ref().parse()?;
        if !may_get_credentials(&origin) {
            return Err(InvalidOrigin::INSECURE);
        }
        self.origins.push(origin);
        Ok(self)
    }

    /// Adds every port of this machine, over `http` too: for tests.
    #[must_use]
    pub fn loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Whether `origin` is among the trusted.
    pub fn allows(&self, origin: &Origin) -> bool {
        self.allows_view(origin.view())
    }

    pub(super) fn allows_view(&self, origin: OriginRef<'_>) -> bool {
        self.is_globus(origin) || self.was_added(origin)
    }

    /// Whether the program itself added `origin`, which is no service of Globus: one that quotes a refused login is heard.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn only_https_under_the_environments_domain_is_trusted() {
        let trust = Trust::of(&Environment::default());
        for (url, trusted) in [
            ("https://transfer.api.globus.org/v0.10/", true),
            ("https://globus.org", true),
            ("https://AUTH.GLOBUS.ORG:443/", true),
            ("https://g-05a4b6.2d513.8443.data.globus.org/file", true),
            ("https://globus.org.evil.example/", false),
            ("https://notglobus.org/", false),
            ("https://xglobus.org", false),
            ("https://transfer.api.globux.org/", false),
            ("https://Transfer.API.Globus.org/", true),
            ("http://transfer.api.globus.org/", false),
            ("https://transfer.api.globus.org:8443/", false),
            ("https://globus.org./", false),
            ("https://xn--glbus-jua.org/", false),
            ("https://127.0.0.1/", false),
            ("http://localhost:8080/", false),
        ] {
            let origin: Origin = url.parse().expect(url);
            assert_eq!(trust.allows(&origin), trusted, "{url}");
            // As it stands in the URL, capitals and all.
            let uri: http::Uri = url.parse().expect(url);
            let view = OriginRef::of(&uri).expect(url);
            assert_eq!(trust.allows_view(view), trusted, "{url}");
        }
    }

    #[checks::test]
    fn url_with_a_tricky_authority_is_no_origin() {
        for url in [
            "https://globus.org@evil.example/",
            "https://transfer.api.globus.org:pw@evil.example/",
            "https://evil.example\\@globus.org/",
            "https://[globus.org@evil.example]/",
            "https://[::1]:443@evil.example/",
            // A client connects to the address, whatever comes after it.
            "https://[2001:db8::1].globus.org/",
            "https://[2001:db8::1]globus.org:443/",
            "https://transfer.api.globus.org:99999/",
            "https://glo\u{431}us.org/",
            "ftp://globus.org/",
            "//globus.org/",
            "/v0.10/endpoint",
            "",
        ] {
            assert!(url.parse::<Origin>().is_err(), "{url}");
        }
    }

    #[checks::test]
    fn plain_http_is_trusted_on_loopback_only() {
        assert!(Trust::none().origin("http://data.example.edu").is_err());
        assert!(Trust::none().origin("http://127.0.0.1:8080").is_ok());
        let trust = Trust::none().loopback();
        for (url, trusted) in [
            ("http://127.0.0.1:8080", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:8080", true),
            ("http://localhost:1", true),
            ("https://localhost", true),
            ("http://localhost.evil.example", false),
            ("http://10.0.0.1", false),
            ("http://[::2]", false),
        ] {
            assert_eq!(trust.allows(&url.parse().expect(url)), trusted, "{url}");
        }
    }

    #[checks::test]
    fn added_origin_trusts_no_other_origin() {
        let trust = Trust::none()
            .origin("https://data.example.edu:8443/some/path")
            .expect("an origin");
        assert!(trust.allows(&"https://data.example.edu:8443".parse().expect("an origin")));
        assert!(!trust.allows(&"https://data.example.edu".parse().expect("an origin")));
        assert!(
            !trust.allows(
                &"https://sub.data.example.edu:8443"
                    .parse()
                    .expect("an origin")
            )
        );
    }

    #[checks::test]
    fn origin_ignores_case() {
        let trust = Trust::none().origin("https://Data.Example.edu");
        let trust = trust.expect("an origin");
        for (url, trusted) in [
            ("https://data.example.edu/", true),
            ("https://DATA.example.EDU/", true),
            ("https://DATA.example.ORG/", false),
        ] {
            let uri: http::Uri = url.parse().expect(url);
            let view = OriginRef::of(&uri).expect(url);
            assert_eq!(trust.allows_view(view), trusted, "{url}");
        }
    }
}
