//! Logins that failed.

use std::error::Error;

use globus_gare::reauth::{ReauthError, printable};
use globus_login::StoreError;

use super::chain;

/// Why a login failed, or why the login that is kept cannot be used.
pub(crate) enum LoginFailure {
    /// By the person, with no reason.
    Declined,
    /// Globus Auth said `access_denied`, and why.
    Denied(String),
    NotInTime,
    NobodyToAsk(String),
    /// What is kept cannot be understood.
    Damaged(String),
    /// What is kept cannot be read or written.
    NotKept(String),
    Unreachable(String),
    /// Globus Auth answered, and gave no tokens.
    Refused(String),
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
            return Self::NotInTime;
        }
        if error.is_interaction_required() {
            return Self::NobodyToAsk(chain(error));
        }
        if let Some(store) = cause::<StoreError>(error) {
            let line = chain(store);
            return match store.is_damaged() {
                true => Self::Damaged(line),
                false => Self::NotKept(line),
            };
        }
        match error.is_unavailable() || cause::<reqwest::Error>(error).is_some() {
            true => Self::Unreachable(chain(error)),
            false => Self::Refused(chain(error)),
        }
    }

    /// Whether a person could log in now.
    pub(super) fn takes_a_person(&self) -> bool {
        matches!(
            self,
            Self::Declined
                | Self::Denied(_)
                | Self::NotInTime
                | Self::NobodyToAsk(_)
                | Self::Refused(_)
        )
    }

    pub(super) fn what(&self) -> String {
        match self {
            Self::Declined => "the login was declined".to_owned(),
            Self::Denied(reason) => format!("the login was declined (Globus Auth says: {reason})"),
            Self::NotInTime => "the login was not finished in time".to_owned(),
            Self::NobodyToAsk(line)
            | Self::Damaged(line)
            | Self::NotKept(line)
            | Self::Unreachable(line)
            | Self::Refused(line) => line.clone(),
        }
    }

    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Declined => Some("run it again and approve it to see the listing"),
            Self::Denied(_) => {
                Some("run it again and approve it, as somebody whom Globus Auth admits")
            }
            Self::NotInTime => Some("run it again, or with a longer --login-timeout"),
            Self::Damaged(_) => {
                Some("`globus-ls login --force` or `globus-ls logout` puts it aside")
            }
            Self::NotKept(_) => Some("make that directory writable, or set GLOBUS_ACCESS_TOKEN"),
            Self::Unreachable(_) => {
                Some("check the network, and GLOBUS_SDK_SERVICE_URL_AUTH if it is set")
            }
            Self::Refused(_) => Some("run it again to log in"),
            // The reason says it.
            Self::NobodyToAsk(_) => None,
        }
    }
}

/// The first cause of this type.
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
