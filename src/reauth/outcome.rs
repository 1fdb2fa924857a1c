use std::fmt;
use std::time::Duration;

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
    /// A GARE was found, and it came from an origin that is not [trusted](super::Trust). Add the
    /// origin, if it is yours.
    Untrusted,
    /// A GARE was found, and the request's URI names no origin: it is relative, or has no host.
    NoOrigin,
    /// The request's own `Authorization` is not a bearer token. A login cannot replace it.
    NotBearer,
    /// The request's body cannot be sent again.
    NotReplayable,
    /// The request has [`login_only`](super::GareOptions::login_only).
    LoginOnly,
    /// The request has [`no_prompt`](super::GareOptions::no_prompt).
    NoPrompt,
    /// [`SessionBuilder::approve`](super::SessionBuilder::approve) refused the requirement.
    NotApproved,
    /// A login succeeded, and the service requires the same again.
    NoProgress,
    /// Nobody is asked for now: a login failed, or logins succeeded and did not help.
    #[non_exhaustive]
    BackingOff {
        /// How long nobody is asked.
        retry_after: Duration,
        /// The error of the login that failed. `None` where logins did not help.
        cause: Option<ReauthError>,
    },
    /// Too many logins succeeded in a short time, while none of their requests was accepted.
    #[non_exhaustive]
    Budget {
        /// How long no login begins.
        retry_after: Duration,
    },
    /// A look-up or a refresh got no answer. Try later: nobody was asked.
    Unavailable(ReauthError),
    /// Too many principals have requests under way: see
    /// [`SessionBuilder::max_principals_in_use`](super::SessionBuilder::max_principals_in_use).
    TooManyPrincipals,
    /// The request's principal was [forgotten](super::Session::forget), or has logged out.
    Forgotten,
    /// The request used up its logins or its replays.
    Exhausted,
    /// The request waited for [`max_wait`](super::GareOptions::max_wait).
    MaxWait,
    /// The login that the request waited for failed.
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
            Self::NoOrigin => "no_origin",
            Self::NotApproved => "not_approved",
            Self::NoProgress => "no_progress",
            Self::BackingOff { .. } => "backing_off",
            Self::Budget { .. } => "budget",
            Self::Unavailable(_) => "unavailable",
            Self::TooManyPrincipals => "too_many_principals",
            Self::Forgotten => "forgotten",
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
            Self::NoOrigin => "the request's URI names no origin",
            Self::NotApproved => "the program did not approve of what the service requires",
            Self::BackingOff { retry_after, cause } => {
                let seconds = retry_after.as_secs().max(1);
                return match cause {
                    Some(cause) => write!(f, "{cause}; nobody is asked again for {seconds} s"),
                    None => write!(
                        f,
                        "logins did not satisfy the service; nobody is asked again for {seconds} s"
                    ),
                };
            }
            Self::Budget { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                return write!(
                    f,
                    "too many logins did not help; none begins for {seconds} s"
                );
            }
            Self::TooManyPrincipals => "too many principals have requests under way",
            Self::Forgotten => "the principal was forgotten, or has logged out",
            Self::Unavailable(error) | Self::Failed(error) => return error.fmt(f),
        })
    }
}
