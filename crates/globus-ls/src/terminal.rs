//! Messages, spinners and prompts for the person. All go to stderr: stdout is for the listing.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use async_trait::async_trait;
use globus_gare::reauth::ReauthError;
use globus_login::{Interactive, LoginPrompt, LoginReply, LoginRequest, LoginStatus, Shown};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use url::Url;

use crate::options::LoginArgs;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints an error. A closed stderr is no reason to panic.
pub(crate) fn print_error(line: &str) {
    let _ = writeln!(anstream::stderr(), "{ERROR}globus-ls:{ERROR:#} {line}");
}

/// Prints a line that is not an error.
pub(crate) fn print_note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Whether a prompt asked a person to type something.
static HAS_PROMPTED: AtomicBool = AtomicBool::new(false);

/// Discards input that a prompt left unread: the shell would run it as a command.
pub(crate) fn discard_typed() {
    #[cfg(unix)]
    if HAS_PROMPTED.load(Ordering::Relaxed) {
        use rustix::process::getpgrp;
        use rustix::termios::{QueueSelector, tcflush, tcgetpgrp};

        let stdin = std::io::stdin();
        // A flush would stop a program in the background.
        if tcgetpgrp(&stdin).is_ok_and(|group| group != getpgrp()) {
            return;
        }
        // An error means that stdin is not a terminal: there is no input to discard.
        let _ = tcflush(&stdin, QueueSelector::IFlush);
    }
}

/// Writes to stderr, with a spinner while a response is awaited. Clones share the spinner.
#[derive(Clone)]
pub(crate) struct Terminal {
    spinner: ProgressBar,
    /// Whether a prompt says who has logged in.
    says_name: bool,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            spinner: ProgressBar::hidden(),
            says_name: true,
        }
    }
}

/// Removes a spinner, or the countdown of a login, from the screen when dropped.
struct ClearOnDrop(ProgressBar);

impl Drop for ClearOnDrop {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A spinner for a service. It is removed when this is dropped.
pub(crate) struct Spinner(ClearOnDrop, String);

impl Spinner {
    /// Shows how many entries have arrived.
    pub(crate) fn count(&self, entries: u64) {
        let Self(ClearOnDrop(spinner), service) = self;
        if spinner.is_finished() {
            // A login has stopped the spinner meanwhile.
            start(spinner);
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

/// Starts a spinner if stderr is a terminal that can move its cursor.
fn start(spinner: &ProgressBar) {
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

impl Terminal {
    /// The terminal of `globus-ls login`, whose last line on stdout names the person. If the person
    /// does not see that line, the prompt names them on stderr.
    pub(crate) fn of_login() -> Self {
        Self {
            says_name: !std::io::stdout().is_terminal(),
            ..Self::default()
        }
    }

    /// Starts a spinner for `service`.
    pub(crate) fn wait_for(&self, service: &Url) -> Spinner {
        let service = service.host_str().unwrap_or("the service");
        let spinner = Spinner(ClearOnDrop(self.spinner.clone()), service.to_owned());
        start(&self.spinner);
        spinner.count(0);
        spinner
    }

    /// Runs `write` while the spinner is removed from the screen.
    pub(crate) fn without_spinner<T>(&self, write: impl FnOnce() -> T) -> T {
        self.spinner.suspend(write)
    }

    pub(crate) fn say(&self, line: &str) {
        self.spinner.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    /// A prompt that logs in with the browser, or with a pasted code.
    pub(crate) fn prompt(&self, login: &LoginArgs) -> Prompt {
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
            says_name: self.says_name,
        }
    }
}

/// Shows a spinner and the time that is left, if stderr is a terminal. Changes no mode of the
/// terminal that would remain after Ctrl-C.
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

/// A login prompt. Stops the spinner of the listing while it runs.
pub(crate) struct Prompt {
    spinner: ProgressBar,
    person: Interactive,
    says_name: bool,
}

impl Prompt {
    /// Stops the spinner of the listing. Dropping the result ends the countdown of the login.
    fn stop_spinner(&self) -> ClearOnDrop {
        HAS_PROMPTED.store(true, Ordering::Relaxed);
        self.spinner.disable_steady_tick();
        self.spinner.finish_and_clear();
        ClearOnDrop(self.spinner.clone())
    }
}

#[async_trait]
impl LoginPrompt for Prompt {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let _clear = self.stop_spinner();
        self.person.ask(request).await
    }

    async fn ask_again(
        &self,
        request: &LoginRequest,
        error: ReauthError,
    ) -> Result<LoginReply, ReauthError> {
        let _clear = self.stop_spinner();
        self.person.ask_again(request, error).await
    }

    fn status(&self, status: &LoginStatus) {
        if self.says_name || !matches!(status, LoginStatus::LoggedIn { .. }) {
            self.person.status(status);
        }
    }
}
