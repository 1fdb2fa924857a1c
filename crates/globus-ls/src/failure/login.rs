//! Logins that failed.

use std::error::Error;

use globus_gare::reauth::{ReauthError, printable};
use globus_login::StoreError;

use super::chain;

/// Why a login failed, or why the stored login cannot be used.
pub(crate) enum LoginFailure {
    /// The person declined, without a reason.
    Declined,
    /// Globus Auth answered `access_denied`, with a reason.
    Denied(String),
    TimedOut,
    InteractionRequired(String),
    /// The stored login is damaged.
    Damaged(String),
    /// The store cannot be read or written.
    StoreUnusable(String),
    Unreachable(String),
    /// Globus Auth answered, but issued no tokens.
    NoTokens(String),
}

impl LoginFailure {
    pub(super) fn of(error: &ReauthError) -> Self {
        if error.is_declined() {
            return match error.source() {
                Some(reason) => Self::Denied(printable(&reason.to_string())),
                None => Self::Declined,
            };
        }
        if error.is_timeout() {
            return Self::TimedOut;
        }
        if error.is_interaction_required() {
            return Self::InteractionRequired(chain(error));
        }
        if let Some(store) = cause::<StoreError>(error) {
            let line = chain(store);
            return match store.is_damaged() {
                true => Self::Damaged(line),
                false => Self::StoreUnusable(line),
            };
        }
        match error.is_unavailable() || cause::<reqwest::Error>(error).is_some() {
            true => Self::Unreachable(chain(error)),
            false => Self::NoTokens(chain(error)),
        }
    }

    /// Whether a login by a person can mend this.
    pub(super) fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::Declined
                | Self::Denied(_)
                | Self::TimedOut
                | Self::InteractionRequired(_)
                | Self::NoTokens(_)
        )
    }

    /// Whether the same login may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NoTokens(_))
    }

    /// Whether a person was asked, and did not log in.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Declined | Self::Denied(_) | Self::TimedOut)
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::Declined => "the login was declined".to_owned(),
            Self::Denied(reason) => format!("the login was declined (Globus Auth says: {reason})"),
            Self::TimedOut => "the login was not finished in time".to_owned(),
            Self::InteractionRequired(line)
            | Self::Damaged(line)
            | Self::StoreUnusable(line)
            | Self::Unreachable(line)
            | Self::NoTokens(line) => line.clone(),
        }
    }

    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Declined => Some("run globus-ls again, and approve the login"),
            Self::Denied(_) => {
                Some("run globus-ls again, and approve the login with an identity that may log in")
            }
            Self::TimedOut => Some("run globus-ls again, or with a longer --login-timeout"),
            Self::Damaged(_) => {
                Some("run 'globus-ls login --force' or 'globus-ls logout' to set the file aside")
            }
            Self::StoreUnusable(_) => {
                Some("make that directory writable, or set GLOBUS_ACCESS_TOKEN")
            }
            Self::Unreachable(_) => {
                Some("check the network, and GLOBUS_SDK_SERVICE_URL_AUTH if it is set")
            }
            Self::NoTokens(_) => Some("run globus-ls again to log in"),
            // The message contains the advice.
            Self::InteractionRequired(_) => None,
        }
    }
}

/// The first cause of type `T`.
fn cause<T: Error + 'static>(error: &ReauthError) -> Option<&T> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
