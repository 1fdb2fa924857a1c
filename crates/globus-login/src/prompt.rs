use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use super::LoginStatus;
use super::authorization::Authorization;
use globus_gare::reauth::{Challenge, ReauthError};

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

    /// Told what happens to a login, for the person to know. By default nobody is told.
    fn status(&self, status: &LoginStatus) {
        let _ = status;
    }
}

#[async_trait]
impl<P: LoginPrompt + ?Sized> LoginPrompt for Arc<P> {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        (**self).ask(request).await
    }

    fn status(&self, status: &LoginStatus) {
        (**self).status(status);
    }
}

#[async_trait]
impl<P: LoginPrompt + ?Sized> LoginPrompt for Box<P> {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        (**self).ask(request).await
    }

    fn status(&self, status: &LoginStatus) {
        (**self).status(status);
    }
}

/// What a [`LoginPrompt`] is given.
#[derive(Clone)]
pub struct LoginRequest {
    challenge: Option<Challenge>,
    page: Authorization,
}

impl LoginRequest {
    pub(super) fn new(challenge: Option<Challenge>, page: Authorization) -> Self {
        Self { challenge, page }
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
