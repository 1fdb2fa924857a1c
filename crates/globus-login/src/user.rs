use std::fmt;
use std::sync::Arc;

use super::app::{GlobusApp, Shared, Who};
use super::flow::Wanted;
use super::store::{Holder, Login, LoginRecord, LoginStore, Secret, StoreError, UserKey};
use super::{LoginStatus, auth};
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Credential, CredentialRequest, Principal, ReauthError, Target, Why};

/// One user of a [`GlobusApp`]: what [`GlobusApp::for_user`] returns.
///
/// # Clone
///
/// Clones are the same user.
#[derive(Clone)]
pub struct AppUser {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Arc<dyn LoginStore>,
    pub(super) key: UserKey,
    pub(super) principal: Principal,
}

impl GlobusApp {
    /// The user that `principal` is: [`Principal::Session`] is the app's own user, for whom the
    /// methods of the app itself act.
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
    /// Logs in, unless there are tokens for all of the program's scopes that are
    /// good or can be refreshed. Programs that share a store log in once
    /// between them.
    ///
    /// # Errors
    ///
    /// As a challenge does: declined, nobody to ask, or Globus Auth refused.
    pub async fn login(&self) -> Result<(), ReauthError> {
        let before = self.refreshed().await?;
        self.log_in(Wanted::Scopes, before).await.map(drop)
    }

    /// Logs in, whatever tokens there are, so that `required` is satisfied; by default nothing is
    /// required. A stored login that cannot be understood is put aside.
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

    /// Whether there are tokens for all of the program's scopes that are good, or
    /// can be refreshed. Nobody is asked, neither a person nor Globus Auth.
    ///
    /// What a scope depends on is known of logins by programs on this crate alone.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn is_logged_in(&self) -> Result<bool, ReauthError> {
        Ok(self.is_complete(&self.load().await?, false))
    }

    /// The credential for a service, refreshed where it has expired; `None` where a login is needed.
    ///
    /// # Errors
    ///
    /// Where no resource server is known for the service or the collection, the store cannot be read, or the token
    /// cannot be refreshed.
    pub async fn credential(&self, target: &Target) -> Result<Option<Credential>, ReauthError> {
        self.shared.require_audience(target)?;
        let request = CredentialRequest::new(target.clone(), Why::Initial);
        self.find_credential(&request).await
    }

    /// Who is logged in, as far as the store knows: nobody is asked. `None` if nobody is.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn info(&self) -> Result<Option<LoginRecord>, ReauthError> {
        let login = self.load().await?;
        Ok(login.record.filter(|_| !login.tokens.is_empty()))
    }

    /// Who is logged in, as Globus Auth tells it; `None` where nobody is. The names
    /// are there if the scopes `profile` and `email` were granted.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or Globus Auth cannot be asked.
    pub async fn account(&self) -> Result<Option<super::Account>, ReauthError> {
        match self.usable_credential(auth::SERVER).await? {
            Some(credential) => self.shared.auth.userinfo(&credential).await,
            None => Ok(None),
        }
    }

    /// Forgets the tokens, and has Globus Auth revoke them, whatever program got them for this
    /// client id. `false` where there were none. A stored login that cannot be understood is put
    /// aside.
    ///
    /// # Errors
    ///
    /// Where the store cannot be changed; and, with the tokens forgotten here, where
    /// Globus Auth could not be told. What could not be revoked is kept for the next logout.
    pub async fn logout(&self) -> Result<bool, ReauthError> {
        self.load_or_set_aside().await?;
        let (were_some, login) = self.update(Login::logged_out).await?;
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
        failed.map_or(Ok(were_some), Err)
    }

    /// As `load`, after what cannot be read was put aside.
    pub(super) async fn load_or_set_aside(&self) -> Result<Login, StoreError> {
        let error = match self.load().await {
            Ok(login) => return Ok(login),
            Err(error) => error,
        };
        let Some(place) = self.store.set_aside(&self.key).await? else {
            return Err(error);
        };
        self.tell(&LoginStatus::SetAside { place });
        self.load().await
    }

    /// Revokes tokens that nobody will use.
    pub(super) async fn discard(&self, secrets: impl IntoIterator<Item = Secret>) {
        for secret in secrets {
            // They end by themselves where Globus Auth cannot be told.
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
