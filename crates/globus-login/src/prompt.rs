use std::fmt;
use std::sync::Arc;
#[cfg(feature = "interactive")]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;
use url::Url;

use super::Account;
use super::authorization::Authorization;
use super::exchange::Refusal;
#[cfg(feature = "interactive")]
use super::interactive::Open;
use globus_gare::reauth::{Challenge, ReauthError, printable};

/// How often a person is asked again in one login.
const ASKS: usize = 5;

/// How long a login waits until the last page is shown.
const LAST_PAGE: Duration = Duration::from_secs(2);

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
///         let code = read.await.map_err(|error| ReauthError::with_source("nothing was read", error))?;
///         Ok(LoginReply::Code(code.map_err(|error| ReauthError::with_source("nothing was read", error))?))
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

    /// Tells the person what a login is waiting for, or what became of it; called any number of times, also before
    /// [`ask`](Self::ask) and without it. Must return at once. By default nothing is told.
    fn status(&self, status: &LoginStatus) {
        let _ = status;
    }

    /// Whether this prompt sends no person to a page, and waits for a login that somebody else
    /// runs, such as on the login node of a cluster: its reply is [`LoginReply::Stored`]. Such a
    /// login takes no lease, which would keep the awaited one out, and makes no authorize URL.
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
        Err(ReauthError::interaction_required_because(
            "the app has no `prompt`, and the feature `interactive` of globus-login is off",
        ))
    }
}

/// What a login is waiting for, or what became of it. `Display` is a sentence for the person, without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginStatus {
    /// Another program of the same user is logging in; its tokens will serve this one too.
    LoggingInElsewhere {
        /// The machine on which that program runs.
        host: String,
        /// When its login began.
        since: SystemTime,
    },
    /// The login succeeded and cannot be stored: it lasts as long as the program.
    NotStored {
        /// Why, and what to do about it.
        reason: String,
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
            Self::LoggingInElsewhere { host, since } => (host, since),
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
        write!(
            f,
            "another program of yours, on {}, is logging in",
            printable(host)
        )?;
        let since = Timestamp::try_from(*since).map(|since| TimeZone::system().to_datetime(since));
        since.map_or(Ok(()), |since| {
            write!(f, " since {}", since.strftime("%H:%M"))
        })
    }
}

/// What a [`LoginPrompt`] is given.
#[derive(Clone)]
pub struct LoginRequest {
    challenge: Option<Challenge>,
    page: Authorization,
    end: Arc<watch::Sender<Option<Ended>>>,
    /// What an [`Interactive`](crate::Interactive) keeps open until it is asked again.
    #[cfg(feature = "interactive")]
    open: Arc<Mutex<Option<Open>>>,
}

impl LoginRequest {
    pub(super) fn new(challenge: Option<Challenge>, page: Authorization) -> Self {
        Self {
            challenge,
            page,
            end: Arc::new(watch::Sender::new(None)),
            #[cfg(feature = "interactive")]
            open: Arc::default(),
        }
    }

    #[cfg(feature = "interactive")]
    pub(super) fn page(&self) -> &Authorization {
        &self.page
    }

    #[cfg(feature = "interactive")]
    pub(super) fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a service asked for; none where the program begins with a login.
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// The page to open, for this login alone. It leads to
    /// [`redirect_uri`](Self::redirect_uri).
    pub fn authorize_url(&self) -> &Url {
        self.page.url()
    }

    /// Where Globus Auth sends the browser afterwards, as it is registered.
    pub fn redirect_uri(&self) -> &str {
        self.page.redirect_uri()
    }

    /// The same page, leading to another redirect URI: for a prompt that listens
    /// itself. Globus Auth allows a client without a secret any port of this machine.
    /// The reply is then a [`LoginReply::Redirect`] with this `redirect_uri`.
    ///
    /// # Errors
    ///
    /// Where `redirect_uri` is no absolute URL.
    pub fn authorize_url_for(&self, redirect_uri: &str) -> Result<Url, ReauthError> {
        self.page.url_for(redirect_uri)
    }

    /// Whether a redirect carries the `state` of this login: any other says nothing,
    /// and is best ignored. The comparison takes the same time wherever they differ.
    pub fn is_answered_by(&self, redirect: &Url) -> bool {
        self.page.is_answered_by(redirect)
    }

    /// How this login ends, for a prompt that shows the person a page at its end.
    pub fn end(&self) -> LoginEnd {
        LoginEnd(self.end.subscribe())
    }

    /// Ends a login that nobody waits for.
    #[cfg(all(feature = "interactive", any(test, fuzzing)))]
    pub(super) fn give_up(&self) {
        drop(Ending(&self.end));
    }

    /// Has `prompt` ask, and ask again, until `exchange` makes tokens of a reply; then tells how
    /// the login ended to those who hold a [`LoginEnd`], and lets them show their page. `None`:
    /// the login was ended elsewhere.
    ///
    /// `exchange` ends with the tokens stored, and gives whose they are beside its own result.
    pub(super) async fn run<T, F>(
        &self,
        prompt: &dyn LoginPrompt,
        exchange: impl Fn(LoginReply) -> F,
    ) -> Result<Option<T>, ReauthError>
    where
        F: Future<Output = Result<(T, Option<Account>), ReauthError>>,
    {
        let ending = Ending(&self.end);
        let done = self.replied(prompt, exchange).await;
        let (done, ended) = match done {
            Ok(Some((done, account))) => (Ok(Some(done)), Ok(account)),
            Ok(None) => (Ok(None), Ok(None)),
            Err(error) => (Err(error.clone()), Err(error)),
        };
        ending.tell(ended).await;
        done
    }

    async fn replied<T, F>(
        &self,
        prompt: &dyn LoginPrompt,
        exchange: impl Fn(LoginReply) -> F,
    ) -> Result<Option<T>, ReauthError>
    where
        F: Future<Output = Result<T, ReauthError>>,
    {
        let mut reply = prompt.ask(self).await?;
        for _ in 0..ASKS {
            let is_code = matches!(reply, LoginReply::Code(_));
            reply = match reply {
                LoginReply::Stored => return Ok(None),
                reply => match exchange(reply).await {
                    Err(error) if is_code && Refusal::is_of_the_code(&error) => {
                        prompt.ask_again(self, error).await?
                    }
                    done => return done.map(Some),
                },
            };
        }
        exchange(reply).await.map(Some)
    }
}

/// The end of a login: what [`LoginRequest::end`] gives.
///
/// A login waits for at most two seconds until every `LoginEnd` is dropped, so that a program that
/// ends after it does not leave the browser without a page. Drop it once the page is shown.
#[derive(Clone, Debug)]
pub struct LoginEnd(watch::Receiver<Option<Ended>>);

/// Who logged in, as far as it is known, or why nobody did.
type Ended = Result<Option<Account>, ReauthError>;

impl LoginEnd {
    /// Waits for the end: who has logged in, if that is known, or why the login failed. The
    /// tokens are stored by then.
    ///
    /// # Errors
    ///
    /// The error of the login.
    pub async fn wait(&mut self) -> Result<Option<Account>, ReauthError> {
        let ended = self.0.wait_for(Option::is_some).await;
        let ended = ended.ok().and_then(|ended| ended.clone());
        ended.unwrap_or_else(|| Err(abandoned()))
    }
}

/// Tells the end of a login, also where the login is dropped.
struct Ending<'a>(&'a watch::Sender<Option<Ended>>);

impl Ending<'_> {
    async fn tell(self, ended: Ended) {
        self.0.send_replace(Some(ended));
        let _ = tokio::time::timeout(LAST_PAGE, self.0.closed()).await;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.send_if_modified(|ended| {
            let is_open = ended.is_none();
            ended.get_or_insert_with(|| Err(abandoned()));
            is_open
        });
    }
}

fn abandoned() -> ReauthError {
    ReauthError::new("the program did not wait for the end of the login")
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

impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query holds the state, which nobody else is to know.
        f.debug_struct("LoginRequest")
            .field("challenge", &self.challenge)
            .field(
                "authorize_url",
                &self.authorize_url().origin().ascii_serialization(),
            )
            .field("redirect_uri", &self.redirect_uri())
            .finish_non_exhaustive()
    }
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

impl fmt::Debug for LoginReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(..)",
            Self::Redirect { .. } => "Redirect { .. }",
            Self::Stored => "Stored",
        })
    }
}
