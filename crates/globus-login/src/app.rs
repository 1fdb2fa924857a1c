use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::Account;
use super::approval::Approval;
use super::audience::NamedCollections;
use super::auth::GlobusAuth;
use super::authorization::Attempt;
use super::detached::detached;
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

/// A program that is registered with Globus Auth and logs in there. A [`Reauthenticator`].
///
/// Give the app to a [`GareLayer`](globus_gare::layer::GareLayer). Give clones to several layers if
/// their clients share one login.
///
/// The login of a person is an OAuth 2 authorization code flow (RFC 6749, section 4.1) with PKCE by
/// S256 (RFC 7636) and a random `state`. It asks for the scopes of the program, those of earlier
/// logins, and those that the challenge requires. The app keeps one token for each resource server.
/// The first login fixes the person: a later login of another person is refused, until
/// [`logout`](Self::logout).
///
/// # Clone
///
/// Clones share the logins.
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
    /// The client for Globus Transfer.
    pub(super) http: HttpClient,
    pub(super) settings: Settings,
    pub(super) resource_servers: ResourceServers,
    pub(super) collections: NamedCollections,
    pub(super) approval: Approval,
    pub(super) who: Who,
    pub(super) logins: Logins,
}

/// Who logs in: a person, or the client itself.
pub(super) enum Who {
    /// A person, reached through a prompt.
    Person(Arc<dyn LoginPrompt>),
    /// The client, by its secret.
    Client,
}

impl GlobusApp {
    /// Starts to configure a program that acts for people.
    ///
    /// `client_id` is the id of the program's registration at
    /// <https://app.globus.org/settings/developers>. Register a program for its user's machine as a
    /// *thick client*: it has no secret. A web service has [a
    /// secret](GlobusAppBuilder::client_secret).
    pub fn user(client_id: impl Into<String>) -> GlobusAppBuilder {
        GlobusAppBuilder::user(client_id.into())
    }

    /// Starts to configure a program that acts for itself, by client credentials (RFC 6749, section
    /// 4.4). Nobody is ever asked. The app answers a challenge with a new token that has the
    /// required scopes. It cannot satisfy a requirement for a person, such as multi-factor
    /// authentication.
    pub fn confidential(
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> GlobusAppBuilder {
        GlobusAppBuilder::confidential(client_id.into(), client_secret.into())
    }

    /// Logs in, unless the app's own user has valid or refreshable tokens for all of the program's
    /// scopes. See [`AppUser::login`].
    ///
    /// # Errors
    ///
    /// If the person declines, nobody can be asked, or Globus Auth gives no tokens.
    pub async fn login(&self) -> Result<(), ReauthError> {
        self.own().login().await
    }

    /// Logs the app's own user in, even if there are valid tokens. See [`AppUser::login_with`].
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub async fn login_with(&self, required: AuthorizationParameters) -> Result<(), ReauthError> {
        self.own().login_with(required).await
    }

    /// Whether the app's own user has valid or refreshable tokens for all of the program's scopes.
    /// Reads the store alone. See [`AppUser::is_logged_in`].
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn is_logged_in(&self) -> Result<bool, ReauthError> {
        self.own().is_logged_in().await
    }

    /// Logs the app's own user out: forgets the tokens, and has Globus Auth revoke them. `false` if
    /// there were none. See [`AppUser::logout`].
    ///
    /// # Errors
    ///
    /// If the store cannot be changed. If Globus Auth cannot be reached: the tokens are forgotten
    /// here nevertheless.
    pub async fn logout(&self) -> Result<bool, ReauthError> {
        self.own().logout().await
    }

    /// The Globus account of the app's own user, as Globus Auth reports it. `None` if nobody is
    /// logged in, or the token for Globus Auth is no longer valid. See [`AppUser::account`].
    ///
    /// # Errors
    ///
    /// If the store cannot be read, or Globus Auth does not answer.
    pub async fn account(&self) -> Result<Option<Account>, ReauthError> {
        self.own().account().await
    }

    pub(super) fn own(&self) -> AppUser {
        self.for_user(&Principal::Session)
    }

    /// Begins a login that ends in another request, for a web service. Send the user's browser to
    /// [`PendingLogin::authorize_url`], and end the login with
    /// [`finish_login`](Self::finish_login). The prompt is not used.
    ///
    /// `principal` is the user who logs in. Keep the `PendingLogin` where only later requests of
    /// this user find it.
    ///
    /// # Errors
    ///
    /// If the required scopes are not valid scopes or not
    /// [allowed](GlobusAppBuilder::scopes_may_be_required), if the resource server of the service
    /// is not known, or if the store cannot be read.
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

    /// Ends a login that [`begin_login`](Self::begin_login) began. `redirect` is the URL to which
    /// Globus Auth sent the user's browser, with its query.
    ///
    /// # Errors
    ///
    /// If `redirect` does not belong to this login, the user declined, another person logged in
    /// than before, the user logged out meanwhile, Globus Auth gave no tokens, or the store cannot
    /// be read.
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
        let user = self.for_user(&principal);
        // A code can be redeemed only once: a request that is dropped must not lose the tokens.
        let kept = detached(async move {
            // Before the code is redeemed: if the store cannot be read, the code stays good.
            let held = user.load().await?;
            let answer = user.shared.auth.exchange_code(&attempt, reply).await?;
            let kept = user.keep_login(held, scopes, required.as_ref(), &answer);
            Ok(kept.await?)
        });
        kept.await.map(drop)
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
        // Before anybody is asked: a login for an unknown service would bring no token for it.
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
                "the login brought no token for {server}: add one of its scopes with `scopes`"
            ))
        })?;
        // Another program's login may have satisfied another requirement.
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

    /// True if the program named this server for the [collection](GlobusAppBuilder::collection), or
    /// if the collection's document in Globus Transfer does. Reading the document takes a token for
    /// Globus Transfer: that of the target's principal, or else that of the app's own user. Nobody
    /// is asked to log in for it.
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

    /// The name that [`resource_server_below`](GlobusAppBuilder::resource_server_below) gave the
    /// URL.
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
