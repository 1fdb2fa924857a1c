use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::{LoginRequest, UserKey, Waiting};
use globus_gare::reauth::{ReauthError, printable};

/// Reaches the person who has to log in.
///
/// The person opens [`authorize_url`](LoginRequest::authorize_url) in a browser and logs in. The
/// reply is a code that Globus Auth shows and the person pastes, or a redirect to
/// [`redirect_uri`](LoginRequest::redirect_uri).
///
/// `ask` may wait for a person: the session drops the future after its `login_timeout`. Return
/// [`ReauthError::declined`] if the person says no, and [`ReauthError::interaction_required`] if
/// nobody can be asked.
///
/// ```
/// use async_trait::async_trait;
/// use globus_login::{GlobusApp, LoginPrompt, LoginReply, LoginRequest};
/// use globus_gare::reauth::ReauthError;
///
/// struct Terminal;
///
/// #[async_trait]
/// impl LoginPrompt for Terminal {
///     async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
///         if let Some(challenge) = request.challenge() {
///             eprintln!("{}", challenge.in_plain_words());
///         }
///         eprintln!("Log in at {}\nand paste the code:", request.authorize_url());
///         let read = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin()));
///         let code = read.await.map_err(|error| ReauthError::new("nothing was read").with_source(error))?;
///         Ok(LoginReply::Code(code.map_err(|error| ReauthError::new("nothing was read").with_source(error))?))
///     }
/// }
///
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").prompt(Terminal).build()?;
/// # Ok::<(), globus_login::SetupError>(())
/// ```
#[async_trait]
pub trait LoginPrompt: Send + Sync + 'static {
    /// Asks the person to log in, and returns the reply.
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError>;

    /// Asks again after Globus Auth rejected the code of the last [`LoginReply::Code`]. Called at
    /// most five times in one login. By default returns `error`, which ends the login.
    async fn ask_again(
        &self,
        request: &LoginRequest,
        error: ReauthError,
    ) -> Result<LoginReply, ReauthError> {
        let _ = request;
        Err(error)
    }

    /// Asks the person whether the login may ask for its [`new_scopes`](LoginRequest::new_scopes).
    /// Called before [`ask`](Self::ask), and only if there are some. By default returns `false`,
    /// which declines the login.
    ///
    /// Later logins do not ask for these scopes.
    async fn allows_new_scopes(&self, request: &LoginRequest) -> Result<bool, ReauthError> {
        let _ = request;
        Ok(false)
    }

    /// Shows the person the status of a login. Called any number of times, also without
    /// [`ask`](Self::ask). Must return at once. By default does nothing.
    fn status(&self, status: &LoginStatus) {
        let _ = status;
    }

    /// Whether this prompt waits for a login with another program, for example on the login node of
    /// a cluster. Default: `false`.
    ///
    /// Such a login takes no lease, which would keep the other program out. It posts a notice
    /// ([`AppUser::waiting`](super::AppUser::waiting)), and ends as soon as a later login is in the
    /// store; `ask` is then dropped. `ask` may also return [`LoginReply::Stored`].
    fn waits_elsewhere(&self) -> bool {
        false
    }
}

/// Makes a [`LoginPrompt`] of an async closure.
///
/// ```
/// use globus_gare::reauth::ReauthError;
/// use globus_login::{GlobusApp, LoginRequest, prompt_fn};
///
/// let nobody = prompt_fn(|request: LoginRequest| async move {
///     let page = request.authorize_url().to_string();
///     Err(ReauthError::interaction_required(page))
/// });
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").prompt(nobody).build()?;
/// # Ok::<(), globus_login::SetupError>(())
/// ```
pub fn prompt_fn<F, R>(ask: F) -> PromptFn<F>
where
    F: Fn(LoginRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<LoginReply, ReauthError>> + Send,
{
    PromptFn(ask)
}

/// A [`LoginPrompt`] of an async closure. Made by [`prompt_fn`].
#[derive(Clone)]
pub struct PromptFn<F>(F);

#[async_trait]
impl<F, R> LoginPrompt for PromptFn<F>
where
    F: Fn(LoginRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<LoginReply, ReauthError>> + Send,
{
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        (self.0)(request.clone()).await
    }
}

impl<F> fmt::Debug for PromptFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = std::any::type_name::<F>();
        f.debug_tuple("PromptFn").field(&name).finish()
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        #[async_trait]
        impl<P: LoginPrompt + ?Sized> LoginPrompt for $pointer<P> {
            async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
                (**self).ask(request).await
            }

            async fn ask_again(
                &self,
                request: &LoginRequest,
                error: ReauthError,
            ) -> Result<LoginReply, ReauthError> {
                (**self).ask_again(request, error).await
            }

            async fn allows_new_scopes(&self, request: &LoginRequest) -> Result<bool, ReauthError> {
                (**self).allows_new_scopes(request).await
            }

            fn status(&self, status: &LoginStatus) {
                (**self).status(status);
            }

            fn waits_elsewhere(&self) -> bool {
                (**self).waits_elsewhere()
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// The default prompt without the feature `interactive`.
#[cfg(not(feature = "interactive"))]
pub(super) struct NoPrompt;

#[cfg(not(feature = "interactive"))]
#[async_trait]
impl LoginPrompt for NoPrompt {
    async fn ask(&self, _: &LoginRequest) -> Result<LoginReply, ReauthError> {
        Err(ReauthError::interaction_required_elsewhere().with_source(
            "the app has no `prompt`, and the feature `interactive` of globus-login is off",
        ))
    }
}

/// The status of a login. `Display` is a sentence for the person, without a full stop.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LoginStatus {
    /// Programs wait for a login with another program. Of those that wait for the same login, one
    /// reports this.
    WaitsElsewhere {
        /// The user who has to log in.
        user: UserKey,
        /// The notice of the program that reports this.
        waiting: Box<Waiting>,
        /// The number of programs that wait for the same login.
        jobs: usize,
    },
    /// Another program of the same user is logging in. Its login serves this program as well.
    LoggingInElsewhere {
        /// The machine on which that program runs.
        host: String,
        /// When its login began.
        since: SystemTime,
    },
    /// The login succeeded.
    LoggedIn {
        /// The username of the person, or else the email address, the name or the id.
        who: String,
    },
    /// The login succeeded, but could not be stored: it ends with the program.
    NotStored {
        /// The user of the login.
        user: UserKey,
        /// The error of the store, and what to do.
        reason: String,
    },
    /// The Globus Auth session of a login will probably end soon.
    SessionEndsSoon {
        /// The user of the login.
        user: UserKey,
        /// The collection or service that challenged a login of that age before.
        place: String,
        /// When the session ends.
        until: SystemTime,
    },
    /// Globus Auth rejected the refresh token of a resource server for good. The next login
    /// replaces the token.
    NotRefreshable {
        /// The user of the login.
        user: UserKey,
        /// The resource server.
        resource_server: String,
    },
    /// The stored login was damaged, and was set aside.
    SetAside {
        /// The user of the login.
        user: UserKey,
        /// The new place of the damaged login.
        place: String,
    },
}

impl fmt::Display for LoginStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, since) = match self {
            Self::WaitsElsewhere { waiting, jobs, .. } => {
                return f.write_str(&waiting.in_plain_words(*jobs));
            }
            Self::LoggingInElsewhere { host, since } => (host, since),
            Self::SessionEndsSoon { place, until, .. } => {
                let (place, until) = (printable(place), at(*until));
                return write!(
                    f,
                    "the session for {place} ends at {until}: log in again before"
                );
            }
            Self::NotRefreshable {
                resource_server, ..
            } => {
                let server = printable(resource_server);
                return write!(
                    f,
                    "the login cannot be refreshed any more: Globus Auth rejected the refresh token for {server}, \
                     log in again"
                );
            }
            Self::LoggedIn { who } => return write!(f, "logged in as {}", printable(who)),
            Self::NotStored { reason, .. } => {
                let reason = printable(reason);
                return write!(
                    f,
                    "the login could not be stored and ends with this program: {reason}"
                );
            }
            Self::SetAside { place, .. } => {
                let place = printable(place);
                return write!(
                    f,
                    "the stored login could not be understood, and was moved to {place}"
                );
            }
        };
        let (host, since) = (printable(host), shown(*since));
        write!(
            f,
            "another program of yours, on {host}, is logging in{since}: finish that login"
        )
    }
}

/// A time for a person: local date and time.
pub(super) fn at(time: SystemTime) -> String {
    let Ok(time) = Timestamp::try_from(time) else {
        return "an unknown time".to_owned();
    };
    let time = TimeZone::system().to_datetime(time);
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A time for a person, such as ` since 14:03`; with the date if it is not of today.
pub(super) fn shown(since: SystemTime) -> String {
    let Ok(since) = Timestamp::try_from(since) else {
        return String::new();
    };
    let (since, today) = (
        TimeZone::system().to_datetime(since),
        TimeZone::system().to_datetime(Timestamp::now()),
    );
    let format = match since.date() == today.date() {
        true => " since %H:%M",
        false => " since %Y-%m-%d %H:%M",
    };
    since.strftime(format).to_string()
}

/// The reply of a [`LoginPrompt`]. `Debug` shows neither a code nor a redirect: both are secrets.
#[derive(Clone)]
#[non_exhaustive]
pub enum LoginReply {
    /// The authorization code that the person copied. White space around the code is ignored.
    Code(String),
    /// Globus Auth redirected the browser.
    Redirect {
        /// The URL to which the browser was redirected, with its query. Its `state` must be that of
        /// this login. `error=access_denied` means that the login was declined.
        url: Url,
        /// The redirect URI of the authorize URL, byte for byte: [`LoginRequest::redirect_uri`], or
        /// the argument of [`LoginRequest::authorize_url_for`].
        redirect_uri: String,
    },
    /// Another program ended the login: the tokens are in the store.
    Stored,
}

impl LoginReply {
    /// Makes the reply for a browser that opened [`LoginRequest::authorize_url`] and was redirected
    /// to `url`.
    pub fn redirect(request: &LoginRequest, url: Url) -> Self {
        Self::Redirect {
            url,
            redirect_uri: request.redirect_uri().to_owned(),
        }
    }
}

impl fmt::Debug for LoginReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(..)",
            Self::Redirect { .. } => "Redirect { .. }",
            Self::Stored => "Stored",
        })
    }
}
