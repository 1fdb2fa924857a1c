use std::time::Duration;

use thiserror::Error;

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
///         Some(GaveUp::Failed(error)) if error.is_declined() => eprintln!("the login was declined"),
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
    /// The requirements of the last challenge. Empty for a plain `401`.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// The number of successful logins that the request waited for.
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
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum GaveUp {
    /// A GARE came from an origin that is not [trusted](super::Trust). Add the origin, if it is
    /// yours.
    #[error(
        "the response came from an origin that is not trusted: if it is yours, add it with Trust::origin"
    )]
    Untrusted,
    /// A GARE was found, and the request's URI names no origin: it is relative, or has no host.
    #[error("the request's URI names no origin: give an absolute http or https URI")]
    NoOrigin,
    /// The request's own `Authorization` is not a bearer token. A login cannot replace it.
    #[error(
        "the request has an Authorization that a login cannot replace: send such requests with GareOptions::bypass"
    )]
    NotBearer,
    /// The request presents a bearer token of its own, and the session [does not replace
    /// those](super::SessionBuilder::supersede_presented).
    #[error("the request presents a token of its own, which the session does not replace")]
    Presented,
    /// The request's body cannot be sent again.
    #[error("the request's body cannot be sent again")]
    NotReplayable,
    /// The request has [`login_only`](super::GareOptions::login_only).
    #[error("the request has the option login_only")]
    LoginOnly,
    /// The request has [`no_prompt`](super::GareOptions::no_prompt), or the challenge is a plain
    /// `401` and [`login_on_401`](super::SessionBuilder::login_on_401) is off.
    #[error(
        "no login may start for the request: see GareOptions::no_prompt and SessionBuilder::login_on_401"
    )]
    NoPrompt,
    /// [`SessionBuilder::approve`](super::SessionBuilder::approve) rejected the requirement.
    #[error("the program did not approve the service's requirement")]
    NotApproved,
    /// A login succeeded, and the service requires the same again.
    #[error("the service requires the same again after a successful login")]
    NoProgress,
    /// No login starts for now: an earlier one failed, or succeeded and did not help.
    #[error("{}", backing_off(*retry_after, cause.as_ref()))]
    #[non_exhaustive]
    BackingOff {
        /// The time until a login may start again.
        retry_after: Duration,
        /// The error of the failed login. `None` if logins succeeded and did not help.
        cause: Option<ReauthError>,
    },
    /// Too many logins succeeded in a short time while none of their requests was accepted: see
    /// [`SessionBuilder::login_budget`](super::SessionBuilder::login_budget).
    #[error("too many logins did not help; none starts for {} s", retry_after.as_secs().max(1))]
    #[non_exhaustive]
    Budget {
        /// The time until a login may start again.
        retry_after: Duration,
    },
    /// A look-up or a refresh got no answer. Try later. No login was started.
    #[error(transparent)]
    Unavailable(ReauthError),
    /// Too many principals have requests under way: see
    /// [`SessionBuilder::max_principals_in_use`](super::SessionBuilder::max_principals_in_use).
    #[error(
        "too many principals have requests under way: see SessionBuilder::max_principals_in_use"
    )]
    TooManyPrincipals,
    /// The request's principal was [forgotten](super::Session::forget), or has logged out.
    #[error("the principal was forgotten, or has logged out")]
    Forgotten,
    /// A server claims to belong to a collection, and neither the program nor the
    /// [`Reauthenticator`](super::Reauthenticator::serves_collection) confirms it.
    #[error(
        "the server claims to belong to a collection, which nothing confirms: name the collection with Trust::collection"
    )]
    UnverifiedCollection,
    /// The client followed a redirect of a collection's server to a login page. The layer has set
    /// the status of the page to `401`. Make the client stop at a login: with reqwest, use the
    /// policy `globus_gare::reqwest::redirects()`.
    #[error(
        "the client followed a redirect to a login page: make it stop at redirects to Globus Auth"
    )]
    RedirectedToLogin,
    /// The request used up its logins or its replays.
    #[error("the request used up its logins or replays")]
    Exhausted,
    /// The request waited for [`max_wait`](super::GareOptions::max_wait).
    #[error("the request waited for max_wait; a login that it waited for continues")]
    MaxWait,
    /// The login that the request waited for failed.
    #[error(transparent)]
    Failed(ReauthError),
}

impl GaveUp {
    /// A short, stable name for logs and counters. A [`Failed`](Self::Failed) whose error [requires
    /// interaction](ReauthError::is_interaction_required) has the name `interaction_required`.
    pub fn name(&self) -> &'static str {
        match self {
            _ if self.is_interaction_required() => "interaction_required",
            Self::Untrusted => "untrusted",
            Self::NotBearer => "not_bearer",
            Self::Presented => "presented",
            Self::NotReplayable => "not_replayable",
            Self::LoginOnly => "login_only",
            Self::NoPrompt => "no_prompt",
            Self::NoOrigin => "no_origin",
            Self::NotApproved => "not_approved",
            Self::NoProgress => "no_progress",
            Self::BackingOff { .. } => "backing_off",
            Self::Budget { .. } => "budget",
            Self::Unavailable(_) => "unavailable",
            Self::TooManyPrincipals => "too_many_principals",
            Self::Forgotten => "forgotten",
            Self::UnverifiedCollection => "unverified_collection",
            Self::RedirectedToLogin => "redirected_to_login",
            Self::Exhausted => "exhausted",
            Self::MaxWait => "max_wait",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether a person has to be sent to log in. That is no failure.
    pub(super) fn is_interaction_required(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_interaction_required())
    }
}

fn backing_off(retry_after: Duration, cause: Option<&ReauthError>) -> String {
    let seconds = retry_after.as_secs().max(1);
    match cause {
        Some(cause) => format!("{cause}; no login starts for {seconds} s"),
        None => format!("logins did not satisfy the service; no login starts for {seconds} s"),
    }
}
