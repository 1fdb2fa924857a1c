use std::fmt;

use url::Url;

use super::authorization::Attempt;
use super::flow::Wanted;
use super::scope::Scopes;
use super::store::Login;
use super::user::AppUser;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Challenge, Principal, ReauthError};

/// A login that a user's browser is sent away for: what
/// [`GlobusApp::begin_login`](super::GlobusApp::begin_login) gives.
///
/// It holds the PKCE verifier and the `state` of this login, for this user alone.
pub struct PendingLogin {
    pub(super) attempt: Attempt,
    pub(super) principal: Principal,
    pub(super) scopes: Scopes,
    pub(super) required: Option<AuthorizationParameters>,
}

/// What a login asks for.
pub(super) struct AskedFor {
    /// All scopes: later logins ask for them as well.
    pub(super) scopes: Scopes,
    /// Those of them that the service wants itself.
    #[cfg_attr(not(feature = "web"), expect(dead_code))]
    pub(super) own: Scopes,
    pub(super) required: Option<AuthorizationParameters>,
    /// The requirement as Globus Auth is asked for it.
    pub(super) completed: Option<AuthorizationParameters>,
}

impl AppUser {
    /// What a login asks for that nobody is prompted for.
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
                Wanted::Answer(challenge, audience, &own)
            }
            None => Wanted::Scopes,
        };
        if let Wanted::Answer(challenge, audience, _) = wanted {
            self.learn(challenge, audience, held).await;
        }
        let sought = self.sought(held, wanted)?;
        sought.approve_without_a_person()?;
        let completed = match wanted.required() {
            Some(required) => Some(self.completed(required, held).await.into_owned()),
            None => None,
        };
        Ok(AskedFor {
            // Nothing is new, so all that is asked for is kept.
            scopes: sought.kept,
            own: wanted.own().clone(),
            required: wanted.required().cloned(),
            completed,
        })
    }
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
