use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::InvalidCredential;

type Source = Box<dyn Error + Send + Sync>;

/// Why a login did not come about.
///
/// One failure is told to every request that waited for the login, so the error
/// is cheap to clone. What exactly went wrong is behind
/// [`source`](Error::source); what a caller can act on has a predicate.
///
/// ```
/// use globus_gare::reauth::ReauthError;
///
/// let error = ReauthError::interaction_required("https://auth.globus.org/v2/oauth2/authorize?...");
/// assert!(error.is_interaction_required());
/// assert!(error.login_url().is_some());
/// ```
#[derive(Clone)]
pub struct ReauthError(Arc<Inner>);

struct Inner {
    kind: Kind,
    source: Option<Source>,
}

#[derive(Debug)]
enum Kind {
    Declined,
    Timeout,
    InteractionRequired { login_url: Option<LoginUrl> },
    Panicked,
    NoRuntime,
    Other(String),
}

/// A page for one login: its query holds the `state`, so `Debug` leaves it out.
struct LoginUrl(String);

impl fmt::Debug for LoginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.0.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{page:?}")
    }
}

impl ReauthError {
    /// A failure that has no kind of its own; `message` says what was tried.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(Kind::Other(message.into()), None)
    }

    /// A failure with the error that caused it; `message` says what was tried.
    pub fn with_source(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::of(Kind::Other(message.into()), Some(source.into()))
    }

    /// The person, or the authorization server on their behalf, said no.
    pub fn declined() -> Self {
        Self::of(Kind::Declined, None)
    }

    /// The login was not finished in time.
    pub fn timeout() -> Self {
        Self::of(Kind::Timeout, None)
    }

    /// A person has to log in, and this program cannot ask one.
    ///
    /// `login_url` is the page that the person would open: a web service sends
    /// its user there instead of waiting.
    pub fn interaction_required(login_url: impl Into<String>) -> Self {
        Self::of(
            Kind::InteractionRequired {
                login_url: Some(LoginUrl(login_url.into())),
            },
            None,
        )
    }

    /// As [`interaction_required`](Self::interaction_required), where there is no page to name.
    pub fn interaction_required_elsewhere() -> Self {
        Self::of(Kind::InteractionRequired { login_url: None }, None)
    }

    /// As [`interaction_required_elsewhere`](Self::interaction_required_elsewhere), with the reason and the remedy.
    pub fn interaction_required_because(reason: impl Into<Source>) -> Self {
        Self::of(
            Kind::InteractionRequired { login_url: None },
            Some(reason.into()),
        )
    }

    pub(crate) fn panicked() -> Self {
        Self::of(Kind::Panicked, None)
    }

    pub(crate) fn no_runtime() -> Self {
        Self::of(Kind::NoRuntime, None)
    }

    /// Whether nobody was asked to the end, for want of a runtime: the next request may ask.
    pub(super) fn is_no_runtime(&self) -> bool {
        matches!(self.0.kind, Kind::NoRuntime)
    }

    fn of(kind: Kind, source: Option<Source>) -> Self {
        Self(Arc::new(Inner { kind, source }))
    }

    /// Whether the login was refused: asking again at once would only annoy.
    pub fn is_declined(&self) -> bool {
        matches!(self.0.kind, Kind::Declined)
    }

    /// Whether the login ran out of time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::Timeout)
    }

    /// Whether a person is needed whom this program cannot reach.
    pub fn is_interaction_required(&self) -> bool {
        matches!(self.0.kind, Kind::InteractionRequired { .. })
    }

    /// Where the person can log in, if [interaction is required](Self::is_interaction_required).
    pub fn login_url(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::InteractionRequired { login_url } => login_url.as_ref().map(|url| url.0.as_str()),
            _ => None,
        }
    }
}

impl fmt::Debug for ReauthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReauthError")
            .field("kind", &self.0.kind)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for ReauthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Declined => f.write_str("the login was declined"),
            Kind::Timeout => f.write_str("the login was not finished in time"),
            Kind::InteractionRequired { .. } => {
                f.write_str("a person has to log in, and this program cannot ask one")
            }
            Kind::Panicked => f.write_str("the reauthenticator panicked"),
            Kind::NoRuntime => f.write_str(
                "a login needs a tokio runtime that has its timer enabled and runs until the login has ended",
            ),
            Kind::Other(message) => f.write_str(message),
        }
    }
}

impl Error for ReauthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<InvalidCredential> for ReauthError {
    fn from(error: InvalidCredential) -> Self {
        Self::with_source("the login gave a token that cannot be sent", error)
    }
}
