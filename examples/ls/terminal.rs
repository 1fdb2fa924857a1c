//! The person at the terminal. All of this goes to stderr: stdout is for the listing.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use async_trait::async_trait;
use globus_gare::login::{LoginPrompt, LoginReply, LoginRequest};
use globus_gare::reauth::ReauthError;
use indicatif::{ProgressBar, ProgressStyle};
use url::Url;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Says why the program ends. A stderr that nobody reads is no reason to panic.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(anstream::stderr(), "{ERROR}ls:{ERROR:#} {line}");
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
        spinner.set_draw_target(indicatif::ProgressDrawTarget::stderr());
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
}

#[async_trait]
impl LoginPrompt for Terminal {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        if let Some(challenge) = request.challenge() {
            self.say(&challenge.in_plain_words());
        }
        let question = format!(
            "Log in at\n\n  {}\n\nand paste the code that it shows (nothing to decline): ",
            request.authorize_url()
        );
        let spinner = self.spinner.clone();
        let read = tokio::task::spawn_blocking(move || spinner.suspend(|| ask(&question)));
        let line = read
            .await
            .map_err(|error| ReauthError::with_source("the terminal could not be read", error))?;
        let line = line
            .map_err(|error| ReauthError::with_source("the terminal could not be read", error))?;
        match line.trim() {
            "" => Err(ReauthError::declined()),
            // A page that cannot be reached still shows its address, with the code in it.
            text => Ok(Url::parse(text)
                .map_or_else(|_| LoginReply::Code(text.to_owned()), LoginReply::Redirect)),
        }
    }
}

fn ask(question: &str) -> io::Result<String> {
    let mut stderr = anstream::stderr().lock();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}
