use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use oauth2::RedirectUrl;
use url::Url;

use super::attempt::Attempt;
use super::exchange::{exchange_refresh_token, tokens_of};
use super::grants::{Grants, Token};
use super::resource_server::ResourceServers;
use super::scopes::Scopes;
use super::transport::Transport;
use super::{GlobusAppBuilder, LoginPrompt, LoginRequest};
use crate::reauth::{Challenge, Credential, Identity, ReauthError, Reauthenticator, Target};

/// A program that is registered with Globus Auth, and logs its users in.
///
/// A [`Reauthenticator`]: give it to a [`GareLayer`](crate::layer::GareLayer).
/// A login is an OAuth 2 authorization code flow (RFC 6749, section 4.1) with
/// PKCE by S256 (RFC 7636) and a random `state`. It asks for the scopes of the
/// logins before it and those that the challenge requires, and keeps a token for
/// each resource server that answers; what it keeps, it keeps in memory.
///
/// # Clone
///
/// Clones are the same app: they share what was granted.
///
/// ```
/// use globus_gare::layer::GareLayer;
/// use globus_gare::login::{GlobusApp, LoginPrompt, LoginReply, LoginRequest};
/// # use globus_gare::reauth::ReauthError;
/// # struct Terminal;
/// # #[async_trait::async_trait]
/// # impl LoginPrompt for Terminal {
/// #     async fn ask(&self, _: &LoginRequest) -> Result<LoginReply, ReauthError> { Err(ReauthError::declined()) }
/// # }
///
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
///     .scopes(["urn:globus:auth:scope:transfer.api.globus.org:all", "openid"])
///     .prompt(Terminal)
///     .build()?;
/// let layer = GareLayer::new(app);
/// # Ok::<(), globus_gare::login::SetupError>(())
/// ```
#[derive(Clone)]
pub struct GlobusApp {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    resource_servers: ResourceServers,
    prompt: Option<Arc<dyn LoginPrompt>>,
    transport: Transport,
    grants: Mutex<Grants>,
}

/// What every login of the app has in common.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) authorize_url: Url,
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) redirect_uri: RedirectUrl,
    pub(super) scopes: Scopes,
    pub(super) refresh_tokens: bool,
}

impl GlobusApp {
    /// A program that acts for people: a client without a secret, in Globus
    /// Auth's terms a *thick client* or *native app*.
    ///
    /// `client_id` is the one that the program was given when it was registered
    /// at <https://app.globus.org/settings/developers>.
    pub fn user(client_id: impl Into<String>) -> GlobusAppBuilder {
        GlobusAppBuilder::new(client_id.into())
    }

    pub(super) fn new(
        settings: Settings,
        resource_servers: ResourceServers,
        prompt: Option<Arc<dyn LoginPrompt>>,
        transport: Transport,
    ) -> Self {
        let shared = Shared {
            settings,
            resource_servers,
            prompt,
            transport,
            grants: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Logs in before anything is asked for: for a program that starts without a
    /// token. The requests of a session without an identity of its own use it.
    ///
    /// # Errors
    ///
    /// As a challenge does: declined, nobody to ask, or Globus Auth said no.
    pub async fn login(&self) -> Result<(), ReauthError> {
        self.log_in(&Identity::Session, None).await
    }

    async fn log_in(
        &self,
        identity: &Identity,
        challenge: Option<&Challenge>,
    ) -> Result<(), ReauthError> {
        let shared = &*self.shared;
        let prompt = shared
            .prompt
            .as_ref()
            .ok_or_else(ReauthError::interaction_required_elsewhere)?;
        let asked = challenge.map(|challenge| &challenge.gare().authorization_parameters);
        let required = asked
            .map(|asked| asked.required_scopes.as_slice())
            .unwrap_or_default();
        let scopes = self
            .grants()
            .scopes(identity)
            .with(shared.settings.scopes.iter())
            .with(required);
        let attempt = Attempt::begin(&shared.settings, &scopes, asked);
        let redirect_uri = shared.settings.redirect_uri.url().clone();
        let request = LoginRequest::new(
            challenge.cloned(),
            attempt.authorize_url().clone(),
            redirect_uri,
        );
        let reply = prompt.ask(&request).await?;
        let answer = attempt
            .finish(&shared.settings, &shared.transport, reply)
            .await?;
        self.grants().keep(identity, scopes, &answer);
        Ok(())
    }

    /// Renews a token that has run out; `None` where that takes a person.
    async fn renew(
        &self,
        identity: &Identity,
        server: &str,
        old: &Token,
    ) -> Result<Option<Token>, ReauthError> {
        let Some(refresh) = old.refresh() else {
            return Ok(None);
        };
        let shared = &*self.shared;
        let answer = exchange_refresh_token(&shared.settings, &shared.transport, refresh).await?;
        let new = answer.and_then(|answer| tokens_of(&answer).find(|(name, _)| name == server));
        let new = new.map(|(_, token)| token.or_refresh_of(old));
        self.grants().renew(identity, server, old, new.clone());
        Ok(new)
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.shared
            .grants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Reauthenticator for GlobusApp {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let target = challenge.target();
        // Before anybody is asked: a login for an unknown service would be for nothing.
        let server = self
            .shared
            .resource_servers
            .of(target.origin())
            .ok_or_else(|| {
                let origin = target.origin();
                ReauthError::new(format!(
                    "no resource server is known for {origin}: name it with `resource_server_for`"
                ))
            })?;
        self.log_in(target.identity(), Some(challenge)).await?;
        let token = self.grants().token(target.identity(), server);
        let token = token.ok_or_else(|| {
            ReauthError::new(format!(
                "the login gave no token for {server}: ask for one of its scopes with `scopes`"
            ))
        })?;
        Ok(token.credential()?)
    }

    async fn credential(&self, target: &Target) -> Result<Option<Credential>, ReauthError> {
        let Some(server) = self.shared.resource_servers.of(target.origin()) else {
            return Ok(None);
        };
        let held = self.grants().token(target.identity(), server);
        let token = match held {
            Some(token) if token.is_fresh() => Some(token),
            Some(token) => self.renew(target.identity(), server, &token).await?,
            None => None,
        };
        Ok(token.map(|token| token.credential()).transpose()?)
    }
}

impl fmt::Debug for GlobusApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobusApp")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
