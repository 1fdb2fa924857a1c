//! The `state` of a login: all that its callback needs, sealed for the browser in which it began.

use std::time::{Duration, SystemTime};

use oauth2::CsrfToken;
use serde::{Deserialize, Serialize};

use super::WebLogins;
use super::cookies::LOGIN;
use super::return_path::ReturnPath;
use crate::Scopes;
use crate::pending::AskedFor;
use crate::store::{Login, Secret, StoreError, as_scopes, as_seconds};
use globus_gare::gare::AuthorizationParameters;

/// How long a person may take for a login.
const TIME: Duration = Duration::from_secs(600);

/// The maximum length of a `state`: browsers, proxies and Globus Auth handle URLs with this much.
const MAX_LEN: usize = 1024;

/// A login under way. The service stores nothing of it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct State {
    #[serde(rename = "v")]
    pub(super) verifier: Secret,
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub(super) required: Option<AuthorizationParameters>,
    /// The scopes that the service wants itself. The callback knows all others.
    #[serde(
        rename = "s",
        with = "as_scopes",
        default,
        skip_serializing_if = "Scopes::is_empty"
    )]
    pub(super) own: Scopes,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    back: Option<ReturnPath>,
    /// The epoch of the user's record when the login began.
    #[serde(rename = "e")]
    pub(super) epoch: u64,
    /// The person who was logged in when the login began.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<String>,
    #[serde(rename = "u")]
    pub(super) user: String,
    /// Whether nobody was logged in: then the id is new.
    #[serde(rename = "n", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_new: bool,
    #[serde(rename = "t", with = "as_seconds")]
    end: SystemTime,
}

/// The requirement and the scopes of a login do not fit into a `state`.
#[derive(Debug, thiserror::Error)]
#[error("the login asks for more than fits into its `state`")]
pub(super) struct TooLong;

impl State {
    pub(super) fn new(
        verifier: Secret,
        asked_for: &AskedFor,
        back: ReturnPath,
        user: String,
        held: Option<&Login>,
        now: SystemTime,
    ) -> Self {
        let required = asked_for.required.clone().map(|mut required| {
            // The authorize URL has the message; the callback does not need it.
            required.session_message = None;
            required
        });
        let record = held.and_then(|held| held.record.as_ref());
        Self {
            verifier,
            required,
            own: asked_for.own.clone(),
            back: Some(back),
            epoch: record.map_or(0, |record| record.epoch()),
            sub: record.and_then(|record| record.sub()).map(str::to_owned),
            user,
            is_new: held.is_none(),
            end: now + TIME,
        }
    }

    /// Seals the state for a browser. If the result is too long, leaves the return path out.
    pub(super) fn seal(
        mut self,
        logins: &WebLogins,
        login_cookie: &str,
    ) -> Result<CsrfToken, TooLong> {
        loop {
            let text = serde_json::to_vec(&self).map_err(|_| TooLong)?;
            let text = zeroize::Zeroizing::new(text);
            let place = logins.place([LOGIN, login_cookie]);
            let sealed = logins.sealer().seal(&place, &text);
            if sealed.len() <= MAX_LEN {
                return Ok(CsrfToken::new(sealed));
            }
            self.back.take().ok_or(TooLong)?;
        }
    }

    /// Opens a sealed state. `None` if it was not sealed for this browser.
    pub(super) fn open(logins: &WebLogins, login_cookie: &str, sealed: &str) -> Option<Self> {
        if sealed.len() > MAX_LEN {
            return None;
        }
        let place = logins.place([LOGIN, login_cookie]);
        let text = logins.sealer().open(&place, sealed).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(super) fn is_over(&self, now: SystemTime) -> bool {
        now > self.end
    }

    pub(super) fn back(&self) -> ReturnPath {
        self.back.clone().unwrap_or_else(ReturnPath::home)
    }

    /// Whether another login has already satisfied the requirement and brought `scopes`.
    pub(super) fn is_met(&self, held: &Login, scopes: &Scopes) -> bool {
        let Some(record) = held.record.as_ref() else {
            return false;
        };
        let mut required = self.required.iter();
        is_logged_in(held)
            && record.epoch() > self.epoch
            && (self.sub.is_none() || record.sub() == self.sub.as_deref())
            && required.all(|required| record.satisfies(required))
            && record.covers(scopes)
    }
}

/// The login of a user who is logged in. `None` if the user is not, or if the stored login cannot
/// be read, for example because its key is gone: then the browser gets a new id.
pub(super) fn logged_in(loaded: Result<Login, StoreError>) -> Result<Option<Login>, StoreError> {
    match loaded {
        Ok(held) => Ok(Some(held).filter(is_logged_in)),
        Err(error) if error.is_damaged() => {
            tracing::warn!(%error, "a login cannot be read: its user has to log in again");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether somebody is logged in, even if the tokens have expired.
pub(super) fn is_logged_in(held: &Login) -> bool {
    let record = held.record.as_ref();
    record.is_some_and(|record| record.sub().is_some())
}
