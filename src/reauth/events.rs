//! The events of a session. They go to `tracing`, if that feature is on, and to
//! [`SessionBuilder::on_event`](super::SessionBuilder::on_event).
//!
//! The page for operators, `src/guide/operators.md`, lists them all; a test compares the two. No
//! field ever holds a credential, a header, a query or a service's message.

use std::future::Future;

use http::{Method, StatusCode};

use super::{GaveUp, ReauthError, Session, Target};
use crate::gare::Found;

/// An event of a session. [For operators](crate::guide::operators#events) has a table of all events.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A response is a challenge.
    #[non_exhaustive]
    Challenged {
        /// Whose request to which origin it is.
        target: &'a Target,
        /// The request's method.
        method: &'a Method,
        /// The response's status.
        status: StatusCode,
        /// The requirements. Empty for a plain `401`.
        found: &'a [Found],
        /// The generation of the credential that the request was sent with.
        generation: u64,
    },
    /// A requirement exceeds a limit, and is ignored.
    #[non_exhaustive]
    OverLimit {
        /// Whose request to which origin it is.
        target: &'a Target,
        /// The limit, in words.
        limit: &'static str,
    },
    /// A requirement stands in a quotation, and the program did not add its origin.
    #[non_exhaustive]
    OnlyQuoted {
        /// Whose request to which origin it is.
        target: &'a Target,
    },
    /// A response that may be a challenge is not inspected.
    #[non_exhaustive]
    NotInspected {
        /// Whose request to which origin it is.
        target: &'a Target,
        /// The response's status.
        status: StatusCode,
        /// The reason: for example, the body is encoded.
        reason: &'static str,
    },
    /// A GARE came from an origin that is not trusted.
    NotTrusted,
    /// A login starts.
    #[non_exhaustive]
    LoggingIn {
        /// Whose login for which origin it is.
        target: &'a Target,
        /// The number of this login among the logins of the request, starting at 1.
        attempt: u32,
    },
    /// A request waits for a login that covers its requirement.
    #[non_exhaustive]
    Joined {
        /// Whose request to which origin it is.
        target: &'a Target,
    },
    /// A request waits for another login to end.
    #[non_exhaustive]
    Waiting {
        /// Whose request to which origin it is.
        target: &'a Target,
    },
    /// A request has waited for a login for 30 seconds.
    #[non_exhaustive]
    LoginTakesLong {
        /// Whose request to which origin it is.
        target: &'a Target,
    },
    /// A login succeeded.
    #[non_exhaustive]
    LoggedIn {
        /// Whose login for which origin it is.
        target: &'a Target,
        /// The generation of the new credential.
        generation: u64,
    },
    /// A login failed.
    #[non_exhaustive]
    LoginFailed {
        /// Whose login for which origin it is.
        target: &'a Target,
        /// The error.
        error: &'a ReauthError,
    },
    /// A look-up starts.
    #[non_exhaustive]
    LookingUp {
        /// Whose credential for which origin it is.
        target: &'a Target,
    },
    /// A look-up ended.
    #[non_exhaustive]
    LookedUp {
        /// Whose credential for which origin it is.
        target: &'a Target,
        /// The generation of the credential. `None` if the look-up found none.
        generation: Option<u64>,
    },
    /// A look-up failed.
    #[non_exhaustive]
    LookUpFailed {
        /// Whose credential for which origin it is.
        target: &'a Target,
        /// The error.
        error: &'a ReauthError,
    },
    /// A request is replayed.
    #[non_exhaustive]
    Replayed {
        /// Whose request to which origin it is.
        target: &'a Target,
        /// How often the request was replayed, with this replay.
        replays: u32,
        /// The generation of the credential of this replay.
        generation: u64,
    },
    /// A challenge goes back to the caller.
    #[non_exhaustive]
    GaveUp {
        /// Whose request to which origin it is.
        target: &'a Target,
        /// The reason.
        reason: &'a GaveUp,
    },
}

impl Session {
    pub(super) fn emit(&self, event: Event<'_>) {
        #[cfg(feature = "tracing")]
        event.trace();
        if let Some(observer) = &self.settings().on_event {
            observer(event);
        }
    }
}

/// Runs `login` in a span.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn during_login<F: Future>(
    target: &Target,
    attempt: u32,
    login: F,
) -> impl Future<Output = F::Output> + use<F> {
    #[cfg(feature = "tracing")]
    let login = tracing::Instrument::instrument(
        login,
        tracing::info_span!(target: "globus_gare", "login", origin = %target.origin(), principal = ?target.principal(),
            attempt),
    );
    login
}

#[cfg(feature = "tracing")]
macro_rules! event {
    ($level:ident, $target:ident, $($rest:tt)+) => {
        tracing::$level!(target: "globus_gare", origin = %$target.origin(), principal = ?$target.principal(), $($rest)+)
    };
}

#[cfg(feature = "tracing")]
impl Event<'_> {
    fn trace(self) {
        match self {
            Self::Challenged {
                target,
                method,
                status,
                found,
                generation,
            } => {
                event!(info, target, %method, status = status.as_u16(), requirements = found.len(), generation, "challenged");
            }
            Self::OverLimit { target, limit } => event!(warn, target, limit, "over limit"),
            Self::OnlyQuoted { target } => event!(debug, target, "only quoted"),
            Self::NotInspected {
                target,
                status,
                reason,
            } => event!(
                debug,
                target,
                status = status.as_u16(),
                reason,
                "not inspected"
            ),
            Self::NotTrusted => tracing::debug!(target: "globus_gare", "not trusted"),
            Self::LoggingIn { target, attempt } => event!(info, target, attempt, "logging in"),
            Self::Joined { target } => event!(debug, target, "joined"),
            Self::Waiting { target } => event!(debug, target, "waiting"),
            Self::LoginTakesLong { target } => event!(
                warn,
                target,
                hint = "a request that the login itself sends must not wait for it: see Challenge::part_of_login",
                "login takes long"
            ),
            Self::LoggedIn { target, generation } => event!(info, target, generation, "logged in"),
            Self::LoginFailed { target, error } => event!(warn, target, %error, "login failed"),
            Self::LookingUp { target } => event!(debug, target, "looking up"),
            Self::LookedUp { target, generation } => event!(debug, target, generation, "looked up"),
            Self::LookUpFailed { target, error } => event!(warn, target, %error, "look-up failed"),
            Self::Replayed {
                target,
                replays,
                generation,
            } => {
                event!(info, target, replays, generation, "replayed");
            }
            Self::GaveUp { target, reason } => {
                event!(warn, target, reason = reason.name(), "gave up");
            }
        }
    }
}
