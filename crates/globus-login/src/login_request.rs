//! One login, as its prompt sees it: the challenge, the URL to open, and the end of the login.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
#[cfg(feature = "interactive")]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::auth::AuthError;
use super::authorization::{Attempt, Authorization};
#[cfg(feature = "interactive")]
use super::interactive::Open;
use super::{Account, LoginPrompt, LoginReply, Scopes};
use globus_gare::reauth::{Challenge, ReauthError};

/// How often a person is asked again in one login, after a code that Globus Auth rejected.
const ASKS: usize = 5;

/// How long a login waits for the prompt to show its last page.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// One login, for a [`LoginPrompt`]: why it is needed, and the URL to open.
#[derive(Clone)]
pub struct LoginRequest {
    challenge: Option<Challenge>,
    new_scopes: Scopes,
    begin: Arc<dyn Fn() -> Attempt + Send + Sync>,
    /// Begun when the URL is first read: a prompt that waits for another program needs none.
    attempt: Arc<OnceLock<Attempt>>,
    end: Arc<watch::Sender<Option<Ended>>>,
    /// The port and terminal that an [`Interactive`](crate::Interactive) keeps open for
    /// `ask_again`.
    #[cfg(feature = "interactive")]
    open: Arc<Mutex<Option<Open>>>,
}

impl LoginRequest {
    pub(super) fn new(
        challenge: Option<Challenge>,
        new_scopes: Scopes,
        begin: impl Fn() -> Attempt + Send + Sync + 'static,
    ) -> Self {
        Self {
            challenge,
            new_scopes,
            begin: Arc::new(begin),
            attempt: Arc::default(),
            end: Arc::new(watch::Sender::new(None)),
            #[cfg(feature = "interactive")]
            open: Arc::default(),
        }
    }

    pub(super) fn attempt(&self) -> &Attempt {
        self.attempt.get_or_init(|| (self.begin)())
    }

    pub(super) fn page(&self) -> &Authorization {
        self.attempt().page()
    }

    #[cfg(feature = "interactive")]
    pub(super) fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The challenge that the login has to satisfy. `None` if the program itself starts the login.
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// The scopes that the service requires and that are neither its own nor the program's.
    /// [`LoginPrompt::allows_new_scopes`] decides on them. The text is not trusted: show it with
    /// [`printable`](globus_gare::reauth::printable).
    pub fn new_scopes(&self) -> &Scopes {
        &self.new_scopes
    }

    /// The URL to open in a browser, for this login only. It leads to
    /// [`redirect_uri`](Self::redirect_uri).
    pub fn authorize_url(&self) -> &Url {
        self.page().url()
    }

    /// The registered URI to which Globus Auth sends the browser after the login.
    pub fn redirect_uri(&self) -> &str {
        self.page().redirect_uri()
    }

    /// The authorize URL with another redirect URI, for a prompt that listens on a port itself.
    /// Globus Auth allows a client without a secret any port of this machine. The reply is then a
    /// [`LoginReply::Redirect`] with this `redirect_uri`.
    ///
    /// # Errors
    ///
    /// If `redirect_uri` is not an absolute URL.
    pub fn authorize_url_for(&self, redirect_uri: &str) -> Result<Url, ReauthError> {
        self.page().url_for(redirect_uri)
    }

    /// Whether a redirect has the `state` of this login. Ignore any other redirect: anybody can
    /// send one. The comparison takes constant time.
    pub fn is_answered_by(&self, redirect: &Url) -> bool {
        self.page().is_answered_by(redirect)
    }

    /// The end of this login, for a prompt that then shows the person a page.
    pub fn end(&self) -> LoginEnd {
        LoginEnd(self.end.subscribe())
    }

    /// Ends the login as one that nobody waits for.
    #[cfg(all(feature = "interactive", any(test, fuzzing)))]
    pub(super) fn give_up(&self) {
        drop(Abandoned(&self.end));
    }

    /// Asks `prompt` for a reply, and again after a rejected code, until `exchange` gets tokens for
    /// a reply. Then sends the result to each [`LoginEnd`], and waits until they are dropped.
    /// `None` if another program ended the login.
    ///
    /// `exchange` stores the tokens. It returns its own result and the account.
    pub(super) async fn run<T, F>(
        &self,
        prompt: &dyn LoginPrompt,
        exchange: impl Fn(LoginReply) -> F,
    ) -> Result<Option<T>, ReauthError>
    where
        F: Future<Output = Result<(T, Option<Account>), ReauthError>>,
    {
        let _guard = Abandoned(&self.end);
        let asked = async {
            let mut reply = prompt.ask(self).await?;
            let mut asks_left = ASKS;
            loop {
                let may_ask = asks_left > 0 && matches!(reply, LoginReply::Code(_));
                let exchanged = match reply {
                    LoginReply::Stored => return Ok(None),
                    reply => exchange(reply).await,
                };
                reply = match exchanged {
                    Err(error) if may_ask && AuthError::is_invalid_grant(&error) => {
                        prompt.ask_again(self, error).await?
                    }
                    done => return done.map(Some),
                };
                asks_left -= 1;
            }
        };
        let (done, ended) = match asked.await {
            Ok(Some((done, account))) => (Ok(Some(done)), Ok(account)),
            Ok(None) => (Ok(None), Ok(None)),
            Err(error) => (Err(error.clone()), Err(error)),
        };
        self.end.send_replace(Some(ended));
        let _ = tokio::time::timeout(LAST_PAGE, self.end.closed()).await;
        done
    }
}

/// The end of a login. Made by [`LoginRequest::end`].
///
/// Drop it as soon as the page is shown. A login waits until each `LoginEnd` is dropped, at most
/// two seconds, so that the browser gets its page even if the program exits after the login.
#[derive(Clone, Debug)]
pub struct LoginEnd(watch::Receiver<Option<Ended>>);

/// The account of the login, if it is known, or the error of the login.
type Ended = Result<Option<Account>, ReauthError>;

impl LoginEnd {
    /// Waits for the end of the login. The tokens are stored by then. Returns the account, if it is
    /// known.
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

/// On drop, ends a login that has not ended yet.
struct Abandoned<'a>(&'a watch::Sender<Option<Ended>>);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.send_if_modified(|ended| {
            let is_open = ended.is_none();
            ended.get_or_insert_with(|| Err(abandoned()));
            is_open
        });
    }
}

fn abandoned() -> ReauthError {
    ReauthError::new("the program stopped waiting for the login")
}

impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query has the `state`, which is a secret.
        let page = self.attempt.get().map(Attempt::page);
        let url = page.map(|page| page.url().origin().ascii_serialization());
        f.debug_struct("LoginRequest")
            .field("challenge", &self.challenge)
            .field("authorize_url", &url)
            .finish_non_exhaustive()
    }
}
