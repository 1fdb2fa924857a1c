use std::error::Error;
use std::fmt;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::LoginNeeded;
use globus_gare::reauth::{Challenge, GareOutcome, GaveUp, ReauthError};

/// Why a handler has no answer for a user: a login is needed, or something failed.
///
/// The [layer](super::WebLogins::layer) makes the response of it: for a page a `303` to Globus
/// Auth, for an API call a `401` with JSON. Where something failed it is a page, or JSON, that says
/// so without the reason, which goes to the log.
///
/// It is made of any error by `?`. So it is no [`Error`] itself.
#[derive(Clone, Debug)]
pub struct WebError(pub(super) Reason);

#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// A service asked for it, or else the program.
    LoginNeeded(Option<Box<Challenge>>),
    Failed(ReauthError),
    NoLayer,
}

impl WebError {
    /// The user has to log in, whatever for.
    pub fn login_needed() -> Self {
        Self(Reason::LoginNeeded(None))
    }

    /// An error if the response of a service, with its [`GareOutcome`], has to wait for a login, or if
    /// no credential could be looked up. Otherwise the response is the service's answer.
    ///
    /// # Errors
    ///
    /// Of which the layer makes the response to the user.
    pub fn check<B>(response: &http::Response<B>) -> Result<(), Self> {
        let outcome = response.extensions().get::<GareOutcome>();
        match outcome.and_then(GareOutcome::gave_up) {
            Some(GaveUp::Failed(error) | GaveUp::Unavailable(error)) => {
                Err(Self::from(error.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Whether a login mends it.
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

/// Of any error: so `?` works in handlers. A login is needed where it is the [`ReauthError`] with
/// which [`WebLogins`](super::WebLogins) answers a challenge.
impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for WebError {
    fn from(error: E) -> Self {
        Self(Reason::from(ReauthError::from(error.into())))
    }
}

impl IntoResponse for WebError {
    /// For the layer to replace. What is here is for a router without one.
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
