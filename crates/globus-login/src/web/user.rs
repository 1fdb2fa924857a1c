use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::WebError;
use super::browser::Browser;
use super::error::Reason;
use super::state::logged_in;
use crate::AppUser;
use globus_gare::reauth::ReauthError;

/// The user whose browser sent a request. An axum extractor.
///
/// A browser without a login has no user: it has no id, and the service keeps nothing for it.
#[derive(Clone)]
pub struct WebUser(Arc<Browser>);

impl WebUser {
    /// The principal of the user's requests to Globus, for [`GareOptions::principal`].
    ///
    /// # Errors
    ///
    /// If the browser has no login: the layer sends the user to one. The store is not read: if the
    /// login is no longer good, the challenge of a service sends the user to a new one.
    ///
    /// [`GareOptions::principal`]: globus_gare::reauth::GareOptions::principal
    pub fn principal(&self) -> Result<Arc<str>, WebError> {
        self.0.user.clone().ok_or_else(WebError::login_needed)
    }

    /// The user of the app; `None` if the browser has no login.
    pub fn app_user(&self) -> Option<AppUser> {
        let principal = self.0.principal()?;
        Some(self.0.logins.app().for_user(&principal))
    }

    /// Whether the user has tokens for all of the app's scopes that are valid or can be refreshed.
    /// Reads the store alone.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn is_logged_in(&self) -> Result<bool, ReauthError> {
        let Some(user) = self.app_user() else {
            return Ok(false);
        };
        let held = logged_in(user.load().await)?;
        Ok(held.is_some_and(|held| user.is_complete(&held, false)))
    }

    /// The principal of a user who is [logged in](Self::is_logged_in).
    ///
    /// # Errors
    ///
    /// If the user is not logged in: the layer sends the user to a login. If the store cannot be
    /// read.
    pub async fn require_login(&self) -> Result<Arc<str>, WebError> {
        match self.is_logged_in().await? {
            true => self.principal(),
            false => Err(WebError::login_needed()),
        }
    }

    /// Logs the user out: forgets the tokens, has Globus Auth revoke them, and removes the id from
    /// the browser. `false` if nobody was logged in.
    ///
    /// Call it in a handler of `POST`: a `POST` from another site comes without the id
    /// (`SameSite=Lax`).
    ///
    /// # Errors
    ///
    /// As [`AppUser::logout`]. The id is removed from the browser in any case. So the browser
    /// cannot repeat the logout: this process does, after 10 seconds, a minute, and 10 minutes.
    pub async fn logout(&self) -> Result<bool, ReauthError> {
        let Some(user) = self.app_user() else {
            return Ok(false);
        };
        self.0.set_cookie(self.0.logins.no_user_cookie());
        let done = user.logout().await;
        if done.is_err() {
            self.0.logins.log_out_later(user);
        }
        done
    }
}

impl<S: Sync> FromRequestParts<S> for WebUser {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let browser = parts.extensions.get::<Arc<Browser>>();
        let browser = browser.ok_or(WebError(Reason::NoLayer))?;
        Ok(Self(Arc::clone(browser)))
    }
}

impl fmt::Debug for WebUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_known = self.0.user.is_some();
        f.debug_struct("WebUser")
            .field("is_known", &is_known)
            .finish_non_exhaustive()
    }
}
