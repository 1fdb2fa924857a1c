//! Who is logged in, and the end of a login.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::HttpRequest;
use serde::Deserialize;
use url::form_urlencoded;

use super::settings::Settings;
use super::transport::Transport;
use globus_gare::reauth::{Credential, ReauthError, printable};

/// Globus Auth as a resource server.
pub(super) const SERVER: &str = "auth.globus.org";

/// A person as Globus Auth knows them: what
/// [`GlobusApp::account`](super::GlobusApp::account) gives.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The id of the primary identity.
    #[serde(rename = "sub")]
    pub id: String,
    /// The username, such as `ada@uchicago.edu`.
    #[serde(rename = "preferred_username", default)]
    pub username: Option<String>,
    /// The name that people use.
    #[serde(default)]
    pub name: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
}

impl Account {
    /// The name that the person knows best, on one line.
    pub(super) fn called(&self) -> String {
        let name = [&self.username, &self.email, &self.name];
        let name = name.into_iter().flatten().next().unwrap_or(&self.id);
        printable(name)
    }
}

/// Asks Globus Auth whose token it is (OpenID Connect Core 1.0, section 5.3);
/// `None` where the token is of no use any more.
pub(super) async fn ask(
    settings: &Settings,
    transport: &Transport,
    credential: &Credential,
) -> Result<Option<Account>, ReauthError> {
    let failed = "Globus Auth could not be asked who is logged in";
    let request = http::Request::get(settings.endpoints.userinfo.as_str())
        .header(AUTHORIZATION, credential.header_value())
        .header(ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|error| ReauthError::with_source(failed, error))?;
    let answer = transport.send(request).await;
    let answer = answer.map_err(|error| ReauthError::with_source(failed, error))?;
    match answer.status().as_u16() {
        401 | 403 => Ok(None),
        200 => serde_json::from_slice(answer.body())
            .map(Some)
            .map_err(|_| ReauthError::new(format!("{failed}: it answered with something else"))),
        status => Err(ReauthError::new(format!(
            "{failed}: it answered with status {status}"
        ))),
    }
}

/// Revokes an access token or a refresh token (RFC 7009).
pub(super) async fn revoke(
    settings: &Settings,
    transport: &Transport,
    token: &str,
) -> Result<(), ReauthError> {
    let failed = "Globus Auth could not be told to revoke a token";
    let request = revocation(settings, token);
    let request = request.map_err(|error| ReauthError::with_source(failed, error))?;
    let answer = transport.send(request).await;
    let answer = answer.map_err(|error| ReauthError::with_source(failed, error))?;
    if answer.status().is_success() {
        return Ok(());
    }
    let status = answer.status().as_u16();
    Err(ReauthError::new(format!(
        "{failed}: it answered with status {status}"
    )))
}

fn revocation(settings: &Settings, token: &str) -> Result<HttpRequest, http::Error> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token)
        .append_pair("client_id", &settings.client_id);
    if let Some(secret) = &settings.client_secret {
        form.append_pair("client_secret", secret.secret());
    }
    http::Request::post(settings.endpoints.revoke.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.finish().into_bytes())
}
