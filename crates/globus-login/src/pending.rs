use std::fmt;

use url::Url;

use super::authorization::Attempt;
use super::flow::Wanted;
use super::scope::Scopes;
use super::store::Login;
use super::user::AppUser;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Challenge, Principal, ReauthError};

/// A login under way, for a web service. Made by
/// [`GlobusApp::begin_login`](super::GlobusApp::begin_login).
///
/// It holds the PKCE verifier and the `state` of this login: keep it where only this user finds it.
/// It cannot be serialized, so the process that began the login has to end it. Drop it after some
/// minutes: the user may never come back. The module `web` has neither limit.
pub struct PendingLogin {
    pub(super) attempt: Attempt,
    pub(super) principal: Principal,
    pub(super) scopes: Scopes,
    pub(super) required: Option<AuthorizationParameters>,
}

/// The scopes and the requirement of a login.
pub(super) struct AskedFor {
    /// All scopes. Later logins ask for them as well.
    pub(super) scopes: Scopes,
    /// The scopes that the challenging service wants itself.
    #[cfg_attr(not(feature = "web"), expect(dead_code))]
    pub(super) own: Scopes,
    pub(super) required: Option<AuthorizationParameters>,
    /// The requirement in the form for Globus Auth.
    pub(super) completed: Option<AuthorizationParameters>,
}

impl AppUser {
    /// The scopes and the requirement of a login without a prompt.
    pub(super) async fn asked_for(
        &self,
        held: &Login,
        challenge: Option<&Challenge>,
    ) -> Result<AskedFor, ReauthError> {
        let own;
        let wanted = match challenge {
            Some(challenge) => {
                let audience = self.shared.require_audience(challenge.target())?;
                own = self.scopes_of(audience).await?;
                self.learn(challenge, audience, held).await;
                Wanted::Answer(challenge, audience, &own)
            }
            None => Wanted::Scopes,
        };
        let sought = self.sought(held, wanted)?;
        sought.approve_without_a_person()?;
        Ok(AskedFor {
            // There are no new scopes, so all scopes are kept.
            scopes: sought.kept,
            own: wanted.own().clone(),
            required: wanted.required().cloned(),
            completed: self.completed(wanted.required(), held).await,
        })
    }
}

impl PendingLogin {
    /// The URL to send the user's browser to.
    pub fn authorize_url(&self) -> &Url {
        self.attempt.page().url()
    }

    /// Whether `redirect` has the `state` of this login. Give only such a redirect to
    /// [`GlobusApp::finish_login`](super::GlobusApp::finish_login).
    pub fn is_answered_by(&self, redirect: &Url) -> bool {
        self.attempt.page().is_answered_by(redirect)
    }

    /// The user who logs in.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

impl fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingLogin")
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}
