use std::error::Error;
use std::fmt;
use std::sync::Arc;

use oauth2::RedirectUrl;
use url::Url;

use super::LoginPrompt;
use super::app::{GlobusApp, Settings};
use super::environment::{base, service_url};
use super::resource_server::ResourceServers;
use super::scopes::Scopes;
use super::transport::Transport;
use crate::reauth::Origin;

/// Everything that a program may do at the Transfer service on behalf of its user.
const TRANSFER_ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// Sets up a [`GlobusApp`]: what [`GlobusApp::user`] returns.
#[must_use = "a builder does nothing until it is built"]
pub struct GlobusAppBuilder {
    client_id: String,
    auth_url: Option<String>,
    redirect_uri: Option<String>,
    scopes: Scopes,
    resource_servers: Vec<(String, String)>,
    refresh_tokens: bool,
    prompt: Option<Arc<dyn LoginPrompt>>,
}

impl GlobusAppBuilder {
    pub(super) fn new(client_id: String) -> Self {
        Self {
            client_id,
            auth_url: None,
            redirect_uri: None,
            scopes: Scopes::default(),
            resource_servers: Vec::new(),
            refresh_tokens: false,
            prompt: None,
        }
    }

    /// Where Globus Auth is; by default [`service_url`]`("auth")`.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.auth_url = Some(url.into());
        self
    }

    /// Where Globus Auth sends the browser after the login; by default its page
    /// `/v2/web/auth-code`, which shows the code to be pasted. The client must be
    /// registered with it.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The scopes to ask for, each alone or several in one text; by default
    /// `urn:globus:auth:scope:transfer.api.globus.org:all`. Scopes that a service
    /// turns out to require are added to them by the login.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = self.scopes.with(scopes);
        self
    }

    /// Says whose token goes to an origin, where the service is none of those of
    /// Globus itself: for a collection's HTTPS server its endpoint's id, for an
    /// action provider its client id.
    ///
    /// ```
    /// use globus_gare::login::GlobusApp;
    ///
    /// let collection = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
    ///     .scopes([format!("https://auth.globus.org/scopes/{collection}/https")])
    ///     .resource_server_for("https://g-05a4b6.2d513.8443.data.globus.org", collection)
    ///     .build()?;
    /// # Ok::<(), globus_gare::login::SetupError>(())
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

    /// Whether to ask for refresh tokens, with which the app renews an access
    /// token that has run out without asking anybody; no by default. They never
    /// answer a challenge.
    pub fn refresh_tokens(mut self, refresh_tokens: bool) -> Self {
        self.refresh_tokens = refresh_tokens;
        self
    }

    /// How to reach the person. Without one every login fails with
    /// [`is_interaction_required`](crate::reauth::ReauthError::is_interaction_required).
    pub fn prompt(mut self, prompt: impl LoginPrompt) -> Self {
        self.prompt = Some(Arc::new(prompt));
        self
    }

    /// Makes the app.
    ///
    /// # Errors
    ///
    /// Where a URL, an origin or the environment cannot be used, or Globus Auth
    /// would be spoken to over a network in the clear.
    pub fn build(self) -> Result<GlobusApp, SetupError> {
        if self.client_id.trim().is_empty() {
            return Err(SetupError::new("the client id is empty"));
        }
        let auth_url = match self.auth_url {
            Some(url) => base(&url).ok_or_else(|| {
                SetupError::new("the URL of Globus Auth is not an http or https URL")
            })?,
            None => service_url("auth")?,
        };
        let auth = origin(auth_url.as_str())?;
        if !auth.is_secure() && !auth.is_loopback() {
            return Err(SetupError::new(
                "plain http to Globus Auth is for this machine only: give an https URL",
            ));
        }
        let redirect_uri = match self.redirect_uri {
            // Kept as it was written: Globus Auth compares it with the registered one by its bytes.
            Some(uri) => RedirectUrl::new(uri)
                .map_err(|error| SetupError::caused("the redirect URI cannot be read", error))?,
            None => RedirectUrl::from_url(join(&auth_url, "v2/web/auth-code")?),
        };
        let transport = Transport::new(&auth)?;
        let mut resource_servers = ResourceServers::of_environment(auth)?;
        for (text, name) in self.resource_servers {
            resource_servers.add(origin(&text)?, name);
        }
        let scopes = if self.scopes.is_empty() {
            self.scopes.with([TRANSFER_ALL])
        } else {
            self.scopes
        };
        let settings = Settings {
            authorize_url: join(&auth_url, "v2/oauth2/authorize")?,
            token_url: join(&auth_url, "v2/oauth2/token")?,
            client_id: self.client_id.trim().to_owned(),
            redirect_uri,
            scopes,
            refresh_tokens: self.refresh_tokens,
        };
        Ok(GlobusApp::new(
            settings,
            resource_servers,
            self.prompt,
            transport,
        ))
    }
}

fn origin(text: &str) -> Result<Origin, SetupError> {
    text.parse()
        .map_err(|error| SetupError::caused(format!("{text:?} cannot be used"), error))
}

fn join(base: &Url, path: &str) -> Result<Url, SetupError> {
    base.join(path)
        .map_err(|error| SetupError::caused("the URL of Globus Auth cannot be used", error))
}

impl fmt::Debug for GlobusAppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobusAppBuilder")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// A [`GlobusApp`] that cannot be made of what it was given.
#[derive(Debug)]
pub struct SetupError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SetupError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    pub(super) fn caused(
        message: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(Box::new(source)),
        }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
