use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::Account;
use super::approval::Approval;
use super::audience::NamedCollections;
use super::auth::GlobusAuth;
use super::authorization::Attempt;
use super::flow::Wanted;
use super::http::HttpClient;
use super::logins::Logins;
use super::pending::{AskedFor, PendingLogin};
use super::services::ResourceServers;
use super::settings::Settings;
use super::store::UserKey;
use super::user::AppUser;
use super::{GlobusAppBuilder, LoginPrompt};
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Principal, ReauthError, Reauthenticator, RequestHead,
    Target,
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
    pub(super) auth: GlobusAuth,
    /// For Globus Transfer.
    pub(super) http: HttpClient,
    pub(super) settings: Settings,
    pub(super) resource_servers: ResourceServers,
    pub(super) collections: NamedCollections,
    pub(super) approval: Approval,
    pub(super) who: Who,
    pub(super) logins: Logins,
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
    /// good or can be refreshed: [`AppUser::login`] of the app's own user.
    ///
    /// # Errors
    ///
    /// As a challenge does: declined, nobody to ask, or Globus Auth refused.
    pub async fn login(&self) -> Result<(), ReauthError> {
        self.own().login().await
    }

    /// Logs in, whatever tokens there are: [`AppUser::login_with`] of the app's own user.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub async fn login_with(&self, required: AuthorizationParameters) -> Result<(), ReauthError> {
        self.own().login_with(required).await
    }

    /// Whether there are tokens for all of the program's scopes that are good or can be
    /// refreshed: [`AppUser::is_logged_in`] of the app's own user. Nobody is asked.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn is_logged_in(&self) -> Result<bool, ReauthError> {
        self.own().is_logged_in().await
    }

    /// Forgets the tokens, and has Globus Auth revoke them: [`AppUser::logout`] of the app's own
    /// user. `false` where there were none.
    ///
    /// # Errors
    ///
    /// Where the store cannot be changed; and, with the tokens forgotten here, where
    /// Globus Auth could not be told.
    pub async fn logout(&self) -> Result<bool, ReauthError> {
        self.own().logout().await
    }

    /// Who is logged in, as Globus Auth tells it; `None` where nobody is: [`AppUser::account`] of
    /// the app's own user.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or Globus Auth cannot be asked.
    pub async fn account(&self) -> Result<Option<Account>, ReauthError> {
        self.own().account().await
    }

    pub(super) fn own(&self) -> AppUser {
        self.for_user(&Principal::Session)
    }

    /// Begins a login whose other half comes in another request: for a web service,
    /// which sends its user to [`PendingLogin::authorize_url`] and ends with
    /// [`finish_login`](Self::finish_login). Nobody is prompted.
    ///
    /// `principal` is the user who logs in. Keep the `PendingLogin` where only this user's
    /// later requests find it.
    ///
    /// # Errors
    ///
    /// Where the scopes that are required cannot be read, or are not
    /// [allowed](GlobusAppBuilder::scopes_may_be_required), where nothing is known of the service, or
    /// where the store cannot be read.
    pub async fn begin_login(
        &self,
        principal: &Principal,
        challenge: Option<&Challenge>,
    ) -> Result<PendingLogin, ReauthError> {
        let user = self.for_user(principal);
        let asked_for = user.asked_for(&user.load().await?, challenge).await?;
        let AskedFor {
            scopes,
            required,
            completed,
            ..
        } = asked_for;
        Ok(PendingLogin {
            attempt: Attempt::begin(&self.shared, &scopes, completed.as_ref()),
            principal: principal.clone(),
            scopes,
            required,
        })
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
        let PendingLogin {
            attempt,
            principal,
            scopes,
            required,
        } = pending;
        let reply = super::LoginReply::Redirect {
            url: redirect,
            redirect_uri: attempt.page().redirect_uri().to_owned(),
        };
        let answer = self.shared.auth.exchange_code(&attempt, reply).await?;
        let user = self.for_user(&principal);
        let held = user.load().await?;
        let kept = user.keep_login(held, scopes, required.as_ref(), &answer);
        kept.await?;
        Ok(())
    }
}

impl Shared {
    pub(super) fn key(&self, principal: &Principal) -> UserKey {
        UserKey::of(&self.settings.environment, self.auth.client_id(), principal)
    }
}

#[async_trait]
impl Reauthenticator for GlobusApp {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let target = challenge.target();
        // Before anybody is asked: a login for an unknown service would be for nothing.
        let audience = self.shared.require_audience(target)?;
        let user = self.for_user(target.principal());
        let own = user.scopes_of(audience).await?;
        let before = user.load().await?;
        user.learn(challenge, audience, &before).await;
        let wanted = Wanted::Answer(challenge, audience, &own);
        let login = user.log_in(wanted, before).await?;
        let credential = user.hand_out(&login, audience).await?.ok_or_else(|| {
            let server = audience.resource_server();
            ReauthError::new(format!(
                "the login gave no token for {server}: ask for one of its scopes with `scopes`"
            ))
        })?;
        // A login that was made elsewhere may have been for something else.
        let record = login.record.as_ref();
        let mut required = wanted.required().into_iter();
        let is_satisfied = required.all(|it| record.is_some_and(|record| record.satisfies(it)));
        Ok(match is_satisfied {
            true => credential,
            false => credential.unverified(),
        })
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let user = self.for_user(request.target().principal());
        user.find_credential(request).await
    }

    /// As the program named the [collection](GlobusAppBuilder::collection) of this server, or else as
    /// Globus Transfer tells it. That takes a token for Globus Transfer: of the target's principal, or
    /// else of the app's own user. Nobody is asked to log in for it.
    async fn serves_collection(
        &self,
        target: &Target,
        collection: &str,
    ) -> Result<bool, ReauthError> {
        let user = self.for_user(target.principal());
        user.serves_collection(target.origin(), collection).await
    }

    fn revision(&self, principal: &Principal) -> u64 {
        let key = self.shared.key(principal);
        self.shared.logins.revision(principal, &key)
    }

    /// As [`resource_server_below`](GlobusAppBuilder::resource_server_below) names it.
    fn resource_server(&self, request: &RequestHead<'_>) -> Option<Arc<str>> {
        self.shared.resource_servers.of_path(request)
    }
}

impl fmt::Debug for GlobusApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobusApp")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
