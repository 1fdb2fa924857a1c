use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::account::{self, Account};
use super::pending::PendingLogin;
use super::resource_server::{ResourceServers, server_of_scope};
use super::settings::Settings;
use super::transport::Transport;
use super::wallet::Wallet;
use super::{GlobusAppBuilder, LoginPrompt};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Principal, ReauthError, Reauthenticator, Target, Why,
};

/// A program that is registered with Globus Auth, and logs in.
///
/// A [`Reauthenticator`]: give it to a [`GareLayer`](globus_gare::layer::GareLayer), or
/// clones of it to several, for clients that share one login.
///
/// The login of a person is an OAuth 2 authorization code flow (RFC 6749, section
/// 4.1) with PKCE by S256 (RFC 7636) and a random `state`. It asks for the scopes
/// that are held, those of the program, and those that the challenge requires,
/// and keeps a token for each resource server that answers. The first login fixes
/// whose tokens these are: somebody else who logs in later is refused, until
/// [`logout`](Self::logout).
///
/// # Clone
///
/// Clones are the same app: they share what was granted.
///
/// ```no_run
/// use globus_gare::layer::GareLayer;
/// use globus_login::GlobusApp;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").app_name("My program").build()?;
/// app.login().await?;
/// let layer = GareLayer::new(app);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct GlobusApp {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) resource_servers: ResourceServers,
    pub(super) who: Who,
    pub(super) transport: Transport,
    pub(super) wallet: Wallet,
}

/// Who logs in.
pub(super) enum Who {
    /// A person, reached through a prompt.
    Person(Arc<dyn LoginPrompt>),
    /// The client, by its secret.
    Client,
}

impl GlobusApp {
    /// A program that acts for people.
    ///
    /// `client_id` is the one that the program was given when it was registered
    /// at <https://app.globus.org/settings/developers>. A program on its user's
    /// machine is registered as a *thick client*, and has no secret; a web service
    /// has [one](GlobusAppBuilder::client_secret).
    pub fn user(client_id: impl Into<String>) -> GlobusAppBuilder {
        GlobusAppBuilder::user(client_id.into())
    }

    /// A program that acts for itself, by client credentials (RFC 6749, section
    /// 4.4): nobody is ever asked. A challenge is answered with a new token, which
    /// has the scopes that are required; what only a person can satisfy, it cannot.
    pub fn confidential(
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> GlobusAppBuilder {
        GlobusAppBuilder::confidential(client_id.into(), client_secret.into())
    }

    /// Logs in, unless there are tokens for all of the program's scopes that are
    /// good or can be renewed. Programs that share a token file log in once
    /// between them.
    ///
    /// # Errors
    ///
    /// As a challenge does: declined, nobody to ask, or Globus Auth said no.
    pub async fn login(&self) -> Result<(), ReauthError> {
        self.log_in_if_needed(&Principal::Session).await
    }

    /// Logs in, whatever tokens there are.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub async fn login_again(&self) -> Result<(), ReauthError> {
        self.log_in(&Principal::Session, None).await
    }

    /// Whether there are tokens for all of the program's scopes that are good, or
    /// were renewed just now. Nobody is asked.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn is_logged_in(&self) -> Result<bool, ReauthError> {
        self.has_tokens(&Principal::Session).await
    }

    /// As [`is_logged_in`](Self::is_logged_in), for any identity that the app serves.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn is_logged_in_as(&self, identity: &Principal) -> Result<bool, ReauthError> {
        self.has_tokens(identity).await
    }

    /// The credential for `target`, if there was a login since one was handed out last,
    /// as by [`finish_login`](Self::finish_login). A web service looks here before it
    /// sends a user away. A token that was only renewed is none.
    ///
    /// # Errors
    ///
    /// Where no resource server is known for the target, or the store cannot be read.
    pub async fn newer_credential(
        &self,
        target: &Target,
    ) -> Result<Option<Credential>, ReauthError> {
        let server = self.server(target)?;
        if !self.shared.wallet.has_new_login(target.principal(), server) {
            return Ok(None);
        }
        let request = CredentialRequest::new(target.clone(), Why::Initial);
        self.credential(&request).await
    }

    /// Revokes the tokens and forgets them, whatever program got them for this
    /// client id. `false` where there were none.
    ///
    /// # Errors
    ///
    /// Where the store cannot be changed; and, with the tokens forgotten here, where
    /// Globus Auth could not be told.
    pub async fn logout(&self) -> Result<bool, ReauthError> {
        let identity = Principal::Session;
        let shared = &*self.shared;
        let pocket = shared.wallet.pocket(&identity);
        let tokens = pocket.load().await?;
        pocket.clear().await?;
        shared.wallet.forget(&identity);
        // Sessions forget the tokens from now on, also where Globus Auth cannot be told.
        shared.wallet.note_logout();
        for token in tokens.values() {
            account::revoke(&shared.settings, &shared.transport, token).await?;
        }
        Ok(!tokens.is_empty())
    }

    /// Who is logged in, as Globus Auth tells it; `None` where nobody is. The names
    /// are there if the scopes `profile` and `email` were granted.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or Globus Auth cannot be asked.
    pub async fn account(&self) -> Result<Option<Account>, ReauthError> {
        let shared = &*self.shared;
        match self
            .usable_token(&Principal::Session, account::SERVER, None)
            .await?
        {
            Some(token) => account::ask(&shared.settings, &shared.transport, &token).await,
            None => Ok(None),
        }
    }

    /// Begins a login whose other half comes in another request: for a web service,
    /// which sends its user to [`PendingLogin::authorize_url`] and ends with
    /// [`finish_login`](Self::finish_login). Nobody is prompted.
    ///
    /// `identity` is whose login it is; keep the `PendingLogin` where only this user's
    /// later requests find it.
    ///
    /// # Errors
    ///
    /// Where the scopes that are required cannot be read, or the store cannot.
    pub async fn begin_login(
        &self,
        identity: &Principal,
        challenge: Option<&Challenge>,
    ) -> Result<PendingLogin, ReauthError> {
        let asked = challenge.map(|challenge| &challenge.gare().authorization_parameters);
        let (attempt, scopes) = self.attempt(identity, asked).await?;
        Ok(PendingLogin::new(attempt, identity.clone(), scopes))
    }

    /// Ends a login that [`begin_login`](Self::begin_login) began. `redirect` is the
    /// URL that the user's browser was sent to, with its query.
    ///
    /// # Errors
    ///
    /// Where the redirect does not belong to this login, the user declined, is not
    /// the user whose tokens are kept, or Globus Auth gave no tokens.
    pub async fn finish_login(
        &self,
        pending: PendingLogin,
        redirect: url::Url,
    ) -> Result<(), ReauthError> {
        let (attempt, identity, scopes) = pending.into_parts();
        let shared = &*self.shared;
        let reply = super::LoginReply::Redirect {
            url: redirect,
            redirect_uri: attempt.page().redirect_uri().to_owned(),
        };
        let answer = attempt
            .finish(&shared.settings, &shared.transport, reply)
            .await?;
        self.keep(&identity, &scopes, &answer).await
    }

    /// The resource server of a service.
    fn server<'a>(&'a self, target: &'a Target) -> Result<&'a str, ReauthError> {
        self.shared.resource_servers.require(target.origin())
    }

    pub(super) async fn has_tokens(&self, identity: &Principal) -> Result<bool, ReauthError> {
        for scope in &self.shared.settings.scopes {
            let Some(server) = server_of_scope(scope.name()) else {
                continue;
            };
            let token = self.usable_token(identity, server, None).await?;
            let granted = |text: &str| text.split_whitespace().any(|name| name == scope.name());
            if !token.is_some_and(|token| granted(token.scope())) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[async_trait]
impl Reauthenticator for GlobusApp {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        // Before anybody is asked: a login for an unknown service would be for nothing.
        let server = self.server(challenge.target())?;
        let token = self.answer(challenge, server).await?;
        let identity = challenge.target().principal();
        self.shared.wallet.note_sent(identity, server, &token);
        Ok(token.credential()?)
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let target = request.target();
        let Some(server) = self.shared.resource_servers.of(target.origin()) else {
            return Ok(None);
        };
        // A refreshed token belongs to the same session of Globus Auth.
        let is_required = matches!(request.why(), Why::Required(_));
        let principal = target.principal();
        if is_required && !self.shared.wallet.has_new_login(principal, server) {
            return Ok(None);
        }
        let token = if request.may_refresh() {
            self.usable_token(principal, server, request.rejected())
                .await?
        } else {
            self.held_token(principal, server, request.rejected())
                .await?
        };
        let Some(token) = token else {
            return Ok(None);
        };
        self.shared.wallet.note_sent(principal, server, &token);
        Ok(Some(token.credential()?))
    }

    fn revision(&self, principal: &Principal) -> u64 {
        match principal {
            Principal::Session => self.shared.wallet.logouts(),
            _ => 0,
        }
    }
}

impl fmt::Debug for GlobusApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobusApp")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
