use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::InvalidCredential;

type Source = Box<dyn Error + Send + Sync>;

/// An error from a login.
///
/// A clone is cheap: every request that waited for the login gets the same error. A predicate tells
/// each kind that a caller can act on. [`source`](Error::source) returns the cause.
///
/// ```
/// use globus_gare::reauth::ReauthError;
///
/// let error = ReauthError::interaction_required("https://auth.globus.org/v2/oauth2/authorize?...");
/// assert!(error.is_interaction_required());
/// assert!(error.login_url().is_some());
/// ```
///
/// In a [`Reauthenticator`](super::Reauthenticator), `?` turns an [`InvalidCredential`], an
/// [`io::Error`] and a `Box<dyn Error + Send + Sync>` into a `ReauthError`. [`other`](Self::other)
/// takes any other error:
///
/// ```
/// use globus_gare::reauth::{Credential, ReauthError, reauth_fn};
///
/// # #[derive(serde::Deserialize)]
/// # struct Login { token: String }
/// let login = reauth_fn(|_challenge| async {
///     let file = std::fs::read("login.json")?;
///     let login: Login = serde_json::from_slice(&file).map_err(ReauthError::other)?;
///     Ok(Credential::bearer(login.token)?)
/// });
/// # drop(login);
/// ```
#[derive(Clone)]
pub struct ReauthError(Arc<Inner>);

struct Inner {
    kind: Kind,
    source: Option<Source>,
}

#[derive(Clone, Debug)]
enum Kind {
    Declined,
    Timeout,
    InteractionRequired {
        login_url: Option<LoginUrl>,
    },
    Panicked,
    NoRuntime,
    Unavailable(String),
    Forgotten,
    Other(String),
    /// The source has the message.
    Transparent,
}

/// The URL of one login. Its query holds the `state`, so `Debug` does not show the query.
#[derive(Clone)]
struct LoginUrl(String);

impl fmt::Debug for LoginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.0.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{page:?}")
    }
}

impl ReauthError {
    /// An error without a kind of its own. `message` says what failed.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(Kind::Other(message.into()), None)
    }

    /// Sets the cause of this error: another error, or a text.
    ///
    /// ```
    /// use std::error::Error;
    /// use globus_gare::reauth::ReauthError;
    ///
    /// let error = ReauthError::declined().with_source("the policy allows no guests");
    /// assert!(error.is_declined());
    /// assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("the policy allows no guests"));
    /// ```
    #[must_use]
    pub fn with_source(self, source: impl Into<Source>) -> Self {
        // The text of a transparent error is that of its source: the text stays.
        let kind = match &self.0.kind {
            Kind::Transparent => Kind::Other(self.to_string()),
            kind => kind.clone(),
        };
        Self::of(kind, Some(source.into()))
    }

    /// Converts any error. The text and the source are those of `error`. A `ReauthError` is
    /// returned unchanged.
    ///
    /// ```
    /// use globus_gare::reauth::ReauthError;
    ///
    /// # fn main() {
    /// let error = "many".parse::<u16>().map_err(ReauthError::other).unwrap_err();
    /// assert_eq!(error.to_string(), "invalid digit found in string");
    /// # }
    /// ```
    pub fn other(error: impl Error + Send + Sync + 'static) -> Self {
        Self::from(Source::from(error))
    }

    /// The person, or the authorization server on their behalf, declined the login. Add the reason
    /// with [`with_source`](Self::with_source): the `error_description` of an `access_denied`.
    pub fn declined() -> Self {
        Self::of(Kind::Declined, None)
    }

    /// The login did not end in time.
    pub fn timeout() -> Self {
        Self::of(Kind::Timeout, None)
    }

    /// A person must log in, and this program cannot ask one.
    ///
    /// `login_url` is the page to open. A web service redirects its user there.
    pub fn interaction_required(login_url: impl Into<String>) -> Self {
        Self::of(
            Kind::InteractionRequired {
                login_url: Some(LoginUrl(login_url.into())),
            },
            None,
        )
    }

    /// As [`interaction_required`](Self::interaction_required), without a login URL.
    pub fn interaction_required_elsewhere() -> Self {
        Self::of(Kind::InteractionRequired { login_url: None }, None)
    }

    /// Globus Auth or a token store cannot be reached now. A later attempt may succeed; meanwhile
    /// no login starts.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::of(Kind::Unavailable(message.into()), None)
    }

    pub(super) fn slow_look_up() -> Self {
        Self::unavailable("the look-up for a credential takes too long")
    }

    pub(crate) fn forgotten() -> Self {
        Self::of(Kind::Forgotten, None)
    }

    pub(super) fn is_forgotten(&self) -> bool {
        matches!(self.0.kind, Kind::Forgotten)
    }

    /// Whether the login was attempted and failed, so that the next one has to wait.
    pub(super) fn is_failed_login(&self) -> bool {
        // Nobody was asked, so the next attempt may succeed at any time.
        !matches!(
            self.0.kind,
            Kind::InteractionRequired { .. } | Kind::NoRuntime | Kind::Forgotten
        )
    }

    pub(crate) fn panicked() -> Self {
        Self::of(Kind::Panicked, None)
    }

    pub(crate) fn no_runtime() -> Self {
        Self::of(Kind::NoRuntime, None)
    }

    fn of(kind: Kind, source: Option<Source>) -> Self {
        Self(Arc::new(Inner { kind, source }))
    }

    /// Whether the login was declined. Do not ask the same person again at once.
    pub fn is_declined(&self) -> bool {
        matches!(self.0.kind, Kind::Declined)
    }

    /// Whether the login exceeded its time limit.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::Timeout)
    }

    /// Whether Globus Auth or a token store could not be reached: see
    /// [`unavailable`](Self::unavailable).
    pub fn is_unavailable(&self) -> bool {
        matches!(self.0.kind, Kind::Unavailable(_))
    }

    /// Whether a person must log in, and this program cannot ask one.
    pub fn is_interaction_required(&self) -> bool {
        matches!(self.0.kind, Kind::InteractionRequired { .. })
    }

    /// The page where the person can log in, if [interaction is
    /// required](Self::is_interaction_required) and the page is known.
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
                f.write_str("a person must log in, and this program cannot ask one")
            }
            Kind::Panicked => f.write_str("the reauthenticator panicked"),
            Kind::NoRuntime => f.write_str(
                "a login needs a tokio runtime with a timer, which runs until the login ends",
            ),
            Kind::Transparent => match &self.0.source {
                Some(error) => error.fmt(f),
                None => f.write_str("the login failed"),
            },
            Kind::Forgotten => f.write_str("the principal was forgotten"),
            Kind::Unavailable(message) | Kind::Other(message) => f.write_str(message),
        }
    }
}

impl Error for ReauthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source.as_deref()?;
        match self.0.kind {
            Kind::Transparent => source.source(),
            _ => Some(source),
        }
    }
}

impl From<InvalidCredential> for ReauthError {
    fn from(error: InvalidCredential) -> Self {
        Self::new("the login returned a token that cannot be sent").with_source(error)
    }
}

/// As [`ReauthError::other`].
impl From<io::Error> for ReauthError {
    fn from(error: io::Error) -> Self {
        Self::other(error)
    }
}

/// As [`ReauthError::other`].
impl From<Box<dyn Error + Send + Sync>> for ReauthError {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast() {
            Ok(own) => *own,
            Err(error) => Self::of(Kind::Transparent, Some(error)),
        }
    }
}
