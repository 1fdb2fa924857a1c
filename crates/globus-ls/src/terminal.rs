//! The person at the terminal. All of this goes to stderr: stdout is for the listing.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use async_trait::async_trait;
use globus_gare::reauth::ReauthError;
use globus_login::{Interactive, LoginPrompt, LoginReply, LoginRequest, LoginStatus, Shown};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use url::Url;

use crate::options::Login;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Says why the program ends. A stderr that nobody reads is no reason to panic.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(anstream::stderr(), "{ERROR}globus-ls:{ERROR:#} {line}");
}

/// Says what happens.
pub(crate) fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Whether a person was asked to type something.
static HAS_ASKED: AtomicBool = AtomicBool::new(false);

/// Drops what was typed for a login and came too late for it: a shell would run it.
pub(crate) fn drop_typed() {
    #[cfg(unix)]
    if HAS_ASKED.load(Ordering::Relaxed) {
        // Where stdin is no terminal, there is nothing to drop.
        let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
    }
}

/// Writes to stderr, and shows there that something is awaited.
#[derive(Clone)]
pub(crate) struct Terminal {
    spinner: ProgressBar,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            spinner: ProgressBar::hidden(),
        }
    }
}

/// The spinner turns until this is dropped.
pub(crate) struct Waiting(ProgressBar, String);

impl Waiting {
    /// Shows how many entries there were so far.
    pub(crate) fn count(&self, entries: u64) {
        let Self(spinner, service) = self;
        if spinner.is_finished() {
            // A login had the terminal meanwhile.
            turn(spinner);
        }
        spinner.set_message(match entries {
            0 => format!("waiting for {service}"),
            _ => format!(
                "waiting for {service}, {} entries so far",
                HumanCount(entries)
            ),
        });
    }
}

/// Shows a spinner, where stderr is a terminal that can move its cursor.
fn turn(spinner: &ProgressBar) {
    spinner.reset();
    spinner.set_draw_target(target());
    spinner.set_style(ProgressStyle::default_spinner());
    spinner.enable_steady_tick(Duration::from_millis(100));
}

fn target() -> ProgressDrawTarget {
    match std::env::var_os("TERM") {
        Some(name) if name == "dumb" => ProgressDrawTarget::hidden(),
        _ => ProgressDrawTarget::stderr(),
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Terminal {
    /// Shows a spinner, where stderr is a terminal.
    pub(crate) fn wait_for(&self, service: &Url) -> Waiting {
        let service = service.host_str().unwrap_or("the service");
        let waiting = Waiting(self.spinner.clone(), service.to_owned());
        turn(&self.spinner);
        waiting.count(0);
        waiting
    }

    /// Writes while the spinner is away.
    pub(crate) fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.spinner.suspend(write)
    }

    pub(crate) fn say(&self, line: &str) {
        self.spinner.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    /// A login here, in the browser or by a pasted code.
    pub(crate) fn prompt(&self, login: &Login) -> Prompt {
        let spinner = self.spinner.clone();
        let person = Interactive::new().browser(!login.no_browser);
        let person = person.output(move |shown| match shown {
            Shown::Text(text) => spinner.suspend(|| {
                let mut stderr = anstream::stderr();
                let _ = stderr
                    .write_all(text.as_bytes())
                    .and_then(|()| stderr.flush());
            }),
            Shown::Waiting { message, left } => count_down(&spinner, message, left),
            _ => {}
        });
        Prompt {
            spinner: self.spinner.clone(),
            person: person.timeout(login.timeout()),
        }
    }
}

/// Shows a spinner and the time that is left, where stderr is a terminal. It changes nothing about the terminal that an
/// end by Ctrl-C would leave behind.
fn count_down(spinner: &ProgressBar, message: &str, left: Duration) {
    let deadline = Instant::now() + left;
    let left = move |_: &ProgressState, w: &mut dyn fmt::Write| {
        let left = deadline.saturating_duration_since(Instant::now()).as_secs();
        let _ = write!(w, "{}:{:02}", left / 60, left % 60);
    };
    spinner.reset();
    spinner.set_draw_target(target());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({left} left) ") {
        spinner.set_style(style.with_key("left", left));
    }
    spinner.set_message(message.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(120));
}

/// Ends the countdown of a login.
struct Alone(ProgressBar);

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A login that has the terminal to itself.
pub(crate) struct Prompt {
    spinner: ProgressBar,
    person: Interactive,
}

impl Prompt {
    /// Ends the spinner of the request, and of the login once this is dropped.
    fn alone(&self) -> Alone {
        HAS_ASKED.store(true, Ordering::Relaxed);
        self.spinner.disable_steady_tick();
        self.spinner.finish_and_clear();
        Alone(self.spinner.clone())
    }
}

#[async_trait]
impl LoginPrompt for Prompt {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let _alone = self.alone();
        self.person.ask(request).await
    }

    async fn ask_again(
        &self,
        request: &LoginRequest,
        error: ReauthError,
    ) -> Result<LoginReply, ReauthError> {
        let _alone = self.alone();
        self.person.ask_again(request, error).await
    }

    fn status(&self, status: &LoginStatus) {
        self.person.status(status);
    }
}
