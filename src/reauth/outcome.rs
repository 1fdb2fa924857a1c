use std::fmt;

use super::ReauthError;
use crate::gare::Found;

/// What came of a response that asked for something: in the response's extensions.
///
/// A response without it was not concerned: it asked for nothing, or was not
/// looked at, and no login took place for its request.
///
/// ```
/// use globus_gare::reauth::{GareOutcome, Refusal};
///
/// fn report<B>(response: &http::Response<B>) {
///     let Some(outcome) = response.extensions().get::<GareOutcome>() else { return };
///     match outcome.refusal() {
///         None => eprintln!("answered after {} login(s)", outcome.logins()),
///         Some(Refusal::Failed(error)) if error.is_declined() => eprintln!("you declined"),
///         Some(refusal) => eprintln!("not logged in: {refusal}"),
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct GareOutcome {
    pub(crate) found: Vec<Found>,
    pub(crate) logins: u32,
    pub(crate) replays: u32,
    pub(crate) refusal: Option<Refusal>,
}

impl GareOutcome {
    /// What the last challenged response asked for.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// How many logins that succeeded this request waited for.
    pub fn logins(&self) -> u32 {
        self.logins
    }

    /// How often the request was sent again.
    pub fn replays(&self) -> u32 {
        self.replays
    }

    /// Why the response is the service's refusal; `None` where the requirement was met.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

/// Why nothing, or nothing more, was done about a requirement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The response came from an origin that is not [trusted](super::Trust).
    Untrusted,
    /// The request came with an `Authorization` that is no bearer token, which a
    /// login cannot replace.
    NotBearer,
    /// The request's body cannot be sent a second time.
    NotReplayable,
    /// The request said [`login_without_replay`](super::GareOptions::login_without_replay).
    LoginOnly,
    /// The request said [`no_prompt`](super::GareOptions::no_prompt).
    NoPrompt,
    /// The login succeeded, and the service asks for the same thing again.
    NoProgress,
    /// The request used up its logins or its replays.
    Exhausted,
    /// The request's own [deadline](super::GareOptions::deadline) passed.
    DeadlineElapsed,
    /// The login failed, now or within the cool-down.
    Failed(ReauthError),
}

impl Refusal {
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
            Self::DeadlineElapsed => "deadline_elapsed",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untrusted => "the answer came from an origin that is not trusted",
            Self::NotBearer => "the request carries an Authorization that a login cannot replace",
            Self::NotReplayable => "the request's body cannot be sent again",
            Self::LoginOnly => "the request asked not to be sent again",
            Self::NoPrompt => "the request asked not to prompt anybody",
            Self::NoProgress => "the service asks for the same again after a login that succeeded",
            Self::Exhausted => "the request used up its logins",
            Self::DeadlineElapsed => "the request's deadline passed before the login was done",
            Self::Failed(error) => return error.fmt(f),
        })
    }
}
