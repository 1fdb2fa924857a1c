use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use url::Url;

use super::callback;
use super::layer::WebLayer;
use crate::app::Who;
use crate::{AppUser, GlobusApp, Sealer, SetupError, UserKey};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Origin, Principal, ReauthError, Reauthenticator,
    Target,
};

/// The logins of a web service's users.
///
/// A `WebLogins` is the [`Reauthenticator`] of the session that talks to Globus. It also makes the
/// [layer](Self::layer) of the router and the [route](Self::routes) of the callback. As a
/// `Reauthenticator` it never waits for a person: a challenge that needs a login fails with
/// [`LoginNeeded`], and [`WebError::check`](super::WebError::check) turns that into an error that
/// sends the user to the login.
///
/// Replicas of a service share the store of the app and the keys of the sealer, and nothing else.
///
/// # Clone
///
/// Clones share the app and the sealer.
#[derive(Clone)]
pub struct WebLogins(Arc<Shared>);

struct Shared {
    app: GlobusApp,
    sealer: Sealer,
    site: Url,
    callback: String,
    /// The users whose logout failed, and is tried again.
    logouts: Mutex<HashSet<UserKey>>,
}

/// How long to wait before each further attempt of a logout that failed.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];

/// The user has to log in: the source of the error that a challenged request fails with.
///
/// Requests that are challenged together share the error. So it holds neither a login URL nor a
/// return path: the layer makes these for each response.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", challenge.in_plain_words())]
pub struct LoginNeeded {
    challenge: Challenge,
}

impl LoginNeeded {
    /// The challenge that the login has to satisfy.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }
}

impl WebLogins {
    /// Makes the logins of `app`. `sealer` seals the cookies and the logins under way. `site` is
    /// the address at which browsers reach the service, such as `https://data.example.edu`.
    ///
    /// The app needs a [store](crate::GlobusAppBuilder::store) that all replicas share, and a
    /// [redirect URI](crate::GlobusAppBuilder::redirect_uri) on the site.
    ///
    /// # Errors
    ///
    /// If `site` is not an `https` URL without a path (or `http`, on this machine), if the redirect
    /// URI is not on the site, or if the app acts for itself ([`GlobusApp::confidential`]).
    pub fn new(app: GlobusApp, sealer: Sealer, site: impl AsRef<str>) -> Result<Self, SetupError> {
        let unusable = "the site has to be an https URL of a host without a path, such as \
                        https://data.example.edu (http on this machine alone)";
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
                "the app acts for itself and has no users: make it with `GlobusApp::user`",
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
            logouts: Mutex::default(),
        })))
    }

    /// Tries a logout that failed again, in one task for each user.
    pub(super) fn log_out_later(&self, user: AppUser) {
        if !self.logouts().insert(user.key.clone()) {
            return;
        }
        let logins = self.clone();
        tokio::spawn(async move {
            let mut failed = None;
            for pause in PAUSES {
                tokio::time::sleep(pause).await;
                failed = user.logout().await.err();
                if failed.is_none() {
                    break;
                }
            }
            logins.logouts().remove(&user.key);
            if let Some(error) = failed {
                tracing::warn!(user = user.key.user(), %error, "a logout failed");
            }
        });
    }

    fn logouts(&self) -> MutexGuard<'_, HashSet<UserKey>> {
        let logouts = self.0.logouts.lock();
        logouts.unwrap_or_else(PoisonError::into_inner)
    }

    /// The app.
    pub fn app(&self) -> &GlobusApp {
        &self.0.app
    }

    /// The route of the callback, at the path of the app's redirect URI. Globus Auth sends the
    /// browser there at the end of a login.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let logins = self.clone();
        let callback = get(move |request: Request| callback::callback(logins, request));
        Router::new().route(&self.0.callback, callback)
    }

    /// The layer of the router. Put it around all routes that use [`WebUser`](super::WebUser) or
    /// [`WebError`](super::WebError).
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

    /// The parts that a sealed text is bound to: its purpose and this service. Another service with
    /// the same key cannot open it.
    pub(super) fn place<'a>(&'a self, purpose: [&'a str; 2]) -> [&'a str; 5] {
        let shared = &self.0.app.shared;
        let (environment, client) = (&shared.settings.environment, shared.auth.client_id());
        let [kind, of] = purpose;
        ["web", environment, client, kind, of]
    }
}

#[async_trait]
impl Reauthenticator for WebLogins {
    /// Always fails: the error carries the challenge, or says that the service is not known.
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        // A login for an unknown service would bring no token for it.
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
