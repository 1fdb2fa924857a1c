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

/// The user whose browser sent a request: an extractor of axum.
///
/// A browser that nobody has logged in with has no user: it has no id, and nothing is kept of it.
#[derive(Clone)]
pub struct WebUser(Arc<Browser>);

impl WebUser {
    /// Whose requests to Globus these are, for [`GareOptions::principal`].
    ///
    /// # Errors
    ///
    /// If nobody has logged in with the browser: a login is needed. Whether the login is still good is
    /// not looked up: where it is not, the service's challenge takes the user to a login.
    ///
    /// [`GareOptions::principal`]: globus_gare::reauth::GareOptions::principal
    pub fn principal(&self) -> Result<Arc<str>, WebError> {
        self.0.user.clone().ok_or_else(WebError::login_needed)
    }

    /// The user, as the app knows it; `None` if nobody has logged in with the browser.
    pub fn app_user(&self) -> Option<AppUser> {
        let principal = self.0.principal()?;
        Some(self.0.logins.app().for_user(&principal))
    }

    /// Whether there are tokens for all of the app's scopes that are good, or can be refreshed. Nobody
    /// is asked.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
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
    /// If nobody is, of which the layer makes the way to a login; and where the store cannot be read.
    pub async fn require_login(&self) -> Result<Arc<str>, WebError> {
        match self.is_logged_in().await? {
            true => self.principal(),
            false => Err(WebError::login_needed()),
        }
    }

    /// Forgets the user's tokens, has Globus Auth revoke them, and takes the browser's id away. `false`
    /// where nobody was logged in.
    ///
    /// Call it in a handler of `POST`: the browser sends its id with no `POST` of another site.
    ///
    /// # Errors
    ///
    /// As [`AppUser::logout`]. The browser's id is taken away nevertheless.
    pub async fn logout(&self) -> Result<bool, ReauthError> {
        let Some(user) = self.app_user() else {
            return Ok(false);
        };
        self.0.set_cookie(self.0.logins.no_user_cookie());
        user.logout().await
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
