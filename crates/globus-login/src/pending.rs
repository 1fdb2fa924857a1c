use std::fmt;

use url::Url;

use super::authorization::Attempt;
use super::scope::Scopes;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::Principal;

/// A login that a user's browser is sent away for: what
/// [`GlobusApp::begin_login`](super::GlobusApp::begin_login) gives.
///
/// It holds the PKCE verifier and the `state` of this login, for this user alone.
pub struct PendingLogin {
    pub(super) attempt: Attempt,
    pub(super) identity: Principal,
    pub(super) scopes: Scopes,
    pub(super) required: Option<AuthorizationParameters>,
}

impl PendingLogin {
    /// The page to send the user's browser to.
    pub fn authorize_url(&self) -> &Url {
        self.attempt.page().url()
    }

    /// Whether `redirect` carries the `state` of this login: it may then be given to
    /// [`GlobusApp::finish_login`](super::GlobusApp::finish_login).
    pub fn is_answered_by(&self, redirect: &Url) -> bool {
        self.attempt.page().is_answered_by(redirect)
    }

    /// Whose login it is.
    pub fn identity(&self) -> &Principal {
        &self.identity
    }
}

impl fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingLogin")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
