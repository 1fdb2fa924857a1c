//! The person at the terminal. All of this goes to stderr: stdout is for the listing.

use std::io::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use async_trait::async_trait;
use globus_gare::reauth::ReauthError;
use globus_login::{Interactive, LoginPrompt, LoginReply, LoginRequest, LoginStatus};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use url::Url;

use crate::options::Login;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Says why the program ends. A stderr that nobody reads is no reason to panic.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(anstream::stderr(), "{ERROR}globus-ls:{ERROR:#} {line}");
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
pub(crate) struct Waiting(ProgressBar);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Terminal {
    /// Shows a spinner, where stderr is a terminal.
    pub(crate) fn wait_for(&self, service: &Url) -> Waiting {
        let spinner = self.spinner.clone();
        spinner.reset();
        spinner.set_draw_target(ProgressDrawTarget::stderr());
        spinner.set_style(ProgressStyle::default_spinner());
        spinner.set_message(format!(
            "waiting for {}",
            service.host_str().unwrap_or("the service")
        ));
        spinner.enable_steady_tick(Duration::from_millis(100));
        Waiting(spinner)
    }

    pub(crate) fn say(&self, line: &str) {
        self.spinner.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    /// A login here, in the browser or by a pasted code.
    pub(crate) fn prompt(&self, login: &Login) -> Prompt {
        let person = Interactive::new().browser(!login.no_browser);
        Prompt {
            spinner: self.spinner.clone(),
            person: person.timeout(login.timeout()),
        }
    }
}

/// A login that has the terminal to itself.
pub(crate) struct Prompt {
    spinner: ProgressBar,
    person: Interactive,
}

#[async_trait]
impl LoginPrompt for Prompt {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        self.spinner.disable_steady_tick();
        self.spinner.finish_and_clear();
        self.person.ask(request).await
    }

    fn status(&self, status: &LoginStatus) {
        self.spinner.suspend(|| self.person.status(status));
    }
}
