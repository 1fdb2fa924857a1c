//! The prompt for a person at this machine or at its terminal.

mod browser;
mod keyboard;
mod loopback;
mod new_scopes;
mod pages;
mod paste;
mod surroundings;

#[cfg(any(test, fuzzing))]
pub use self::loopback::redirect;

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;

use self::loopback::Loopback;
use self::surroundings::{NoBrowser, Surroundings};
use super::{LoginPrompt, LoginReply, LoginRequest, LoginStatus};
use globus_gare::reauth::ReauthError;

/// The default time for a person.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// A timeout for one that an `Instant` cannot hold: 30 years.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// How often a person may paste a wrong text.
const PASTES: u8 = 5;

/// The default [`LoginPrompt`]: the browser of this machine, or a code pasted into the terminal.
///
/// It opens the browser, and listens on a port of 127.0.0.1 for the redirect. At the same time the
/// person can paste a code from any browser into the terminal. The first of the two counts. It
/// prints the URL of the login page to stderr.
///
/// No browser opens over SSH, without a display, or if the environment variable `BROWSER` names a
/// text browser. Then the person has to paste a code. If there is no terminal either, the login
/// fails with [`is_interaction_required`](ReauthError::is_interaction_required); the error's source
/// has the reason and says what to do.
///
/// `BROWSER` names another browser, which then opens over SSH as well.
///
/// The prompt shows warnings about stored logins for the app's own user only. For the users of
/// [`for_user`](crate::GlobusApp::for_user) there are WARN events.
///
/// For a client with a secret, turn the browser off ([`browser(false)`](Self::browser)): Globus
/// Auth redirects such a client only to its registered URIs, not to a port of this machine.
///
/// ```
/// use std::time::Duration;
/// use globus_login::{GlobusApp, Interactive};
///
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
///     .prompt(Interactive::new().timeout(Duration::from_secs(120)).browser(false))
///     .build()?;
/// # Ok::<(), globus_login::SetupError>(())
/// ```
#[derive(Clone)]
pub struct Interactive {
    timeout: Duration,
    browser: bool,
    output: Arc<dyn Fn(Shown<'_>) + Send + Sync>,
}

/// The output of an [`Interactive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shown<'a> {
    /// Text to write as it is.
    Text(&'a str),
    /// The text is complete, and the login waits for the person. A spinner may run until the next
    /// text, or until the login ends.
    Waiting {
        /// The text for a spinner, such as `Waiting for the browser, or a code`.
        message: &'a str,
        /// The time until the login fails.
        left: Duration,
    },
}

/// The state of a login that stays open for `ask_again`.
pub(super) struct Open {
    /// The port for the redirect; `None` if no browser is open.
    loopback: Option<Loopback>,
    has_terminal: bool,
    pastes_left: u8,
    deadline: Instant,
}

impl Interactive {
    /// Makes a prompt with the default settings.
    pub fn new() -> Self {
        Self {
            timeout: PATIENCE,
            browser: true,
            output: Arc::new(|shown| {
                if let Shown::Text(text) = shown {
                    // A closed stderr must not fail the login.
                    let mut stderr = std::io::stderr().lock();
                    let _ = stderr
                        .write_all(text.as_bytes())
                        .and_then(|()| stderr.flush());
                }
            }),
        }
    }

    /// How long the person may take. After that the login fails with
    /// [`is_timeout`](ReauthError::is_timeout). Default: 10 minutes.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether to open a browser. Default: `true`.
    #[must_use]
    pub fn browser(mut self, browser: bool) -> Self {
        self.browser = browser;
        self
    }

    /// The function that shows text to the person, for a program that draws on its terminal, such
    /// as a spinner while the login waits. Default: writes to stderr.
    #[must_use]
    pub fn output(mut self, output: impl Fn(Shown<'_>) + Send + Sync + 'static) -> Self {
        self.output = Arc::new(output);
        self
    }

    fn say(&self, text: &str) {
        (self.output)(Shown::Text(text));
    }

    /// Opens the browser. Returns the port for the redirect, or the reason why no browser opens.
    async fn open(
        &self,
        request: &LoginRequest,
        here: &Surroundings,
    ) -> Result<Loopback, NoBrowser> {
        if !self.browser {
            return Err(NoBrowser::Unwanted);
        }
        if let Some(reason) = &here.browser {
            return Err(reason.clone());
        }
        let loopback = Loopback::listen(request).await;
        let loopback = loopback.map_err(|error| NoBrowser::NoPort(error.to_string()))?;
        let opened = browser::open(loopback.entrance()).await;
        opened.map(|()| loopback).map_err(NoBrowser::NotOpened)
    }

    /// Waits for the redirect or a code. Then keeps the state open: the code may be wrong.
    async fn wait(
        &self,
        request: &LoginRequest,
        mut open: Open,
    ) -> Result<LoginReply, ReauthError> {
        let message = match (&open.loopback, open.has_terminal) {
            (Some(_), true) => Some("Waiting for the browser, or a code"),
            (Some(_), false) => Some("Waiting for the browser"),
            // No spinner: the cursor is at the place for the code.
            (None, _) => None,
        };
        if let Some(message) = message {
            let left = open.deadline.saturating_duration_since(Instant::now());
            (self.output)(Shown::Waiting { message, left });
        }
        let loopback = open.loopback.as_ref();
        let redirected = async {
            match loopback {
                Some(loopback) => Ok(LoginReply::Redirect {
                    url: self.redirected(loopback, open.has_terminal).await?,
                    redirect_uri: loopback.redirect_uri().to_owned(),
                }),
                None => std::future::pending().await,
            }
        };
        let pasted = async {
            if open.has_terminal {
                self.pasted(request, loopback, &mut open.pastes_left).await
            } else {
                std::future::pending().await
            }
        };
        let first = async {
            tokio::select! {
                reply = redirected => reply,
                reply = pasted => reply,
            }
        };
        let reply = tokio::time::timeout_at(open.deadline, first).await;
        let reply = reply.unwrap_or_else(|_| Err(ReauthError::timeout()))?;
        *request.open() = Some(open);
        Ok(reply)
    }

    /// Waits for the redirect. After a second browser has opened the page, only a pasted code
    /// counts; without a terminal, the login fails.
    async fn redirected(
        &self,
        loopback: &Loopback,
        has_terminal: bool,
    ) -> Result<Url, ReauthError> {
        match loopback.redirect().await {
            Ok(url) => Ok(url),
            Err(error) if has_terminal => {
                self.say(&format!("Note: {error}. You may still paste a code.\n"));
                std::future::pending().await
            }
            Err(error) => Err(ReauthError::other(error)),
        }
    }

    /// Waits for a pasted code. An empty line declines, unless a browser is open: there the person
    /// can decline on the page.
    async fn pasted(
        &self,
        request: &LoginRequest,
        loopback: Option<&Loopback>,
        pastes_left: &mut u8,
    ) -> Result<LoginReply, ReauthError> {
        let mut problem = None;
        while *pastes_left > 0 {
            if let Some(problem) = problem {
                self.ask_for_a_code(problem, loopback);
            }
            let line = keyboard::line().await.map_err(|error| {
                ReauthError::new("the terminal could not be read").with_source(error)
            })?;
            let text = match line.as_deref().map(str::trim) {
                None | Some("") if loopback.is_none() => return Err(ReauthError::declined()),
                // The input has ended: only the browser is left.
                None => break,
                Some("") => {
                    problem = None;
                    continue;
                }
                Some(text) => text,
            };
            *pastes_left -= 1;
            match paste::reply(request, loopback.map(Loopback::redirect_uri), text) {
                Ok(reply) => return Ok(reply),
                Err(found) => problem = Some(found),
            }
        }
        match (loopback, problem) {
            (Some(_), _) => std::future::pending().await,
            (None, problem) => Err(ReauthError::new(format!(
                "no code was pasted: {}",
                problem.unwrap_or("there were too many attempts, log in again")
            ))),
        }
    }

    fn ask_for_a_code(&self, problem: &str, loopback: Option<&Loopback>) {
        self.say(&match loopback {
            Some(_) => format!("{problem}\nFinish the login in the browser, or paste the code.\n"),
            None => format!("{problem}\nPaste the code, or press Enter to decline: "),
        });
    }
}

#[async_trait]
impl LoginPrompt for Interactive {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let here = Surroundings::look();
        let now = Instant::now();
        let deadline = now.checked_add(self.timeout).unwrap_or(now + FOREVER);
        let way = self.open(request, &here).await;
        if let (Err(reason), false) = (&way, here.terminal) {
            return Err(ReauthError::interaction_required_elsewhere()
                .with_source(NobodyToAsk(reason.clone())));
        }
        if let Some(challenge) = request.challenge() {
            self.say(&format!("{}\n", challenge.in_plain_words()));
        }
        let page = request.authorize_url();
        self.say(&match &way {
            Err(reason) => format!(
                "No browser opens here: {reason}.\nLog in at\n\n  {page}\n\n\
                 and paste the code that the page shows, or press Enter to decline: "
            ),
            Ok(_) if here.terminal => format!(
                "Your browser opens for the login. If it does not, log in at\n\n  {page}\n\n\
                 and paste the code that the page shows.\n"
            ),
            Ok(loopback) => format!(
                "Your browser opens for the login. If it does not, open this page on this machine:\n\n  {}\n\n",
                loopback.entrance()
            ),
        });
        let open = Open {
            loopback: way.ok(),
            has_terminal: here.terminal,
            pastes_left: PASTES,
            deadline,
        };
        self.wait(request, open).await
    }

    async fn ask_again(
        &self,
        request: &LoginRequest,
        error: ReauthError,
    ) -> Result<LoginReply, ReauthError> {
        let open = request.open().take();
        let Some(open) = open.filter(|open| open.pastes_left > 0 || open.loopback.is_some()) else {
            return Err(error);
        };
        self.ask_for_a_code(
            "Globus Auth does not accept this code.",
            open.loopback.as_ref(),
        );
        self.wait(request, open).await
    }

    async fn allows_new_scopes(&self, request: &LoginRequest) -> Result<bool, ReauthError> {
        if !Surroundings::look().terminal {
            return Ok(false);
        }
        self.say(&new_scopes::question(request));
        let answer = tokio::time::timeout(self.timeout, new_scopes::answer()).await;
        let answer = answer.map_err(|_| ReauthError::timeout())?;
        answer
            .map_err(|error| ReauthError::new("the terminal could not be read").with_source(error))
    }

    fn status(&self, status: &LoginStatus) {
        if let LoginStatus::SessionEndsSoon { user, .. }
        | LoginStatus::NotRefreshable { user, .. }
        | LoginStatus::NotStored { user, .. }
        | LoginStatus::SetAside { user, .. } = status
            && !user.is_own()
        {
            // The person at the terminal is not that user of a web service.
            return;
        }
        self.say(&match status {
            LoginStatus::LoggedIn { .. } => format!("You are {status}.\n"),
            LoginStatus::LoggingInElsewhere { .. } => format!("Waiting: {status}.\n"),
            _ => format!("Note: {status}.\n"),
        });
    }
}

impl fmt::Debug for Interactive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interactive")
            .field("timeout", &self.timeout)
            .field("browser", &self.browser)
            .finish_non_exhaustive()
    }
}

impl Default for Interactive {
    fn default() -> Self {
        Self::new()
    }
}

/// Nobody can be asked: there is neither a browser nor a terminal.
#[derive(Debug, thiserror::Error)]
#[error(
    "no browser opens here ({0}), and there is no terminal for a code: \
     run the program once in a terminal"
)]
struct NobodyToAsk(NoBrowser);
