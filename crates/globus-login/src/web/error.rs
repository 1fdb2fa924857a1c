use std::error::Error;
use std::fmt;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::LoginNeeded;
use globus_gare::reauth::{Challenge, GareOutcome, GaveUp, ReauthError};

/// The error of a handler: a login is needed, or something failed.
///
/// The [layer](super::WebLogins::layer) turns it into the response. If a login is needed: for a
/// page a `303` to Globus Auth, for an API call a `401` with JSON. If something failed: a page or
/// JSON that says so. The reason goes to the log alone.
///
/// `?` converts any error into a `WebError`, which is therefore no [`Error`] itself.
#[derive(Clone, Debug)]
pub struct WebError(pub(super) Reason);

#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// With the challenge of a service; `None` if the program itself requires the login.
    LoginNeeded(Option<Box<Challenge>>),
    Failed(ReauthError),
    NoLayer,
}

impl WebError {
    /// The user has to log in. No service has challenged.
    pub fn login_needed() -> Self {
        Self(Reason::LoginNeeded(None))
    }

    /// Checks the [`GareOutcome`] of a service's response. `Ok`: the response is the service's
    /// answer to the request.
    ///
    /// # Errors
    ///
    /// If the user has to log in first, or if no credential could be looked up. Return the error:
    /// the layer turns it into the response for the user.
    pub fn check<B>(response: &http::Response<B>) -> Result<(), Self> {
        let outcome = response.extensions().get::<GareOutcome>();
        match outcome.and_then(GareOutcome::gave_up) {
            Some(GaveUp::Failed(error) | GaveUp::Unavailable(error)) => {
                Err(Self::from(error.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the user has to log in.
    pub fn needs_login(&self) -> bool {
        matches!(self.0, Reason::LoginNeeded(_))
    }
}

impl From<ReauthError> for Reason {
    fn from(error: ReauthError) -> Self {
        let needed = error.source().and_then(|it| it.downcast_ref());
        match needed {
            Some(needed) => {
                let needed: &LoginNeeded = needed;
                Self::LoginNeeded(Some(Box::new(needed.challenge().clone())))
            }
            None => Self::Failed(error),
        }
    }
}

/// Converts any error, so that `?` works in handlers. The [`ReauthError`] with which
/// [`WebLogins`](super::WebLogins) answers a challenge says that a login is needed.
impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for WebError {
    fn from(error: E) -> Self {
        Self(Reason::from(ReauthError::from(error.into())))
    }
}

impl IntoResponse for WebError {
    /// The layer replaces this response. Without the layer, it says that the layer is missing.
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Reason::LoginNeeded(_) => StatusCode::UNAUTHORIZED,
            Reason::Failed(_) => StatusCode::BAD_GATEWAY,
            Reason::NoLayer => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = (status, "The router needs `WebLogins::layer`.\n").into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for WebError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::LoginNeeded(_) => f.write_str("a person has to log in"),
            Reason::Failed(error) => error.fmt(f),
            Reason::NoLayer => f.write_str("the router has no layer of `WebLogins`"),
        }
    }
}
