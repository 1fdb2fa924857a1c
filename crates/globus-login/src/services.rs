//! The resource servers of services, by origin and by path.

use std::sync::Arc;

use globus_gare::Environment;
use globus_gare::reauth::{Origin, ReauthError, RequestHead};
use url::Url;

use super::{GlobusAppBuilder, SetupError};

/// The services of Globus by their names in the SDKs, with their resource servers. A resource
/// server has the same name in every environment.
const SERVICES: [(&str, &str); 6] = [
    ("transfer", "transfer.api.globus.org"),
    ("groups", "groups.api.globus.org"),
    ("search", "search.api.globus.org"),
    ("flows", "flows.globus.org"),
    ("timer", "524230d7-ea86-4a52-8312-86065a9e0417"),
    ("compute", "funcx_service"),
];

impl GlobusAppBuilder {
    /// Names the resource server whose token goes to an origin, for a service that Globus itself
    /// does not run. The resource server of an action provider is its client id. For a collection,
    /// use [`collection`](Self::collection).
    ///
    /// ```
    /// use globus_login::GlobusApp;
    ///
    /// let provider = "5fac2e64-c734-4e6b-90ea-ff12ddbf9653";
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
    ///     .scopes([format!("https://auth.globus.org/scopes/{provider}/run")])
    ///     .resource_server_for("https://actions.example.edu", provider)
    ///     .build()?;
    /// # Ok::<(), globus_login::SetupError>(())
    /// ```
    pub fn resource_server_for(
        mut self,
        origin: impl Into<String>,
        resource_server: impl Into<String>,
    ) -> Self {
        self.resource_servers
            .push((origin.into(), resource_server.into()));
        self
    }

    /// Names the resource server whose token goes to `url` and the URLs below it, for an origin
    /// with several resource servers: each flow has its own. The longest matching URL counts. A
    /// request can [name another one](globus_gare::reauth::GareOptions::resource_server).
    ///
    /// ```
    /// use globus_login::GlobusApp;
    ///
    /// let flow = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
    /// let scope = format!("flow_{}_user", flow.replace('-', "_"));
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
    ///     .scopes([format!("https://auth.globus.org/scopes/{flow}/{scope}")])
    ///     .resource_server_below(format!("https://flows.automate.globus.org/flows/{flow}/run"), flow)
    ///     .build()?;
    /// # Ok::<(), globus_login::SetupError>(())
    /// ```
    pub fn resource_server_below(
        mut self,
        url: impl Into<String>,
        resource_server: impl Into<String>,
    ) -> Self {
        self.paths.push((url.into(), resource_server.into()));
        self
    }
}

/// The resource servers of origins and paths.
#[derive(Clone, Debug, Default)]
pub(super) struct ResourceServers {
    known: Vec<(Origin, String)>,
    /// The resource servers of services whose URL in the environment is invalid, each with the
    /// error.
    invalid: Vec<(&'static str, String)>,
    paths: Vec<PathRule>,
}

/// The resource server of a path, and of the paths below it, at an origin.
#[derive(Clone, Debug)]
struct PathRule {
    origin: Origin,
    /// Without a slash at its end.
    path: String,
    name: Arc<str>,
}

impl PathRule {
    /// Whether `path` is the rule's path or below it.
    fn holds_for(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&self.path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl ResourceServers {
    /// Globus Auth at `auth`, and the services of the environment at the URLs that the SDKs use.
    pub(super) fn of_environment(environment: &Environment, auth: Origin) -> Self {
        let mut servers = Self::default();
        // First, so that another service at the same origin replaces it.
        servers.add(auth, "auth.globus.org");
        for (service, name) in SERVICES {
            let url = environment.service_url(service);
            let url = url.map_err(|error| error.to_string());
            match url.and_then(|url| url.parse().map_err(|error| format!("{url}: {error}"))) {
                Ok(origin) => servers.add(origin, name),
                // Not an error yet: the program may not use the service.
                Err(problem) => servers.invalid.push((name, problem)),
            }
        }
        servers
    }

    /// Adds the resource server of an origin, or replaces it.
    pub(super) fn add(&mut self, origin: Origin, name: impl Into<String>) {
        self.known.retain(|(known, _)| *known != origin);
        self.known.push((origin, name.into()));
    }

    /// Adds the resource server of the URLs below `url`, or replaces it.
    pub(super) fn add_below(&mut self, url: &str, name: String) -> Result<(), SetupError> {
        let unusable = || format!("{url:?} is not an http or https URL");
        let parsed = Url::parse(url).map_err(|error| SetupError::caused(unusable(), error))?;
        let origin = parsed.as_str().parse();
        let origin: Origin = origin.map_err(|error| SetupError::caused(unusable(), error))?;
        let path = parsed.path().trim_end_matches('/').to_owned();
        self.paths
            .retain(|rule| rule.origin != origin || rule.path != path);
        let name = name.into();
        self.paths.push(PathRule { origin, path, name });
        // The longest path first.
        self.paths
            .sort_by_key(|rule| std::cmp::Reverse(rule.path.len()));
        Ok(())
    }

    /// The resource server that a rule names for the path of a request.
    pub(super) fn of_path(&self, request: &RequestHead<'_>) -> Option<Arc<str>> {
        let rules = self.paths.iter();
        let mut fitting = rules
            .filter(|rule| rule.holds_for(request.path()))
            .peekable();
        fitting.peek()?;
        let origin = request.origin()?;
        let rule = fitting.find(|rule| rule.origin == origin)?;
        Some(Arc::clone(&rule.name))
    }

    /// The origin of a resource server; of several, the one that was added last.
    pub(super) fn origin_of(&self, server: &str) -> Option<&Origin> {
        let known = self.known.iter().rfind(|(_, name)| name == server);
        known.map(|(origin, _)| origin)
    }

    /// The resource server of an origin. `None` for an unknown origin: a token must not go to a
    /// service that it was not issued for.
    pub(super) fn of<'a>(&'a self, origin: &'a Origin) -> Option<&'a str> {
        if let Some((_, name)) = self.known.iter().find(|(known, _)| known == origin) {
            return Some(name);
        }
        // The resource servers of Globus' older services have the names of their hosts.
        let by_host = origin.is_secure()
            && origin.port() == 443
            && origin.host().ends_with(".api.globus.org");
        let is_invalid = || self.invalid.iter().any(|(name, _)| *name == origin.host());
        (by_host && !is_invalid()).then(|| origin.host())
    }

    /// As [`of`](Self::of), with an error for an unknown origin that says what to do.
    pub(super) fn require<'a>(&'a self, origin: &'a Origin) -> Result<&'a str, ReauthError> {
        self.of(origin).ok_or_else(|| {
            let mut message = format!(
                "the resource server of {origin} is not known: name it with `resource_server_for`"
            );
            for (_, problem) in &self.invalid {
                message.push_str(&format!("; {problem}"));
            }
            ReauthError::new(message)
        })
    }
}

/// The base URL of `service` in `environment`.
pub(super) fn service_url(environment: &Environment, service: &str) -> Result<Url, SetupError> {
    let url = environment.service_url(service);
    let url = url.map_err(|error| SetupError::new(error.to_string()))?;
    base(&url).ok_or_else(|| SetupError::new(format!("{url} is not a URL")))
}

/// The URL with a slash at its end, so that paths can be joined to it.
pub(super) fn base(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}
