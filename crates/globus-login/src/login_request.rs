//! One login as its prompt sees it: what is asked for, the page to open, and how the login ends.

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

/// How often a person is asked again in one login.
const ASKS: usize = 5;

/// How long a login waits until the last page is shown.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// What a [`LoginPrompt`] is given.
#[derive(Clone)]
pub struct LoginRequest {
    challenge: Option<Challenge>,
    new_scopes: Scopes,
    begin: Arc<dyn Fn() -> Attempt + Send + Sync>,
    /// Begun when its page is first asked for: a prompt that waits elsewhere needs none.
    attempt: Arc<OnceLock<Attempt>>,
    end: Arc<watch::Sender<Option<Ended>>>,
    /// What an [`Interactive`](crate::Interactive) keeps open until it is asked again.
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

    /// What a service asked for; none where the program begins with a login.
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// The scopes that the service requires and that are neither its own nor the program's: those that
    /// [`LoginPrompt::allows_new_scopes`] is asked about. A stranger may have written them: show them
    /// with [`printable`](globus_gare::reauth::printable).
    pub fn new_scopes(&self) -> &Scopes {
        &self.new_scopes
    }

    /// The page to open, for this login alone. It leads to
    /// [`redirect_uri`](Self::redirect_uri).
    pub fn authorize_url(&self) -> &Url {
        self.page().url()
    }

    /// Where Globus Auth sends the browser afterwards, as it is registered.
    pub fn redirect_uri(&self) -> &str {
        self.page().redirect_uri()
    }

    /// The same page, leading to another redirect URI: for a prompt that listens
    /// itself. Globus Auth allows a client without a secret any port of this machine.
    /// The reply is then a [`LoginReply::Redirect`] with this `redirect_uri`.
    ///
    /// # Errors
    ///
    /// Where `redirect_uri` is no absolute URL.
    pub fn authorize_url_for(&self, redirect_uri: &str) -> Result<Url, ReauthError> {
        self.page().url_for(redirect_uri)
    }

    /// Whether a redirect carries the `state` of this login: any other says nothing,
    /// and is best ignored. The comparison takes the same time wherever they differ.
    pub fn is_answered_by(&self, redirect: &Url) -> bool {
        self.page().is_answered_by(redirect)
    }

    /// How this login ends, for a prompt that shows the person a page at its end.
    pub fn end(&self) -> LoginEnd {
        LoginEnd(self.end.subscribe())
    }

    /// Ends a login that nobody waits for.
    #[cfg(all(feature = "interactive", any(test, fuzzing)))]
    pub(super) fn give_up(&self) {
        drop(Abandoned(&self.end));
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
        let _guard = Abandoned(&self.end);
        let asked = async {
            let mut reply = prompt.ask(self).await?;
            for _ in 0..ASKS {
                let is_code = matches!(reply, LoginReply::Code(_));
                reply = match reply {
                    LoginReply::Stored => return Ok(None),
                    reply => match exchange(reply).await {
                        Err(error) if is_code && AuthError::is_of_the_code(&error) => {
                            prompt.ask_again(self, error).await?
                        }
                        done => return done.map(Some),
                    },
                };
            }
            exchange(reply).await.map(Some)
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

/// Ends a login that is dropped before its end.
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
    ReauthError::new("the program did not wait for the end of the login")
}

impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query holds the state, which nobody else is to know.
        let page = self.attempt.get().map(Attempt::page);
        let url = page.map(|page| page.url().origin().ascii_serialization());
        f.debug_struct("LoginRequest")
            .field("challenge", &self.challenge)
            .field("authorize_url", &url)
            .finish_non_exhaustive()
    }
}
