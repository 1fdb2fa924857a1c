use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use url::Url;

use super::callback;
use super::layer::WebLayer;
use crate::app::Who;
use crate::{GlobusApp, Sealer, SetupError};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Origin, Principal, ReauthError, Reauthenticator,
    Target,
};

/// The logins of a web service's users.
///
/// It is the [`Reauthenticator`] of the session that talks to Globus, the [layer](Self::layer) of
/// the router, and the [route](Self::routes) of the callback. As a `Reauthenticator` it waits for
/// nobody: a challenge that takes a login fails with [`LoginNeeded`], of which
/// [`WebError::check`](super::WebError::check) makes a way to the login.
///
/// Replicas of a service share the store of the app and the keys of the sealer, and nothing else.
///
/// # Clone
///
/// Clones are the same service.
#[derive(Clone)]
pub struct WebLogins(Arc<Shared>);

struct Shared {
    app: GlobusApp,
    sealer: Sealer,
    site: Url,
    callback: String,
}

/// A person has to log in: the cause of the error that a challenged request fails with.
///
/// Requests that were challenged together share the error. So it holds neither a URL nor the way
/// back: these are made for each response.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", challenge.in_plain_words())]
pub struct LoginNeeded {
    challenge: Challenge,
}

impl LoginNeeded {
    /// What a service asked for.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }
}

impl WebLogins {
    /// The logins of `app`, whose cookies and pending logins `sealer` seals. `site` is the address at
    /// which browsers find the service, such as `https://data.example.edu`.
    ///
    /// The app is that of a web service, with a [store](crate::GlobusAppBuilder::store) that all
    /// replicas share, and with a [redirect URI](crate::GlobusAppBuilder::redirect_uri) of the site.
    ///
    /// # Errors
    ///
    /// Where the site is not an `https` URL without a path (or `http`, on this machine), or the redirect
    /// URI is none of its own, or the app acts for itself.
    pub fn new(app: GlobusApp, sealer: Sealer, site: impl AsRef<str>) -> Result<Self, SetupError> {
        let unusable = "the site is not an https URL of a host without a path";
        let site =
            Url::parse(site.as_ref()).map_err(|error| SetupError::caused(unusable, error))?;
        let origin: Origin = site
            .origin()
            .ascii_serialization()
            .parse()
            .map_err(|error| SetupError::caused(unusable, error))?;
        let is_whole = site.as_str() == format!("{}/", site.origin().ascii_serialization());
        if !is_whole || !(origin.is_secure() || origin.is_loopback()) {
            return Err(SetupError::new(unusable));
        }
        if matches!(app.shared.who, Who::Client) {
            return Err(SetupError::new(
                "the app acts for itself, and has no users: make it with `GlobusApp::user`",
            ));
        }
        let redirect_uri = app.shared.settings.redirect_uri.url();
        if redirect_uri.origin() != site.origin() || redirect_uri.query().is_some() {
            return Err(SetupError::new(
                "the app's redirect URI is not a path of the site: set `redirect_uri`",
            ));
        }
        let callback = redirect_uri.path().to_owned();
        Ok(Self(Arc::new(Shared {
            app,
            sealer,
            site,
            callback,
        })))
    }

    /// The app.
    pub fn app(&self) -> &GlobusApp {
        &self.0.app
    }

    /// The callback: a route at the path of the app's redirect URI. It ends a login.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let logins = self.clone();
        let callback = get(move |request: Request| callback::callback(logins, request));
        Router::new().route(&self.0.callback, callback)
    }

    /// The layer of the router: [`WebUser`](super::WebUser) and [`WebError`](super::WebError) need it
    /// around them.
    pub fn layer(&self) -> WebLayer {
        WebLayer::new(self.clone())
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub(super) fn site(&self) -> &Url {
        &self.0.site
    }

    pub(super) fn callback_path(&self) -> &str {
        &self.0.callback
    }

    pub(super) fn is_secure(&self) -> bool {
        self.0.site.scheme() == "https"
    }

    /// What a sealed text is bound to, beside its own purpose: another service with the same key
    /// does not open it.
    pub(super) fn place<'a>(&'a self, purpose: [&'a str; 2]) -> [&'a str; 5] {
        let shared = &self.0.app.shared;
        let (environment, client) = (&shared.settings.environment, shared.auth.client_id());
        let [kind, of] = purpose;
        ["web", environment, client, kind, of]
    }
}

#[async_trait]
impl Reauthenticator for WebLogins {
    /// Waits for nobody: the error carries the challenge.
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        // A login for an unknown service would be for nothing.
        self.0.app.shared.require_audience(challenge.target())?;
        let challenge = challenge.clone();
        Err(ReauthError::interaction_required_elsewhere().with_source(LoginNeeded { challenge }))
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        self.0.app.credential(request).await
    }

    async fn serves_collection(
        &self,
        target: &Target,
        collection: &str,
    ) -> Result<bool, ReauthError> {
        self.0.app.serves_collection(target, collection).await
    }

    fn revision(&self, principal: &Principal) -> u64 {
        self.0.app.revision(principal)
    }
}

impl fmt::Debug for WebLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebLogins")
            .field("site", &self.0.site.as_str())
            .field("callback", &self.0.callback)
            .finish_non_exhaustive()
    }
}
