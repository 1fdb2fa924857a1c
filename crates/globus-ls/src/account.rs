//! `ls login`, `ls logout`, `ls whoami`, and `ls completion`.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::printable;
use globus_login::GlobusApp;

use crate::client;
use crate::failure::{Failure, Remedy};
use crate::options::{Login, Options};
use crate::terminal::Terminal;

pub(crate) async fn log_in(login: &Login, force: bool) -> Result<(), Failure> {
    let app = app(login)?;
    if login.no_login {
        return Err(Failure::NoToken(Some(Remedy::AllowLogin)));
    }
    let done = if force {
        app.login_with(AuthorizationParameters::default()).await
    } else {
        app.login().await
    };
    done.map_err(|error| Failure::login(&error))?;
    say(&format!(
        "You are logged in as {}.",
        name(&app).await?.unwrap_or_else(|| "somebody".to_owned())
    ))
}

pub(crate) async fn log_out(login: &Login) -> Result<(), Failure> {
    let logged_out = app(login)?
        .logout()
        .await
        .map_err(|error| Failure::logout(&error))?;
    say(if logged_out {
        "You are logged out."
    } else {
        "You were not logged in."
    })
}

pub(crate) async fn who_am_i(login: &Login) -> Result<(), Failure> {
    match name(&app(login)?).await? {
        Some(name) => say(&name),
        None => Err(Failure::Nobody),
    }
}

/// Writes the completion for the name that the program was started by.
pub(crate) fn complete(shell: Shell) -> Result<(), Failure> {
    let name = std::env::args_os()
        .next()
        .unwrap_or_else(|| "globus-ls".into());
    let name = Path::new(&name)
        .file_stem()
        .map_or("globus-ls".into(), |name| {
            name.to_string_lossy().into_owned()
        });
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), name, &mut script);
    write(&script)
}

fn app(login: &Login) -> Result<GlobusApp, Failure> {
    let client_id = login.client_id().ok_or(Failure::NoClient)?;
    client::app(client_id, login, &Terminal::default())
}

async fn name(app: &GlobusApp) -> Result<Option<String>, Failure> {
    let account = app
        .account()
        .await
        .map_err(|error| Failure::login(&error))?;
    Ok(account.map(|account| printable(&account.username.unwrap_or(account.id))))
}

fn say(line: &str) -> Result<(), Failure> {
    write(format!("{line}\n").as_bytes())
}

fn write(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::error(format!(
            "the answer cannot be written: {error}"
        ))),
        _ => Ok(()),
    }
}
