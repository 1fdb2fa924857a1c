//! The events of a session. They go to `tracing`, if that feature is on, and to
//! [`SessionBuilder::on_event`](super::SessionBuilder::on_event).
//!
//! The page for operators, `src/guide/operators.md`, lists them all; a test compares the two. No
//! field of `tracing` ever holds a credential, a header, a query or a service's message.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{Method, StatusCode};

use super::rules::Rule;
use super::{GaveUp, ReauthError, Session, Target};
use crate::gare::Found;

/// An event of a session. [For operators](crate::guide::operators) has a table of them.
///
/// ```
/// use globus_gare::reauth::{Event, EventKind};
///
/// /// Counts events by name and service.
/// fn count(event: Event<'_>, mut add: impl FnMut(&'static str, &str)) {
///     let host = event.target.map_or("", |target| target.origin().host());
///     add(event.name(), host);
///     if let EventKind::LoginFailed { error, .. } = event.kind {
///         eprintln!("no login for {host}: {error}");
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The origin and the principal of the request, the login or the look-up. `None` for
    /// [`EventKind::NotTrusted`] alone.
    pub target: Option<&'a Target>,
    /// What happened.
    pub kind: EventKind<'a>,
}

impl Event<'_> {
    /// A short, stable name for logs and counters, as in the table.
    pub fn name(&self) -> &'static str {
        match self.kind {
            EventKind::Challenged { .. } => "challenged",
            EventKind::OverLimit { .. } => "over limit",
            EventKind::OnlyQuoted => "only quoted",
            EventKind::NotInspected { .. } => "not inspected",
            EventKind::NotTrusted => "not trusted",
            EventKind::LoggingIn { .. } => "logging in",
            EventKind::Joined => "joined",
            EventKind::Waiting => "waiting",
            EventKind::LoginTakesLong => "login takes long",
            EventKind::LoggedIn { .. } => "logged in",
            EventKind::LoginFailed { .. } => "login failed",
            EventKind::InteractionRequired { .. } => "interaction required",
            EventKind::LookingUp => "looking up",
            EventKind::LookedUp { .. } => "looked up",
            EventKind::LookUpFailed { .. } => "look-up failed",
            EventKind::Replayed { .. } => "replayed",
            EventKind::GaveUp { .. } => "gave up",
        }
    }
}

/// The kinds of [`Event`], and their values.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// A response is a challenge.
    #[non_exhaustive]
    Challenged {
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
        /// The limit, in words.
        limit: &'static str,
    },
    /// A requirement stands in a quotation, and the program did not add its origin.
    OnlyQuoted,
    /// A response that may be a challenge is not inspected.
    #[non_exhaustive]
    NotInspected {
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
        /// The number of this login among the logins of the request, starting at 1.
        attempt: u32,
    },
    /// A request waits for a login that covers its requirement.
    Joined,
    /// A request waits for another login to end.
    Waiting,
    /// A request waits for a login that has run for 30 seconds.
    LoginTakesLong,
    /// A login succeeded.
    #[non_exhaustive]
    LoggedIn {
        /// The generation of the new credential.
        generation: u64,
    },
    /// A login failed.
    #[non_exhaustive]
    LoginFailed {
        /// The error.
        error: &'a ReauthError,
    },
    /// A login [needs a person](ReauthError::is_interaction_required), who is to be sent to its
    /// login URL. In a web service this is the normal course.
    #[non_exhaustive]
    InteractionRequired {
        /// The error, with the login URL if it is known.
        error: &'a ReauthError,
    },
    /// A look-up starts.
    LookingUp,
    /// A look-up ended.
    #[non_exhaustive]
    LookedUp {
        /// The generation of the credential. `None` if the look-up found none.
        generation: Option<u64>,
    },
    /// A look-up failed.
    #[non_exhaustive]
    LookUpFailed {
        /// The error.
        error: &'a ReauthError,
    },
    /// A request is replayed.
    #[non_exhaustive]
    Replayed {
        /// How often the request was replayed, with this replay.
        replays: u32,
        /// The generation of the credential of this replay.
        generation: u64,
    },
    /// A challenge goes back to the caller.
    #[non_exhaustive]
    GaveUp {
        /// The reason.
        reason: &'a GaveUp,
    },
}

impl Session {
    pub(super) fn emit<'a>(&self, target: impl Into<Option<&'a Target>>, kind: EventKind<'a>) {
        let target = target.into();
        let event = Event { target, kind };
        #[cfg(feature = "tracing")]
        event.trace();
        if let Some(Rule(observer)) = &self.settings().on_event {
            // A login that was recorded must start, and a request must end.
            let _ = catch_unwind(AssertUnwindSafe(|| observer(event)));
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
    ($level:ident, $event:ident, $target:ident $(, $($field:tt)+)?) => {
        tracing::$level!(
            target: "globus_gare",
            origin = %$target.origin(),
            principal = ?$target.principal(),
            $($($field)+,)?
            "{}",
            $event.name()
        )
    };
}

#[cfg(feature = "tracing")]
impl Event<'_> {
    fn trace(self) {
        let Some(target) = self.target else {
            return tracing::debug!(target: "globus_gare", "{}", self.name());
        };
        match self.kind {
            EventKind::Challenged {
                method,
                status,
                found,
                generation,
            } => {
                let (status, requirements) = (status.as_u16(), found.len());
                event!(info, self, target, %method, status, requirements, generation);
            }
            EventKind::OverLimit { limit } => event!(warn, self, target, limit),
            EventKind::NotInspected { status, reason } => {
                event!(debug, self, target, status = status.as_u16(), reason);
            }
            EventKind::LoggingIn { attempt } => event!(info, self, target, attempt),
            EventKind::OnlyQuoted
            | EventKind::NotTrusted
            | EventKind::Joined
            | EventKind::Waiting
            | EventKind::LookingUp => event!(debug, self, target),
            EventKind::LoginTakesLong => event!(
                warn,
                self,
                target,
                hint = "a request that the login itself sends must not wait for it: see Challenge::part_of_login"
            ),
            EventKind::LoggedIn { generation } => event!(info, self, target, generation),
            EventKind::LoginFailed { error } | EventKind::LookUpFailed { error } => {
                event!(warn, self, target, %error);
            }
            EventKind::InteractionRequired { error } => event!(info, self, target, %error),
            EventKind::LookedUp { generation } => event!(debug, self, target, generation),
            EventKind::Replayed {
                replays,
                generation,
            } => event!(info, self, target, replays, generation),
            EventKind::GaveUp { reason } if reason.is_interaction_required() => {
                event!(info, self, target, reason = reason.name());
            }
            EventKind::GaveUp { reason } => {
                event!(warn, self, target, reason = reason.name());
            }
        }
    }
}
