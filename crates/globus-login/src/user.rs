use std::fmt;
use std::sync::Arc;

use super::app::{GlobusApp, Shared, Who};
use super::detached::detached;
use super::flow::Wanted;
use super::store::{Holder, Login, LoginRecord, LoginStore, Secret, StoreError, UserKey};
use super::{LoginStatus, auth};
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Credential, CredentialRequest, Principal, ReauthError, Target, Why};

/// One user of a [`GlobusApp`]. Made by [`GlobusApp::for_user`].
///
/// # Clone
///
/// Clones share the login.
#[derive(Clone)]
pub struct AppUser {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Arc<dyn LoginStore>,
    pub(super) key: UserKey,
    pub(super) principal: Principal,
}

impl GlobusApp {
    /// The user of `principal`. [`Principal::Session`] is the app's own user, on whom the methods
    /// of `GlobusApp` act.
    ///
    /// ```
    /// use globus_gare::reauth::Principal;
    /// use globus_login::GlobusApp;
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").build()?;
    /// let ada = app.for_user(&Principal::Named("ada".into()));
    /// if let Some(record) = ada.info().await? {
    ///     println!("{:?} is logged in since {:?}", record.sub(), record.at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_user(&self, principal: &Principal) -> AppUser {
        AppUser {
            store: Arc::clone(self.shared.logins.store(principal)),
            key: self.shared.key(principal),
            principal: principal.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl AppUser {
    /// Logs in, unless the user has valid or refreshable tokens for all of the program's scopes.
    /// Programs that share a store share one login.
    ///
    /// # Errors
    ///
    /// If the person declines, nobody can be asked, or Globus Auth gives no tokens.
    pub async fn login(&self) -> Result<(), ReauthError> {
        // A login replaces a token that could not be refreshed.
        let (before, _) = self.refreshed().await?;
        let before = self.with_consents(before).await;
        self.log_in(Wanted::Scopes, before).await.map(drop)
    }

    /// Logs in, even if there are valid tokens, so that the login satisfies `required`. Pass
    /// `AuthorizationParameters::default()` for any login. A damaged stored login is set aside.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub async fn login_with(&self, required: AuthorizationParameters) -> Result<(), ReauthError> {
        let required = Some(&required).filter(|required| !required.is_empty());
        let before = self.load_or_set_aside().await?;
        self.log_in(Wanted::Forced(required), before)
            .await
            .map(drop)
    }

    /// Whether the user has valid or refreshable tokens for all of the program's scopes. Reads the
    /// store alone: no person and no service is asked.
    ///
    /// The dependencies of scopes (`a[b]`) are recorded by logins with this crate only. After a
    /// login with another program, the result is `false` for such scopes until
    /// [`login`](Self::login) has asked Globus Auth for the consents.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn is_logged_in(&self) -> Result<bool, ReauthError> {
        Ok(self.is_complete(&self.load().await?, false))
    }

    /// The credential for a service, refreshed if it has expired. `None` if a login is needed.
    ///
    /// # Errors
    ///
    /// If the resource server of the target is not known, the store cannot be read, or Globus Auth
    /// does not answer.
    pub async fn credential(&self, target: &Target) -> Result<Option<Credential>, ReauthError> {
        self.shared.require_audience(target)?;
        let request = CredentialRequest::new(target.clone(), Why::Initial);
        self.find_credential(&request).await
    }

    /// The record of the login in the store: who is logged in, since when, with which scopes.
    /// `None` if nobody is logged in.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn info(&self) -> Result<Option<LoginRecord>, ReauthError> {
        let login = self.load().await?;
        Ok(login.record.filter(|_| !login.tokens.is_empty()))
    }

    /// The user's Globus account, as Globus Auth reports it. `None` if nobody is logged in, or the
    /// token for Globus Auth is no longer valid. The names need the scopes `profile` and `email`.
    ///
    /// # Errors
    ///
    /// If the store cannot be read, or Globus Auth does not answer.
    pub async fn account(&self) -> Result<Option<super::Account>, ReauthError> {
        match self.usable_credential(auth::SERVER).await? {
            Some(credential) => self.shared.auth.userinfo(&credential).await,
            None => Ok(None),
        }
    }

    /// Logs out: forgets all tokens in the store, and has Globus Auth revoke them. `false` if there
    /// were none. A damaged stored login is set aside. A logout that is dropped continues in a
    /// task.
    ///
    /// # Errors
    ///
    /// If the store cannot be changed. If Globus Auth cannot be reached: the tokens are forgotten
    /// here nevertheless, and the next logout or login revokes them.
    pub async fn logout(&self) -> Result<bool, ReauthError> {
        let user = self.clone();
        detached(async move { user.log_out().await }).await
    }

    async fn log_out(&self) -> Result<bool, ReauthError> {
        self.load_or_set_aside().await?;
        let (were_some, login) = self.update(Login::logged_out).await?;
        self.revoke_removed(&login).await?;
        Ok(were_some)
    }

    /// Revokes the tokens that were removed from a stored login.
    pub(super) async fn revoke_removed(&self, login: &Login) -> Result<(), ReauthError> {
        let (mut revoked, mut failed) = (Vec::new(), None);
        for secret in login.unrevoked() {
            match self.shared.auth.revoke(&secret).await {
                Ok(()) => revoked.push(secret),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if !revoked.is_empty() {
            self.update(|login| login.revoked(&revoked)).await?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// As `load`, but sets a damaged login aside first.
    pub(super) async fn load_or_set_aside(&self) -> Result<Login, StoreError> {
        if let Ok(login) = self.load().await {
            return Ok(login);
        }
        // `None` if it cannot be set aside, or if another program has done so since.
        if let Some(place) = self.store.set_aside(&self.key).await? {
            let user = self.key.clone();
            tracing::warn!(user = user.user(), place, "damaged login was set aside");
            self.tell(&LoginStatus::SetAside { user, place });
        }
        self.load().await
    }

    /// Revokes tokens that are not kept.
    pub(super) async fn discard(&self, secrets: impl IntoIterator<Item = Secret>) {
        for secret in secrets {
            // If Globus Auth does not answer, the tokens still expire.
            let _ = self.shared.auth.revoke(&secret).await;
        }
    }

    pub(super) fn holder(&self) -> Holder {
        let program = self.shared.settings.program.clone();
        Holder::new(program, self.shared.logins.clock.now())
    }

    pub(super) fn tell(&self, status: &LoginStatus) {
        if let Who::Person(prompt) = &self.shared.who {
            prompt.status(status);
        }
    }
}

impl fmt::Debug for AppUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppUser")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
