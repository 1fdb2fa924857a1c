use globus_gare::Environment;
use url::Url;

use super::SetupError;

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
