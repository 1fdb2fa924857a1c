//! The begin of a login: the response for a browser that has to log in.

use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

use super::browser::Browser;
use super::cookies::new_user;
use super::error::Reason;
use super::state::{State, TooLong, logged_in};
use super::{WebError, pages};
use crate::authorization::{Attempt, new_verifier};
use globus_gare::reauth::{Challenge, Principal, ReauthError};

/// The challenged request was sent as another principal than the browser's user.
#[derive(Debug, thiserror::Error)]
#[error(
    "a request was sent as {0:?}, which is not the user of the browser: \
     set the principal of `WebUser` with `GareOptions::principal`"
)]
struct AnotherPrincipal(Principal);

impl Browser {
    /// Converts a handler's error into the response.
    pub(super) async fn answer(&self, error: WebError) -> Response {
        let challenge = match error.0 {
            Reason::LoginNeeded(challenge) => challenge,
            Reason::Failed(error) => return pages::failed(self, &error),
            Reason::NoLayer => return error.into_response(),
        };
        let challenge = challenge.as_deref();
        match self.begin(challenge).await {
            Ok(Ok(url)) if self.shows_page => Redirect::to(url.as_str()).into_response(),
            Ok(Ok(url)) => pages::login_needed(challenge, &url),
            Ok(Err(TooLong)) => pages::too_long(self),
            Err(error) => pages::failed(self, &error),
        }
    }

    /// The authorize URL for this browser. The login under way is in its `state`; the service keeps
    /// nothing.
    async fn begin(
        &self,
        challenge: Option<&Challenge>,
    ) -> Result<Result<Url, TooLong>, ReauthError> {
        let app = self.logins.app();
        let principal = self.principal();
        if let Some(sent_as) = challenge.map(|challenge| challenge.target().principal())
            && principal.as_ref() != Some(sent_as)
        {
            return Err(ReauthError::other(AnotherPrincipal(sent_as.clone())));
        }
        // A user who is logged in keeps the id. Everybody else gets a new one.
        let held = match &principal {
            // The look-up before the challenge, or the handler, has read the login.
            Some(principal) => logged_in(app.for_user(principal).load_recent().await)?,
            None => None,
        };
        let id = self.user.clone().filter(|_| held.is_some());
        let id = id.unwrap_or_else(|| new_user().into());
        let user = app.for_user(&Principal::Named(id.clone()));
        let empty = Default::default();
        let asked_for = user.asked_for(held.as_ref().unwrap_or(&empty), challenge);
        let asked_for = asked_for.await?;
        let verifier = new_verifier();
        let state = State::new(
            verifier.clone(),
            &asked_for,
            self.back.clone(),
            id.to_string(),
            held.as_ref(),
            app.shared.logins.clock.now(),
        );
        let state = match state.seal(&self.logins, &self.keep_login_cookie()) {
            Ok(state) => state,
            Err(error) => return Ok(Err(error)),
        };
        let (scopes, required) = (&asked_for.scopes, asked_for.completed.as_ref());
        let attempt = Attempt::with_state(&app.shared, scopes, required, verifier, state);
        Ok(Ok(attempt.page().url().clone()))
    }
}
