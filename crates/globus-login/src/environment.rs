use std::env;

use url::Url;

use super::SetupError;
use globus_gare::reauth::environment_domain;

/// The base URL of a Globus service, such as `auth` or `transfer`, with a slash at its end.
///
/// As in the Globus SDKs, `GLOBUS_SDK_SERVICE_URL_<SERVICE>` names it where it
/// is set; otherwise it follows from `GLOBUS_SDK_ENVIRONMENT`, and from
/// `production` where that is not set either.
///
/// # Errors
///
/// Where the variable holds no http or https URL, or the environment is unknown.
///
/// ```
/// let transfer = globus_login::service_url("transfer")?;
/// # if std::env::var_os("GLOBUS_SDK_ENVIRONMENT").is_none()
/// #     && std::env::var_os("GLOBUS_SDK_SERVICE_URL_TRANSFER").is_none() {
/// assert_eq!(transfer.as_str(), "https://transfer.api.globus.org/");
/// # }
/// # Ok::<(), globus_login::SetupError>(())
/// ```
pub fn service_url(service: &str) -> Result<Url, SetupError> {
    look_up(service, |name| env::var(name).ok())
}

fn look_up(service: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Url, SetupError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let name = format!("GLOBUS_SDK_SERVICE_URL_{}", service.to_ascii_uppercase());
    if let Some(url) = set(&name) {
        return base(&url)
            .ok_or_else(|| SetupError::new(format!("{name} is not an http or https URL")));
    }
    let environment = set("GLOBUS_SDK_ENVIRONMENT").unwrap_or_else(|| "production".to_owned());
    let domain = environment_domain(&environment).ok_or_else(|| {
        SetupError::new(format!(
            "GLOBUS_SDK_ENVIRONMENT names no environment: {environment:?}"
        ))
    })?;
    let host = match (service, environment.as_str()) {
        ("app" | "auth", _) => format!("{service}.{domain}"),
        ("actions" | "flows" | "timer", "production") => format!("{service}.automate.globus.org"),
        ("actions" | "flows" | "timer", _) => {
            format!("{environment}.{service}.automate.globus.org")
        }
        _ => format!("{service}.api.{domain}"),
    };
    base(&format!("https://{host}/"))
        .ok_or_else(|| SetupError::new(format!("no service has the name {service:?}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn url(service: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let of = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        look_up(service, of)
            .map(String::from)
            .map_err(|error| error.to_string())
    }

    #[checks::test]
    fn the_urls_are_those_of_the_python_sdk() {
        let environment = |name| [("GLOBUS_SDK_ENVIRONMENT", name)];
        for (service, variables, expected) in [
            ("auth", &[][..], "https://auth.globus.org/"),
            ("transfer", &[], "https://transfer.api.globus.org/"),
            ("timer", &[], "https://timer.automate.globus.org/"),
            (
                "auth",
                &environment("preview"),
                "https://auth.preview.globus.org/",
            ),
            (
                "transfer",
                &environment("sandbox"),
                "https://transfer.api.sandbox.globuscs.info/",
            ),
            (
                "flows",
                &environment("preview"),
                "https://preview.flows.automate.globus.org/",
            ),
            ("auth", &environment(""), "https://auth.globus.org/"),
            (
                "auth",
                &[("GLOBUS_SDK_SERVICE_URL_AUTH", "http://127.0.0.1:8080")],
                "http://127.0.0.1:8080/",
            ),
            (
                "auth",
                &[("GLOBUS_SDK_SERVICE_URL_AUTH", "https://x.example/auth?q#f")],
                "https://x.example/auth/",
            ),
            (
                "transfer",
                &[("GLOBUS_SDK_SERVICE_URL_AUTH", "http://x")],
                "https://transfer.api.globus.org/",
            ),
        ] {
            assert_eq!(
                url(service, variables).as_deref(),
                Ok(expected),
                "{service} {variables:?}"
            );
        }
    }

    #[checks::test]
    fn what_is_set_wrongly_is_named() {
        let error = url("auth", &[("GLOBUS_SDK_ENVIRONMENT", "prodution")])
            .expect_err("no such environment");
        assert!(
            error.contains("GLOBUS_SDK_ENVIRONMENT") && error.contains("prodution"),
            "{error}"
        );
        let error = url(
            "auth",
            &[("GLOBUS_SDK_SERVICE_URL_AUTH", "auth.globus.org")],
        )
        .expect_err("no URL");
        assert!(error.contains("GLOBUS_SDK_SERVICE_URL_AUTH"), "{error}");
    }
}
