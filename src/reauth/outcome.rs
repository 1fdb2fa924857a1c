use std::fmt;

use super::ReauthError;
use crate::gare::Found;

/// The outcome of a challenged request. Found in the response's extensions.
///
/// Absent if no GARE was found, the request was not replayed, and the layer did not give up.
///
/// ```
/// use globus_gare::reauth::{GareOutcome, GaveUp};
///
/// fn report<B>(response: &http::Response<B>) {
///     let Some(outcome) = response.extensions().get::<GareOutcome>() else { return };
///     match outcome.gave_up() {
///         None => eprintln!("succeeded after {} login(s)", outcome.logins()),
///         Some(GaveUp::Failed(error)) if error.is_declined() => eprintln!("you declined"),
///         Some(reason) => eprintln!("not logged in: {reason}"),
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct GareOutcome {
    pub(crate) found: Vec<Found>,
    pub(crate) logins: u32,
    pub(crate) replays: u32,
    pub(crate) gave_up: Option<GaveUp>,
}

impl GareOutcome {
    /// The requirements of the last challenge, and where they were found.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// How many successful logins the request waited for.
    pub fn logins(&self) -> u32 {
        self.logins
    }

    /// How often the request was replayed.
    pub fn replays(&self) -> u32 {
        self.replays
    }

    /// Why the layer returned the service's challenge. `None` if the requirement was satisfied.
    pub fn gave_up(&self) -> Option<&GaveUp> {
        self.gave_up.as_ref()
    }
}

/// Why the layer returned the service's own response instead of satisfying its requirement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum GaveUp {
    /// The response came from an origin that is not [trusted](super::Trust).
    Untrusted,
    /// The request's own `Authorization` is not a bearer token. A login cannot replace it.
    NotBearer,
    /// The request's body cannot be sent again.
    NotReplayable,
    /// The request has [`login_only`](super::GareOptions::login_only).
    LoginOnly,
    /// The request has [`no_prompt`](super::GareOptions::no_prompt).
    NoPrompt,
    /// A login succeeded, and the service requires the same again.
    NoProgress,
    /// The request used up its logins or its replays.
    Exhausted,
    /// The request waited for [`max_wait`](super::GareOptions::max_wait).
    MaxWait,
    /// The login failed, or an earlier one did and its backoff is not over.
    Failed(ReauthError),
}

impl GaveUp {
    /// A short, stable name for logs and counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::NotBearer => "not_bearer",
            Self::NotReplayable => "not_replayable",
            Self::LoginOnly => "login_only",
            Self::NoPrompt => "no_prompt",
            Self::NoProgress => "no_progress",
            Self::Exhausted => "exhausted",
            Self::MaxWait => "max_wait",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untrusted => "the response came from an origin that is not trusted",
            Self::NotBearer => "the request has an Authorization that a login cannot replace",
            Self::NotReplayable => "the request's body cannot be sent again",
            Self::LoginOnly => "the request has the option login_only",
            Self::NoPrompt => "the request has the option no_prompt",
            Self::NoProgress => "the service requires the same again after a successful login",
            Self::Exhausted => "the request used up its logins or replays",
            Self::MaxWait => "the login did not end within the request's max_wait",
            Self::Failed(error) => return error.fmt(f),
        })
    }
}
