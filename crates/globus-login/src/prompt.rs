use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::{LoginRequest, UserKey, Waiting};
use globus_gare::reauth::{ReauthError, printable};

/// Reaches the person who is to log in.
///
/// The person opens [`authorize_url`](LoginRequest::authorize_url) in a browser
/// and logs in; what comes back is either a code that Globus Auth shows them, to
/// be pasted, or a redirect to [`redirect_uri`](LoginRequest::redirect_uri).
///
/// `ask` may take as long as people take: the session drops the
/// future after its `login_timeout`. Whoever says no is
/// [`ReauthError::declined`]; where nobody can be asked, it is
/// [`ReauthError::interaction_required`].
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
    /// Has the person log in; resolves to what came back.
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError>;

    /// Asks again, since Globus Auth did not accept the [`LoginReply::Code`] of the last reply. A
    /// login asks again at most five times. By default it ends with this error.
    async fn ask_again(
        &self,
        request: &LoginRequest,
        error: ReauthError,
    ) -> Result<LoginReply, ReauthError> {
        let _ = request;
        Err(error)
    }

    /// Asks whether this login may ask for [`new_scopes`](LoginRequest::new_scopes) of its request too; before
    /// [`ask`](Self::ask), and only where there are some. By default it may not, and the login is declined.
    ///
    /// Later logins do not ask for these scopes.
    async fn allows_new_scopes(&self, request: &LoginRequest) -> Result<bool, ReauthError> {
        let _ = request;
        Ok(false)
    }

    /// Tells the person what a login is waiting for, or what became of it; called any number of times, also before
    /// [`ask`](Self::ask) and without it. Must return at once. By default nothing is told.
    fn status(&self, status: &LoginStatus) {
        let _ = status;
    }

    /// Whether this prompt sends no person to a page, and waits for a login that somebody else
    /// runs, such as on the login node of a cluster: its reply is [`LoginReply::Stored`]. Such a
    /// login takes no lease, which would keep the awaited one out, and has no page, unless this prompt
    /// asks for its [URL](LoginRequest::authorize_url) all the same. It ends, and `ask` is dropped, as
    /// soon as a later login is found in the store; until then there is a notice for those who look
    /// ([`AppUser::waiting`](super::AppUser::waiting)).
    fn waits_elsewhere(&self) -> bool {
        false
    }
}

/// A [`LoginPrompt`] from an async closure.
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

/// What [`prompt_fn`] gives.
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

/// The default prompt of a program that compiles no other.
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

/// What a login is waiting for, or what became of it. `Display` is a sentence for the person, without a full stop.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LoginStatus {
    /// Programs wait for a login that somebody else is to run. Of those that wait for the same, one
    /// tells it.
    WaitsElsewhere {
        /// Whose login it is.
        user: UserKey,
        /// The notice of the program that tells.
        waiting: Box<Waiting>,
        /// How many programs wait for the same.
        jobs: usize,
    },
    /// Another program of the same user is logging in; its tokens will serve this one too.
    LoggingInElsewhere {
        /// The machine on which that program runs.
        host: String,
        /// When its login began.
        since: SystemTime,
    },
    /// The login succeeded: who logged in.
    LoggedIn {
        /// The username, or what else is known of them.
        who: String,
    },
    /// The login succeeded and cannot be stored: it lasts as long as the program.
    NotStored {
        /// Why, and what to do about it.
        reason: String,
    },
    /// The session of a login ends soon, as far as is known.
    SessionEndsSoon {
        /// Whose login it is.
        user: UserKey,
        /// The collection, or the service, that refused a login of that age before.
        place: String,
        /// When it ends.
        until: SystemTime,
    },
    /// Globus Auth refused the refresh token of a resource server for good: it is not redeemed again, and
    /// the next login replaces it.
    NotRefreshable {
        /// Whose login it is.
        user: UserKey,
        /// The resource server.
        resource_server: String,
    },
    /// The stored login could not be understood, and was put aside.
    SetAside {
        /// Where it is now.
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
                return write!(f, "the session for {place} ends at {until}: log in before");
            }
            Self::NotRefreshable {
                resource_server, ..
            } => {
                let server = printable(resource_server);
                return write!(
                    f,
                    "the login cannot be refreshed any more: Globus Auth refused the refresh token for {server}"
                );
            }
            Self::LoggedIn { who } => return write!(f, "logged in as {}", printable(who)),
            Self::NotStored { reason } => {
                let reason = printable(reason);
                return write!(f, "the login ends with this program, since {reason}");
            }
            Self::SetAside { place } => {
                let place = printable(place);
                return write!(
                    f,
                    "the stored login could not be understood, and is now at {place}"
                );
            }
        };
        let (host, since) = (printable(host), shown(*since));
        write!(
            f,
            "another program of yours, on {host}, is logging in{since}"
        )
    }
}

/// A time in words.
pub(super) fn at(time: SystemTime) -> String {
    let Ok(time) = Timestamp::try_from(time) else {
        return "an unknown time".to_owned();
    };
    let time = TimeZone::system().to_datetime(time);
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A time of today, as ` since 14:03`; of another day with the date.
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

/// What came back from a login. A code and a redirect are secrets, which `Debug` does not show.
#[derive(Clone)]
#[non_exhaustive]
pub enum LoginReply {
    /// The authorization code that the person copied. White space around it is ignored.
    Code(String),
    /// The browser was redirected.
    Redirect {
        /// The URL that the browser was redirected to, with its query. Its `state` must be the
        /// `state` of this login; `error=access_denied` in it is a login declined.
        url: Url,
        /// The redirect URI that the login page had, byte for byte:
        /// [`LoginRequest::redirect_uri`], or the argument of [`LoginRequest::authorize_url_for`].
        redirect_uri: String,
    },
    /// The login was ended elsewhere, such as by another process: the tokens are stored already.
    Stored,
}

impl LoginReply {
    /// The browser was redirected to `url`, from the page at [`LoginRequest::authorize_url`].
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
