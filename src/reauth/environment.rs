use std::collections::BTreeMap;
use std::env;

use http::Uri;
use thiserror::Error;

/// The prefix of the variables that set the base URL of one service.
const SERVICE_URL: &str = "GLOBUS_SDK_SERVICE_URL_";

/// A Globus environment: the domain of its services, and the base URL of each.
///
/// [`from_env`](Self::from_env) reads the variables that the Globus SDKs read.
/// `GLOBUS_SDK_ENVIRONMENT` names the environment; the default is `production`.
/// `GLOBUS_SDK_SERVICE_URL_<SERVICE>` is the base URL of one service. An empty value counts as not
/// set. An invalid value is an error only when it is used.
///
/// ```
/// use globus_gare::Environment;
///
/// let environment = Environment::from_variables([
///     ("GLOBUS_SDK_ENVIRONMENT", "preview"),
///     ("GLOBUS_SDK_SERVICE_URL_TRANSFER", "http://127.0.0.1:8080"),
/// ]);
/// assert_eq!(environment.name(), "preview");
/// assert_eq!(environment.service_url("auth")?, "https://auth.preview.globus.org/");
/// assert_eq!(environment.service_url("transfer")?, "http://127.0.0.1:8080/");
/// # Ok::<(), globus_gare::reauth::InvalidEnvironment>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    name: String,
    /// By the name of the service in capitals, as in the variable.
    service_urls: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the environment variables of this process.
    pub fn from_env() -> Self {
        // A variable that is not Unicode names neither an environment nor a URL.
        let text = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_variables(text)
    }

    /// Reads the environment from `variables`, pairs of name and value. Unknown names are ignored.
    pub fn from_variables<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: Into<String>,
    {
        let mut environment = Self::default();
        for (name, value) in variables {
            let (name, value) = (name.as_ref(), value.into());
            if value.is_empty() {
                continue;
            }
            if name == "GLOBUS_SDK_ENVIRONMENT" {
                environment.name = value;
            } else if let Some(service) = name.strip_prefix(SERVICE_URL) {
                environment.service_urls.insert(service.to_owned(), value);
            }
        }
        environment
    }

    /// The name of the environment, as in the Globus SDKs: `production`, `preview`, ...
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The domain of the environment's services. `None` if the name is not that of an environment.
    pub(super) fn domain(&self) -> Option<&'static str> {
        match self.name.as_str() {
            "production" => Some("globus.org"),
            "preview" => Some("preview.globus.org"),
            "sandbox" => Some("sandbox.globuscs.info"),
            "integration" => Some("integration.globuscs.info"),
            "test" => Some("test.globuscs.info"),
            "staging" => Some("staging.globuscs.info"),
            _ => None,
        }
    }

    /// The base URL of a service, such as `auth` or `transfer`, with a slash at its end.
    ///
    /// # Errors
    ///
    /// If the service's variable is set and is not an `http` or `https` URL, or if it is not set
    /// and the name is not that of an environment.
    pub fn service_url(&self, service: &str) -> Result<String, InvalidEnvironment> {
        let url = self.find_service_url(service);
        url.map_err(InvalidEnvironment)
    }

    fn find_service_url(&self, service: &str) -> Result<String, Fault> {
        let variable = service.to_ascii_uppercase();
        if let Some(url) = self.service_urls.get(&variable) {
            return base(url).ok_or(Fault::ServiceUrl(variable));
        }
        let host = self.host(service);
        let host = host.ok_or_else(|| Fault::Name(self.name.clone()))?;
        base(&format!("https://{host}/")).ok_or_else(|| Fault::Service(service.into()))
    }

    /// The default host of a service.
    pub(super) fn host(&self, service: &str) -> Option<String> {
        let domain = self.domain()?;
        Some(match service {
            "app" | "auth" => format!("{service}.{domain}"),
            // In every environment these are under `globus.org`.
            "actions" | "flows" | "timer" if self.name == "production" => {
                format!("{service}.automate.globus.org")
            }
            "actions" | "flows" | "timer" => {
                format!("{}.{service}.automate.globus.org", self.name)
            }
            _ => format!("{service}.api.{domain}"),
        })
    }

    /// The services with a variable, and its value, which may be invalid.
    pub(super) fn named_service_urls(&self) -> impl Iterator<Item = (&str, &str)> {
        let urls = self.service_urls.iter();
        urls.map(|(service, url)| (service.as_str(), url.as_str()))
    }
}

impl Default for Environment {
    /// The production environment, with every service at its default URL.
    fn default() -> Self {
        Self {
            name: "production".to_owned(),
            service_urls: BTreeMap::new(),
        }
    }
}

/// The URL without query and fragment and with a slash at its end, so that a path can follow.
fn base(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let path = uri.path().trim_end_matches('/');
    Some(format!("{scheme}://{}{path}/", uri.authority()?))
}

/// An error from [`Environment::service_url`]: a variable holds an invalid value, or no service can
/// have this name. Its text names the variable.
#[derive(Clone, Debug, Error)]
#[error(transparent)]
pub struct InvalidEnvironment(Fault);

#[derive(Clone, Debug, Error)]
enum Fault {
    #[error("GLOBUS_SDK_ENVIRONMENT names no environment: {0:?}")]
    Name(String),
    /// With the service in capitals.
    #[error("{SERVICE_URL}{0} is not an http or https URL")]
    ServiceUrl(String),
    #[error("no service has the name {0:?}")]
    Service(String),
}
