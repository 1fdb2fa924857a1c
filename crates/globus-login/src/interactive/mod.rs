//! A person who sits at this machine, or at its terminal.

mod browser;
mod countdown;
mod keyboard;
mod loopback;
mod page;
mod surroundings;

#[cfg(any(test, fuzzing))]
pub use self::loopback::redirect;

use std::fmt;
use std::io::Write;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;

use self::countdown::Countdown;
use self::loopback::Loopback;
use self::surroundings::{NoBrowser, Surroundings};
use super::{LoginPrompt, LoginReply, LoginRequest, LoginStatus};
use globus_gare::reauth::ReauthError;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Has a person log in, in the browser of this machine or by a pasted code: what a
/// [`GlobusApp::user`](super::GlobusApp::user) does by default.
///
/// It opens the browser and listens on a port of 127.0.0.1 for its way back; at the
/// same time a code can be pasted into the terminal, from a browser anywhere. What
/// comes first counts. Where no browser opens (over SSH, without a display, or where
/// `BROWSER` is a text browser) the code is the way; where there is no terminal
/// either, the login fails with
/// [`is_interaction_required`](ReauthError::is_interaction_required), and its source
/// says why and what to do. The page's URL is always printed, on stderr.
///
/// `BROWSER` names another browser; it is then opened over SSH, too.
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
#[derive(Clone, Debug)]
pub struct Interactive {
    timeout: Duration,
    browser: bool,
}

/// What the person can do.
enum Way {
    /// The browser is open and leads back here; `Url` is the page it shows.
    Browser(Loopback, Url),
    /// A code from another browser.
    Code(NoBrowser),
}

impl Interactive {
    /// A browser where one opens, ten minutes.
    pub fn new() -> Self {
        Self {
            timeout: PATIENCE,
            browser: true,
        }
    }

    /// How long the person may take; 10 minutes by default. After that the login
    /// fails with [`is_timeout`](ReauthError::is_timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether to open a browser, where one can be opened; yes by default.
    #[must_use]
    pub fn browser(mut self, browser: bool) -> Self {
        self.browser = browser;
        self
    }

    /// Opens the browser, or says why not.
    async fn open(&self, request: &LoginRequest, here: &Surroundings) -> Result<Way, ReauthError> {
        let refused = match &here.browser {
            _ if !self.browser => Some(NoBrowser::Unwanted),
            refused => refused.clone(),
        };
        if let Some(reason) = refused {
            return Ok(Way::Code(reason));
        }
        let loopback = match Loopback::bind().await {
            Ok(loopback) => loopback,
            Err(error) => return Ok(Way::Code(NoBrowser::NoPort(error.to_string()))),
        };
        let url = request.authorize_url_for(loopback.redirect_uri())?;
        Ok(match browser::open(&url).await {
            Ok(()) => Way::Browser(loopback, url),
            Err(reason) => Way::Code(NoBrowser::NotOpened(reason)),
        })
    }
}

#[async_trait]
impl LoginPrompt for Interactive {
    fn status(&self, status: &LoginStatus) {
        say(&format!("{status}\n"));
    }

    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let here = Surroundings::look();
        let deadline = Instant::now() + self.timeout;
        let way = self.open(request, &here).await?;
        if let (Way::Code(reason), false) = (&way, here.terminal) {
            return Err(ReauthError::interaction_required_because(NobodyToAsk(
                reason.clone(),
            )));
        }
        if let Some(challenge) = request.challenge() {
            say(&format!("{}\n", challenge.in_plain_words()));
        }
        let page = request.authorize_url();
        let answer = async {
            match &way {
                Way::Code(reason) => {
                    say(&format!(
                        "No browser opens here: {reason}.\nLog in at\n\n  {page}\n\n\
                         and paste the code that it shows (nothing to decline): "
                    ));
                    pasted(request, None).await
                }
                Way::Browser(loopback, _) if here.terminal => {
                    say(&format!(
                        "Your browser opens for the login. If it does not, log in at\n\n  {page}\n\n\
                         and paste the code that it shows.\n"
                    ));
                    let _countdown =
                        Countdown::start("Waiting for the browser, or a code", deadline);
                    tokio::select! {
                        reply = loopback.reply(request) => Ok(reply),
                        reply = pasted(request, Some(loopback)) => reply,
                    }
                }
                Way::Browser(loopback, page) => {
                    say(&format!(
                        "Your browser opens for the login. If it does not, open this page on this machine:\n\n  \
                         {page}\n\n"
                    ));
                    let _countdown = Countdown::start("Waiting for the browser", deadline);
                    Ok(loopback.reply(request).await)
                }
            }
        };
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(reply) => reply,
            Err(_) => Err(ReauthError::timeout()),
        }
    }
}

/// What is pasted into the terminal. An empty line declines, unless a browser is
/// open, in which the person would do so.
async fn pasted(
    request: &LoginRequest,
    browser: Option<&Loopback>,
) -> Result<LoginReply, ReauthError> {
    let may_decline = browser.is_none();
    loop {
        let line = keyboard::line().await;
        let line = line
            .map_err(|error| ReauthError::with_source("the terminal could not be read", error))?;
        let text = match line.as_deref().map(str::trim) {
            None | Some("") if may_decline => return Err(ReauthError::declined()),
            // There is no more to come: it is up to the browser.
            None => return std::future::pending().await,
            Some("") => continue,
            Some(text) => text,
        };
        // A page that cannot be reached still shows its address, with the code in it.
        match Url::parse(text) {
            Ok(url) if request.is_answered_by(&url) => {
                let ours = browser.map(Loopback::redirect_uri);
                let ours = ours.filter(|ours| url.as_str().starts_with(*ours));
                let redirect_uri = ours.unwrap_or(request.redirect_uri()).to_owned();
                return Ok(LoginReply::Redirect { url, redirect_uri });
            }
            Ok(url) if url.has_host() => {
                say("This address does not belong to this login. Paste the code: ");
            }
            _ => return Ok(LoginReply::Code(text.to_owned())),
        }
    }
}

/// A stderr that nobody reads is no reason to give up.
fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

impl Default for Interactive {
    fn default() -> Self {
        Self::new()
    }
}

/// Why nobody was asked, and what to do about it.
#[derive(Debug)]
struct NobodyToAsk(NoBrowser);

impl fmt::Display for NobodyToAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no browser opens here, since {}, and there is no terminal to paste a code into: \
             run it once in a terminal",
            self.0
        )
    }
}

impl std::error::Error for NobodyToAsk {}
